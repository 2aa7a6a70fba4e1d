/* SPDX-License-Identifier: EUPL-1.2
 *
 * Folders of stores that were not closed: what was confirmed is in redo.log and not in data.mdb
 * yet. Opening, checking, compacting, restoring and backing up each see to it. A process of its own
 * leaves the folder, so that it ends between two instructions, as one that is killed does.
 */
#include "store/redo.h"
#include "store/upkeep.h"
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BOX = 7, MESSAGES = 5, BYTES = 300, LOG_BYTES = 256 * 1024, PATH_BYTES = 512 };

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

static struct bench bench;
static char ids[MESSAGES][8];
static char aside[BENCH_PATH_BYTES * 2]; /* a folder beside the store's */

static void in(const char *folder, const char *name, char *out)
{
    (void)snprintf(out, PATH_BYTES, "%.250s/%.200s", folder, name);
}

static void fill(void)
{
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil")); /* commits: it is first */
    for (size_t i = 0; i < MESSAGES; i++) {
        struct store_result result = bench_one(&bench, op_append(ids[i], 20, BYTES, TO_BOX, 1));
        ck_assert_int_eq(result.status, STORE_DONE);
    }
}

static struct store_report report_of(const char *path)
{
    struct store_report report;
    struct store_problem problem = {0};
    ck_assert_msg(store_check_folder(path, NULL, &report, &problem), "%s", problem.detail);
    return report;
}

static void remove_files(const char *path)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "lock", REDO_NAME, "backup"};
    char name[PATH_BYTES];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        in(path, names[i], name);
        (void)unlink(name);
    }
}

/* A store whose messages are frames of its log. LMDB commits once a second: on a slow machine that
 * may have been in between, and another one is left. */
static void leave_killed(void)
{
    for (int tries = 0; tries < 100; tries++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            fill();
            _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        if (report_of(bench.path).redo_frames == MESSAGES) {
            return;
        }
        remove_files(bench.path);
    }
    ck_abort_msg("LMDB commits too often");
}

static void set_up(void)
{
    bench_init(&bench, ENGINE_LMDB);
    bench.settings.map_bytes = UINT64_C(64) << 20;
    (void)snprintf(aside, sizeof aside, "%s/aside", bench.folder);
    ck_assert_int_eq(mkdir(aside, 0700), 0);
    for (size_t i = 0; i < MESSAGES; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%zu", i);
    }
}

static void tear_down(void)
{
    remove_files(aside);
    (void)rmdir(aside);
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static bool has_file(const char *path, const char *name)
{
    char full[PATH_BYTES];
    in(path, name, full);
    return access(full, F_OK) == 0;
}

static void move(const char *from, const char *from_name, const char *to, const char *to_name)
{
    char old[PATH_BYTES];
    char new[PATH_BYTES];
    in(from, from_name, old);
    in(to, to_name, new);
    ck_assert_int_eq(rename(old, new), 0);
}

/* The blocks that are not zero; the file is as long. */
static void copy_file(const char *name)
{
    static const uint8_t zeros[4096];
    uint8_t block[4096];
    char path[PATH_BYTES];
    in(bench.path, name, path);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    in(aside, name, path);
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert(from >= 0 && to >= 0);
    off_t at = 0;
    for (ssize_t got = 0; (got = pread(from, block, sizeof block, at)) > 0; at += got) {
        if (memcmp(block, zeros, (size_t)got) != 0) {
            ck_assert_int_eq(pwrite(to, block, (size_t)got, at), got);
        }
    }
    ck_assert_int_eq(ftruncate(to, at), 0);
    close(from);
    close(to);
}

static void expect_messages(size_t count)
{
    struct store_result result = bench_one(&bench, op_take(BOX, MESSAGES + 1));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.take.count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert(content_is(&result.take.entries[i], ids[i], 20, BYTES));
    }
    result_drop(&result);
}

static void expect_refused(enum store_problem_kind kind, const char *what)
{
    struct store_problem problem = {0};
    ck_assert(!store_open_lmdb(&bench.settings, &bench.store, &problem));
    bench.store = NULL;
    ck_assert_int_eq(problem.kind, kind);
    ck_assert_ptr_nonnull(strstr(problem.detail, REDO_NAME));
    ck_assert_msg(strstr(problem.detail, what) != NULL, "%s", problem.detail);
}

