/* SPDX-License-Identifier: EUPL-1.2
 *
 * The table of commands: found by their words, complete, and without two options of one name.
 */
#include "cli/command.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(each_command_is_found_by_its_words)
{
    for (const struct command *const *command = commands_all(); *command; command++) {
        char spelling[64];
        char *words[4];
        size_t count = 0;
        snprintf(spelling, sizeof(spelling), "%s", (*command)->words);
        for (char *word = spelling; word; count++) {
            words[count] = word;
            word = strchr(word, ' ');
            if (word) {
                *word++ = '\0';
            }
        }
        words[count] = (char *)"more";
        size_t used = 0;
        ck_assert_ptr_eq(commands_find(words, count + 1, &used), *command);
        ck_assert_uint_eq(used, count);
        if (count > 1) {
            ck_assert_ptr_null(commands_find(words, count - 1, &used));
        }
    }
}
END_TEST

START_TEST(each_command_says_what_it_is)
{
    for (const struct command *const *command = commands_all(); *command; command++) {
        ck_assert_ptr_nonnull((*command)->summary);
        ck_assert_ptr_nonnull((*command)->arguments);
        ck_assert_ptr_nonnull((*command)->run);
        ck_assert_uint_le((*command)->arguments_min, (*command)->arguments_max);
        /* An example is a line that begins with the command itself, or feeds it. */
        ck_assert_ptr_nonnull(strstr((*command)->examples, (*command)->words));
        ck_assert_int_eq((*command)->examples[strlen((*command)->examples) - 1], '\n');
    }
}
END_TEST

START_TEST(no_two_options_share_a_name_or_a_letter)
{
    for (const struct command *const *command = commands_all(); *command; command++) {
        const struct option_table table = command_option_table(*command);
        const struct option_spec *left;
        for (size_t i = 0; (left = option_table_at(&table, i)) != NULL; i++) {
            const struct option_spec *right;
            for (size_t k = i + 1; (right = option_table_at(&table, k)) != NULL; k++) {
                ck_assert_msg(strcmp(left->name, right->name) != 0, "%s: --%s twice",
                              (*command)->words, left->name);
                ck_assert_msg(left->letter == 0 || left->letter != right->letter, "%s: -%c twice",
                              (*command)->words, left->letter);
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli.commands");
    TCase *commands = tcase_create("commands");
    tcase_add_test(commands, each_command_is_found_by_its_words);
    tcase_add_test(commands, each_command_says_what_it_is);
    tcase_add_test(commands, no_two_options_share_a_name_or_a_letter);
    suite_add_tcase(suite, commands);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
