/* SPDX-License-Identifier: EUPL-1.2
 *
 * The check of a store's file: silent about a whole one, and about a flipped bit only where LMDB
 * reads every record as it was written all the same. Truncated, foreign and noisy files are told or
 * refused, and survived.
 *
 * RELAIS_FLIP_STRIDE=1 flips in every byte; by default one in STRIDE, more of branches and heads.
 */
#include "store/file_check.h"
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"
#include "tests/unit/store/witness.h"

#include <check.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BOX = 7,
    OTHER_BOX = 9,
    MESSAGES = 150,
    LARGE = 69, /* of them; one, since each check reads the whole file */
    STRIDE = 397,
    SHARE = 4, /* of pages, all of whose head is flipped */
    BRANCH_SHARE = 5,
    PAGE = 4096,
    PAGE_HEAD = 16,
    TOLD_MOST = 16,
};

static const struct store_recipient TO_BOTH[] = {{.mailbox = BOX, .lane = LANE_NORMAL},
                                                 {.mailbox = OTHER_BOX, .lane = LANE_LOW}};

static const struct stored_deadline DEADLINE = {.accepted_ms = 1000,
                                                .deadline_ms = 9000000,
                                                .remind_ms = {8000000},
                                                .remind_count = 1,
                                                .sender = "dila",
                                                .id = "m",
                                                .from = "dila/annuaire",
                                                .flow = "ETATCIVIL"};

static struct bench bench;
static char ids[MESSAGES][8];
static char file[BENCH_PATH_BYTES * 2];
static char spare[BENCH_PATH_BYTES * 2];

struct told {
    struct store_finding items[TOLD_MOST];
    size_t count;
};

static void note_finding(void *context, const struct store_finding *finding)
{
    struct told *told = context;
    if (told->count < TOLD_MOST) {
        told->items[told->count] = *finding;
    }
    told->count++;
}

/* Something in every table, some of it used up again. */
static void make_store(void)
{
    bench_init(&bench, ENGINE_LMDB);
    bench.settings.map_bytes = UINT64_C(64) << 20;
    (void)snprintf(file, sizeof file, "%s/data.mdb", bench.path);
    (void)snprintf(spare, sizeof spare, "%s/spare", bench.folder);
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    (void)bench_one(&bench, op_mailbox(OTHER_BOX, "dila/annuaire"));
    for (size_t i = 0; i < MESSAGES; i++) {
        size_t large = i == LARGE ? 150000 : 20000;
        size_t size = i % 16 == LARGE % 16 ? large : 100 + i % 7 * 300;
        (void)snprintf(ids[i], sizeof ids[i], "m%zu", i);
        struct store_op op = op_append(ids[i], 20, size, TO_BOTH, i % 2 == 0 ? 2 : 1);
        op.append.deadline = i % 8 == 0 ? &DEADLINE : NULL;
        (void)bench_one(&bench, op);
    }
    struct store_result taken = bench_one(&bench, op_take(BOX, 30));
    ck_assert_uint_ge(taken.take.count, 12);
    for (uint32_t i = 0; i < taken.take.count; i++) {
        const struct entry_key *key = &taken.take.entries[i].key;
        struct store_op op = i % 3 == 0   ? op_defer(key, 1, 5000000 + i)
                             : i % 3 == 1 ? op_bury(key, "not ours")
                                          : op_ack(key);
        (void)bench_one(&bench, op);
    }
    result_drop(&taken);
    bench_close(&bench);
    raw_truncate(bench.path, raw_needed_bytes(bench.path));
}

static void remove_store(void)
{
    (void)unlink(spare);
    bench_fini(&bench);
}

static bool check_store(struct told *out_told, struct store_report *out_report,
                        struct store_problem *out_problem)
{
    const struct store_listener listener = {.tell = note_finding, .context = out_told};
    *out_told = (struct told){0};
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    bool checked = file_check(fd, file, &listener, out_report, out_problem);
    close(fd);
    return checked;
}

START_TEST(a_whole_store_has_no_findings)
{
    struct told told;
    struct store_report report;
    struct store_problem problem;
    make_store();
    ck_assert_msg(check_store(&told, &report, &problem), "%s", problem.detail);
    for (size_t i = 0; i < told.count && i < TOLD_MOST; i++) {
        (void)printf("%s: %s\n", told.items[i].table, finding_fault_name(told.items[i].fault));
    }
    ck_assert_uint_eq(report.findings, 0);
    ck_assert_uint_eq(told.count, 0);
    ck_assert_uint_eq(report.mailboxes, 2);
    ck_assert_uint_gt(report.dead, 0);
    ck_assert_uint_gt(report.free_pages, 0);
    ck_assert_uint_eq(report.used_pages + report.free_pages + report.lost_pages + 2,
                      report.file_bytes / report.page_bytes);
    ck_assert_uint_eq(report.records,
                      raw_count(bench.path, "meta") + raw_count(bench.path, "mailbox") +
                          raw_count(bench.path, "message") + raw_count(bench.path, "refs") +
                          raw_count(bench.path, "ready") + raw_count(bench.path, "later") +
                          raw_count(bench.path, "dead") + raw_count(bench.path, "duplicate") +
                          raw_count(bench.path, "duplicate_age") + raw_count(bench.path, "sender") +
                          raw_count(bench.path, "track") + raw_count(bench.path, "deadline"));
    remove_store();
}
END_TEST

