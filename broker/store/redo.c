/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/redo.h"

#include "store/record_body.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

enum {
    BLOCK_BYTES = 4096,
    MAGIC = 0x524c5931, /* "RLY1" */
    CHECKSUM_AT = 4 + 4 + 8 + 8 + 8,
    HEAD_BYTES = CHECKSUM_AT + 8,
    RECORD_HEAD = 1 + 1 + 2 + 4,
    ZERO_BYTES = 256 * 1024, /* written at once */
    FRAME_MOST_BYTES = 4 * 1024 * 1024,
    /* Beyond, and of large records, two writes of everything cost more than a flush that is saved.
     */
    LARGE_FRAME_BYTES = 512 * 1024,
    LARGE_RECORD_BYTES = 4096,
};

static uint64_t in_blocks(uint64_t bytes)
{
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
}

void redo_init(struct redo *redo)
{
    *redo = (struct redo){.fd = -1};
}

void redo_fini(struct redo *redo)
{
    if (redo->fd >= 0) {
        close(redo->fd);
    }
    free(redo->frame);
    redo_init(redo);
}

/* O_DIRECT is given up: the file system took the flag and not the write, or a short write left a
 * place that is no block's. False: it was not on. */
static bool go_through_cache(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_DIRECT) != 0 && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

/* All of it, or an errno. */
static int write_all(int fd, const uint8_t *data, size_t size, uint64_t at)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, data, size, (off_t)at);
        if (written < 0 && (errno == EINTR || (errno == EINVAL && go_through_cache(fd)))) {
            continue;
        }
        if (written <= 0) {
            return written < 0 ? errno : EIO;
        }
        data += written;
        size -= (size_t)written;
        at += (uint64_t)written;
    }
    return 0;
}

static int sync_data(int fd)
{
    return fdatasync(fd) == 0 ? 0 : errno;
}

static uint8_t *allocate(size_t size)
{
    void *memory = NULL;
    return posix_memalign(&memory, BLOCK_BYTES, size) == 0 ? memory : NULL;
}

/* Zeros up to `size`, on the disk: blocks that were never written would have to be noted in the
 * file system's own journal at the first sync of each. */
static int fill(struct redo *redo, uint64_t size)
{
    uint8_t *zeros = allocate(ZERO_BYTES);
    int rc = zeros != NULL ? 0 : ENOMEM;
    if (zeros != NULL) {
        memset(zeros, 0, ZERO_BYTES);
    }
    for (uint64_t at = redo->file_bytes; rc == 0 && at < size; at += ZERO_BYTES) {
        size_t left = (size_t)(size - at);
        rc = write_all(redo->fd, zeros, left < ZERO_BYTES ? left : ZERO_BYTES, at);
    }
    free(zeros);
    if (rc == 0 && sync_data(redo->fd) != 0) {
        rc = EIO; /* whatever it says: a failed sync is never borne */
    }
    redo->file_bytes = rc == 0 ? size : redo->file_bytes;
    return rc;
}

/* Past the page cache, where the file system can: what is written here is not read again. */
static int open_direct(int folder)
{
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(folder, REDO_NAME, flags | O_DIRECT, 0600);
    return fd < 0 && errno == EINVAL ? openat(folder, REDO_NAME, flags, 0600) : fd;
}

int redo_create(struct redo *redo, int folder, uint64_t identity, uint64_t most_bytes)
{
    redo->fd = open_direct(folder);
    if (redo->fd < 0) {
        return errno;
    }
    redo->identity = identity;
    redo->most_bytes = most_bytes / BLOCK_BYTES * BLOCK_BYTES;
    int rc = fill(redo, redo->most_bytes < REDO_FIRST_BYTES ? redo->most_bytes : REDO_FIRST_BYTES);
    if (rc == 0 && fsync(folder) != 0) {
        rc = EIO;
    }
    if (rc != 0) {
        redo_fini(redo);
        (void)unlinkat(folder, REDO_NAME, 0);
    }
    return rc;
}

void redo_begin(struct redo *redo)
{
    redo->frame_bytes = HEAD_BYTES;
    redo->frame_records = 0;
    redo->does_not_fit = redo->fd < 0;
}

static bool reserve(struct redo *redo, size_t need)
{
    if (in_blocks(need) <= redo->frame_capacity) {
        return true;
    }
    size_t capacity = in_blocks(need * 2 < FRAME_MOST_BYTES ? need * 2 : FRAME_MOST_BYTES);
    uint8_t *frame = allocate(capacity);
    if (frame == NULL) {
        return false;
    }
    if (redo->frame != NULL) {
        memcpy(frame, redo->frame, redo->frame_bytes);
    }
    free(redo->frame);
    redo->frame = frame;
    redo->frame_capacity = capacity;
    return true;
}

