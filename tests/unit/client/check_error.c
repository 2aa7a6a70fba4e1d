/* SPDX-License-Identifier: EUPL-1.2
 *
 * Errors as text for people: whole characters, no control characters, never beyond the buffer.
 */
#include "client/error.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(the_line_tells_field_found_and_expected)
{
    relais_error error;
    char line[512];
    (void)error_fill(&error, RELAIS_FIELD_INVALID, "flow", "ETAT CIVIL", "[A-Za-z0-9-]");
    const char *text = relais_error_text(&error, line, sizeof line);
    ck_assert_ptr_eq(text, line);
    ck_assert_str_eq(text, "a field has a value that is not allowed: flow: found \"ETAT CIVIL\"; "
                           "expected: [A-Za-z0-9-]");
}
END_TEST

START_TEST(parts_with_nothing_to_say_are_left_out)
{
    relais_error error;
    char line[512];
    (void)error_fill(&error, RELAIS_BUSY, NULL, NULL, NULL);
    ck_assert_str_eq(relais_error_text(&error, line, sizeof line), "the broker is busy");
}
END_TEST

START_TEST(control_characters_are_replaced)
{
    relais_error error;
    char line[512];
    (void)error_fill(&error, RELAIS_FIELD_INVALID, "to",
                     "a\033[31m\nb\xC2\x9B"
                     "c",
                     NULL);
    ck_assert_str_eq(error.wrong, "a?[31m?b??c");
    (void)relais_error_text(&error, line, sizeof line);
    ck_assert_ptr_null(strchr(line, '\033'));
}
END_TEST

START_TEST(a_cut_keeps_whole_characters)
{
    relais_error error;
    char text[400];
    char line[512];
    for (size_t i = 0; i < sizeof text - 1; i += 3) { /* three bytes each, 256 is no multiple */
        memcpy(text + i, "\xE2\x82\xAC", 3);
    }
    text[sizeof text - 1] = '\0';
    (void)error_fill(&error, RELAIS_FIELD_INVALID, "subject", text, NULL);
    ck_assert_uint_eq(strlen(error.wrong), 255);
    for (unsigned size = 1; size < 300; size++) {
        memset(line, 'x', sizeof line);
        (void)relais_error_text(&error, line, size);
        size_t length = strlen(line);
        ck_assert_uint_lt(length, size);
        ck_assert_int_eq(line[size], 'x');
        if (length > 60) { /* inside the euro signs: ends with a whole one or with ASCII */
            ck_assert((unsigned char)line[length - 1] == 0xAC || line[length - 1] == '"');
        }
    }
}
END_TEST

START_TEST(what_the_broker_says_becomes_a_value)
{
    Relais__V1__Error said = RELAIS__V1__ERROR__INIT;
    relais_error error;
    said.code = RELAIS__V1__CODE__CODE_STORE_FULL;
    said.field = (char *)"store";
    said.wrong = (char *)"100 %";
    said.right = (char *)"95 %";
    said.retry_after_ms = 1500;
    ck_assert_int_eq(error_from_wire(&error, &said), RELAIS_STORE_FULL);
    ck_assert_str_eq(error.field, "store");
    ck_assert_uint_eq(error.retry_after_ms, 1500);
}
END_TEST

START_TEST(a_code_that_is_not_the_brokers_is_malformed)
{
    Relais__V1__Error said = RELAIS__V1__ERROR__INIT;
    relais_error error;
    said.code = (Relais__V1__Code)0;
    ck_assert_int_eq(error_from_wire(&error, &said), RELAIS_MALFORMED);
    said.code = (Relais__V1__Code)RELAIS_KEY_UNREADABLE;
    ck_assert_int_eq(error_from_wire(&error, &said), RELAIS_MALFORMED);
    said.code = (Relais__V1__Code)-5;
    ck_assert_int_eq(error_from_wire(&error, &said), RELAIS_MALFORMED);
    said.code = (Relais__V1__Code)77; /* of a later minor version */
    ck_assert_int_eq((int)error_from_wire(&error, &said), 77);
}
END_TEST

START_TEST(nobody_has_to_want_the_error)
{
    ck_assert_int_eq(error_fill(NULL, RELAIS_BUSY, "a", "b", "c"), RELAIS_BUSY);
    ck_assert_str_eq(relais_error_text(NULL, NULL, 0), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.client.error");
    TCase *text = tcase_create("text");
    tcase_add_test(text, the_line_tells_field_found_and_expected);
    tcase_add_test(text, parts_with_nothing_to_say_are_left_out);
    tcase_add_test(text, control_characters_are_replaced);
    tcase_add_test(text, a_cut_keeps_whole_characters);
    tcase_add_test(text, what_the_broker_says_becomes_a_value);
    tcase_add_test(text, a_code_that_is_not_the_brokers_is_malformed);
    tcase_add_test(text, nobody_has_to_want_the_error);
    suite_add_tcase(suite, text);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