START_TEST(damage_is_named_and_not_shown)
{
    struct told told;
    struct store_report report;
    struct store_problem problem;
    make_store();
    ck_assert(raw_flip_content(bench.path, ids[LARGE], 90000));
    ck_assert(check_store(&told, &report, &problem));
    ck_assert_uint_eq(told.count, 1);
    ck_assert_int_eq(told.items[0].fault, STORED_FAULT_CHECKSUM);
    ck_assert_str_eq(told.items[0].table, "message");
    ck_assert_uint_eq(told.items[0].sequence, LARGE + 1);
    remove_store();
}
END_TEST

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, size - at < sizeof word ? size - at : sizeof word);
        hash = (hash ^ word) * UINT64_C(1099511628211);
        hash ^= hash >> 29; /* a high bit moves low ones, too */
    }
    return hash;
}

/* Of every record of every table, as LMDB reads them in order and finds them by key; 0 when it does
 * not. */
static uint64_t hash_records(void)
{
    static const char *const tables[] = {"meta",          "mailbox", "message", "refs",
                                         "ready",         "later",   "dead",    "duplicate",
                                         "duplicate_age", "sender",  "track"};
    uint64_t hash = UINT64_C(14695981039346656037);
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, 32) != 0 ||
        mdb_env_open(env, bench.path, MDB_RDONLY | MDB_NOLOCK, 0600) != 0 ||
        mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        MDB_dbi dbi;
        MDB_cursor *cursor = NULL;
        MDB_val key;
        MDB_val value;
        if (mdb_dbi_open(txn, tables[i], 0, &dbi) != 0 || mdb_cursor_open(txn, dbi, &cursor) != 0) {
            return 0;
        }
        while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
            MDB_val again;
            if (mdb_get(txn, dbi, &key, &again) != 0 || again.mv_data != value.mv_data) {
                return 0;
            }
            hash = hash_bytes(hash, key.mv_data, key.mv_size);
            hash = hash_bytes(hash, value.mv_data, value.mv_size);
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return hash != 0 ? hash : 1;
}

static uint8_t look(void *context, bool *out_clean)
{
    const uint64_t *expected = context;
    *out_clean = hash_records() == *expected; /* or something may have been left open */
    return *out_clean;
}

static long stride(void)
{
    const char *text = getenv("RELAIS_FLIP_STRIDE"); /* NOLINT(concurrency-mt-unsafe) */
    long value = text != NULL ? strtol(text, NULL, 10) : STRIDE;
    return value > 0 ? value : STRIDE;
}

static void flip(int fd, long at)
{
    uint8_t byte = 0;
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= (uint8_t)(1U << (at * 7 / 3 % 8));
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
}

/* In use: its keys lead to records, and no checksum covers them. Pages that were one once are left
 * alone. */
static bool is_branch(int fd, long page)
{
    struct told told;
    struct store_report report;
    struct store_problem problem;
    uint16_t flags = 0;
    ck_assert_int_eq(pread(fd, &flags, sizeof flags, page + 10), sizeof flags);
    if (flags != 1) {
        return false;
    }
    flip(fd, page + 10);
    bool used = check_store(&told, &report, &problem) && told.count > 0;
    flip(fd, page + 10);
    return used;
}

