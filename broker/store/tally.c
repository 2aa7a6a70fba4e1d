/* SPDX-License-Identifier: EUPL-1.2
 *
 * Broken pages and records were told before: here they are only stepped over. Each pass reads a
 * page once at most, and there are as many passes as the messages fill windows, so that this ends
 * in time whatever the file says.
 */
#include "store/tally.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 2 * 1024 * 1024, /* messages counted at a time: 32 MiB */
    WINDOW_FIRST = 1024,
    BOXES_FIRST = 64,
};

struct counted {
    uint64_t sequence;
    uint32_t references;
};

struct box {
    uint32_t id;
    struct mailbox_record said; /* name is not kept */
    uint64_t waiting;
    uint64_t waiting_bytes;
    uint64_t dead;
    uint64_t behind;
};

struct tally {
    struct inspection *inspection;
    struct store_report *report;
    struct walk walk;
    struct pages pages;
    size_t seen_bytes;
    struct counted *window; /* by sequence */
    size_t window_count;
    size_t window_capacity;
    struct box *boxes;
    size_t box_count;
    size_t box_capacity;
    bool counts_boxes; /* in the first window only */
};

/* One record of a table; false: without memory. */
typedef bool visitor(struct tally *tally, enum table table, struct bytes key, struct bytes record);

static bool visit_all(struct tally *tally, enum table table, visitor *visit)
{
    struct walk *walk = &tally->walk;
    memset(tally->pages.seen, 0, tally->seen_bytes);
    enum walk_step step = walk_begin(walk, &tally->inspection->trees[table]);
    while (step == WALK_RECORD || step == WALK_BROKEN) {
        if (step == WALK_RECORD && walk->key.data != NULL &&
            !visit(tally, table, walk->key, walk->record)) {
            return false;
        }
        step = walk_next(walk);
    }
    return step == WALK_END;
}

static bool visit_mailbox(struct tally *tally, enum table table, struct bytes key,
                          struct bytes record)
{
    struct box box = {0};
    (void)table;
    if (!key_read_mailbox(key, &box.id) || !record_read_mailbox(key, record, &box.said)) {
        return true;
    }
    if (tally->box_count == tally->box_capacity) {
        size_t capacity = tally->box_capacity == 0 ? BOXES_FIRST : tally->box_capacity * 2;
        struct box *boxes = realloc(tally->boxes, capacity * sizeof *boxes);
        if (boxes == NULL) {
            return false;
        }
        tally->boxes = boxes;
        tally->box_capacity = capacity;
    }
    tally->boxes[tally->box_count++] = box;
    return true;
}

