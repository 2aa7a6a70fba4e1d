/* SPDX-License-Identifier: EUPL-1.2
 *
 * Hands entries of a mailbox to the broker: those whose time has come first, then the lanes by
 * turn_order(). What is taken is claimed, so that it is not handed out twice.
 *
 * Each lane, and the deferred entries, is a scan that stands on its first free entry. It begins at
 * the hint of the claims, so a take costs O(log n + taken), however many wait or are held.
 *
 * Damage: an entry whose record or message is not whole is moved to `dead` as DAMAGED and
 * never handed out; the result says STORE_DAMAGED, beside the entries that are whole. So does a
 * mailbox that should hold more than can be found: its counters are put right.
 */
#include "store/lmdb_order.h"
#include "store/lmdb_store.h"
#include "store/turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCAN_LATER = LANE_COUNT, /* behind one scan a lane */
    SCAN_COUNT = LANE_COUNT + 1,
    DAMAGED_MOST = 64, /* moved aside in one take; the next take finds the others */
    TAKE_RESERVE = 16, /* entries that a result has room for at first */
};

struct scan {
    enum table table;
    MDB_cursor *cursor;
    bool stands; /* on `key`, free */
    struct entry_key key;
    struct bytes raw_key;
    struct bytes record;
};

struct take {
    struct batch *batch;
    struct mailbox *mailbox;
    int64_t now_ms;
    uint32_t max_entries;
    uint64_t max_bytes;
    struct scan scans[SCAN_COUNT];
    struct store_entry *entries;
    uint32_t count;
    uint32_t capacity;
    uint64_t bytes;
    bool full; /* the next one does not fit */
    struct entry_key damaged[DAMAGED_MOST];
    size_t damaged_count;
};

/* The place of a scan in the order of its table: below every entry of the range. */
static struct entry_key scan_begin(const struct take *take, int scan)
{
    const struct claims *claims = &take->mailbox->claims;
    struct entry_key key = {.lane = (uint8_t)scan};
    if (scan < LANE_COUNT) {
        key.sequence = claims->lane_hint[scan];
    } else {
        key = claims->later_hint;
        key.due_ms = key.due_ms > 0 ? key.due_ms : 1;
    }
    key.mailbox = take->mailbox->id;
    return key;
}

/* Stands on the entry under the cursor if it is free; *out_more when the next must be looked at. */
static bool scan_look(const struct take *take, int number, struct scan *scan, const MDB_val *key,
                      const MDB_val *value, bool *out_more)
{
    struct entry_key found;
    if (!key_read_entry(scan->table, bytes_of_val(key), &found)) {
        *out_more = true; /* a broken key must not hide those behind it */
        return false;
    }
    bool inside =
        found.mailbox == take->mailbox->id && (number == SCAN_LATER || found.lane == number);
    *out_more = inside;
    if (!inside || claims_has(&take->mailbox->claims, &found)) {
        return false;
    }
    scan->key = found;
    scan->raw_key = bytes_of_val(key);
    scan->record = bytes_of_val(value);
    return true;
}

/* From where the cursor is (or `from`) to the first free entry of the range. */
static int scan_advance(struct take *take, int number, const struct entry_key *from)
{
    struct scan *scan = &take->scans[number];
    struct record_key key;
    MDB_val key_value = {0};
    MDB_val value = {0};
    MDB_cursor_op op = MDB_NEXT;
    bool more = true;
    if (from != NULL) {
        key_entry(&key, from);
        key_value = val_of_key(&key);
        op = MDB_SET_RANGE;
    }
    scan->stands = false;
    while (more && !scan->stands) {
        int rc = mdb_cursor_get(scan->cursor, &key_value, &value, op);
        if (rc != 0) {
            return rc == MDB_NOTFOUND ? 0 : rc;
        }
        scan->stands = scan_look(take, number, scan, &key_value, &value, &more);
        op = MDB_NEXT;
    }
    return 0;
}

