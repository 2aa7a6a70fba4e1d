/* SPDX-License-Identifier: EUPL-1.2
 *
 * The check of a store that is in use: a round over all tables, some pages a step, each step
 * between two batches of the writer. The file is read through pages.h, as it was committed last: a
 * page that is noise is told, not followed.
 *
 * Invariants: 1. an entry that is damaged, or whose message is, is moved to `dead` in the step that
 * finds it, unless it is with a consumer: then it was read whole; 2. a step that writes is done
 * again from its beginning, so that what it found is told once; 3. a round ends: keys only rise,
 * and each step checks something, however little it may read. What must be counted over the whole
 * store is not: a backup and a check of the file do that.
 */
#include "store/lmdb_store.h"

#include "store/inspection.h"
#include "store/metas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    DAMAGED_MESSAGES = 1024, /* remembered in a round; takes find the others */
    NOISE_SHARE = 64, /* so many steps' bytes of nothing but noise, and a table is given up */
};

struct round {
    int table;              /* TABLE_COUNT: over */
    struct record_key last; /* that was checked; size 0: none of the table */
    uint64_t broken_page;   /* told last */
    /* The message in the middle of which the last step ended. */
    uint64_t sequence;
    uint32_t next_segment;
    uint64_t left_bytes;
    bool message_open;
    bool message_broken;
    uint64_t damaged[DAMAGED_MESSAGES]; /* sequences, rising */
    size_t damaged_count;
};

struct step {
    struct batch *batch;
    struct round round;
    struct pages pages;
    struct walk walk;
    struct inspection inspection;
    struct store_checked *checked;
    struct entry_key entry; /* under inspection */
    bool is_entry;
    struct entry_key aside[STORED_FINDINGS];
    bool wants_aside[STORED_FINDINGS];
    uint64_t max_bytes;
    bool moved; /* something was checked */
    uint8_t *seen;
};

static void remember_damaged(struct round *round, uint64_t sequence)
{
    size_t count = round->damaged_count;
    if (sequence != 0 && count < DAMAGED_MESSAGES &&
        (count == 0 || round->damaged[count - 1] < sequence)) {
        round->damaged[round->damaged_count++] = sequence;
    }
}

