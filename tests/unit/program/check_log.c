/* SPDX-License-Identifier: EUPL-1.2
 *
 * program/log.c: what a line looks like whatever the values hold.
 */
#include "program/log.h"
#include "tests/unit/program/folder.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char heard[8192];

/* Sends stderr to a file; back_to_stderr() gives what was written and the old one back. */
static int saved_stderr;

static void listen_to_stderr(void)
{
    int fd = open(folder_path("stderr"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    saved_stderr = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
    close(fd);
}

static const char *back_to_stderr(void)
{
    ssize_t size = pread(STDERR_FILENO, heard, sizeof heard - 1, 0);

    (void)dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    ck_assert_int_ge(size, 0);
    heard[size] = '\0';
    return heard;
}

/* The line without its time, which differs. */
static const char *after_time(const char *line)
{
    ck_assert(strncmp(line, "time=20", 7) == 0);
    ck_assert_ptr_nonnull(strchr(line, ' '));
    return strchr(line, ' ') + 1;
}

START_TEST(logfmt_quotes_what_needs_it)
{
    log_configure(LOG_FORMAT_LOGFMT, LOG_LEVEL_NOTICE);
    listen_to_stderr();
    LOG(LOG_LEVEL_NOTICE, "a.b", {"n", NULL, -7}, {"plain", "tcp://127.0.0.1:1", 0},
        {"spaced", "two words", 0}, {"empty", "", 0}, {"quote", "a\"b\\c=d", 0});
    ck_assert_str_eq(after_time(back_to_stderr()),
                     "level=notice event=a.b n=-7 plain=tcp://127.0.0.1:1 spaced=\"two words\" "
                     "empty=\"\" quote=\"a\\\"b\\\\c=d\"\n");
}
END_TEST

START_TEST(no_control_character_and_no_broken_text_leaves)
{
    log_configure(LOG_FORMAT_LOGFMT, LOG_LEVEL_NOTICE);
    listen_to_stderr();
    LOG(LOG_LEVEL_ERROR, "x", {"a", "1\n2\x1b[31m\x7f", 0}, {"c1", "\xC2\x9B", 0},
        {"utf8", "\xC3\xA9", 0}, {"broken", "\xFF\xC3", 0}, {"overlong", "\xE0\x80\x80", 0},
        {"surrogate", "\xED\xA0\x80", 0});
    ck_assert_str_eq(after_time(back_to_stderr()),
                     "level=error event=x a=\"1\\u000a2\\u001b[31m\\u007f\" c1=\"\\u009b\" "
                     "utf8=\"\xC3\xA9\" broken=\"\xEF\xBF\xBD\xEF\xBF\xBD\" "
                     "overlong=\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\" "
                     "surrogate=\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"\n");
}
END_TEST

START_TEST(json_is_json_for_any_bytes)
{
    char bytes[256];
    json_t *line = NULL;

    for (unsigned i = 1; i < sizeof bytes; i++) {
        bytes[i - 1] = (char)i;
    }
    bytes[255] = '\0';
    log_configure(LOG_FORMAT_JSON, LOG_LEVEL_DEBUG);
    listen_to_stderr();
    LOG(LOG_LEVEL_DEBUG, "x", {"bytes", bytes, 0}, {"n", NULL, INT64_MIN});
    line = json_loads(back_to_stderr(), 0, NULL);
    ck_assert_ptr_nonnull(line);
    ck_assert_str_eq(json_string_value(json_object_get(line, "level")), "debug");
    ck_assert_str_eq(json_string_value(json_object_get(line, "event")), "x");
    ck_assert_int_eq(json_integer_value(json_object_get(line, "n")), INT64_MIN);
    ck_assert_uint_eq(json_string_length(json_object_get(line, "time")), 24);
    json_decref(line);
}
END_TEST

START_TEST(a_line_is_at_most_2_kib_and_parses_when_something_did_not_fit)
{
    char long_text[4000];
    json_t *line = NULL;

    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    log_configure(LOG_FORMAT_JSON, LOG_LEVEL_NOTICE);
    listen_to_stderr();
    LOG(LOG_LEVEL_NOTICE, "x", {"kept", "yes", 0}, {"long", long_text, 0}, {"later", "no", 0});
    const char *text = back_to_stderr();
    ck_assert_uint_le(strlen(text), 2048);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    line = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(line);
    ck_assert_str_eq(json_string_value(json_object_get(line, "kept")), "yes");
    ck_assert_ptr_null(json_object_get(line, "long"));
    json_decref(line);
}
END_TEST

START_TEST(less_important_events_are_left_out)
{
    log_configure(LOG_FORMAT_LOGFMT, LOG_LEVEL_WARNING);
    listen_to_stderr();
    LOG(LOG_LEVEL_NOTICE, "no", {"a", "b", 0});
    LOG(LOG_LEVEL_DEBUG, "no", {"a", "b", 0});
    LOG(LOG_LEVEL_WARNING, "yes", {"a", "b", 0});
    ck_assert_str_eq(after_time(back_to_stderr()), "level=warning event=yes a=b\n");
}
END_TEST

START_TEST(errno_survives)
{
    log_configure(LOG_FORMAT_LOGFMT, LOG_LEVEL_NOTICE);
    listen_to_stderr();
    errno = ENOSPC;
    LOG(LOG_LEVEL_NOTICE, "x", {"a", "b", 0});
    int kept = errno;
    (void)back_to_stderr();
    ck_assert_int_eq(kept, ENOSPC);
}
END_TEST

START_TEST(the_journal_gets_a_priority_and_no_time)
{
    char stream[64];
    struct stat about;

    listen_to_stderr();
    ck_assert_int_eq(fstat(STDERR_FILENO, &about), 0);
    (void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)about.st_dev,
                   (uintmax_t)about.st_ino);
    ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
    log_configure(LOG_FORMAT_LOGFMT, LOG_LEVEL_NOTICE);
    LOG(LOG_LEVEL_WARNING, "x", {"a", "b", 0});
    ck_assert_str_eq(back_to_stderr(), "<4>level=warning event=x a=b\n");
}
END_TEST

START_TEST(another_stderr_than_the_journals_keeps_the_time)
{
    ck_assert_int_eq(setenv("JOURNAL_STREAM", "1:2", 1), 0);
    log_configure(LOG_FORMAT_LOGFMT, LOG_LEVEL_NOTICE);
    listen_to_stderr();
    LOG(LOG_LEVEL_NOTICE, "x", {"a", "b", 0});
    ck_assert_str_eq(after_time(back_to_stderr()), "level=notice event=x a=b\n");
}
END_TEST

START_TEST(levels_have_names)
{
    enum program_log_level level = LOG_LEVEL_ERROR;

    ck_assert(log_parse_level("debug", &level));
    ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
    ck_assert(!log_parse_level("loud", &level));
    ck_assert(!log_parse_level("", &level));
    ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *cases = tcase_create("lines");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, folder_init, folder_fini);
    tcase_add_test(cases, logfmt_quotes_what_needs_it);
    tcase_add_test(cases, no_control_character_and_no_broken_text_leaves);
    tcase_add_test(cases, json_is_json_for_any_bytes);
    tcase_add_test(cases, a_line_is_at_most_2_kib_and_parses_when_something_did_not_fit);
    tcase_add_test(cases, less_important_events_are_left_out);
    tcase_add_test(cases, errno_survives);
    tcase_add_test(cases, the_journal_gets_a_priority_and_no_time);
    tcase_add_test(cases, another_stderr_than_the_journals_keeps_the_time);
    tcase_add_test(cases, levels_have_names);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
