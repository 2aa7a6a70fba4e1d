/* SPDX-License-Identifier: EUPL-1.2
 *
 * program/error.c: texts are cut at a character.
 */
#include "program/error.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

START_TEST(all_parts_are_filled_in)
{
    relais_error error = {.retry_after_ms = 9};

    ck_assert_int_eq(error_set(&error, RELAIS_BUSY, "f", "r", "w %d", 3), RELAIS_BUSY);
    ck_assert_int_eq(error.status, RELAIS_BUSY);
    ck_assert_str_eq(error.field, "f");
    ck_assert_str_eq(error.right, "r");
    ck_assert_str_eq(error.wrong, "w 3");
    ck_assert_uint_eq(error.retry_after_ms, 0);
}
END_TEST

START_TEST(a_cut_text_ends_with_a_whole_character)
{
    char text[400] = "";
    relais_error error = {0};

    for (size_t i = 0; i + 3 < sizeof text; i += 3) {
        memcpy(text + i, "\xE2\x82\xAC", 4); /* the euro sign, three bytes */
    }
    for (size_t shift = 0; shift < 3; shift++) {
        (void)error_set(&error, RELAIS_USAGE, text, text, "%.*s%s", (int)shift, "xx", text);
        ck_assert_uint_eq((strlen(error.wrong) - shift) % 3, 0);
        ck_assert_uint_eq(strlen(error.field) % 3, 0);
        ck_assert_uint_gt(strlen(error.wrong), 248);
    }
}
END_TEST

START_TEST(nobody_needs_an_error)
{
    ck_assert_int_eq(error_set(NULL, RELAIS_USAGE, "f", NULL, "%s", ""), RELAIS_USAGE);
    ck_assert_int_eq(error_set_errno(NULL, "f", ENOENT), RELAIS_SYSTEM);
    error_set_field(NULL, "%d", 1);
}
END_TEST

START_TEST(the_systems_words_are_kept)
{
    relais_error error = {0};

    ck_assert_int_eq(error_set_errno(&error, "path", ENOENT), RELAIS_SYSTEM);
    ck_assert_str_eq(error.wrong, "No such file or directory");
    error_set_field(&error, "%s[%d]", "a", 1);
    ck_assert_str_eq(error.field, "a[1]");
    ck_assert_str_eq(error.wrong, "No such file or directory");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *cases = tcase_create("values");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(cases, all_parts_are_filled_in);
    tcase_add_test(cases, a_cut_text_ends_with_a_whole_character);
    tcase_add_test(cases, nobody_needs_an_error);
    tcase_add_test(cases, the_systems_words_are_kept);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
