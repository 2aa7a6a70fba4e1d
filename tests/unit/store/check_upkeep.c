/* SPDX-License-Identifier: EUPL-1.2
 *
 * Backups and checks of a store in use, through the port: what both engines say, and what the one
 * on disk makes of it.
 */
#include "store/upkeep.h"
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BOX = 7, MESSAGES = 40, SMALL_STEP = 4096, WAIT_TURNS = 2000, WAIT_US = 5000 };

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

static struct bench bench;
static char ids[MESSAGES][8];
static char backups[BENCH_PATH_BYTES * 2];

static size_t size_of(size_t message)
{
    /* In all more than one transaction of a copy. */
    return message % 8 == 5 ? 2000000 : 100 + message * 50;
}

static void make_store(enum engine_kind kind, bool configured)
{
    bench_init(&bench, kind);
    bench.settings.map_bytes = UINT64_C(64) << 20;
    (void)snprintf(backups, sizeof backups, "%s/backups", bench.folder);
    bench.settings.backup_path = configured ? backups : NULL;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    for (size_t i = 0; i < MESSAGES; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%zu", i);
        (void)bench_one(&bench, op_append(ids[i], 20, size_of(i), TO_BOX, 1));
    }
}

static void path_of(const char *name, char *out, size_t size)
{
    (void)snprintf(out, size, "%.200s/%.60s", backups, name);
}

static void remove_store(void)
{
    static const char *const names[] = {"one", "two"};
    char path[BENCH_PATH_BYTES * 3];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_of(names[i], path, sizeof path);
        (void)unlink(path);
    }
    (void)rmdir(backups);
    bench_fini(&bench);
}

static enum store_status begin(const char *name, struct store_backup *out_backup)
{
    struct store_op op = {.kind = STORE_BACKUP, .backup = {.name = name}};
    struct store_result result = bench_one(&bench, op);
    *out_backup = *result.backup;
    result_drop(&result);
    return result.status;
}

static struct store_backup wait_for_end(void)
{
    struct store_backup backup = {.phase = BACKUP_COPYING};
    for (int i = 0; i < WAIT_TURNS; i++) {
        struct store_result result = bench_one(&bench, (struct store_op){.kind = STORE_BACKED_UP});
        backup = *result.backup;
        result_drop(&result);
        if (backup.phase == BACKUP_DONE || backup.phase == BACKUP_FAILED) {
            break;
        }
        (void)usleep(WAIT_US);
    }
    return backup;
}

struct round {
    uint64_t records;
    uint32_t findings;
    uint32_t aside;
    uint32_t steps;
    struct store_finding last;
};

static bool check_step(struct round *round, bool begin_round, uint32_t bytes)
{
    struct store_op op = {.kind = STORE_CHECK, .check = {begin_round, bytes}};
    struct store_result result = bench_one(&bench, op);
    bool ended = result.checked->ended;
    round->steps++;
    round->records += result.checked->records;
    round->findings += result.checked->count;
    for (uint32_t i = 0; i < result.checked->count; i++) {
        round->last = result.checked->findings[i];
        round->aside += round->last.aside ? 1 : 0;
    }
    result_drop(&result);
    return ended;
}

static struct round check_all(uint32_t bytes)
{
    struct round round = {0};
    bool ended = check_step(&round, true, bytes);
    while (!ended && round.steps < 100000) {
        ended = check_step(&round, false, bytes);
    }
    ck_assert(ended);
    return round;
}

START_TEST(what_is_in_memory_has_no_backup)
{
    struct store_backup backup;
    make_store(ENGINE_MEMORY, true);
    ck_assert_int_eq(begin("one", &backup), STORE_REFUSED);
    ck_assert_ptr_nonnull(strstr(backup.detail, "memory"));
    ck_assert_uint_eq(check_all(SMALL_STEP).findings, 0);
    remove_store();
}
END_TEST

START_TEST(a_backup_is_a_whole_store)
{
    struct store_backup backup;
    struct store_report report;
    struct store_problem problem = {0};
    char path[BENCH_PATH_BYTES * 3];
    struct stat info;
    make_store(ENGINE_LMDB, true);
    ck_assert_int_eq(begin("one", &backup), STORE_DONE);
    backup = wait_for_end();
    ck_assert_msg(backup.phase == BACKUP_DONE, "%s", backup.detail);
    ck_assert_uint_eq(backup.findings, 0);
    path_of("one", path, sizeof path);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    ck_assert_int_eq(stat(backups, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0700);
    ck_assert_msg(store_check_file(path, NULL, &report, &problem), "%s", problem.detail);
    ck_assert_uint_eq(report.findings, 0);
    ck_assert_uint_eq(report.messages, MESSAGES);
    ck_assert_uint_eq(report.records, backup.records);
    ck_assert_int_eq(begin("one", &backup), STORE_REFUSED);
    ck_assert_ptr_nonnull(strstr(backup.detail, "exists"));
    ck_assert_int_eq(begin("two", &backup), STORE_DONE);
    ck_assert_int_eq(wait_for_end().phase, BACKUP_DONE);
    remove_store();
}
END_TEST

START_TEST(a_restored_store_hands_out_what_was_backed_up)
{
    struct store_backup backup;
    char path[BENCH_PATH_BYTES * 3];
    struct store_problem problem = {0};
    make_store(ENGINE_LMDB, true);
    ck_assert_int_eq(begin("one", &backup), STORE_DONE);
    ck_assert_int_eq(wait_for_end().phase, BACKUP_DONE);
    struct store_result taken = bench_one(&bench, op_take(BOX, MESSAGES));
    for (uint32_t i = 0; i < taken.take.count; i++) {
        (void)bench_one(&bench, op_ack(&taken.take.entries[i].key));
    }
    result_drop(&taken);
    bench_close(&bench);
    path_of("one", path, sizeof path);
    struct store_restore restore = {.path = bench.path, .file = path};
    ck_assert(!store_restore(&restore, &problem));
    ck_assert_ptr_nonnull(strstr(problem.detail, "--force"));
    restore.force = true;
    ck_assert_msg(store_restore(&restore, &problem), "%s", problem.detail);
    bench_open(&bench);
    taken = bench_one(&bench, op_take(BOX, MESSAGES));
    ck_assert_uint_eq(taken.take.count, MESSAGES);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        ck_assert(content_is(&taken.take.entries[i], ids[i], 20, size_of(i)));
    }
    result_drop(&taken);
    char aside[BENCH_PATH_BYTES * 2];
    (void)snprintf(aside, sizeof aside, "%s/%s", bench.path, restore.aside);
    ck_assert_int_eq(unlink(aside), 0);
    remove_store();
}
END_TEST