static int scans_open(struct take *take)
{
    for (int i = 0; i < SCAN_COUNT; i++) {
        struct scan *scan = &take->scans[i];
        scan->table = i == SCAN_LATER ? TABLE_LATER : TABLE_READY;
        MDB_dbi dbi = take->batch->store->tables[scan->table];
        int rc = mdb_cursor_open(take->batch->txn, dbi, &scan->cursor);
        struct entry_key begin = scan_begin(take, i);
        rc = rc != 0 ? rc : scan_advance(take, i, &begin);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static void scans_close(struct take *take)
{
    for (int i = 0; i < SCAN_COUNT; i++) {
        if (take->scans[i].cursor != NULL) {
            mdb_cursor_close(take->scans[i].cursor);
        }
    }
}

/* Everything before where the scans stand is claimed now. What is put before a hint later, or comes
 * back when this batch is given up, lowers it again. */
static void keep_hints(struct take *take)
{
    struct claims *claims = &take->mailbox->claims;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        const struct scan *scan = &take->scans[lane];
        claims->lane_hint[lane] = scan->stands ? scan->key.sequence : UINT64_MAX;
    }
    const struct scan *later = &take->scans[SCAN_LATER];
    claims->later_hint =
        later->stands
            ? later->key
            : (struct entry_key){.due_ms = INT64_MAX, .lane = UINT8_MAX, .sequence = UINT64_MAX};
}

/* The scan whose entry is next; -1 when none can be taken. */
static int choose(const struct take *take)
{
    const struct scan *later = &take->scans[SCAN_LATER];
    if (later->stands && later->key.due_ms <= take->now_ms) {
        return SCAN_LATER;
    }
    const enum lane *order = turn_order(take->mailbox->picks);
    for (int i = 0; i < LANE_COUNT; i++) {
        if (take->scans[order[i]].stands) {
            return (int)order[i];
        }
    }
    return -1;
}

static int reserve(struct take *take)
{
    if (take->count < take->capacity) {
        return 0;
    }
    uint32_t capacity = take->capacity == 0 ? TAKE_RESERVE : take->capacity * 2;
    struct store_entry *entries = realloc(take->entries, capacity * sizeof *entries);
    if (entries == NULL) {
        return ENOMEM;
    }
    take->entries = entries;
    take->capacity = capacity;
    return 0;
}

static int note_damaged(struct take *take, const struct entry_key *key)
{
    if (!take->batch->writes) {
        return BATCH_NEEDS_WRITE;
    }
    take->damaged[take->damaged_count++] = *key;
    take->full = take->damaged_count == DAMAGED_MOST;
    return 0;
}

/* The entry, whole, is the result's and claimed. */
static int keep(struct take *take, int number, uint64_t bytes)
{
    struct scan *scan = &take->scans[number];
    /* In the result before anything can fail, so that the message is dropped with it. */
    take->count++;
    take->bytes += bytes;
    take->mailbox->picks += number == SCAN_LATER ? 0 : 1;
    take->full = take->count == take->max_entries;
    if (!claims_add(&take->mailbox->claims, &scan->key)) {
        return ENOMEM;
    }
    return batch_note(take->batch, UNDO_TAKEN, take->mailbox, &scan->key);
}

/* Takes the entry that a scan stands on and moves the scan on, unless nothing more fits. */
static int take_one(struct take *take, int number)
{
    struct scan *scan = &take->scans[number];
    struct entry_record record = {0};
    bool damaged = !record_read_entry(scan->table, scan->raw_key, scan->record, &record);
    if (take->count > 0 && take->bytes + record.bytes > take->max_bytes) {
        take->full = true;
        return 0;
    }
    int rc = reserve(take);
    if (rc != 0) {
        return rc;
    }
    struct store_entry *entry = &take->entries[take->count];
    *entry = (struct store_entry){.key = scan->key, .attempts = record.attempts};
    rc = damaged ? 0 : message_load(take->batch, scan->key.sequence, entry, &damaged);
    if (rc == 0) {
        take->batch->moved_bytes += entry->message.envelope.size + entry->message.payload.size;
        rc = damaged ? note_damaged(take, &scan->key) : keep(take, number, record.bytes);
    }
    return rc != 0 ? rc : scan_advance(take, number, NULL);
}

static int take_entries(struct take *take)
{
    int rc = scans_open(take);
    int number = -1;
    take->full = take->max_entries == 0;
    while (rc == 0 && !take->full && (number = choose(take)) >= 0) {
        rc = take_one(take, number);
    }
    if (rc == 0) {
        keep_hints(take);
    }
    return rc;
}

/* When the first free entry after now is due; 0: none. */
static int find_next_due(struct take *take, int64_t *out_due_ms)
{
    struct scan *later = &take->scans[SCAN_LATER];
    *out_due_ms = 0;
    if (later->stands && later->key.due_ms <= take->now_ms) {
        struct entry_key after = {.mailbox = take->mailbox->id, .due_ms = take->now_ms + 1};
        int rc = scan_advance(take, SCAN_LATER, &after);
        if (rc != 0) {
            return rc;
        }
    }
    if (later->stands) {
        *out_due_ms = later->key.due_ms;
    }
    return 0;
}

static int move_aside(struct take *take, struct store_result *result)
{
    static const char reason[] = "damaged on the disk of the broker";
    struct dead_record dead = {.code = STORED_CODE_DAMAGED,
                               .died_ms = take->now_ms,
                               .reason = {(const uint8_t *)reason, sizeof reason - 1}};
    for (size_t i = 0; i < take->damaged_count; i++) {
        struct store_turn turn = {0};
        int rc = batch_bury(take->batch, &take->damaged[i], &dead, &turn);
        if (rc != 0) {
            return rc;
        }
        /* Another take finds what came in its place, and when it is due. */
        result->take.more = result->take.more || turn.passed;
        result->take.aside++;
        result->take.aside_bytes += dead.bytes;
    }
    return 0;
}

/* Nothing free is left, so what waits must be what is claimed and what is behind that. */
static int mend(struct take *take, struct store_result *result, bool *out_mended)
{
    struct mailbox *mailbox = take->mailbox;
    struct mailbox_counts *counts = &mailbox->counts;
    uint64_t claimed = mailbox->claims.count;
    bool headless = claimed == 0 && counts->behind > 0;
    *out_mended = headless || counts->waiting != claimed + counts->behind;
    if (!*out_mended) {
        return 0;
    }
    if (!take->batch->writes) {
        return BATCH_NEEDS_WRITE;
    }
    if (headless) {
        counts->waiting = counts->behind;
        result->take.more = true;
        return order_mend(take->batch, mailbox);
    }
    counts->waiting = claimed + counts->behind;
    counts->waiting_bytes = counts->waiting == 0 ? 0 : counts->waiting_bytes;
    return batch_touch(take->batch, mailbox);
}

static int run(struct take *take, struct store_result *result)
{
    bool mended = false;
    int rc = take_entries(take);
    if (rc != 0) {
        return rc;
    }
    result->take.more = choose(take) >= 0;
    rc = find_next_due(take, &result->take.next_due_ms);
    /* Only now: what is moved aside moves the cursors too. */
    rc = rc != 0 ? rc : move_aside(take, result);
    if (rc == 0 && !result->take.more && result->take.next_due_ms == 0) {
        rc = mend(take, result, &mended);
    }
    if (take->damaged_count > 0 || mended) {
        result->status = STORE_DAMAGED;
    }
    return rc;
}

int batch_take(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct mailbox *mailbox = mailbox_find(&batch->store->mailboxes, op->take.mailbox);
    if (mailbox == NULL) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    struct take *take = calloc(1, sizeof *take);
    if (take == NULL) {
        return ENOMEM;
    }
    take->batch = batch;
    take->mailbox = mailbox;
    take->now_ms = op->now_ms;
    take->max_entries = op->take.max_entries;
    take->max_bytes = op->take.max_bytes;
    int rc = run(take, result);
    scans_close(take);
    result->take.entries = take->entries;
    result->take.count = take->count;
    free(take);
    return rc;
}