static bool is_damaged(const struct round *round, uint64_t sequence)
{
    size_t low = 0;
    size_t high = round->damaged_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (round->damaged[middle] < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < round->damaged_count && round->damaged[low] == sequence;
}

static bool is_full(const struct step *step)
{
    return step->checked->count == STORED_FINDINGS ||
           (step->moved &&
            step->pages.read_bytes + step->inspection.pages.read_bytes >= step->max_bytes);
}

static void note_finding(void *context, const struct store_finding *finding)
{
    struct step *step = context;
    struct store_checked *checked = step->checked;
    if (step->round.table == TABLE_MESSAGE) {
        remember_damaged(&step->round, finding->sequence);
    }
    if (checked->count == STORED_FINDINGS) {
        return;
    }
    checked->findings[checked->count] = *finding;
    step->wants_aside[checked->count] = step->is_entry && finding->fault != STORED_FAULT_PAGE;
    step->aside[checked->count] = step->entry;
    checked->count++;
}

static void note_page(struct step *step, uint64_t page)
{
    if (step->round.broken_page != page) {
        step->round.broken_page = page;
        inspect_page(&step->inspection, (enum table)step->round.table, page);
    }
}

static bool check_record(struct step *step)
{
    enum table table = (enum table)step->round.table;
    struct walk *walk = &step->walk;
    bool entries = table == TABLE_READY || table == TABLE_LATER;
    uint64_t before = step->inspection.findings;
    step->is_entry = entries && key_read_entry(table, walk->key, &step->entry);
    bool known = inspect_record(&step->inspection, table, walk->key, walk->record);
    if (step->is_entry && step->inspection.findings == before &&
        is_damaged(&step->round, step->entry.sequence)) {
        inspection_tell(&step->inspection,
                        &(struct store_finding){.fault = STORED_FAULT_CHECKSUM,
                                                .table = table_name(table),
                                                .mailbox = step->entry.mailbox,
                                                .sequence = step->entry.sequence});
    }
    step->is_entry = false;
    step->moved = true;
    if (walk->key.size <= sizeof step->round.last.data) {
        memcpy(step->round.last.data, walk->key.data, walk->key.size);
        step->round.last.size = walk->key.size;
    }
    return known;
}

static void end_table(struct step *step)
{
    inspect_end(&step->inspection, (enum table)step->round.table);
    step->moved = true;
    step->round.table++;
    step->round.last.size = 0;
}

/* Behind the last key, or at the first. */
static enum walk_step enter(struct step *step)
{
    const struct page_tree *tree = &step->inspection.trees[step->round.table];
    struct walk *walk = &step->walk;
    if (step->round.last.size == 0) {
        return walk_begin(walk, tree);
    }
    return walk_seek(walk, tree, key_bytes(&step->round.last));
}

static bool is_last_again(const struct step *step)
{
    const struct record_key *last = &step->round.last;
    return last->size > 0 && step->walk.key.size == last->size &&
           memcmp(step->walk.key.data, last->data, last->size) == 0;
}

/* Some of one table. False: without memory. */
static bool check_some(struct step *step)
{
    struct walk *walk = &step->walk;
    enum walk_step end = enter(step);
    for (; end == WALK_RECORD || end == WALK_BROKEN; end = walk_next(walk)) {
        bool again = end == WALK_RECORD && (walk->key.data == NULL || is_last_again(step));
        if (end == WALK_BROKEN) {
            note_page(step, walk->broken_page);
        } else if (!again && !check_record(step)) {
            return false;
        }
        if (is_full(step)) {
            return true;
        }
        if (!step->moved && step->pages.read_bytes / NOISE_SHARE >= (uint64_t)step->max_bytes) {
            break;
        }
    }
    if (end == WALK_FAILED) {
        /* The disk does not give it, so this table ends here. */
        note_page(step, walk->broken_page);
    }
    end_table(step);
    return true;
}

/* A message that was deleted between two steps lacks nothing. */
static bool resume_message(struct step *step)
{
    struct inspection *inspection = &step->inspection;
    struct round *round = &step->round;
    struct record_key key;
    bool has = true;
    if (round->message_open) {
        key_message(&key, round->sequence, 0);
        if (!inspection_has(inspection, TABLE_MESSAGE, &key, &has, NULL)) {
            return false;
        }
    }
    inspection->sequence = round->sequence;
    inspection->next_segment = round->next_segment;
    inspection->left_bytes = round->left_bytes;
    inspection->message_open = round->message_open && has;
    inspection->message_broken = round->message_broken;
    return true;
}

static void keep_message(struct step *step)
{
    const struct inspection *inspection = &step->inspection;
    struct round *round = &step->round;
    round->sequence = inspection->sequence;
    round->next_segment = inspection->next_segment;
    round->left_bytes = inspection->left_bytes;
    round->message_open = inspection->message_open;
    round->message_broken = inspection->message_broken;
}

static int move_aside(struct step *step, int64_t now_ms)
{
    static const char reason[] = "damaged on the disk of the broker";
    struct store_checked *checked = step->checked;
    for (uint32_t i = 0; i < checked->count; i++) {
        const struct entry_key *key = &step->aside[i];
        struct mailbox *mailbox = mailbox_find(&step->batch->store->mailboxes, key->mailbox);
        if (!step->wants_aside[i] || mailbox == NULL || claims_has(&mailbox->claims, key)) {
            continue;
        }
        if (!step->batch->writes) {
            return BATCH_NEEDS_WRITE;
        }
        struct dead_record dead = {.code = STORED_CODE_DAMAGED,
                                   .died_ms = now_ms,
                                   .reason = {(const uint8_t *)reason, sizeof reason - 1}};
        struct store_turn turn; /* whoever is told looks into the mailbox again */
        int rc = batch_bury(step->batch, key, &dead, &turn);
        if (rc != 0 && rc != MDB_NOTFOUND) {
            return rc;
        }
        checked->findings[i].aside = rc == 0;
        checked->findings[i].aside_bytes = rc == 0 ? dead.bytes : 0;
    }
    return 0;
}

static int check_pages(struct step *step, const struct page_meta *meta)
{
    bool known = inspection_read_tables(&step->inspection, &step->walk, &meta->names) &&
                 resume_message(step);
    while (known && step->round.table < TABLE_COUNT && !is_full(step)) {
        known = check_some(step);
    }
    keep_message(step);
    step->checked->records = step->inspection.records;
    step->checked->bytes = step->pages.read_bytes;
    step->checked->ended = step->round.table == TABLE_COUNT;
    return known ? 0 : ENOMEM;
}

static int run(struct step *step, int64_t now_ms)
{
    struct lmdb_store *store = step->batch->store;
    struct page_meta meta;
    mdb_filehandle_t fd = -1;
    int rc = mdb_env_get_fd(store->env, &fd);
    if (rc == 0 && !metas_read_newest(fd, &meta)) {
        rc = MDB_CORRUPTED;
    }
    if (rc != 0) {
        return rc;
    }
    step->seen = calloc(1, (size_t)(meta.last_page / 8 + 1));
    if (step->seen == NULL) {
        return ENOMEM;
    }
    step->pages = (struct pages){
        .fd = fd, .page_bytes = store->page_bytes, .last_page = meta.last_page, .seen = step->seen};
    inspection_init(&step->inspection, &step->pages);
    step->inspection.tell = note_finding;
    step->inspection.context = step;
    walk_init(&step->walk, &step->pages, RECORD_SEGMENT_BYTES);
    rc = check_pages(step, &meta);
    walk_fini(&step->walk);
    inspection_fini(&step->inspection);
    free(step->seen);
    return rc != 0 ? rc : move_aside(step, now_ms);
}

int batch_check(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct lmdb_store *store = batch->store;
    struct step *step = calloc(1, sizeof *step);
    result->checked = calloc(1, sizeof *result->checked);
    if (store->round == NULL) {
        store->round = calloc(1, sizeof *store->round);
    }
    if (step == NULL || result->checked == NULL || store->round == NULL) {
        free(step);
        return ENOMEM;
    }
    if (!op->check.begin) {
        step->round = *store->round;
    }
    step->batch = batch;
    step->checked = result->checked;
    step->max_bytes = op->check.max_bytes;
    int rc = run(step, op->now_ms);
    if (rc == 0) {
        *store->round = step->round;
    }
    free(step);
    return rc;
}
