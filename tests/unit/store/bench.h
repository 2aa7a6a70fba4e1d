/* SPDX-License-Identifier: EUPL-1.2
 *
 * A store on the bench: an engine in a folder of its own (below TMPDIR, /dev/shm or /tmp), ops
 * built in one line, results waited for. A failure on the bench fails the test that runs on it.
 */
#ifndef RELAIS_TESTS_UNIT_STORE_BENCH_H
#define RELAIS_TESTS_UNIT_STORE_BENCH_H

#include "store/store.h"

enum engine_kind { ENGINE_MEMORY, ENGINE_LMDB, ENGINE_COUNT };

enum { BENCH_PATH_BYTES = 128, BENCH_WAIT_MS = 60000 };

struct bench {
    enum engine_kind kind;
    struct store_settings settings;
    char folder[BENCH_PATH_BYTES]; /* made by bench_open(), removed by bench_close() */
    char path[BENCH_PATH_BYTES];
    struct store *store;
    uint64_t ticket;
    int64_t now_ms;
};

/* Settings and folder, nothing open yet. */
void bench_init(struct bench *bench, enum engine_kind kind);
void bench_fini(struct bench *bench);

/* Opens the store of the folder; the test fails when that fails. */
void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
void bench_reopen(struct bench *bench);

/* Ops. */
struct store_op op_mailbox(uint32_t id, const char *name);
struct store_op op_append(const char *id, size_t envelope_bytes, size_t payload_bytes,
                          const struct store_recipient *recipients, uint32_t count);
struct store_op op_take(uint32_t mailbox, uint32_t max_entries);
struct store_op op_ack(const struct entry_key *key);
struct store_op op_defer(const struct entry_key *key, uint32_t attempts, int64_t due_ms);
struct store_op op_bury(const struct entry_key *key, const char *reason);
struct store_op op_release(const struct entry_key *key);
struct store_op op_dead_list(uint32_t mailbox, uint64_t after, uint32_t max_entries);
struct store_op op_expire(uint32_t max_entries);
struct store_op op_usage(const char *sender);
struct store_op op_track(const char *sender, const char *id, uint32_t after, uint32_t max_rows);
/* DEAD_READ, REPLAY or DROP. */
struct store_op op_dead(enum store_op_kind kind, uint32_t mailbox, uint64_t sequence);

struct store_op op_upload(const char *id, uint64_t bytes, uint32_t most);
/* Bytes offset .. offset + size of what content_byte(id, ...) makes. */
struct store_op op_chunk(const char *id, uint64_t offset, size_t size);
struct store_op op_fetch(uint64_t content, uint64_t offset, uint32_t bytes);

/* Submits (with the bench' time and next tickets) and waits for the results, in order. */
void bench_do(struct bench *bench, struct store_op *ops, size_t count,
              struct store_result *out_results);
struct store_result bench_one(struct bench *bench, struct store_op op);

/* Submits only. */
void bench_submit(struct bench *bench, struct store_op *ops, size_t count);

/* Waits until `count` results are there or the store has failed; how many came. */
size_t bench_collect(struct bench *bench, struct store_result *out_results, size_t count);

void result_drop(struct store_result *result);

/* The bytes that op_append(id, …) makes: what a delivery must hold. */
uint8_t content_byte(const char *id, size_t at);
bool content_is(const struct store_entry *entry, const char *id, size_t envelope_bytes,
                size_t payload_bytes);

/* How many buffers made by op_append() still live. */
int bench_live_buffers(void);

#endif
