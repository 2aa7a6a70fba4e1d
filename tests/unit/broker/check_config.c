/* SPDX-License-Identifier: EUPL-1.2
 *
 * broker/config.c: every option of the table, from the file and from the environment, with what is
 * out of range, of the wrong type, unknown.
 */
#include "broker/config.h"
#include "tests/unit/program/folder.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTEN "listen: tcp://127.0.0.1:5770\n"

static const struct config_option *option_at(int index)
{
    size_t count = 0;

    return &config_options(&count)[index];
}

static int option_count(void)
{
    size_t count = 0;

    (void)config_options(&count);
    return (int)count;
}

/* A file with `listen` and this option; returns the line of the option. */
static unsigned write_with(const struct config_option *option, const char *value)
{
    char text[500];
    const char *dot = strchr(option->key, '.');
    bool listen = strcmp(option->key, "listen") == 0;

    if (dot == NULL) {
        (void)snprintf(text, sizeof text, "%s%s: %s\n", listen ? "" : LISTEN, option->key, value);
    } else {
        (void)snprintf(text, sizeof text, LISTEN "%.*s:\n  %s: %s\n", (int)(dot - option->key),
                       option->key, dot + 1, value);
    }
    (void)folder_write("relaisd.yaml", text);
    return listen ? 1 : dot == NULL ? 2 : 3;
}

static void start(void)
{
    folder_init();
    for (int i = 0; i < option_count(); i++) {
        (void)unsetenv(option_at(i)->environment);
    }
}

static uint64_t number_of(const struct config_option *option, const struct config *config)
{
    uint64_t number = 0;

    memcpy(&number, (const char *)config + option->value_offset, sizeof number);
    return number;
}

static const char *text_of(const struct config_option *option, const struct config *config)
{
    const char *text = NULL;

    memcpy(&text, (const char *)config + option->value_offset, sizeof text);
    return text;
}

static void ck_refused(const struct config_option *option, unsigned line, const char *value)
{
    struct config config;
    relais_error error = {0};
    char place[200];

    ck_assert_int_eq(config_load(folder_path("relaisd.yaml"), &config, &error),
                     RELAIS_CONFIG_INVALID);
    (void)snprintf(place, sizeof place, "%s:%u: %s", folder_path("relaisd.yaml"), line,
                   option->key);
    ck_assert_str_eq(error.field, place);
    if (value != NULL) {
        ck_assert_str_eq(error.wrong, value);
    }
    ck_assert_str_ne(error.right, "");
}

START_TEST(only_listen_is_required_and_the_rest_has_its_default)
{
    struct config config;
    relais_error error = {0};

    (void)folder_write("relaisd.yaml", LISTEN);
    ck_assert_int_eq(config_load(folder_path("relaisd.yaml"), &config, &error), RELAIS_OK);
    ck_assert_str_eq(config.listen, "tcp://127.0.0.1:5770");
    ck_assert_str_eq(config.key, folder_path("keys/broker.key"));
    ck_assert_str_eq(config.store_path, folder_path("store"));
    ck_assert_uint_eq(config.map_size_mb, 65536);
    ck_assert_uint_eq(config.lease_s, 120);
    ck_assert_uint_eq(config.log_level, 2);
    config_fini(&config);
    (void)folder_write("relaisd.yaml", "members: m\n");
    ck_refused(option_at(0), 1, "missing");
}
END_TEST

START_TEST(each_option_takes_its_ends_and_no_more)
{
    const struct config_option *option = option_at(_i);
    const uint64_t ends[] = {option->min, option->max};
    const uint64_t beyond[] = {option->min - 1, option->max + 1};
    struct config config;
    relais_error error = {0};
    char value[32];

    if (option->kind != CONFIG_NUMBER) {
        return;
    }
    /* The one rule between two options. */
    ck_assert_int_eq(setenv("RELAIS_LIMITS_STORING_MB", "4096", 1), 0);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(value, sizeof value, "%" PRIu64, ends[i]);
        (void)write_with(option, value);
        if (strcmp(option->key, "limits.storing_mb") == 0) {
            ck_assert_int_eq(unsetenv("RELAIS_LIMITS_STORING_MB"), 0);
        }
        ck_assert_msg(config_load(folder_path("relaisd.yaml"), &config, &error) == RELAIS_OK,
                      "%s %s", error.field, error.right);
        ck_assert_uint_eq(number_of(option, &config), ends[i]);
        config_fini(&config);
        (void)snprintf(value, sizeof value, "%" PRIu64, beyond[i]);
        ck_refused(option, write_with(option, value), value);
    }
    static const char *const odd[] = {"-1", "1.5",  "'1 '", "''",
                                      "1M", "0x20", "007",  "99999999999999999999999"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        ck_refused(option, write_with(option, odd[i]), NULL);
    }
}
END_TEST

START_TEST(each_option_refuses_a_list_and_a_group)
{
    const struct config_option *option = option_at(_i);

    ck_refused(option, write_with(option, "[a]"), "a list");
    ck_refused(option, write_with(option, "{a: b}"), "a group of keys");
}
END_TEST

/* A value that differs from the default. */
static const char *other_value(const struct config_option *option, char value[32])
{
    switch (option->kind) {
    case CONFIG_ENDPOINT:
        return "tcp://[::1]:*";
    case CONFIG_PATH:
        return "/elsewhere/x";
    case CONFIG_NUMBER:
        (void)snprintf(value, 32, "%" PRIu64, option->max - 1);
        return value;
    default:
        return option->words[1];
    }
}