/* The table is in the order of ids. */
static struct box *find_box(const struct tally *tally, uint32_t id)
{
    size_t low = 0;
    size_t high = tally->box_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tally->boxes[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < tally->box_count && tally->boxes[low].id == id ? &tally->boxes[low] : NULL;
}

static void count_reference(struct tally *tally, uint64_t sequence)
{
    size_t low = 0;
    size_t high = tally->window_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tally->window[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < tally->window_count && tally->window[low].sequence == sequence) {
        tally->window[low].references++;
    }
}

static bool visit_entry(struct tally *tally, enum table table, struct bytes key,
                        struct bytes record)
{
    struct entry_key entry;
    struct entry_record fields = {0};
    if (!key_read_entry(table, key, &entry)) {
        return true;
    }
    count_reference(tally, entry.sequence);
    struct box *box = tally->counts_boxes ? find_box(tally, entry.mailbox) : NULL;
    if (box != NULL) {
        (void)record_read_entry(table, key, record, &fields);
        box->waiting++;
        box->waiting_bytes += fields.bytes;
    }
    return true;
}

static bool visit_behind(struct tally *tally, enum table table, struct bytes key,
                         struct bytes record)
{
    struct behind_key behind;
    struct behind_record fields = {0};
    (void)table;
    if (!key_read_behind(key, &behind)) {
        return true;
    }
    count_reference(tally, behind.sequence);
    struct box *box = tally->counts_boxes ? find_box(tally, behind.mailbox) : NULL;
    if (box != NULL) {
        (void)record_read_behind(key, record, &fields);
        box->waiting++;
        box->waiting_bytes += fields.bytes;
        box->behind++;
    }
    return true;
}

static bool visit_dead(struct tally *tally, enum table table, struct bytes key, struct bytes record)
{
    struct dead_key dead;
    (void)table;
    (void)record;
    if (!key_read_dead(key, &dead)) {
        return true;
    }
    count_reference(tally, dead.sequence);
    struct box *box = tally->counts_boxes ? find_box(tally, dead.mailbox) : NULL;
    if (box != NULL) {
        box->dead++;
    }
    return true;
}

static bool check_count(struct tally *tally, const struct counted *message)
{
    struct inspection *inspection = tally->inspection;
    uint64_t sequence = message->sequence;
    uint32_t counted = message->references;
    struct record_key key;
    struct bytes record = {0};
    uint32_t said = 0;
    bool has = false;
    if (counted == 0) {
        inspection_tell(inspection, &(struct store_finding){.fault = STORED_FAULT_ORPHAN,
                                                            .table = table_name(TABLE_MESSAGE),
                                                            .sequence = sequence});
        return true;
    }
    key_refs(&key, sequence);
    if (!inspection_has(inspection, TABLE_REFS, &key, &has, &record)) {
        return false;
    }
    bool readable = has && record_read_number(TABLE_REFS, key_bytes(&key), record, &said);
    /* A message of one entry has no count; one that cannot be read was told before. */
    if ((has && readable && said != counted) || (!has && counted > 1)) {
        inspection_tell(inspection, &(struct store_finding){.fault = STORED_FAULT_COUNT,
                                                            .table = table_name(TABLE_REFS),
                                                            .sequence = sequence});
    }
    return true;
}

static bool add_message(struct tally *tally, uint64_t sequence)
{
    if (tally->window_count == tally->window_capacity) {
        size_t capacity = tally->window_capacity == 0 ? WINDOW_FIRST : tally->window_capacity * 2;
        struct counted *window = realloc(tally->window, capacity * sizeof *window);
        if (window == NULL) {
            return false;
        }
        tally->window = window;
        tally->window_capacity = capacity;
    }
    tally->window[tally->window_count++] = (struct counted){.sequence = sequence};
    return true;
}

/* The messages from `first` on that a window holds, and the first one behind them: 0 when there is
 * none. */
static bool fill_window(struct tally *tally, uint64_t first, uint64_t *out_next)
{
    struct walk *walk = &tally->walk;
    struct record_key from;
    uint64_t before = 0;
    key_message(&from, first, 0);
    *out_next = 0;
    tally->window_count = 0;
    memset(tally->pages.seen, 0, tally->seen_bytes);
    enum walk_step step =
        walk_seek(walk, &tally->inspection->trees[TABLE_MESSAGE], key_bytes(&from));
    for (; step == WALK_RECORD || step == WALK_BROKEN; step = walk_next(walk)) {
        uint64_t sequence = 0;
        if (step == WALK_BROKEN || walk->key.data == NULL ||
            !key_read_sequence(walk->key, &sequence) || sequence == before) {
            continue;
        }
        before = sequence;
        if (tally->window_count == WINDOW) {
            *out_next = sequence;
            return true;
        }
        if (!add_message(tally, sequence)) {
            return false;
        }
    }
    return step == WALK_END;
}

static bool check_window(struct tally *tally)
{
    bool fine =
        visit_all(tally, TABLE_READY, visit_entry) && visit_all(tally, TABLE_LATER, visit_entry) &&
        visit_all(tally, TABLE_BEHIND, visit_behind) && visit_all(tally, TABLE_DEAD, visit_dead);
    for (size_t i = 0; fine && i < tally->window_count; i++) {
        fine = check_count(tally, &tally->window[i]);
    }
    tally->report->messages += tally->window_count;
    return fine;
}

static bool check_windows(struct tally *tally)
{
    bool fine = true;
    uint64_t first = 1;
    tally->counts_boxes = true;
    while (fine && first > 0) {
        uint64_t next = 0;
        fine = fill_window(tally, first, &next) && check_window(tally);
        tally->counts_boxes = false;
        first = next;
    }
    return fine;
}

static void check_boxes(struct tally *tally)
{
    for (size_t i = 0; i < tally->box_count; i++) {
        const struct box *box = &tally->boxes[i];
        tally->report->waiting += box->waiting;
        tally->report->dead += box->dead;
        if (box->waiting != box->said.waiting || box->dead != box->said.dead ||
            box->waiting_bytes != box->said.waiting_bytes || box->behind != box->said.behind) {
            inspection_tell(tally->inspection,
                            &(struct store_finding){.fault = STORED_FAULT_COUNT,
                                                    .table = table_name(TABLE_MAILBOX),
                                                    .mailbox = box->id});
        }
    }
    tally->report->mailboxes = tally->box_count;
}

bool tally_check(struct inspection *inspection, struct store_report *report)
{
    struct tally tally = {.inspection = inspection, .report = report, .pages = inspection->pages};
    tally.seen_bytes = (size_t)(tally.pages.last_page / 8 + 1);
    tally.pages.seen = malloc(tally.seen_bytes);
    walk_init(&tally.walk, &tally.pages, RECORD_SEGMENT_BYTES);
    tally.walk.keys_only = true;
    bool fine = tally.pages.seen != NULL && visit_all(&tally, TABLE_MAILBOX, visit_mailbox) &&
                check_windows(&tally);
    if (fine) {
        check_boxes(&tally);
    }
    free(tally.pages.seen);
    free(tally.window);
    free(tally.boxes);
    walk_fini(&tally.walk);
    return fine;
}
