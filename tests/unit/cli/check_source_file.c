/* SPDX-License-Identifier: EUPL-1.2
 *
 * Reading what is to be sent: only what fits, and what is too large is not read at all.
 */
#include "cli/source_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void set_up(void)
{
    snprintf(path, sizeof(path), "/tmp/relais-source-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "0123456789", 10), 10);
    close(fd);
}

static void tear_down(void)
{
    (void)unlink(path);
}

START_TEST(a_file_at_the_limit_is_read_whole)
{
    struct source_file file;
    relais_error error;
    ck_assert_int_eq(source_file_read(path, 10, &file, &error), RELAIS_OK);
    ck_assert_uint_eq(file.size, 10);
    ck_assert_mem_eq(file.data, "0123456789", 10);
    ck_assert_int_gt(file.modified_ms, 1600000000000);
    source_file_fini(&file);
}
END_TEST

START_TEST(a_byte_more_is_refused_naming_size_and_limit)
{
    struct source_file file;
    relais_error error;
    ck_assert_int_eq(source_file_read(path, 9, &file, &error), RELAIS_TOO_LARGE);
    ck_assert_str_eq(error.field, path);
    ck_assert_ptr_nonnull(strstr(error.wrong, "10 bytes"));
    ck_assert_ptr_nonnull(strstr(error.right, "9 bytes"));
}
END_TEST

START_TEST(an_empty_file_is_a_message_too)
{
    struct source_file file;
    relais_error error;
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq(source_file_read(path, 9, &file, &error), RELAIS_OK);
    ck_assert_uint_eq(file.size, 0);
    source_file_fini(&file);
}
END_TEST

START_TEST(five_gigabytes_are_not_read)
{
    struct source_file file;
    relais_error error;
    struct rusage before;
    struct rusage after;
    ck_assert_int_eq(truncate(path, 5368709120), 0);
    getrusage(RUSAGE_SELF, &before);
    ck_assert_int_eq(source_file_read(path, 1048576, &file, &error), RELAIS_TOO_LARGE);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_ptr_nonnull(strstr(error.wrong, "5368709120 bytes"));
    ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 1024); /* KiB */
}
END_TEST

static void feed_stdin(size_t size)
{
    int ends[2];
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', size);
    ck_assert_int_eq(pipe(ends), 0);
    if (fork() == 0) {
        close(ends[0]);
        for (size_t done = 0; done < size;) {
            ssize_t step = write(ends[1], text + done, size - done);
            if (step <= 0) {
                break;
            }
            done += (size_t)step;
        }
        _exit(0);
    }
    free(text);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
}

START_TEST(a_stream_is_read_to_its_end)
{
    struct source_file file;
    relais_error error;
    feed_stdin(300000);
    ck_assert_int_eq(source_file_read("-", 300000, &file, &error), RELAIS_OK);
    ck_assert_uint_eq(file.size, 300000);
    ck_assert_int_eq(file.data[299999], 'x');
    ck_assert_int_eq(file.modified_ms, 0);
    source_file_fini(&file);
}
END_TEST

START_TEST(a_stream_without_end_is_refused_at_the_limit)
{
    struct source_file file;
    relais_error error;
    feed_stdin(300000);
    ck_assert_int_eq(source_file_read("-", 299999, &file, &error), RELAIS_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(error.wrong, "more than 299999 bytes"));
}
END_TEST

START_TEST(what_is_no_file_is_told)
{
    struct source_file file;
    relais_error error;
    ck_assert_int_eq(source_file_read("/nonexistent/x", 9, &file, &error), RELAIS_NOT_FOUND);
    ck_assert_str_eq(error.field, "/nonexistent/x");
    ck_assert_int_eq(source_file_read("/tmp", 9, &file, &error), RELAIS_SYSTEM);
    ck_assert_str_eq(error.field, "/tmp");
}
END_TEST

START_TEST(media_types_go_by_the_ending)
{
    ck_assert_str_eq(source_file_media_type("a.XML"), "application/xml");
    ck_assert_str_eq(source_file_media_type("a.b.pdf"), "application/pdf");
    ck_assert_str_eq(source_file_media_type("a"), "application/octet-stream");
    ck_assert_str_eq(source_file_media_type("a.unknown"), "application/octet-stream");
    ck_assert_str_eq(source_file_name("/x/y.xml"), "y.xml");
    ck_assert_str_eq(source_file_name("y.xml"), "y.xml");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli.source_file");
    TCase *read_case = tcase_create("read");
    tcase_add_checked_fixture(read_case, set_up, tear_down);
    tcase_add_test(read_case, a_file_at_the_limit_is_read_whole);
    tcase_add_test(read_case, a_byte_more_is_refused_naming_size_and_limit);
    tcase_add_test(read_case, an_empty_file_is_a_message_too);
    tcase_add_test(read_case, five_gigabytes_are_not_read);
    tcase_add_test(read_case, a_stream_is_read_to_its_end);
    tcase_add_test(read_case, a_stream_without_end_is_refused_at_the_limit);
    tcase_add_test(read_case, what_is_no_file_is_told);
    tcase_add_test(read_case, media_types_go_by_the_ending);
    suite_add_tcase(suite, read_case);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
