/* SPDX-License-Identifier: EUPL-1.2
 *
 * How much may still be written. Appends stop at 80 % of the map and at the disk's reserve; acks,
 * which give room back but need a few pages to do so, have the rest. Writer thread.
 *
 * The file never shrinks: what acks give back is room inside it, which counts beside the disk's, or
 * a full disk would stay full for ever. LMDB may not find all of it (it needs runs of pages), so it
 * counts only while half of the reserve is left.
 */
#include "store/lmdb_store.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
    APPEND_PERCENT = 80,
    /* Of one append: its places in five trees, each perhaps a page copied or split. */
    COST_APPEND_BYTES = 512,
    COST_RECIPIENT_BYTES = 128,
    /* Measuring walks the list of free pages; it may take one part in this many of the time. */
    MEASURE_SHARE = 20,
    /* Pages that one batch can take without its messages: 4,096 ops, four trees each. */
    BATCH_SPARE_BYTES = 64 * 1024 * 1024,
    FILE_STEP_BYTES = 64 * 1024 * 1024,
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void room_init(struct lmdb_store *store)
{
    store->room = (struct room){.append_bytes = store->settings.map_bytes / 100 * APPEND_PERCENT};
}

/* Tree 0 of LMDB lists, for each transaction, the pages that it freed: a count, then numbers. */
static int count_free_pages(struct lmdb_store *store, uint64_t *out_pages)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0) {
        return rc;
    }
    *out_pages = 0;
    rc = mdb_cursor_open(txn, 0, &cursor);
    if (rc == 0) {
        while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
            *out_pages += value.mv_size >= sizeof(size_t) ? *(const size_t *)value.mv_data : 0;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Of the blocks that the file has on the disk (it has holes), what no page in use needs. */
static uint64_t free_file_bytes(const struct lmdb_store *store)
{
    enum { BLOCK_BYTES = 512 }; /* of st_blocks, whatever the file system */
    mdb_filehandle_t fd = -1;
    struct stat file;
    if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &file) != 0) {
        return 0;
    }
    uint64_t held = (uint64_t)file.st_blocks * BLOCK_BYTES;
    return held > store->room.used_bytes ? held - store->room.used_bytes : 0;
}

static uint64_t free_disk_bytes(const struct lmdb_store *store)
{
    struct statvfs info;
    if (statvfs(store->path, &info) != 0) {
        return 0;
    }
    uint64_t available = (uint64_t)info.f_bavail * info.f_frsize;
    uint64_t reserve = store->settings.reserve_bytes;
    if (available < reserve / 2) {
        return 0;
    }
    uint64_t spare = available > reserve ? available - reserve : 0;
    return spare + free_file_bytes(store);
}

static int measure_used(struct lmdb_store *store)
{
    struct room *room = &store->room;
    MDB_envinfo info;
    uint64_t free_pages = 0;
    int64_t begin_us = now_us();
    int rc = count_free_pages(store, &free_pages);
    if (rc != 0) {
        return rc;
    }
    (void)mdb_env_info(store->env, &info);
    uint64_t pages = info.me_last_pgno + 1;
    room->used_bytes = (pages > free_pages ? pages - free_pages : 0) * store->page_bytes;
    atomic_store(&store->used_bytes, room->used_bytes);
    int64_t end_us = now_us();
    room->next_measure_us = end_us + (end_us - begin_us) * MEASURE_SHARE;
    return 0;
}

int room_measure(struct lmdb_store *store)
{
    /* What is open is not in the file yet: it is measured after the commit. */
    bool due = store->txn == NULL && now_us() >= store->room.next_measure_us;
    int rc = due ? measure_used(store) : 0;
    uint64_t free_bytes = free_disk_bytes(store);
    uint64_t pending = store->pending_bytes;
    store->room.disk_bytes = free_bytes > pending ? free_bytes - pending : 0;
    return rc;
}

uint64_t room_cost(const struct store_op *op)
{
    const struct held_message *message = NULL;
    if (op->kind == STORE_CHUNK) {
        return op->chunk.message.payload.size + COST_APPEND_BYTES;
    }
    message = &op->append.message;
    return message->envelope.size + message->payload.size + COST_APPEND_BYTES +
           (uint64_t)op->append.recipient_count * COST_RECIPIENT_BYTES;
}

bool room_has(const struct lmdb_store *store, uint64_t bytes)
{
    const struct room *room = &store->room;
    return bytes <= room->disk_bytes && room->used_bytes + bytes <= room->append_bytes;
}

bool room_take(struct lmdb_store *store, uint64_t bytes)
{
    struct room *room = &store->room;
    if (!room_has(store, bytes)) {
        return false;
    }
    room->disk_bytes -= bytes;
    room->used_bytes += bytes;
    return true;
}

int room_extend_file(struct lmdb_store *store, uint64_t bytes, uint64_t records)
{
    MDB_envinfo info;
    mdb_filehandle_t fd = -1;
    struct stat file;
    (void)mdb_env_info(store->env, &info);
    int rc = mdb_env_get_fd(store->env, &fd);
    if (rc != 0 || fstat(fd, &file) != 0) {
        return rc != 0 ? rc : errno;
    }
    uint64_t need = (info.me_last_pgno + 1 + records) * store->page_bytes + 2 * bytes +
                    (uint64_t)BATCH_SPARE_BYTES;
    need = need < info.me_mapsize ? need : info.me_mapsize;
    if ((uint64_t)file.st_size >= need) {
        return 0;
    }
    /* A hole: takes no room on the disk. */
    uint64_t size = (need + FILE_STEP_BYTES - 1) / FILE_STEP_BYTES * FILE_STEP_BYTES;
    size = size < info.me_mapsize ? size : info.me_mapsize;
    return ftruncate(fd, (off_t)size) == 0 ? 0 : errno;
}
