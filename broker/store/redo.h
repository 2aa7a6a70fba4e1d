/* SPDX-License-Identifier: EUPL-1.2
 *
 * The redo log: what batches did to the tables since LMDB's last commit, so that a batch is durable
 * after one write and one flush, and LMDB commits many of them at once. The file `redo.log` beside
 * data.mdb is written over from its beginning after each commit of LMDB; it was filled with zeros
 * before it is used, so that a sync writes data alone.
 *
 * A frame is a batch, at a multiple of 4,096 bytes, so that no later write touches its blocks:
 *     magic u32 | number u32 | identity u64 | transaction u64 | body bytes u64 | checksum u64 |
 * body Integers are big-endian; the checksum is XXH3-64 over the 32 bytes before it and the body.
 * The body is a row of records: 1 put, 2 delete u8 | table u8 | key bytes u16 | record bytes u32 |
 * key | record `identity` is that of the file, which data.mdb names too; `transaction` is the one
 * of LMDB that will hold the frame; the first of a transaction has number 0.
 *
 * Invariants: 1. one frame at a time is being written, so that a frame that is not whole was never
 * promised, unless another one of its transaction follows: then the file is damaged; 2. frames of a
 * transaction that LMDB has committed mean nothing any more. Knows no engine. Writer thread.
 */
#ifndef RELAIS_STORE_REDO_H
#define RELAIS_STORE_REDO_H

#include "store/record.h"

#define REDO_NAME "redo.log"

enum { REDO_FIRST_BYTES = 256 * 1024 /* of the file; it grows when it was too small */ };

struct redo {
    int fd; /* -1: there is none */
    uint64_t identity;
    uint64_t file_bytes; /* that are there, zeros or frames */
    uint64_t most_bytes; /* how far the file may grow */
    uint64_t at;         /* of the next frame */
    uint64_t records;    /* in the frames before it */
    uint32_t next_number;
    bool was_full;
    /* The frame that is being made. */
    uint8_t *frame;
    size_t frame_bytes;
    size_t frame_capacity;
    uint64_t frame_records;
    bool does_not_fit; /* or there was no memory: the frame is not kept */
};

void redo_init(struct redo *redo);

/* Makes the file in the folder, filled and on the disk. 0 or an errno; then there is none. */
int redo_create(struct redo *redo, int folder, uint64_t identity, uint64_t most_bytes);

/* Closes the file and forgets the frame. */
void redo_fini(struct redo *redo);

/* A new frame; what was gathered for the last one is forgotten. */
void redo_begin(struct redo *redo);
void redo_put(struct redo *redo, enum table table, struct bytes key, struct bytes record);
void redo_del(struct redo *redo, enum table table, struct bytes key);

/* Whether the frame has its place in the file, and is worth being written twice. */
bool redo_fits(struct redo *redo);

/* Writes the frame and syncs. 0 or an errno: then nothing is known of it. */
int redo_write(struct redo *redo, uint64_t transaction);

/* Whether LMDB should commit soon, so that no batch has to wait for it. */
bool redo_is_nearly_full(const struct redo *redo);

/* LMDB has committed: the next frame is the first of another transaction. Makes the file longer
 * when it was full. 0 or an errno. */
int redo_restart(struct redo *redo);

/* Reading. */

enum redo_step {
    REDO_FRAME,
    REDO_END,
    REDO_DAMAGED, /* a frame that was promised is not whole */
    REDO_AHEAD,   /* frames of a later transaction: LMDB's last commit is not there */
    REDO_FAILED,  /* it cannot be read, or no memory: errno says which */
};

struct redo_reader {
    int fd;
    uint64_t identity;
    uint64_t transaction;
    uint64_t at; /* of the frame that was read last, or is not whole */
    uint64_t next;
    uint32_t number; /* of the next frame */
    uint8_t *frame;
    size_t capacity;
    struct bytes body; /* of the frame that was read last */
};

enum redo_step redo_read(struct redo_reader *reader);
void redo_reader_fini(struct redo_reader *reader);

struct redo_record {
    bool deleted;
    enum table table;
    struct bytes key;
    struct bytes record;
};

/* Takes the first record off the body. False: the body is not a row of records. */
bool redo_next(struct bytes *body, struct redo_record *out_record);

#endif
