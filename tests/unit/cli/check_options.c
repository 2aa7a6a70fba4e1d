/* SPDX-License-Identifier: EUPL-1.2
 *
 * The option parser: what it takes, what it refuses, and what it names.
 */
#include "cli/options.h"

#include <check.h>
#include <stdlib.h>

static const struct option_spec own[] = {
    {"to", 't', WORDS_ADDRESS, "ADDRESS", "recipient"},
    {"ack", 'a', WORDS_NONE, NULL, "acknowledge"},
};
static const struct option_spec shared[] = {
    {"output", 'o', WORDS_FORMAT, "FORMAT", "format"},
};
static const struct option_table table = {own, 2, shared, 1};

START_TEST(values_flags_and_words_in_any_order)
{
    char *argv[] = {"send", "a.xml", "--to", "x/y", "-a", "b.xml", "--to=z/w", "-ojson", NULL};
    struct options options = {0};
    const char *word = NULL;
    ck_assert_int_eq(options_parse(&options, &table, argv, false, &word), OPTIONS_FINE);
    ck_assert_uint_eq(options.argument_count, 2);
    ck_assert_str_eq(options.arguments[0], "a.xml");
    ck_assert_str_eq(options.arguments[1], "b.xml");
    ck_assert_str_eq(options_text(&options, "output"), "json");
    ck_assert(options_has(&options, "ack"));
    ck_assert_str_eq(options_text(&options, "to"), "z/w");
    size_t count = 0;
    const char **values = options_values(&options, "to", &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(values[0], "x/y");
    ck_assert_str_eq(values[1], "z/w");
    free(values);
    options_fini(&options);
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
    char *argv[] = {"send", "--", "--to", NULL};
    struct options options = {0};
    const char *word = NULL;
    ck_assert_int_eq(options_parse(&options, &table, argv, false, &word), OPTIONS_FINE);
    ck_assert_uint_eq(options.argument_count, 1);
    ck_assert_str_eq(options.arguments[0], "--to");
    ck_assert(!options_has(&options, "to"));
    options_fini(&options);
}
END_TEST

START_TEST(a_single_dash_is_a_word)
{
    char *argv[] = {"send", "-", NULL};
    struct options options = {0};
    const char *word = NULL;
    ck_assert_int_eq(options_parse(&options, &table, argv, false, &word), OPTIONS_FINE);
    ck_assert_str_eq(options.arguments[0], "-");
    options_fini(&options);
}
END_TEST

START_TEST(stop_leaves_what_follows_the_command)
{
    char *argv[] = {"relais", "-o", "json", "send", "--ack", NULL};
    struct options options = {0};
    const char *word = NULL;
    ck_assert_int_eq(options_parse(&options, &table, argv, true, &word), OPTIONS_FINE);
    ck_assert_uint_eq(options.argument_count, 2);
    ck_assert_str_eq(options.arguments[0], "send");
    ck_assert(!options_has(&options, "ack"));
    /* The second pass adds to the first. */
    ck_assert_int_eq(options_parse(&options, &table, argv + 3, false, &word), OPTIONS_FINE);
    ck_assert(options_has(&options, "ack"));
    ck_assert_str_eq(options_text(&options, "output"), "json");
    options_fini(&options);
}
END_TEST

struct wrong_row {
    char *argv[4];
    enum options_problem problem;
    const char *word;
};

static const struct wrong_row wrong_rows[] = {
    {{"send", "--nope", NULL}, OPTIONS_UNKNOWN, "--nope"},
    {{"send", "-x", NULL}, OPTIONS_UNKNOWN, "-x"},
    {{"send", "--to", NULL}, OPTIONS_NO_VALUE, "--to"},
    {{"send", "-t", NULL}, OPTIONS_NO_VALUE, "-t"},
    {{"send", "--ack=yes", NULL}, OPTIONS_UNKNOWN, "--ack=yes"},
};

START_TEST(what_is_wrong_is_named)
{
    char *argv[4];
    for (size_t i = 0; i < 4; i++) {
        argv[i] = wrong_rows[_i].argv[i];
    }
    struct options options = {0};
    const char *word = NULL;
    ck_assert_int_eq(options_parse(&options, &table, argv, false, &word), wrong_rows[_i].problem);
    ck_assert_str_eq(word, wrong_rows[_i].word);
    options_fini(&options);
}
END_TEST

START_TEST(numbers_are_decimal_whole_and_in_range)
{
    uint64_t number = 7;
    ck_assert(options_parse_number("1", 1, 10, &number));
    ck_assert_uint_eq(number, 1);
    ck_assert(options_parse_number("10", 1, 10, &number));
    ck_assert_uint_eq(number, 10);
    const char *const wrong[] = {"",   "0",  "11", "-1", "+1",  " 1",
                                 "1 ", "1x", "x",  "1.", "0x1", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_msg(!options_parse_number(wrong[i], 1, 10, &number), "\"%s\"", wrong[i]);
    }
    ck_assert_uint_eq(number, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli.options");
    TCase *parse = tcase_create("parse");
    tcase_add_test(parse, values_flags_and_words_in_any_order);
    tcase_add_test(parse, two_dashes_end_the_options);
    tcase_add_test(parse, a_single_dash_is_a_word);
    tcase_add_test(parse, stop_leaves_what_follows_the_command);
    tcase_add_loop_test(parse, what_is_wrong_is_named, 0,
                        sizeof(wrong_rows) / sizeof(wrong_rows[0]));
    tcase_add_test(parse, numbers_are_decimal_whole_and_in_range);
    suite_add_tcase(suite, parse);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
