/* SPDX-License-Identifier: EUPL-1.2
 *
 * The LMDB engine's inside: what its files share. One writer thread owns everything here but the
 * inbox, the outbox and the atomics; the caller's thread touches only those (and, before the
 * thread starts and after it has ended, the rest).
 *
 * A batch is a run of ops in one transaction. Invariants:
 *   1. results of a batch leave when it is in the redo log, or committed, and synced, never before;
 *   2. what a batch did to memory (claims, counters, the next sequence) is undone by batch_undo()
 *      when it is given up, and the transaction goes back to what the log holds, so that the ops
 *      can be done again;
 *   3. a batch that wrote nothing is not logged.
 * Functions that return int give 0, an MDB_ code, an errno, or a BATCH_ code.
 */
#ifndef RELAIS_STORE_LMDB_STORE_H
#define RELAIS_STORE_LMDB_STORE_H

#include "store/engine.h"
#include "store/folder.h"
#include "store/inbox.h"
#include "store/mailbox.h"
#include "store/outbox.h"
#include "store/record.h"
#include "store/redo.h"
#include "store/sender.h"

#include <stdatomic.h>

#include <lmdb.h>

enum {
    /* A read-only batch met something that must be moved aside: do it again, writing. */
    BATCH_NEEDS_WRITE = -31001,
};

struct room {
    uint64_t append_bytes; /* appends may fill the file up to here; the rest is for acks */
    uint64_t used_bytes;   /* as measured, and what appends have taken since */
    uint64_t disk_bytes;   /* that may still be taken from the disk */
    int64_t next_measure_us;
};

struct lmdb_store {
    struct store base;
    char *path;
    struct store_settings settings;
    struct folder folder;
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    size_t page_bytes;
    MDB_txn *txn;           /* open: of the batches since the last commit; NULL: none */
    struct redo redo;       /* what these batches did */
    bool log_wanted;        /* it is made with the first batch */
    int64_t oldest_ms;      /* of the first of these batches; CLOCK_MONOTONIC */
    uint64_t pending_bytes; /* that they appended */
    uint64_t open_bytes;    /* of that, what they have not deleted again: it is in memory */
    uint64_t open_from;     /* the first sequence of these batches */
    struct mailbox_table mailboxes;
    struct sender_table senders;
    struct stored_mailbox *found; /* on opening, for the caller */
    char *found_names;
    size_t found_count;
    struct store_compaction compaction; /* on opening, for the caller */
    struct backup *backup;
    struct round *round;    /* of a check; NULL: none was begun */
    uint64_t next_sequence; /* as committed; contents have numbers of the same row */
    bool doomed;            /* perhaps a content is to be erased */
    int64_t next_prune_ms;  /* of uploads; broker time */
    struct room room;
    struct inbox inbox;
    struct outbox outbox;
    pthread_t writer;
    atomic_int_least64_t last_time_ms;
    atomic_int_least64_t last_commit_ms;
    atomic_bool busy;
    atomic_uint_least64_t used_bytes;
};

/* What a batch did to an entry's claim, so that it can be undone. */
enum undo_kind { UNDO_CLAIMED, UNDO_TAKEN, UNDO_UNCLAIMED, UNDO_REMOVED };

struct undo {
    enum undo_kind kind;
    struct mailbox *mailbox;
    struct entry_key key;
};

struct batch {
    struct lmdb_store *store;
    MDB_txn *txn;
    bool writes;
    bool refuse_appends; /* the file is full: only what gives room back */
    bool erases;         /* of itself: no op is in it */
    bool changed;        /* something beside entries and messages */
    bool erased_all;     /* nothing is doomed any more */
    uint64_t next_sequence;
    int64_t last_time_ms;
    uint64_t moved_bytes; /* read or deleted so far */
    uint64_t appended_bytes;
    uint64_t recalled_bytes; /* deleted, and not committed before */
    size_t append_count;
    struct store_result *results;
    size_t result_count;
    struct undo *undos;
    size_t undo_count;
    size_t undo_capacity;
    struct mailbox **touched;
    size_t touched_count;
    size_t touched_capacity;
    struct sender *senders; /* that were touched */
    MDB_cursor *track; /* opened when first needed; the end of a writing transaction frees it */
};

/* lmdb_check.c: looks at the file before LMDB maps it. */
bool lmdb_check_file(const struct folder *folder, const char *path,
                     struct store_problem *out_problem);

/* lmdb_start.c. lmdb_create() makes what is missing of a store that was never whole. */
bool lmdb_create(struct lmdb_store *store, struct store_problem *out_problem);
bool lmdb_read_start(struct lmdb_store *store, struct store_problem *out_problem);

int lmdb_open_tables(struct lmdb_store *store, MDB_txn *txn);

/* lmdb.c */
void lmdb_problem(struct store_problem *out_problem, const char *path, const char *what, int rc);

/* lmdb_commit.c: the writer thread, and the batch. */
void *lmdb_writer(void *store);
int batch_touch(struct batch *batch, struct mailbox *mailbox);
int batch_note(struct batch *batch, enum undo_kind kind, struct mailbox *mailbox,
               const struct entry_key *key);

/* lmdb_write.c: nothing else writes into the transaction of a batch. */
int batch_put(struct batch *batch, enum table table, const struct record_key *key,
              const struct small_record *record, unsigned flags);
int batch_del(struct batch *batch, enum table table, const struct record_key *key);
/* Room for a record of `size` bytes, to be filled behind its head and then sealed. */
int batch_reserve(struct batch *batch, enum table table, const struct record_key *key, size_t size,
                  unsigned flags, uint8_t **out_record);