START_TEST(the_environment_goes_before_the_file)
{
    const struct config_option *option = option_at(_i);
    struct config config;
    relais_error error = {0};
    char room[32];
    const char *value = other_value(option, room);

    (void)write_with(option, option->preset == NULL ? "tcp://a:1" : option->preset);
    if (strcmp(option->key, "limits.payload_bytes") == 0) {
        ck_assert_int_eq(setenv("RELAIS_LIMITS_STORING_MB", "4096", 1), 0);
    }
    ck_assert_int_eq(setenv(option->environment, value, 1), 0);
    ck_assert_msg(config_load(folder_path("relaisd.yaml"), &config, &error) == RELAIS_OK, "%s",
                  error.field);
    if (option->kind == CONFIG_ENDPOINT || option->kind == CONFIG_PATH) {
        ck_assert_str_eq(text_of(option, &config), value);
    } else if (option->kind == CONFIG_NUMBER) {
        ck_assert_uint_eq(number_of(option, &config), option->max - 1);
    } else {
        ck_assert_uint_eq(number_of(option, &config), 1);
    }
    config_fini(&config);
}
END_TEST

START_TEST(an_error_in_the_environment_names_the_variable)
{
    const struct config_option *option = option_at(_i);
    struct config config;
    relais_error error = {0};

    if (option->kind == CONFIG_PATH) {
        return; /* any text is a path */
    }
    (void)folder_write("relaisd.yaml", LISTEN);
    ck_assert_int_eq(setenv(option->environment, "wrong value", 1), 0);
    ck_assert_int_eq(config_load(folder_path("relaisd.yaml"), &config, &error),
                     RELAIS_CONFIG_INVALID);
    ck_assert_str_eq(error.field, option->environment);
    ck_assert_str_eq(error.wrong, "wrong value");
    ck_assert_str_ne(error.right, "");
}
END_TEST

static const char *const endpoints[] = {"127.0.0.1:5770", "tcp://",       "tcp://a",
                                        "tcp://:1",       "tcp://a:0",    "tcp://a:65536",
                                        "tcp://a:x",      "ipc:///tmp/x", "''"};

START_TEST(an_endpoint_is_tcp_with_a_port)
{
    ck_refused(option_at(0), write_with(option_at(0), endpoints[_i]), NULL);
}
END_TEST

START_TEST(an_unknown_key_is_named_with_those_that_are_known)
{
    struct config config;
    relais_error error = {0};

    (void)folder_write("relaisd.yaml", LISTEN "store:\n  path: s\n  size: 3\n");
    ck_assert_int_eq(config_load(folder_path("relaisd.yaml"), &config, &error),
                     RELAIS_CONFIG_INVALID);
    ck_assert_ptr_nonnull(strstr(error.field, ":4: store.size"));
    ck_assert_ptr_nonnull(strstr(error.right, "map_size_mb"));
}
END_TEST

START_TEST(what_may_wait_for_the_disk_holds_the_largest_message)
{
    struct config config;
    relais_error error = {0};

    (void)folder_write("relaisd.yaml",
                       LISTEN "limits:\n  payload_bytes: 67108864\n  storing_mb: 64\n");
    ck_assert_int_eq(config_load(folder_path("relaisd.yaml"), &config, &error),
                     RELAIS_CONFIG_INVALID);
    ck_assert_ptr_nonnull(strstr(error.field, ":4: limits.storing_mb"));
    ck_assert_ptr_nonnull(strstr(error.right, "65"));
}
END_TEST

START_TEST(what_is_printed_reads_back_as_the_same)
{
    struct config config;
    struct config back;
    relais_error error = {0};
    size_t count = 0;
    const struct config_option *options = config_options(&count);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)folder_write("relaisd.yaml", LISTEN "key: \"it's: a #key\"\ndelivery:\n  lease_s: 7\n");
    ck_assert_int_eq(config_load(folder_path("relaisd.yaml"), &config, &error), RELAIS_OK);
    config_print(&config, out);
    ck_assert_int_eq(fclose(out), 0);
    (void)folder_write("back.yaml", text);
    ck_assert_msg(config_load(folder_path("back.yaml"), &back, &error) == RELAIS_OK, "%s %s\n%s",
                  error.field, error.wrong, text);
    for (size_t i = 0; i < count; i++) {
        if (options[i].kind == CONFIG_ENDPOINT || options[i].kind == CONFIG_PATH) {
            ck_assert_pstr_eq(text_of(&options[i], &back), text_of(&options[i], &config));
        } else {
            ck_assert_uint_eq(number_of(&options[i], &back), number_of(&options[i], &config));
        }
    }
    free(text);
    config_fini(&config);
    config_fini(&back);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *cases = tcase_create("relaisd.yaml");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, start, folder_fini);
    tcase_add_test(cases, only_listen_is_required_and_the_rest_has_its_default);
    tcase_add_loop_test(cases, each_option_takes_its_ends_and_no_more, 0, option_count());
    tcase_add_loop_test(cases, each_option_refuses_a_list_and_a_group, 0, option_count());
    tcase_add_loop_test(cases, the_environment_goes_before_the_file, 0, option_count());
    tcase_add_loop_test(cases, an_error_in_the_environment_names_the_variable, 0, option_count());
    tcase_add_loop_test(cases, an_endpoint_is_tcp_with_a_port, 0,
                        (int)(sizeof endpoints / sizeof endpoints[0]));
    tcase_add_test(cases, an_unknown_key_is_named_with_those_that_are_known);
    tcase_add_test(cases, what_may_wait_for_the_disk_holds_the_largest_message);
    tcase_add_test(cases, what_is_printed_reads_back_as_the_same);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
