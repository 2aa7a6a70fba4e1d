/* SPDX-License-Identifier: EUPL-1.2
 *
 * One message as a command says it.
 */
#include "adapters/exec/line.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *default_to[] = {(char *)"dila/dossiers"};
static const struct settings_defaults defaults = {
    .to = default_to, .to_count = 1, .flow = (char *)"RCO", .from = (char *)"a/b"};
static const struct settings_defaults none = {.to = NULL};
static struct line line;
static relais_error error;

static relais_status read_text(const char *text, const struct settings_defaults *with)
{
    error = (relais_error){.status = RELAIS_OK};
    return line_read(text, strlen(text), with, 1000000, &line, &error);
}

START_TEST(defaults_fill_what_is_absent)
{
    ck_assert_int_eq(read_text("{}", &defaults), RELAIS_OK);
    ck_assert_str_eq(line.message.to[0], "dila/dossiers");
    ck_assert_uint_eq(line.message.to_count, 1);
    ck_assert_str_eq(line.message.flow, "RCO");
    ck_assert_str_eq(line.message.from, "a/b");
    ck_assert_str_eq(line.message.type, "fr.relais.message");
    ck_assert_ptr_null(line.message.id);
    line_fini(&line);
    ck_assert_int_eq(read_text("{}", &none), RELAIS_OK);
    ck_assert_uint_eq(line.message.to_count, 0);
    line_fini(&line);
}
END_TEST

START_TEST(every_key_is_read)
{
    ck_assert_int_eq(
        read_text(
            "{\"id\": \"i\", \"to\": [\"x/y\", \"z/w\"], \"flow\": \"F\", \"subject\": \"s\", "
            "\"media_type\": \"m\", \"priority\": \"high\", \"expires_in_s\": 5, "
            "\"delay_s\": 2, \"ordering_key\": \"k\", \"text\": \"hello\", "
            "\"extensions\": {\"a\": \"t\", \"b\": -7, \"c\": true}}",
            &defaults),
        RELAIS_OK);
    ck_assert_uint_eq(line.message.to_count, 2);
    ck_assert_str_eq(line.message.to[1], "z/w");
    ck_assert_str_eq(line.message.flow, "F");
    ck_assert_str_eq(line.message.datacontenttype, "m");
    ck_assert_int_eq(line.message.priority, RELAIS_PRIORITY_HIGH);
    ck_assert_int_eq(line.message.expires_at_ms, 1005000);
    ck_assert_int_eq(line.message.not_before_ms, 1002000);
    ck_assert_mem_eq(line.message.payload.data, "hello", 5);
    ck_assert_uint_eq(line.message.extension_count, 3);
    ck_assert_int_eq(line.message.extensions[1].integer, -7);
    ck_assert_int_eq(line.message.extensions[2].kind, RELAIS_EXTENSION_BOOLEAN);
    line_fini(&line);
    ck_assert_int_eq(read_text("{\"base64\": \"AAEC\", \"to_subscribers\": true}", &defaults),
                     RELAIS_OK);
    ck_assert_uint_eq(line.message.payload.size, 3);
    ck_assert_uint_eq(line.message.to_count, 0);
    line_fini(&line);
    ck_assert_int_eq(read_text("{\"file\": \"a.bin\"}", &defaults), RELAIS_OK);
    ck_assert_str_eq(line.file, "a.bin");
    line_fini(&line);
}
END_TEST

static const struct {
    const char *text;
    const char *field;
} wrong[] = {
    {"", "line"},
    {"[]", "line"},
    {"{", "line"},
    {"{\"a\": 1}", "a"},
    {"{\"id\": \"a\", \"id\": \"b\"}", "line"},
    {"{\"id\": 1}", "id"},
    {"{\"to\": []}", "to"},
    {"{\"to\": [1]}", "to"},
    {"{\"to\": null}", "to"},
    {"{\"priority\": 1}", "priority"},
    {"{\"expires_in_s\": 0}", "expires_in_s"},
    {"{\"delay_s\": 1.5}", "delay_s"},
    {"{\"expires_in_s\": 99999999999}", "expires_in_s"},
    {"{\"extensions\": []}", "extensions"},
    {"{\"extensions\": {\"a\": null}}", "extensions"},
    {"{\"extensions\": {\"a\": 4294967296}}", "extensions"},
    {"{\"text\": \"a\", \"file\": \"b\"}", "file"},
    {"{\"base64\": \"AA\"}", "base64"},
    {"{\"base64\": 5}", "base64"},
    {"{\"file\": \"a/b\"}", "file"},
    {"{\"file\": \"..\"}", "file"},
    {"{\"file\": \"\"}", "file"},
    {"{\"subject\": \"\\u0000\"}", "line"},
    {"{\"subject\": \"\xff\"}", "line"},
    {"{\"to_subscribers\": 1}", "to_subscribers"},
};

START_TEST(what_is_wrong_is_named)
{
    ck_assert_int_eq(read_text(wrong[_i].text, &defaults), RELAIS_FIELD_INVALID);
    ck_assert_str_eq(error.field, wrong[_i].field);
    ck_assert_str_ne(error.right, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec.line");
    TCase *tests = tcase_create("line");
    tcase_add_test(tests, defaults_fill_what_is_absent);
    tcase_add_test(tests, every_key_is_read);
    tcase_add_loop_test(tests, what_is_wrong_is_named, 0, (int)(sizeof wrong / sizeof wrong[0]));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