void batch_seal(struct batch *batch, enum table table, const struct record_key *key,
                uint8_t *record, size_t size);
/* The record under the cursor. */
int batch_del_current(struct batch *batch, enum table table, MDB_cursor *cursor);
int batch_put_current(struct batch *batch, enum table table, MDB_cursor *cursor,
                      const struct record_key *key, const struct small_record *record);

/* lmdb_apply.c: one op into the batch; its result is added. */
int batch_apply(struct batch *batch, const struct store_op *op);
/* An append that is known to be no duplicate, and supersedes nothing. */
int batch_append_new(struct batch *batch, const struct store_op *op, struct store_result *result);
/* Counters of the mailboxes that were touched, and the state. */
int batch_write_state(struct batch *batch);
int batch_put_entry(struct batch *batch, struct mailbox *mailbox, const struct entry_key *key,
                    const struct entry_record *entry);
/* One entry fewer refers to the message: this one, or what is known of it. */
int batch_release_message(struct batch *batch, uint64_t sequence, const struct entry_record *gone);
/* For good: the next of its order has its turn. Its reference on the message stays. */
int batch_remove_entry(struct batch *batch, struct mailbox *mailbox, const struct entry_key *key,
                       struct entry_record *out_entry, struct store_turn *out_turn);
/* Lane, order and bytes of *dead are filled in. */
int batch_bury(struct batch *batch, const struct entry_key *key, struct dead_record *dead,
               struct store_turn *out_turn);
/* The letter alone: its entry is gone already. */
int batch_put_dead(struct batch *batch, struct mailbox *mailbox, const struct entry_key *key,
                   const struct dead_record *dead);

/* lmdb_dead.c: dead letters. */
int batch_dead_list(struct batch *batch, const struct store_op *op, struct store_result *result);
int batch_dead_read(struct batch *batch, const struct store_op *op, struct store_result *result);
int batch_replay(struct batch *batch, const struct store_op *op, struct store_result *result);
int batch_drop(struct batch *batch, const struct store_op *op, struct store_result *result);

/* lmdb_take.c */
int batch_take(struct batch *batch, const struct store_op *op, struct store_result *result);

/* lmdb_sender.c. batch_sender_in() gives the number of the sender, or says STORE_OVER_QUOTA and
 * counts nothing. */
int lmdb_read_senders(struct lmdb_store *store, MDB_txn *txn);
int batch_sender_in(struct batch *batch, const struct store_op *op, struct store_result *result,
                    uint32_t *out_number);
void batch_count_in(struct batch *batch, uint32_t number, uint64_t bytes);
void batch_count_out(struct batch *batch, uint32_t number, uint64_t bytes);
void batch_count_entry_out(struct batch *batch, uint32_t number);
void batch_usage(const struct batch *batch, const struct store_op *op, struct store_result *result);
int batch_write_senders(struct batch *batch);
/* Not committed: back to what is. */
void batch_end_senders(struct batch *batch, bool committed);

/* lmdb_backup.c: beside the writer, in a thread of its own. */
bool backup_init(struct lmdb_store *store);
/* Ends one that runs, and forgets it. */
void backup_fini(struct lmdb_store *store);
int batch_backup(struct batch *batch, const struct store_op *op, struct store_result *result);
int batch_backed_up(struct batch *batch, struct store_result *result);

/* lmdb_round.c: a check of the whole store, in steps. */
int batch_check(struct batch *batch, const struct store_op *op, struct store_result *result);

/* lmdb_message.c. `refers`: to its sender and its stored payload; the rest of it is the op's. */
int message_store(struct batch *batch, uint64_t sequence, const struct store_op *op,
                  const struct message_head *refers);
/* With what its last entry says of it, for when its head is broken. */
int message_delete(struct batch *batch, uint64_t sequence, const struct entry_record *last);
/* MDB_NOTFOUND: not there, or broken. */
int message_head_of(struct batch *batch, uint64_t sequence, struct message_head *out_head);
/* *out_damaged instead of a message when it is not whole. */
int message_load(struct batch *batch, uint64_t sequence, struct store_entry *out_entry,
                 bool *out_damaged);
/* The envelope alone. */
int message_load_envelope(struct batch *batch, uint64_t sequence, struct store_entry *out_entry,
                          bool *out_damaged);

/* lmdb_room.c */
void room_init(struct lmdb_store *store);
/* Before a transaction begins. */
int room_measure(struct lmdb_store *store);
bool room_take(struct lmdb_store *store, uint64_t bytes);
bool room_has(const struct lmdb_store *store, uint64_t bytes);
uint64_t room_cost(const struct store_op *op);
/* Before a commit: LMDB must count no page behind the end of the file. */
int room_extend_file(struct lmdb_store *store, uint64_t bytes, uint64_t records);

static inline MDB_val val_of_key(const struct record_key *key)
{
    return (MDB_val){.mv_size = key->size, .mv_data = (void *)key->data};
}

static inline MDB_val val_of_record(const struct small_record *record)
{
    return (MDB_val){.mv_size = record->size, .mv_data = (void *)record->data};
}

static inline struct bytes bytes_of_val(const MDB_val *value)
{
    return (struct bytes){value->mv_data, value->mv_size};
}

static inline int batch_get(struct batch *batch, enum table table, const struct record_key *key,
                            struct bytes *out_record)
{
    MDB_val key_value = val_of_key(key);
    MDB_val value;
    int rc = mdb_get(batch->txn, batch->store->tables[table], &key_value, &value);
    if (rc == 0) {
        *out_record = bytes_of_val(&value);
    }
    return rc;
}

#endif
