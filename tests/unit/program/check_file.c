/* SPDX-License-Identifier: EUPL-1.2
 *
 * program/file.c: whole or absent.
 */
#include "program/file.h"
#include "tests/unit/program/folder.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static relais_error error;

static void ck_content(const char *path, const char *expected)
{
    char *data = NULL;
    size_t size = 0;

    ck_assert_int_eq(file_read(path, 1000, &data, &size, &error), RELAIS_OK);
    ck_assert_uint_eq(size, strlen(expected));
    ck_assert_str_eq(data, expected);
    free(data);
}

START_TEST(replacing_leaves_the_new_bytes_the_mode_and_no_temporary_file)
{
    struct stat about;
    const char *path = folder_write("a.txt", "a much longer text than the one that follows");

    ck_assert_int_eq(file_replace(path, "new", 3, 0640, &error), RELAIS_OK);
    ck_content(path, "new");
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_uint_eq(about.st_mode & 07777U, 0640);
    ck_assert_uint_eq(folder_count("a.txt"), 1);
    ck_assert_uint_eq(folder_count("tmp"), 0);
}
END_TEST

START_TEST(creating_refuses_an_existing_name_and_leaves_it_alone)
{
    const char *path = folder_path("key");

    ck_assert_int_eq(file_create(path, "first", 5, 0600, &error), RELAIS_OK);
    ck_assert_int_eq(file_create(path, "second", 6, 0600, &error), RELAIS_ALREADY_EXISTS);
    ck_assert_int_eq(error.status, RELAIS_ALREADY_EXISTS);
    ck_assert_str_eq(error.field, path);
    ck_content(path, "first");
    ck_assert_uint_eq(folder_count("key"), 1);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error_with_the_path)
{
    const char *path = folder_path("none/a.txt");

    ck_assert_int_eq(file_replace(path, "x", 1, 0600, &error), RELAIS_SYSTEM);
    ck_assert_str_eq(error.field, path);
    ck_assert_str_eq(error.wrong, "No such file or directory");
}
END_TEST

START_TEST(a_failed_rename_leaves_no_temporary_file)
{
    ck_assert_int_eq(mkdir(folder_path("d"), 0700), 0);
    (void)folder_write("d/inside", "");
    ck_assert_int_eq(file_replace(folder_path("d"), "x", 1, 0600, &error), RELAIS_SYSTEM);
    ck_assert_uint_eq(folder_count("d"), 1);
}
END_TEST

START_TEST(reading_tells_absent_from_too_large_from_not_a_file)
{
    char *data = NULL;
    size_t size = 0;

    ck_assert_int_eq(file_read(folder_path("none"), 10, &data, &size, &error), RELAIS_NOT_FOUND);
    ck_assert_int_eq(file_read(folder_write("ten", "0123456789"), 9, &data, &size, &error),
                     RELAIS_TOO_LARGE);
    ck_assert_int_eq(file_read(folder_path("."), 10, &data, &size, &error), RELAIS_SYSTEM);
    ck_assert_ptr_null(data);
    ck_assert_int_eq(file_read(folder_path("ten"), 10, &data, &size, &error), RELAIS_OK);
    ck_assert_uint_eq(size, 10);
    free(data);
}
END_TEST

START_TEST(a_fifo_does_not_hold_the_reader_up)
{
    char *data = NULL;
    size_t size = 0;

    ck_assert_int_eq(mkfifo(folder_path("fifo"), 0600), 0);
    ck_assert_int_eq(file_read(folder_path("fifo"), 10, &data, &size, &error), RELAIS_SYSTEM);
}
END_TEST

START_TEST(folders_are_made_with_their_parents_and_may_be_there_already)
{
    struct stat about;

    ck_assert_int_eq(file_make_folder(folder_path("a/b/c"), 0750, &error), RELAIS_OK);
    ck_assert_int_eq(file_make_folder(folder_path("a/b/c"), 0750, &error), RELAIS_OK);
    ck_assert_int_eq(stat(folder_path("a/b/c"), &about), 0);
    ck_assert(S_ISDIR(about.st_mode));
    ck_assert_uint_eq(about.st_mode & 0777U, 0750);
}
END_TEST

START_TEST(a_file_in_the_way_of_a_folder_is_an_error)
{
    (void)folder_write("a", "");
    ck_assert_int_eq(file_make_folder(folder_path("a/b"), 0700, &error), RELAIS_SYSTEM);
    ck_assert_int_eq(file_make_folder(folder_path("a"), 0700, &error), RELAIS_SYSTEM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    TCase *cases = tcase_create("files");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, folder_init, folder_fini);
    tcase_add_test(cases, replacing_leaves_the_new_bytes_the_mode_and_no_temporary_file);
    tcase_add_test(cases, creating_refuses_an_existing_name_and_leaves_it_alone);
    tcase_add_test(cases, a_folder_that_is_not_there_is_an_error_with_the_path);
    tcase_add_test(cases, a_failed_rename_leaves_no_temporary_file);
    tcase_add_test(cases, reading_tells_absent_from_too_large_from_not_a_file);
    tcase_add_test(cases, a_fifo_does_not_hold_the_reader_up);
    tcase_add_test(cases, folders_are_made_with_their_parents_and_may_be_there_already);
    tcase_add_test(cases, a_file_in_the_way_of_a_folder_is_an_error);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