START_TEST(a_killed_store_has_everything_and_a_closed_one_no_log)
{
    leave_killed();
    bench.settings.redo_bytes = _i == 0 ? LOG_BYTES : 0; /* what is there counts, not the setting */
    bench_open(&bench);
    ck_assert(!has_file(bench.path, REDO_NAME));
    expect_messages(MESSAGES);
    bench_close(&bench);
    ck_assert(!has_file(bench.path, REDO_NAME));
    struct store_report report = report_of(bench.path);
    ck_assert_uint_eq(report.redo_identity, 0);
    ck_assert_uint_eq(report.findings, 0);
}
END_TEST

START_TEST(a_copied_folder_has_everything_that_was_confirmed)
{
    fill();
    copy_file("data.mdb");
    copy_file(REDO_NAME);
    bench_close(&bench);
    bench.settings.path = aside;
    bench_open(&bench);
    expect_messages(MESSAGES);
}
END_TEST

START_TEST(without_its_log_a_store_is_refused)
{
    char name[PATH_BYTES];
    leave_killed();
    in(bench.path, REDO_NAME, name);
    ck_assert_int_eq(unlink(name), 0);
    expect_refused(STORE_PROBLEM_DAMAGED, "is missing");
    expect_refused(STORE_PROBLEM_DAMAGED, "Put it back");
    ck_assert_uint_eq(report_of(bench.path).findings, 1);
    /* Whoever does what it says goes on without them. */
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    bench_open(&bench);
    expect_messages(0);
    ck_assert_int_eq(bench_one(&bench, op_append("m0", 20, BYTES, TO_BOX, 1)).status, STORE_DONE);
    bench_reopen(&bench);
    expect_messages(1);
}
END_TEST

START_TEST(a_damaged_log_is_refused_with_its_place)
{
    char name[PATH_BYTES];
    uint8_t byte = 0;
    leave_killed();
    in(bench.path, REDO_NAME, name);
    int fd = open(name, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pread(fd, &byte, 1, 4096 + 50), 1);
    byte ^= 4;
    ck_assert_int_eq(pwrite(fd, &byte, 1, 4096 + 50), 1);
    expect_refused(STORE_PROBLEM_DAMAGED, "byte 4096");
    ck_assert_uint_eq(report_of(bench.path).findings, 1);
    /* A good copy is put back. */
    byte ^= 4;
    ck_assert_int_eq(pwrite(fd, &byte, 1, 4096 + 50), 1);
    close(fd);
    bench_open(&bench);
    expect_messages(MESSAGES);
}
END_TEST

static void commit_all(void)
{
    struct store_op op = {.kind = STORE_CHECK, .check = {true, 1 << 20}};
    struct store_result result = bench_one(&bench, op);
    result_drop(&result);
}

START_TEST(a_log_of_later_transactions_is_refused)
{
    fill();
    commit_all();
    copy_file("data.mdb"); /* too old for what follows */
    for (int i = 0; i < 3; i++) {
        (void)bench_one(&bench, op_append(i == 0 ? "a" : i == 1 ? "b" : "c", 20, 30, TO_BOX, 1));
        copy_file(REDO_NAME);
        commit_all();
    }
    bench_close(&bench);
    bench.settings.path = aside;
    expect_refused(STORE_PROBLEM_DAMAGED, "ahead of data.mdb");
}
END_TEST

START_TEST(a_log_that_the_store_does_not_name_means_nothing)
{
    fill();
    copy_file(REDO_NAME);
    bench_close(&bench);
    move(aside, REDO_NAME, bench.path, REDO_NAME);
    ck_assert_uint_eq(report_of(bench.path).redo_frames, 0);
    bench_open(&bench);
    ck_assert(!has_file(bench.path, REDO_NAME));
    expect_messages(MESSAGES);
}
END_TEST

static struct store_backup back_up(void)
{
    struct store_op op = {.kind = STORE_BACKUP, .backup = {.name = "backup"}};
    struct store_result result = bench_one(&bench, op);
    struct store_backup backup = *result.backup;
    result_drop(&result);
    while (backup.phase != BACKUP_DONE && backup.phase != BACKUP_FAILED) {
        (void)usleep(2000);
        result = bench_one(&bench, (struct store_op){.kind = STORE_BACKED_UP});
        backup = *result.backup;
        result_drop(&result);
    }
    return backup;
}