/* Room for more of the frame, whole blocks of it. NULL: it is not kept. */
static uint8_t *grow(struct redo *redo, size_t size)
{
    size_t need = redo->frame_bytes + size;
    redo->does_not_fit = redo->does_not_fit || need > FRAME_MOST_BYTES || !reserve(redo, need);
    if (redo->does_not_fit) {
        return NULL;
    }
    uint8_t *at = redo->frame + redo->frame_bytes;
    redo->frame_bytes = need;
    redo->frame_records++;
    return at;
}

static uint8_t *add_record(struct redo *redo, bool deleted, enum table table, struct bytes key,
                           size_t record_bytes)
{
    assert(key.size <= UINT16_MAX && record_bytes <= UINT32_MAX);
    uint8_t *at = grow(redo, RECORD_HEAD + key.size + record_bytes);
    if (at == NULL) {
        return NULL;
    }
    at = number_put(at, deleted ? 2 : 1, 1);
    at = number_put(at, (uint64_t)table, 1);
    at = number_put(at, key.size, 2);
    at = number_put(at, record_bytes, 4);
    memcpy(at, key.data, key.size);
    return at + key.size;
}

void redo_put(struct redo *redo, enum table table, struct bytes key, struct bytes record)
{
    uint8_t *at = add_record(redo, false, table, key, record.size);
    if (at != NULL) {
        memcpy(at, record.data, record.size);
    }
}

void redo_del(struct redo *redo, enum table table, struct bytes key)
{
    (void)add_record(redo, true, table, key, 0);
}

static bool is_of_large_records(const struct redo *redo)
{
    return redo->frame_bytes > LARGE_FRAME_BYTES &&
           redo->frame_bytes / redo->frame_records > LARGE_RECORD_BYTES;
}

bool redo_fits(struct redo *redo)
{
    if (redo->does_not_fit || is_of_large_records(redo)) {
        return false;
    }
    redo->was_full = redo->at + in_blocks(redo->frame_bytes) > redo->file_bytes;
    return !redo->was_full;
}

static uint64_t checksum(const uint8_t *frame, size_t body_bytes)
{
    uint64_t seed = XXH3_64bits(frame, CHECKSUM_AT);
    return XXH3_64bits_withSeed(frame + HEAD_BYTES, body_bytes, seed);
}

int redo_write(struct redo *redo, uint64_t transaction)
{
    size_t body_bytes = redo->frame_bytes - HEAD_BYTES;
    size_t size = in_blocks(redo->frame_bytes);
    uint8_t *at = redo->frame;
    at = number_put(at, MAGIC, 4);
    at = number_put(at, redo->next_number, 4);
    at = number_put(at, redo->identity, 8);
    at = number_put(at, transaction, 8);
    at = number_put(at, body_bytes, 8);
    (void)number_put(at, checksum(redo->frame, body_bytes), 8);
    memset(redo->frame + redo->frame_bytes, 0, size - redo->frame_bytes);
    int rc = write_all(redo->fd, redo->frame, size, redo->at);
    rc = rc != 0 ? rc : sync_data(redo->fd);
    if (rc == 0) {
        redo->at += size;
        redo->next_number++;
        redo->records += redo->frame_records;
    }
    return rc;
}

bool redo_is_nearly_full(const struct redo *redo)
{
    return redo->at > redo->file_bytes / 4 * 3;
}

int redo_restart(struct redo *redo)
{
    redo->was_full = redo->was_full || redo_is_nearly_full(redo);
    redo->at = 0;
    redo->next_number = 0;
    redo->records = 0;
    if (redo->fd < 0 || !redo->was_full || redo->file_bytes >= redo->most_bytes) {
        return 0;
    }
    redo->was_full = false;
    uint64_t twice = redo->file_bytes * 2;
    int rc = fill(redo, twice < redo->most_bytes ? twice : redo->most_bytes);
    if (rc == ENOSPC || rc == EDQUOT || rc == ENOMEM) {
        redo->most_bytes = redo->file_bytes; /* it does with what it has */
        rc = 0;
    }
    return rc;
}

/* Reading. */

struct frame_head {
    uint32_t number;
    uint64_t transaction;
    uint64_t body_bytes;
    uint64_t checksum;
};

