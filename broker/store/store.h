/* SPDX-License-Identifier: EUPL-1.2
 *
 * The port: remembers mailboxes, entries and messages. Speaks in the queue words of core/stored.h,
 * in batches, completing asynchronously. No type of an engine crosses it.
 *
 * Promises of every engine:
 *   1. A result is given only after the commit that holds its op has been synced to disk.
 *   2. After the first failed write or sync nothing more is claimed: store_failed() says why, no
 *      result follows, and the caller must exit. What is on disk is consistent.
 *   3. Results come in the order of the ops.
 *   4. A record whose checksum does not match is never handed out.
 *   5. A repeated (sender, id) within the window is answered as a duplicate and stored once.
 * Threads: one caller thread; the engine has threads of its own. What touches a mapped file runs in
 * threads called STORE_THREAD_NAME, so that a crash by damage can be told from others.
 */
#ifndef RELAIS_STORE_STORE_H
#define RELAIS_STORE_STORE_H

#include "core/finding.h"
#include "core/stored.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

#define STORE_THREAD_NAME "relaisd-store"

struct store_settings {
    const char *path;   /* folder; made with mode 0700 when absent; its file `lock` holds our pid */
    uint64_t map_bytes; /* largest size of the file; sparse. Default 64 GiB */
    uint64_t reserve_bytes;      /* free room on the disk below which appends are refused */
    int64_t duplicate_window_ms; /* default 24 h */
    int64_t upload_keep_ms;      /* an unfinished upload that nobody touches; default 7 days */
    int64_t track_ms;            /* how long it is known what became of a message; at least the
                                  * window. Default 30 days */
    uint64_t duplicate_max;      /* remembered ids; the oldest go first. Default 10,000,000 */
    uint64_t redo_bytes; /* how long redo.log may grow; 0: none, each batch is committed by itself.
                          * Default 64 MiB */
    const char *backup_path; /* folder of backups, made with mode 0700; NULL: none are made */
};

/* Why a store could not be opened, or stopped. */
enum store_problem_kind {
    STORE_PROBLEM_NONE,
    STORE_PROBLEM_PATH,       /* cannot be made, entered or written */
    STORE_PROBLEM_LOCKED,     /* another broker has it */
    STORE_PROBLEM_NETWORK_FS, /* LMDB must not live on NFS, CIFS and the like */
    STORE_PROBLEM_DAMAGED,    /* truncated, not ours, or broken inside */
    STORE_PROBLEM_VERSION,    /* written by a release with another layout */
    STORE_PROBLEM_MEMORY,
    STORE_PROBLEM_IO, /* a write or a sync failed */
};

struct store_problem {
    enum store_problem_kind kind;
    int system_errno; /* 0 when the system did not say */
    char detail[256]; /* what was found, in English, with the path; no content of messages */
};

/* What a check of a whole store counted. */
struct store_report {
    uint64_t records;
    uint64_t findings;
    uint64_t read_bytes;
    uint64_t file_bytes;
    uint64_t page_bytes;
    uint64_t used_pages; /* of the trees: the live data */
    uint64_t free_pages;
    uint64_t lost_pages; /* neither: room that only a copy gives back */
    uint64_t mailboxes;
    uint64_t messages;
    uint64_t waiting;
    uint64_t dead;
    int64_t last_time_ms;
    uint64_t transaction;
    uint64_t redo_identity; /* of the redo log in use; 0: none */
    uint64_t redo_frames;   /* of it, whole */
};

struct store_listener {
    void (*tell)(void *context, const struct store_finding *finding);
    void *context;
};

void store_settings_init(struct store_settings *settings);

/* Opens the LMDB engine. False: *out_problem says why. */
bool store_open_lmdb(const struct store_settings *settings, struct store **out_store,
                     struct store_problem *out_problem);

/* Opens the in-memory engine: same semantics, nothing survives. Completes within store_submit(),
 * without threads. NULL without memory. */
struct store *store_open_memory(const struct store_settings *settings);

/* Finishes what was submitted, then closes. NULL is fine. */
void store_close(struct store *store);

/* The mailboxes found on opening; valid until store_close(). */
const struct stored_mailbox *store_mailboxes(const struct store *store, size_t *out_count);

/* What opening did about a file that was mostly free room. */
struct store_compaction {
    bool due;
    bool done;
    uint64_t before_bytes;
    uint64_t after_bytes;
    char detail[256]; /* why it was not done; "" otherwise */
};

/* Valid until store_close(). */
const struct store_compaction *store_compaction(const struct store *store);

/* The latest broker time that a commit has seen, Unix milliseconds; 0 in a new store. */
int64_t store_last_time(const struct store *store);

/* Hands ops over; never waits for the disk. What an op says to be taken over is taken over, even
 * after a failure. */
void store_submit(struct store *store, struct store_op *ops, size_t count);

/* Readable (poll) when results or a failure wait; store_collect() clears it. */
int store_event_fd(const struct store *store);

/* Moves up to `max` results out. The caller owns what they hold. */
size_t store_collect(struct store *store, struct store_result *out_results, size_t max);

/* True after a failed commit: *out_problem says why. */
bool store_failed(const struct store *store, struct store_problem *out_problem);

/* Bytes in use and the limit. Any time. */
void store_size(const struct store *store, uint64_t *out_used, uint64_t *out_limit);

/* Time of the last finished commit, CLOCK_MONOTONIC milliseconds, and whether one is running: what
 * a watchdog needs to see that the disk still answers. */
void store_pulse(const struct store *store, int64_t *out_last_ms, bool *out_busy);

#endif
