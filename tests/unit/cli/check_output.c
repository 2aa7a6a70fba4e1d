/* SPDX-License-Identifier: EUPL-1.2
 *
 * What people see: sizes, harmless text, and exit codes.
 */
#include "cli/exit_code.h"
#include "cli/output.h"

#include <check.h>
#include <locale.h>
#include <stdlib.h>

struct size_row {
    uint64_t bytes;
    const char *text;
};

static const struct size_row size_rows[] = {
    {0, "0 B"},           {1023, "1023 B"},        {1024, "1.0 KiB"},
    {1536, "1.5 KiB"},    {1048575, "1.0 MiB"}, /* not 1024.0 KiB */
    {1048576, "1.0 MiB"}, {5368709120, "5.0 GiB"}, {UINT64_MAX, "16777216.0 TiB"},
};

START_TEST(sizes_for_people)
{
    char buffer[32];
    ck_assert_str_eq(output_bytes_text(size_rows[_i].bytes, buffer, sizeof(buffer)),
                     size_rows[_i].text);
}
END_TEST

struct clean_row {
    const char *text;
    const char *clean;
};

static const struct clean_row clean_rows[] = {
    {"plain", "plain"},
    {"état civil", "état civil"},
    {"\033[2J\033]0;owned\a", "?[2J?]0;owned?"},
    {"line\nbreak\ttab\r", "line?break?tab?"},
    {"c1 \xC2\x9B"
     "31m",
     "c1 ?31m"},
    {"broken \xC3", "broken ?"},
    {"broken \xFF\xFE", "broken ??"},
};

START_TEST(nothing_from_outside_drives_the_terminal)
{
    char buffer[64];
    ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
    ck_assert_str_eq(output_clean(clean_rows[_i].text, buffer, sizeof(buffer)),
                     clean_rows[_i].clean);
}
END_TEST

START_TEST(a_cut_leaves_whole_characters)
{
    char buffer[4];
    ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
    ck_assert_str_eq(output_clean("ééé", buffer, sizeof(buffer)), "é");
}
END_TEST

struct code_row {
    relais_status status;
    enum exit_code code;
};

static const struct code_row code_rows[] = {
    {RELAIS_OK, CODE_DONE},
    {RELAIS_UNKNOWN_FLOW, CODE_REFUSED},
    {RELAIS_TOO_LARGE, CODE_REFUSED},
    {RELAIS_NOT_YOUR_MAILBOX, CODE_REFUSED},
    {RELAIS_KEY_REFUSED, CODE_REFUSED},
    {RELAIS_UNREACHABLE, CODE_UNREACHABLE},
    {RELAIS_TIMED_OUT, CODE_UNREACHABLE},
    {RELAIS_NOT_FOUND, CODE_NOT_FOUND},
    {RELAIS_USAGE, CODE_USAGE},
    {RELAIS_KEY_UNREADABLE, CODE_FAILED},
    {RELAIS_SYSTEM, CODE_FAILED},
    {RELAIS_ALREADY_EXISTS, CODE_FAILED},
};

START_TEST(one_status_one_exit_code)
{
    ck_assert_int_eq(exit_code_of(code_rows[_i].status), code_rows[_i].code);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli.output");
    TCase *output = tcase_create("output");
    tcase_add_loop_test(output, sizes_for_people, 0, sizeof(size_rows) / sizeof(size_rows[0]));
    tcase_add_loop_test(output, nothing_from_outside_drives_the_terminal, 0,
                        sizeof(clean_rows) / sizeof(clean_rows[0]));
    tcase_add_test(output, a_cut_leaves_whole_characters);
    tcase_add_loop_test(output, one_status_one_exit_code, 0,
                        sizeof(code_rows) / sizeof(code_rows[0]));
    suite_add_tcase(suite, output);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