START_TEST(a_backup_has_what_is_open_and_names_no_log)
{
    struct store_report report;
    struct store_problem problem = {0};
    char name[PATH_BYTES];
    bench.settings.backup_path = aside;
    fill();
    struct store_backup backup = back_up();
    ck_assert_msg(backup.phase == BACKUP_DONE, "%s", backup.detail);
    in(aside, "backup", name);
    ck_assert_msg(store_check_file(name, NULL, &report, &problem), "%s", problem.detail);
    ck_assert_uint_eq(report.findings, 0);
    ck_assert_uint_eq(report.redo_identity, 0);
    bench_close(&bench);
    move(aside, "backup", aside, "data.mdb");
    bench.settings.path = aside;
    bench_open(&bench);
    expect_messages(MESSAGES);
}
END_TEST

START_TEST(a_restore_puts_the_log_aside_with_its_file)
{
    struct store_problem problem = {0};
    char backup[PATH_BYTES];
    char log[PATH_BYTES];
    in(aside, "backup", backup);
    struct store_restore restore = {.path = bench.path, .file = backup, .force = true};
    bench.settings.backup_path = aside;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    ck_assert_int_eq(back_up().phase, BACKUP_DONE);
    bench_close(&bench);
    remove_files(bench.path);
    leave_killed();
    ck_assert_msg(store_restore(&restore, &problem), "%s", problem.detail);
    (void)snprintf(log, sizeof log, "%s." REDO_NAME, restore.aside);
    ck_assert(has_file(bench.path, log) && has_file(bench.path, restore.aside));
    bench_open(&bench);
    expect_messages(0);
    bench_close(&bench);
    /* Both, put back, are the store that was there. */
    move(bench.path, restore.aside, bench.path, "data.mdb");
    move(bench.path, log, bench.path, REDO_NAME);
    bench_open(&bench);
    expect_messages(MESSAGES);
}
END_TEST

START_TEST(a_compaction_keeps_what_is_in_the_log)
{
    struct store_problem problem = {0};
    uint64_t before = 0;
    uint64_t after = 0;
    leave_killed();
    ck_assert_msg(store_compact_folder(&bench.settings, &before, &after, &problem), "%s",
                  problem.detail);
    ck_assert_uint_gt(before, 0);
    ck_assert_uint_eq(report_of(bench.path).redo_identity, 0);
    bench_open(&bench);
    expect_messages(MESSAGES);
}
END_TEST

/* The copy has other transactions: the log would never fit again. */
START_TEST(a_compaction_without_the_log_is_refused)
{
    struct store_problem problem = {0};
    uint64_t before = 0;
    uint64_t after = 0;
    leave_killed();
    move(bench.path, REDO_NAME, aside, REDO_NAME);
    ck_assert(!store_compact_folder(&bench.settings, &before, &after, &problem));
    ck_assert_ptr_nonnull(strstr(problem.detail, REDO_NAME));
    move(aside, REDO_NAME, bench.path, REDO_NAME);
    bench_open(&bench);
    expect_messages(MESSAGES);
}
END_TEST

/* What is open is not in the file yet, and neither is the room that it gave back. */
START_TEST(a_small_store_takes_as_much_as_was_acknowledged)
{
    enum { LARGE = 1500000, ROUNDS = 40 };
    bench.settings.map_bytes = UINT64_C(16) << 20;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    for (int i = 0; i < ROUNDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "l%d", i);
        struct store_result result = bench_one(&bench, op_append(id, 20, LARGE, TO_BOX, 1));
        ck_assert_int_eq(result.status, STORE_DONE);
        result = bench_one(&bench, op_take(BOX, 1));
        ck_assert_uint_eq(result.take.count, 1);
        struct store_op ack = op_ack(&result.take.entries[0].key);
        result_drop(&result);
        ck_assert_int_eq(bench_one(&bench, ack).status, STORE_DONE);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.recovery");
    TCase *tcase = tcase_create("recovery");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_killed_store_has_everything_and_a_closed_one_no_log, 0, 2);
    tcase_add_test(tcase, a_copied_folder_has_everything_that_was_confirmed);
    tcase_add_test(tcase, without_its_log_a_store_is_refused);
    tcase_add_test(tcase, a_damaged_log_is_refused_with_its_place);
    tcase_add_test(tcase, a_log_of_later_transactions_is_refused);
    tcase_add_test(tcase, a_log_that_the_store_does_not_name_means_nothing);
    tcase_add_test(tcase, a_backup_has_what_is_open_and_names_no_log);
    tcase_add_test(tcase, a_restore_puts_the_log_aside_with_its_file);
    tcase_add_test(tcase, a_compaction_keeps_what_is_in_the_log);
    tcase_add_test(tcase, a_compaction_without_the_log_is_refused);
    tcase_add_test(tcase, a_small_store_takes_as_much_as_was_acknowledged);
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
