/* SPDX-License-Identifier: EUPL-1.2
 *
 * Base64: the vectors of RFC 4648, section 10, and bytes beyond ASCII.
 */
#include "cli/base64.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *bytes;
    size_t size;
    const char *text;
};

static const struct row rows[] = {
    {"", 0, ""},
    {"f", 1, "Zg=="},
    {"fo", 2, "Zm8="},
    {"foo", 3, "Zm9v"},
    {"foob", 4, "Zm9vYg=="},
    {"fooba", 5, "Zm9vYmE="},
    {"foobar", 6, "Zm9vYmFy"},
    {"\x00\xFF\xFE", 3, "AP/+"},
    {"\xFB\xEF\xBE", 3, "++++"},
};

START_TEST(as_the_rfc_says)
{
    char *text = base64_new((relais_bytes){rows[_i].bytes, rows[_i].size});
    ck_assert_str_eq(text, rows[_i].text);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli.base64");
    TCase *base64 = tcase_create("base64");
    tcase_add_loop_test(base64, as_the_rfc_says, 0, sizeof(rows) / sizeof(rows[0]));
    suite_add_tcase(suite, base64);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
