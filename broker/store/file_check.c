/* SPDX-License-Identifier: EUPL-1.2
 *
 * In this order: the meta pages; the list of free pages; the tables, with every page and record of
 * them; the state; what is counted. A page that is free and used at once would be overwritten one
 * day, so that is told as a broken page; one that is neither is only lost room.
 */
#include "store/file_check.h"

#include "store/folder.h"
#include "store/inspection.h"
#include "store/metas.h"
#include "store/tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FREE_LIST_BYTES = 64 * 1024 * 1024, /* of one transaction: eight million pages, 32 GiB */
};

struct checking {
    struct inspection inspection;
    struct pages pages;
    struct walk walk;
    struct page_meta meta;
    uint8_t *seen;
    uint8_t *free;
    struct store_report *report;
};

static bool has_bit(const uint8_t *bits, uint64_t page)
{
    return (bits[page / 8] >> (page % 8) & 1) != 0;
}

static void set_bit(uint8_t *bits, uint64_t page)
{
    bits[page / 8] |= (uint8_t)(1U << (page % 8));
}

static void tell_page(struct checking *checking, uint64_t page)
{
    inspection_tell(&checking->inspection,
                    &(struct store_finding){.fault = STORED_FAULT_PAGE, .table = "", .page = page});
}

/* A list: how many, then their numbers. */
static bool read_free_list(struct checking *checking, struct bytes list)
{
    uint64_t count = 0;
    if (list.size < sizeof count) {
        return false;
    }
    memcpy(&count, list.data, sizeof count);
    if (count > list.size / sizeof count - 1) {
        return false;
    }
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t page = 0;
        memcpy(&page, list.data + i * sizeof page, sizeof page);
        if (page < PAGES_META || page > checking->meta.last_page || has_bit(checking->free, page)) {
            return false;
        }
        set_bit(checking->free, page);
        checking->report->free_pages++;
    }
    return true;
}

static bool check_free_pages(struct checking *checking)
{
    struct walk *walk = &checking->walk;
    walk->numbers = true;
    walk->value_max = FREE_LIST_BYTES;
    enum walk_step step = walk_begin(walk, &checking->meta.free_pages);
    for (; step == WALK_RECORD || step == WALK_BROKEN; step = walk_next(walk)) {
        if (step == WALK_BROKEN) {
            tell_page(checking, walk->broken_page);
        } else if (walk->key.data != NULL && !read_free_list(checking, walk->record)) {
            tell_page(checking, walk->levels[walk->depth - 1].page);
        }
    }
    walk->numbers = false;
    walk->value_max = RECORD_SEGMENT_BYTES;
    return step == WALK_END;
}

static bool is_as_counted(const struct walk *walk, const struct page_tree *tree)
{
    const struct walk_counts *counts = &walk->counts;
    return counts->entries == tree->entries && counts->leaf_pages == tree->leaf_pages &&
           counts->branch_pages == tree->branch_pages &&
           counts->overflow_pages == tree->overflow_pages;
}

static bool check_table(struct checking *checking, enum table table)
{
    struct walk *walk = &checking->walk;
    struct inspection *inspection = &checking->inspection;
    const struct page_tree *tree = &inspection->trees[table];
    uint64_t before = inspection->findings;
    enum walk_step step = walk_begin(walk, tree);
    for (; step == WALK_RECORD || step == WALK_BROKEN; step = walk_next(walk)) {
        if (step == WALK_BROKEN) {
            inspect_page(inspection, table, walk->broken_page);
        } else if (walk->key.data != NULL &&
                   !inspect_record(inspection, table, walk->key, walk->record)) {
            return false;
        }
    }
    inspect_end(inspection, table);
    /* What is broken is not counted either: told once is enough. */
    if (step == WALK_END && inspection->findings == before && !is_as_counted(walk, tree)) {
        inspection_tell(inspection, &(struct store_finding){.fault = STORED_FAULT_TABLE,
                                                            .table = table_name(table)});
    }
    return step == WALK_END;
}

static void check_double_use(struct checking *checking)
{
    for (uint64_t page = PAGES_META; page <= checking->meta.last_page; page++) {
        bool used = has_bit(checking->seen, page);
        bool free_page = has_bit(checking->free, page);
        checking->report->used_pages += used ? 1 : 0;
        checking->report->lost_pages += !used && !free_page ? 1 : 0;
        if (used && free_page) {
            tell_page(checking, page);
        }
    }
}

static bool read_meta_record(struct checking *checking, const char *name,
                             struct record_key *out_key, struct bytes *out_record, bool *out_has)
{
    key_text(out_key, name);
    return inspection_has(&checking->inspection, TABLE_META, out_key, out_has, out_record);
}

