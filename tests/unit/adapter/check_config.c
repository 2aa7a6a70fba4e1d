/* SPDX-License-Identifier: EUPL-1.2
 *
 * The configuration file: common keys, an adapter's own, and what is wrong with them.
 */
#include "adapter/config.h"
#include "tests/unit/adapters/folders.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    char *color;
    char **words;
    unsigned word_count;
    uint32_t number;
};

static const cyaml_schema_value_t word = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 20)};
static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("color", CYAML_FLAG_POINTER, struct settings, color, 1, 20),
    CYAML_FIELD_SEQUENCE_COUNT("words", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct settings,
                               words, word_count, &word, 0, 4),
    CYAML_FIELD_UINT("number", CYAML_FLAG_OPTIONAL, struct settings, number), CYAML_FIELD_END};

static relais_status check(void *given, const char *path, relais_error *error)
{
    struct settings *settings = given;
    (void)path;
    if (settings->number == 13) {
        *error = (relais_error){.status = RELAIS_CONFIG_INVALID, .field = "number"};
        return RELAIS_CONFIG_INVALID;
    }
    settings->number = settings->number == 0 ? 7 : settings->number;
    return RELAIS_OK;
}

static void deliver(void *context, relais_adapter_item *item)
{
    (void)context;
    (void)item;
}

static relais_adapter_kind kind;
static char folder[FOLDERS_PATH_BYTES];
static char path[FOLDERS_PATH_BYTES + 16];
static struct config *config;
static relais_error error;

static void set_up(void)
{
    kind = (relais_adapter_kind){.name = "relais-test",
                                 .version = "1",
                                 .settings = fields,
                                 .settings_bytes = sizeof(struct settings),
                                 .check = check,
                                 .deliver = deliver};
    folders_make(folder);
    (void)snprintf(path, sizeof path, "%s/test.yaml", folder);
}

static void tear_down(void)
{
    folders_remove(folder);
}

static relais_status load(const char *text)
{
    folders_write(folder, "test.yaml", text);
    error = (relais_error){.status = RELAIS_OK};
    return config_load(path, &kind, &config, &error);
}

START_TEST(both_parts_are_read_with_defaults)
{
    char expected[sizeof path + 32];
    ck_assert_int_eq(load("profile: client.yaml\nstate: state\ncolor: red\nwords: [a, b]\n"
                          "mailboxes: [dila/a]\noutbox: {megabytes: 3}\n"),
                     RELAIS_OK);
    const struct settings *settings = config->settings;
    ck_assert_str_eq(settings->color, "red");
    ck_assert_uint_eq(settings->word_count, 2);
    ck_assert_str_eq(settings->words[1], "b");
    ck_assert_uint_eq(settings->number, 7);
    (void)snprintf(expected, sizeof expected, "%s/client.yaml", folder);
    ck_assert_str_eq(config->common->profile, expected);
    (void)snprintf(expected, sizeof expected, "%s/state/status.json", folder);
    ck_assert_str_eq(config->common->status, expected);
    ck_assert_str_eq(config->common->mailboxes[0], "dila/a");
    ck_assert_uint_eq(config->common->outbox.megabytes, 3);
    ck_assert_uint_eq(config->common->outbox.in_flight, CONFIG_IN_FLIGHT);
    ck_assert_uint_eq(config->common->credit, CONFIG_CREDIT);
    config_free(config);
}
END_TEST

static const struct {
    const char *text;
    const char *field; /* the end of error.field */
} wrong[] = {
    {"state: s\ncolor: red\n", "profile"},
    {"profile: p\nstate: s\ncolor: red\ncolour: x\n", "4: colour"},
    {"profile: p\nstate: s\ncolor: red\nnumber: 13\n", "4: number"},
    {"profile: p\nstate: s\ncolor: red\ncredit: 2000\n", "4: credit"},
    {"profile: p\nstate: s\ncolor: red\noutbox: {megabytes: 70000}\n", "4: outbox.megabytes"},
    {"profile: p\nstate: s\ncolor: red\noutbox: {in_flight: 513}\n", "4: outbox.in_flight"},
    {"profile: p\nstate: s\ncolor: red\nmailboxes: [a/b, a/b]\n", "4: mailboxes"},
    {"profile: p\ncolor: red\n", "state"},
};

START_TEST(what_is_wrong_has_its_line)
{
    ck_assert_int_eq(load(wrong[_i].text), RELAIS_CONFIG_INVALID);
    size_t length = strlen(wrong[_i].field);
    ck_assert_uint_ge(strlen(error.field), length);
    ck_assert_str_eq(error.field + strlen(error.field) - length, wrong[_i].field);
}
END_TEST

START_TEST(a_kind_that_keeps_nothing_has_no_state)
{
    kind.keeps_nothing = true;
    ck_assert_int_eq(load("profile: client.yaml\nstate: state\ncolor: red\n"),
                     RELAIS_CONFIG_INVALID);
    ck_assert_int_eq(load("profile: client.yaml\ncolor: red\n"), RELAIS_OK);
    ck_assert_ptr_null(config->common->status);
    config_free(config);
}
END_TEST

START_TEST(a_kind_that_only_sends_has_no_mailboxes)
{
    kind.deliver = NULL;
    ck_assert_int_eq(load("profile: p\nstate: s\ncolor: red\nmailboxes: [a/b]\n"),
                     RELAIS_CONFIG_INVALID);
}
END_TEST

START_TEST(a_kind_may_have_no_settings)
{
    kind = (relais_adapter_kind){.name = "relais-test", .version = "1"};
    ck_assert_int_eq(load("profile: p\nstate: s\n"), RELAIS_OK);
    ck_assert_ptr_null(config->settings);
    config_free(config);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("adapter.config");
    TCase *tests = tcase_create("config");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, both_parts_are_read_with_defaults);
    tcase_add_loop_test(tests, what_is_wrong_has_its_line, 0,
                        (int)(sizeof wrong / sizeof wrong[0]));
    tcase_add_test(tests, a_kind_that_keeps_nothing_has_no_state);
    tcase_add_test(tests, a_kind_that_only_sends_has_no_mailboxes);
    tcase_add_test(tests, a_kind_may_have_no_settings);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
