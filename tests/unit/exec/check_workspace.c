/* SPDX-License-Identifier: EUPL-1.2
 *
 * The folder of a command. Numbers in names of tests are the invariants of workspace.h.
 */
#include "adapters/exec/workspace.h"
#include "tests/unit/adapters/folders.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[FOLDERS_PATH_BYTES];
static char folder[FOLDERS_PATH_BYTES + 8];

static void set_up(void)
{
    folders_make(root);
    (void)snprintf(folder, sizeof folder, "%s/jobs", root);
    ck_assert_int_eq(workspace_prepare(folder), 0);
}

static void tear_down(void)
{
    folders_remove(root);
}

START_TEST(nobody_else_looks_into_it_1)
{
    struct workspace workspace;
    struct stat about;
    ck_assert_int_eq(workspace_make(folder, &workspace), 0);
    ck_assert_int_eq(stat(workspace.path, &about), 0);
    ck_assert_uint_eq(about.st_mode & 07777, 0700);
    int fd = workspace_create(&workspace, "payload");
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &about), 0);
    ck_assert_uint_eq(about.st_mode & 07777, 0600);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_lt(workspace_create(&workspace, "payload"), 0);
    workspace_remove(&workspace);
    ck_assert_uint_eq(folders_count(folder), 0);
}
END_TEST

static void litter(const struct workspace *workspace)
{
    folders_write(root, "outside", "kept");
    ck_assert_int_eq(symlinkat(root, workspace->fd, "link"), 0);
    ck_assert_int_eq(mkdirat(workspace->fd, "a", 0700), 0);
    ck_assert_int_eq(mkdirat(workspace->fd, "a/b", 0700), 0);
    ck_assert_int_eq(symlinkat(root, workspace->fd, "a/b/link"), 0);
    ck_assert_int_eq(mkfifoat(workspace->fd, "a/pipe", 0600), 0);
    ck_assert_int_eq(mkdirat(workspace->fd, "shut", 0), 0);
    (void)close(workspace_create(workspace, "-rf *"));
}

START_TEST(removed_whole_without_following_links_2)
{
    struct workspace workspace;
    ck_assert_int_eq(workspace_make(folder, &workspace), 0);
    litter(&workspace);
    workspace_remove(&workspace);
    ck_assert_uint_eq(folders_count(folder), 0);
    ck_assert(folders_holds(root, "outside", "kept"));
}
END_TEST

START_TEST(what_a_killed_adapter_left_goes_2)
{
    struct workspace workspace;
    ck_assert_int_eq(workspace_make(folder, &workspace), 0);
    litter(&workspace);
    ck_assert_int_eq(close(workspace.fd), 0);
    ck_assert_int_eq(workspace_prepare(folder), 0);
    ck_assert_uint_eq(folders_count(folder), 0);
    ck_assert(folders_holds(root, "outside", "kept"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec.workspace");
    TCase *tests = tcase_create("workspace");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nobody_else_looks_into_it_1);
    tcase_add_test(tests, removed_whole_without_following_links_2);
    tcase_add_test(tests, what_a_killed_adapter_left_goes_2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