static bool check_log_name(struct checking *checking)
{
    struct record_key key;
    struct bytes record = {0};
    bool has = false;
    if (!read_meta_record(checking, "redo", &key, &record, &has)) {
        return false;
    }
    if (has && !record_read_redo(key_bytes(&key), record, &checking->report->redo_identity)) {
        inspection_tell(&checking->inspection,
                        &(struct store_finding){.fault = STORED_FAULT_REFERENCE, .table = "meta"});
    }
    return true;
}

/* Layout and state; a store without them cannot be opened. */
static bool check_state(struct checking *checking, const char *name, struct store_problem *problem)
{
    struct record_key key;
    struct bytes record = {0};
    struct state_record state = {0};
    uint32_t version = 0;
    bool has = false;
    if (!read_meta_record(checking, "version", &key, &record, &has)) {
        return false;
    }
    if (!has || !record_read_number(TABLE_META, key_bytes(&key), record, &version)) {
        inspection_tell(&checking->inspection,
                        &(struct store_finding){.fault = STORED_FAULT_REFERENCE, .table = "meta"});
    } else if (version != RECORD_LAYOUT) {
        store_problem_set(problem, STORE_PROBLEM_VERSION, 0,
                          "%s: has layout %" PRIu32 ", this release knows layout %d alone", name,
                          version, RECORD_LAYOUT);
        return false;
    }
    if (!read_meta_record(checking, "state", &key, &record, &has)) {
        return false;
    }
    bool fine = has && record_read_state(key_bytes(&key), record, &state);
    checking->report->last_time_ms = state.last_time_ms;
    checking->report->transaction = checking->meta.transaction;
    /* A copy by mdb_copy -c begins again at transaction 1. */
    if (!fine ||
        (state.transaction != checking->meta.transaction && checking->meta.transaction != 1)) {
        inspection_tell(&checking->inspection,
                        &(struct store_finding){.fault = STORED_FAULT_REFERENCE, .table = "meta"});
    }
    return true;
}

static bool check_tables(struct checking *checking)
{
    if (!inspection_read_tables(&checking->inspection, &checking->walk, &checking->meta.names)) {
        return false;
    }
    for (int table = 0; table < TABLE_COUNT; table++) {
        if (!check_table(checking, (enum table)table)) {
            return false;
        }
    }
    return true;
}

static bool check_all(struct checking *checking, const char *name, struct store_problem *problem)
{
    if (!check_free_pages(checking) || !check_tables(checking)) {
        return false;
    }
    check_double_use(checking);
    return check_state(checking, name, problem) && check_log_name(checking) &&
           tally_check(&checking->inspection, checking->report);
}

static bool prepare(struct checking *checking, int fd, const struct store_listener *listener)
{
    size_t bytes = (size_t)(checking->meta.last_page / 8 + 1);
    checking->seen = calloc(1, bytes);
    checking->free = calloc(1, bytes);
    checking->pages = (struct pages){.fd = fd,
                                     .page_bytes = checking->meta.page_bytes,
                                     .last_page = checking->meta.last_page,
                                     .seen = checking->seen};
    inspection_init(&checking->inspection, &checking->pages);
    checking->inspection.tell = listener != NULL ? listener->tell : NULL;
    checking->inspection.sums_senders = true;
    checking->inspection.context = listener != NULL ? listener->context : NULL;
    walk_init(&checking->walk, &checking->pages, RECORD_SEGMENT_BYTES);
    return checking->seen != NULL && checking->free != NULL;
}

bool file_check(int fd, const char *name, const struct store_listener *listener,
                struct store_report *out_report, struct store_problem *out_problem)
{
    struct checking checking = {.report = out_report};
    struct stat info;
    *out_report = (struct store_report){0};
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        store_problem_set(out_problem, STORE_PROBLEM_DAMAGED, 0, "%s: is not a regular file", name);
        return false;
    }
    if (!metas_check(fd, name, (uint64_t)info.st_size, &checking.meta, out_problem)) {
        return false;
    }
    *out_problem = (struct store_problem){0};
    bool fine = prepare(&checking, fd, listener) && check_all(&checking, name, out_problem);
    out_report->file_bytes = (checking.meta.last_page + 1) * checking.meta.page_bytes;
    out_report->read_bytes = checking.pages.read_bytes;
    out_report->records = checking.inspection.records;
    out_report->findings = checking.inspection.findings;
    out_report->page_bytes = checking.meta.page_bytes;
    walk_fini(&checking.walk);
    inspection_fini(&checking.inspection);
    free(checking.seen);
    free(checking.free);
    if (!fine && out_problem->kind == STORE_PROBLEM_NONE) {
        store_problem_set(out_problem, STORE_PROBLEM_IO, EIO,
                          "%s: the disk does not give a page, or there is no memory", name);
    }
    return fine;
}