START_TEST(without_a_folder_there_is_none)
{
    struct store_backup backup;
    make_store(ENGINE_LMDB, false);
    ck_assert_int_eq(begin("one", &backup), STORE_REFUSED);
    ck_assert_ptr_nonnull(strstr(backup.detail, "backup.path"));
    remove_store();
}
END_TEST

/* Steps as small as they can be, between which messages come and go. */
START_TEST(a_check_of_a_store_that_changes_finds_nothing)
{
    struct round round = {0};
    make_store(ENGINE_LMDB, false);
    bool ended = check_step(&round, true, SMALL_STEP);
    for (size_t i = 0; !ended && i < 100000; i++) {
        if (i < MESSAGES) {
            char id[16];
            struct store_result taken = bench_one(&bench, op_take(BOX, 1));
            (void)snprintf(id, sizeof id, "n%zu", i);
            (void)bench_one(&bench, op_ack(&taken.take.entries[0].key));
            result_drop(&taken);
            (void)bench_one(&bench, op_append(id, 20, size_of(i), TO_BOX, 1));
        }
        ended = check_step(&round, false, SMALL_STEP);
    }
    ck_assert(ended);
    ck_assert_uint_eq(round.findings, 0);
    ck_assert_uint_gt(round.steps, MESSAGES);
    ck_assert_uint_eq(check_all(UINT32_MAX).findings, 0);
    remove_store();
}
END_TEST

START_TEST(damage_is_set_aside_and_not_handed_out)
{
    make_store(ENGINE_LMDB, true);
    bench_close(&bench);
    ck_assert(raw_flip_content(bench.path, ids[5], 150000));
    ck_assert(raw_flip_content(bench.path, ids[11], 50));
    bench_open(&bench);
    struct round round = check_all(SMALL_STEP);
    ck_assert_uint_eq(round.findings, 4);
    ck_assert_uint_eq(round.aside, 2);
    ck_assert_str_eq(round.last.table, "ready");
    ck_assert_uint_eq(round.last.mailbox, BOX);
    ck_assert_uint_eq(round.last.sequence, 12);
    struct store_result taken = bench_one(&bench, op_take(BOX, MESSAGES));
    ck_assert_int_eq(taken.status, STORE_DONE);
    ck_assert_uint_eq(taken.take.count, MESSAGES - 2);
    result_drop(&taken);
    struct store_result dead = bench_one(&bench, op_dead_list(BOX, 0, 10));
    ck_assert_uint_eq(dead.dead.count, 2);
    ck_assert_uint_eq(dead.dead.entries[0].code, STORED_CODE_DAMAGED);
    result_drop(&dead);
    /* A backup has what the store has, says so, and names it. */
    struct store_backup backup;
    ck_assert_int_eq(begin("one", &backup), STORE_DONE);
    backup = wait_for_end();
    ck_assert_int_eq(backup.phase, BACKUP_DONE);
    ck_assert_uint_eq(backup.findings, 2);
    remove_store();
}
END_TEST

/* With a consumer it was read whole: its answer must not meet nothing. */
START_TEST(what_is_taken_is_left_alone)
{
    make_store(ENGINE_LMDB, false);
    struct store_result taken = bench_one(&bench, op_take(BOX, 12));
    ck_assert(raw_flip_content(bench.path, ids[11], 50));
    struct round round = check_all(UINT32_MAX);
    ck_assert_uint_eq(round.findings, 2);
    ck_assert_uint_eq(round.aside, 0);
    struct store_result acked = bench_one(&bench, op_ack(&taken.take.entries[11].key));
    ck_assert_int_eq(acked.status, STORE_DONE);
    result_drop(&taken);
    ck_assert_uint_eq(check_all(UINT32_MAX).findings, 0);
    remove_store();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.upkeep");
    TCase *tcase = tcase_create("upkeep");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, what_is_in_memory_has_no_backup);
    tcase_add_test(tcase, a_backup_is_a_whole_store);
    tcase_add_test(tcase, a_restored_store_hands_out_what_was_backed_up);
    tcase_add_test(tcase, without_a_folder_there_is_none);
    tcase_add_test(tcase, a_check_of_a_store_that_changes_finds_nothing);
    tcase_add_test(tcase, damage_is_set_aside_and_not_handed_out);
    tcase_add_test(tcase, what_is_taken_is_left_alone);
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