static bool parse_head(const struct redo_reader *reader, const uint8_t *head,
                       struct frame_head *out_head)
{
    *out_head = (struct frame_head){.number = (uint32_t)number_get(head + 4, 4),
                                    .transaction = number_get(head + 16, 8),
                                    .body_bytes = number_get(head + 24, 8),
                                    .checksum = number_get(head + CHECKSUM_AT, 8)};
    return number_get(head, 4) == MAGIC && number_get(head + 8, 8) == reader->identity &&
           out_head->body_bytes <= FRAME_MOST_BYTES - HEAD_BYTES;
}

/* As much as there is; -1: errno. */
static ssize_t read_at(int fd, uint8_t *out, size_t size, uint64_t at)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, out + done, size - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static bool make_room(struct redo_reader *reader, size_t size)
{
    if (size <= reader->capacity) {
        return true;
    }
    uint8_t *frame = realloc(reader->frame, size);
    if (frame == NULL) {
        errno = ENOMEM;
        return false;
    }
    reader->frame = frame;
    reader->capacity = size;
    return true;
}

/* The frame at this place. REDO_END: there is none, or it is not whole. */
static enum redo_step read_frame(struct redo_reader *reader, uint64_t at, struct frame_head *head)
{
    uint8_t raw[HEAD_BYTES];
    ssize_t got = read_at(reader->fd, raw, sizeof raw, at);
    if (got < 0) {
        return REDO_FAILED;
    }
    if (got != HEAD_BYTES || !parse_head(reader, raw, head)) {
        return REDO_END;
    }
    size_t size = HEAD_BYTES + (size_t)head->body_bytes;
    if (!make_room(reader, size)) {
        return REDO_FAILED;
    }
    got = read_at(reader->fd, reader->frame, size, at);
    if (got < 0) {
        return REDO_FAILED;
    }
    bool whole =
        (size_t)got == size && checksum(reader->frame, (size_t)head->body_bytes) == head->checksum;
    return whole ? REDO_FRAME : REDO_END;
}

/* Behind a place where no frame of the transaction is: whether one follows nevertheless. */
static enum redo_step look_further(struct redo_reader *reader)
{
    struct frame_head head;
    off_t end = lseek(reader->fd, 0, SEEK_END);
    enum redo_step step = end < 0 ? REDO_FAILED : REDO_END;
    for (uint64_t at = reader->at; step == REDO_END && at < (uint64_t)end; at += BLOCK_BYTES) {
        enum redo_step found = read_frame(reader, at, &head);
        if (found == REDO_FAILED) {
            step = REDO_FAILED;
        } else if (found == REDO_FRAME && head.transaction > reader->transaction) {
            step = REDO_AHEAD;
        } else if (found == REDO_FRAME && head.transaction == reader->transaction) {
            step = REDO_DAMAGED;
        }
    }
    return step;
}

enum redo_step redo_read(struct redo_reader *reader)
{
    struct frame_head head;
    reader->at = reader->next;
    enum redo_step step = read_frame(reader, reader->at, &head);
    if (step == REDO_FAILED) {
        return step;
    }
    if (step == REDO_END || head.transaction != reader->transaction ||
        head.number != reader->number) {
        return look_further(reader);
    }
    reader->number++;
    reader->next = reader->at + in_blocks(HEAD_BYTES + head.body_bytes);
    reader->body = (struct bytes){reader->frame + HEAD_BYTES, (size_t)head.body_bytes};
    return REDO_FRAME;
}

void redo_reader_fini(struct redo_reader *reader)
{
    free(reader->frame);
    reader->frame = NULL;
    reader->capacity = 0;
}

bool redo_next(struct bytes *body, struct redo_record *out_record)
{
    if (body->size < RECORD_HEAD) {
        return false;
    }
    uint64_t kind = number_get(body->data, 1);
    uint64_t table = number_get(body->data + 1, 1);
    size_t key_bytes = (size_t)number_get(body->data + 2, 2);
    size_t record_bytes = (size_t)number_get(body->data + 4, 4);
    size_t size = RECORD_HEAD + key_bytes + record_bytes;
    bool known = (kind == 1 || (kind == 2 && record_bytes == 0)) && table < TABLE_COUNT;
    if (!known || key_bytes == 0 || key_bytes > RECORD_KEY_BYTES || size > body->size) {
        return false;
    }
    *out_record =
        (struct redo_record){.deleted = kind == 2,
                             .table = (enum table)table,
                             .key = {body->data + RECORD_HEAD, key_bytes},
                             .record = {body->data + RECORD_HEAD + key_bytes, record_bytes}};
    body->data += size;
    body->size -= size;
    return true;
}
