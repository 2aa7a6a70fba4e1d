/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a command says on its standard error, as one line for people; and its variables.
 */
#include "adapters/exec/complaint.h"
#include "adapters/exec/environment.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *said;
    const char *kept;
} cases[] = {
    {"", ""},
    {"plain\n", "plain"},
    {"\n\n  two\r\n\tlines \n", "  two lines"},
    {"\033[31mred\033[0m", "[31mred [0m"},
    {"caf\xc3\xa9", "caf\xc3\xa9"},
    {"latin \xe9t\xe9", "latin ?t?"},
    {"\xc0\xaf\xed\xa0\x80", "?????"},
    {"\xc2\x85next", "next"},
    {"\xf0\x9f\x8f\x9b!", "\xf0\x9f\x8f\x9b!"},
    {"\xf4\x90\x80\x80", "????"},
    {"cut \xc3", "cut ?"},
};

START_TEST(one_line_for_people)
{
    struct complaint complaint = {.size = strlen(cases[_i].said)};
    memcpy(complaint.text, cases[_i].said, complaint.size);
    const char *kept = complaint_text(&complaint);
    ck_assert_str_eq(kept[0] == ' ' ? kept + strspn(kept, " ") : kept,
                     cases[_i].kept + strspn(cases[_i].kept, " "));
}
END_TEST

START_TEST(only_the_beginning_is_kept)
{
    struct complaint complaint = {.size = 0};
    int fds[2];
    char data[5000];
    memset(data, 'x', sizeof data);
    ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
    ck_assert_int_eq(write(fds[1], data, sizeof data), (ssize_t)sizeof data);
    ck_assert(complaint_read(&complaint, fds[0], -1));
    ck_assert_uint_eq(strlen(complaint_text(&complaint)), COMPLAINT_BYTES);
    ck_assert_int_eq(close(fds[1]), 0);
    ck_assert(!complaint_read(&complaint, fds[0], -1));
    ck_assert_int_eq(close(fds[0]), 0);
}
END_TEST

START_TEST(variables_are_those_that_were_named)
{
    struct environment environment;
    char *named[] = {(char *)"GIVEN=a=b", (char *)"PASSED", (char *)"ABSENT", (char *)"LANG=fr"};
    ck_assert_int_eq(setenv("PASSED", "p", 1), 0);
    ck_assert_int_eq(setenv("SECRET", "s", 1), 0);
    ck_assert_int_eq(setenv("LANG", "C", 1), 0);
    ck_assert_int_eq(unsetenv("ABSENT"), 0);
    environment_begin(&environment, named, 4);
    environment_set(&environment, "TWICE", "1");
    environment_set(&environment, "TWICE", "2");
    environment_set(&environment, "NONE", NULL);
    bool given = false;
    bool passed = false;
    for (size_t i = 0; i < environment.count; i++) {
        const char *text = environment.list[i];
        given = given || strcmp(text, "GIVEN=a=b") == 0;
        passed = passed || strcmp(text, "PASSED=p") == 0;
        ck_assert_str_ne(text, "TWICE=1");
        ck_assert_str_ne(text, "LANG=C");
        ck_assert_ptr_null(strstr(text, "SECRET"));
        ck_assert_ptr_null(strstr(text, "NONE"));
        ck_assert_ptr_null(strstr(text, "ABSENT"));
    }
    ck_assert(given && passed && !environment.failed);
    ck_assert_ptr_null(environment.list[environment.count]);
    environment_fini(&environment);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec.complaint");
    TCase *tests = tcase_create("complaint");
    tcase_add_loop_test(tests, one_line_for_people, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tests, only_the_beginning_is_kept);
    tcase_add_test(tests, variables_are_those_that_were_named);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
