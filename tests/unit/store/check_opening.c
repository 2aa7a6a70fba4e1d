/* SPDX-License-Identifier: EUPL-1.2
 *
 * Whom and what the LMDB engine lets in: folders, file systems, second openers, files that are
 * cut, foreign or of another layout. fstatfs() is this program's own, so that a test can say what
 * it answers.
 */
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include "store/folder.h"
#include "store/record.h"

#include <check.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BOX = 7 };

static struct bench bench;
static long told_type; /* 0: the truth */

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

int fstatfs(int fd, struct statfs *out_info)
{
    int (*real)(int, struct statfs *) = (int (*)(int, struct statfs *))dlsym(RTLD_NEXT, "fstatfs");
    int rc = real(fd, out_info);
    if (told_type != 0) {
        out_info->f_type = told_type;
    }
    return rc;
}

static void set_up(void)
{
    told_type = 0;
    bench_init(&bench, ENGINE_LMDB);
    bench.settings.map_bytes = UINT64_C(256) << 20;
}

static void tear_down(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static void open_with_box(void)
{
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
}

static enum store_status append(const char *id, size_t size)
{
    return bench_one(&bench, op_append(id, 20, size, TO_BOX, 1)).status;
}

static struct store_problem expect_refused(enum store_problem_kind kind)
{
    struct store *store = NULL;
    struct store_problem problem = {0};
    bool opened = store_open_lmdb(&bench.settings, &store, &problem);
    if (opened) {
        store_close(store);
    }
    ck_assert(!opened);
    ck_assert_msg(problem.kind == kind, "kind %d: %s", (int)problem.kind, problem.detail);
    ck_assert_ptr_nonnull(strstr(problem.detail, bench.path));
    return problem;
}

START_TEST(a_new_store_is_private_and_empty)
{
    bench_open(&bench);
    struct stat info;
    ck_assert_int_eq(stat(bench.path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0700);
    size_t count = 1;
    (void)store_mailboxes(bench.store, &count);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(store_last_time(bench.store), 0);
    char name[256];
    (void)snprintf(name, sizeof name, "%s/data.mdb", bench.path);
    ck_assert_int_eq(stat(name, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0600);
    /* The file is ahead of its pages, by a hole. */
    ck_assert_int_ge(info.st_size, 64 << 20);
    ck_assert_int_lt(info.st_blocks * 512, 1 << 20);
}
END_TEST

START_TEST(a_second_opener_is_told_who_has_it)
{
    int go[2];
    char byte = 0;
    struct store_problem problem = {0};
    ck_assert_int_eq(pipe(go), 0);
    pid_t child = fork(); /* before the store has a thread */
    if (child == 0) {
        struct store *store = NULL;
        bool told = read(go[0], &byte, 1) == 1;
        bool opened = told && store_open_lmdb(&bench.settings, &store, &problem);
        _exit(opened ? 0 : (int)problem.kind);
    }
    bench_open(&bench);
    problem = expect_refused(STORE_PROBLEM_LOCKED);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "process %ld,", (long)getpid());
    ck_assert_ptr_nonnull(strstr(problem.detail, pid));
    ck_assert_int_eq(write(go[1], "", 1), 1);
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WEXITSTATUS(status), STORE_PROBLEM_LOCKED);
    ck_assert_int_eq(bench_one(&bench, op_mailbox(1, "a/b")).status, STORE_DONE);
    (void)close(go[0]);
    (void)close(go[1]);
}
END_TEST

START_TEST(a_store_that_a_dead_process_left_opens)
{
    pid_t child = fork();
    if (child == 0) {
        open_with_box();
        (void)append("survives", 100);
        _exit(0);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    bench_open(&bench);
    struct store_result result = bench_one(&bench, op_take(BOX, 10));
    ck_assert_uint_eq(result.take.count, 1);
    ck_assert(content_is(&result.take.entries[0], "survives", 20, 100));
    result_drop(&result);
}
END_TEST

START_TEST(a_network_file_system_is_refused)
{
    static const long types[] = {0x6969, 0xFF534D42, 0xFE534D42, 0x517B, 0x01021997, 0x65735546};
    told_type = types[_i];
    (void)expect_refused(STORE_PROBLEM_NETWORK_FS);
    told_type = 0xEF53; /* ext4 */
    bench_open(&bench);
    ck_assert(!folder_is_network_type(0x01021994));
}
END_TEST

START_TEST(a_folder_that_cannot_be_used_is_refused)
{
    int fd = open(bench.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    struct store_problem problem = expect_refused(STORE_PROBLEM_PATH);
    ck_assert_int_ne(problem.system_errno, 0);
    ck_assert_int_eq(unlink(bench.path), 0);
    char below[BENCH_PATH_BYTES * 2];
    (void)snprintf(below, sizeof below, "%s/not/there", bench.path);
    bench.settings.path = below;
    (void)expect_refused(STORE_PROBLEM_PATH);
    bench.settings.path = bench.path;
}
END_TEST

START_TEST(a_folder_without_write_permission_is_refused)
{
    ck_assert_int_eq(mkdir(bench.path, 0500), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store_problem problem = {0};
        struct store *store = NULL;
        /* Root writes everywhere: be nobody, who cannot pass the folder above either. */
        bool ready = geteuid() != 0 ||
                     (chmod(bench.folder, 0755) == 0 && chown(bench.path, 65534, 65534) == 0 &&
                      setegid(65534) == 0 && setuid(65534) == 0);
        bool opened = ready && store_open_lmdb(&bench.settings, &store, &problem);
        _exit(opened ? 0 : (int)problem.kind);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WEXITSTATUS(status), STORE_PROBLEM_PATH);
}
END_TEST

START_TEST(another_layout_is_refused)
{
    bench_open(&bench);
    bench_close(&bench);
    raw_set_layout(bench.path, RECORD_LAYOUT + 1);
    struct store_problem later = expect_refused(STORE_PROBLEM_VERSION);
    ck_assert_ptr_nonnull(strstr(later.detail, "start the release that wrote it"));
    raw_set_layout(bench.path, RECORD_LAYOUT - 1);
    struct store_problem older = expect_refused(STORE_PROBLEM_VERSION);
    ck_assert_ptr_nonnull(strstr(older.detail, "begin a new folder"));
    raw_set_layout(bench.path, RECORD_LAYOUT);
    bench_open(&bench);
}
END_TEST

START_TEST(a_cut_or_missing_file_is_refused)
{
    open_with_box();
    ck_assert_int_eq(append("m", 300000), STORE_DONE);
    bench_close(&bench);
    off_t needed = raw_needed_bytes(bench.path);
    static const int parts[] = {0, 1, 100, 200, 500, 900, 999};
    for (size_t i = sizeof parts / sizeof parts[0]; i > 0; i--) {
        raw_truncate(bench.path, needed * parts[i - 1] / 1000);
        (void)expect_refused(STORE_PROBLEM_DAMAGED);
    }
    char name[256];
    (void)snprintf(name, sizeof name, "%s/data.mdb", bench.path);
    ck_assert_int_eq(unlink(name), 0);
    struct store_problem problem = expect_refused(STORE_PROBLEM_DAMAGED);
    ck_assert_ptr_nonnull(strstr(problem.detail, "missing"));
}
END_TEST

START_TEST(a_file_that_is_not_ours_is_refused)
{
    ck_assert_int_eq(mkdir(bench.path, 0700), 0);
    raw_fill(bench.path, 100000, 'x');
    (void)expect_refused(STORE_PROBLEM_DAMAGED);
    raw_fill(bench.path, 100000, 0);
    (void)expect_refused(STORE_PROBLEM_DAMAGED);
    raw_fill(bench.path, 10, 'x');
    (void)expect_refused(STORE_PROBLEM_DAMAGED);
}
END_TEST

static Suite *make_suite(void)
{
    const TTest *const tests[] = {
        a_new_store_is_private_and_empty,
        a_second_opener_is_told_who_has_it,
        a_store_that_a_dead_process_left_opens,
        a_folder_that_cannot_be_used_is_refused,
        a_folder_without_write_permission_is_refused,
        another_layout_is_refused,
        a_cut_or_missing_file_is_refused,
        a_file_that_is_not_ours_is_refused,
    };
    Suite *suite = suite_create("store.opening");
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        TCase *tcase = tcase_create(tests[i]->name);
        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, tests[i]);
        suite_add_tcase(suite, tcase);
    }
    TCase *types = tcase_create("file systems");
    tcase_add_checked_fixture(types, set_up, tear_down);
    tcase_add_loop_test(types, a_network_file_system_is_refused, 0, 6);
    suite_add_tcase(suite, types);
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