START_TEST(a_flipped_bit_is_found_or_harmless)
{
    struct told told;
    struct store_report report;
    struct store_problem problem;
    long found = 0;
    long refused = 0;
    long harmless = 0;
    long missed = 0;
    long step = stride();
    bool branch = false;
    make_store();
    uint64_t before = hash_records();
    struct witness witness = {.look = look, .context = &before};
    ck_assert_uint_ne(before, 0);
    long size = raw_needed_bytes(bench.path);
    int fd = open(file, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    for (long at = 0; at < size; at++) {
        if (at % PAGE == 0) {
            branch = is_branch(fd, at);
        }
        bool head = at % PAGE < PAGE_HEAD && at / PAGE % SHARE == 0;
        if (at % step != 0 && !head && (!branch || at % BRANCH_SHARE != 0)) {
            continue;
        }
        flip(fd, at);
        if (!check_store(&told, &report, &problem)) {
            refused++;
        } else if (told.count > 0) {
            found++;
        } else if (witness_ask(&witness) == 1) {
            harmless++;
        } else {
            missed++;
            (void)printf("byte %ld: missed\n", at);
        }
        flip(fd, at);
    }
    witness_end(&witness);
    close(fd);
    (void)printf("refused %ld, found %ld, harmless %ld, missed %ld\n", refused, found, harmless,
                 missed);
    remove_store();
    ck_assert_int_eq(missed, 0);
    ck_assert_int_gt(refused, 0);
    ck_assert_int_gt(found, 1000);
}
END_TEST

static uint64_t number_at(int fd, long at)
{
    uint64_t number = 0;
    ck_assert_int_eq(pread(fd, &number, sizeof number, at), sizeof number);
    return number;
}

/* The list of free pages, flip by flip: now and then it names a page that is in use, which would be
 * overwritten one day. */
START_TEST(a_page_in_use_and_free_at_once_is_found)
{
    enum { META_FREE_ROOT = 16 + 24 + 40, META_TRANSACTION = 16 + 24 + 104 };
    struct told told;
    struct store_report report;
    struct store_problem problem;
    long both = 0;
    make_store();
    int fd = open(file, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    bool second = number_at(fd, PAGE + META_TRANSACTION) > number_at(fd, META_TRANSACTION);
    uint64_t list = number_at(fd, (second ? PAGE : 0) + META_FREE_ROOT);
    for (long at = (long)list * PAGE + PAGE_HEAD; at < ((long)list + 1) * PAGE; at++) {
        flip(fd, at);
        if (check_store(&told, &report, &problem)) {
            for (size_t i = 0; i < told.count && i < TOLD_MOST; i++) {
                both += told.items[i].fault == STORED_FAULT_PAGE && told.items[i].page != list;
            }
        }
        flip(fd, at);
    }
    close(fd);
    (void)printf("in use and free at once: %ld\n", both);
    remove_store();
    ck_assert_int_gt(both, 0);
}
END_TEST

START_TEST(a_cut_file_is_refused)
{
    struct told told;
    struct store_report report;
    struct store_problem problem;
    make_store();
    long size = raw_needed_bytes(bench.path);
    static const long cuts[] = {1, PAGE - 1, PAGE, 5L * PAGE, 40L * PAGE};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        raw_truncate(bench.path, size - cuts[i]);
        ck_assert(!check_store(&told, &report, &problem));
        ck_assert_int_eq(problem.kind, STORE_PROBLEM_DAMAGED);
    }
    raw_truncate(bench.path, 0);
    ck_assert(!check_store(&told, &report, &problem));
    ck_assert_ptr_nonnull(strstr(problem.detail, "cut short"));
    raw_fill(bench.path, 200000, 'x');
    ck_assert(!check_store(&told, &report, &problem));
    ck_assert_ptr_nonnull(strstr(problem.detail, "not a store"));
    remove_store();
}
END_TEST

/* Whole pages of noise behind whole meta pages: whatever is in them is survived and told. */
START_TEST(noise_is_survived)
{
    struct told told;
    struct store_report report;
    struct store_problem problem;
    uint32_t seed = 12345;
    make_store();
    long pages = raw_needed_bytes(bench.path) / PAGE;
    int fd = open(file, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    for (int round = 0; round < 300; round++) {
        uint8_t kept[PAGE];
        uint8_t noise[PAGE];
        seed = seed * 1664525 + 1013904223;
        long page = 2 + (long)(seed >> 8) % (pages - 2);
        ck_assert_int_eq(pread(fd, kept, PAGE, page * PAGE), PAGE);
        memcpy(noise, kept, PAGE);
        for (size_t i = round % 2 == 0 ? 0 : PAGE_HEAD; i < PAGE; i++) {
            seed = seed * 1664525 + 1013904223;
            noise[i] = (uint8_t)(seed >> 24);
        }
        ck_assert_int_eq(pwrite(fd, noise, PAGE, page * PAGE), PAGE);
        (void)check_store(&told, &report, &problem);
        ck_assert_int_eq(pwrite(fd, kept, PAGE, page * PAGE), PAGE);
    }
    close(fd);
    ck_assert(check_store(&told, &report, &problem));
    ck_assert_uint_eq(told.count, 0);
    remove_store();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.file_check");
    TCase *tcase = tcase_create("file");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, a_whole_store_has_no_findings);
    tcase_add_test(tcase, damage_is_named_and_not_shown);
    tcase_add_test(tcase, a_flipped_bit_is_found_or_harmless);
    tcase_add_test(tcase, a_page_in_use_and_free_at_once_is_found);
    tcase_add_test(tcase, a_cut_file_is_refused);
    tcase_add_test(tcase, noise_is_survived);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
