/* SPDX-License-Identifier: EUPL-1.2
 *
 * The table of names in docs/protocol.md, at its edges.
 */
#include "wire/name.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *filled(char *text, size_t size, char c)
{
    memset(text, c, size);
    text[size] = '\0';
    return text;
}

START_TEST(slugs)
{
    static const char *const good[] = {"a", "0", "dila", "commune-76540", "a-b-c", "2a"};
    static const char *const bad[] = {"",    "-",   "-a", "a-", "a--b",        "A",   "a_b",  "a.b",
                                      "a/b", "a b", " a", "a ", "caf\xc3\xa9", "a\n", "a\x7f"};
    char text[NAME_SLUG_BYTES + 2];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(name_is_slug(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!name_is_slug(bad[i]), "%s", bad[i]);
    }
    ck_assert(name_is_slug(filled(text, NAME_SLUG_BYTES, 'z')));
    ck_assert(!name_is_slug(filled(text, NAME_SLUG_BYTES + 1, 'z')));
}
END_TEST

START_TEST(addresses)
{
    static const char *const bad[] = {"",      "a",    "/",     "a/",   "/b",     "a//b",
                                      "a/b/c", "a/b/", "a-/b",  "a/-b", "a/B",    "a/b ",
                                      "a\\b",  "a:b",  "a/..",  "../a", "a--b/c", "a/b--c",
                                      "~a/b",  "a/~",  "a/~~b", "a/b~", "a/~-b",  "~/a"};
    char text[NAME_ADDRESS_BYTES + 2];
    size_t member_bytes = 99;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!name_is_address(bad[i], &member_bytes), "%s", bad[i]);
    }
    ck_assert_uint_eq(member_bytes, 99);
    ck_assert(name_is_address("commune-76540/etat-civil", &member_bytes));
    ck_assert_uint_eq(member_bytes, strlen("commune-76540"));
    ck_assert(!name_is_private("commune-76540/etat-civil", member_bytes));
    ck_assert(name_is_address("commune-76540/~files", &member_bytes));
    ck_assert_uint_eq(member_bytes, strlen("commune-76540"));
    ck_assert(name_is_private("commune-76540/~files", member_bytes));

    filled(text, NAME_ADDRESS_BYTES, 'x');
    text[NAME_SLUG_BYTES] = '/';
    ck_assert(name_is_address(text, &member_bytes));
    ck_assert_uint_eq(member_bytes, NAME_SLUG_BYTES);
    filled(text, NAME_ADDRESS_BYTES + 1, 'x');
    text[NAME_SLUG_BYTES] = '/';
    ck_assert(!name_is_address(text, &member_bytes));
    text[NAME_SLUG_BYTES + 1] = '~'; /* a slug of 63, but too long in all */
    ck_assert(!name_is_address(text, &member_bytes));
    text[NAME_ADDRESS_BYTES] = '\0';
    ck_assert(name_is_address(text, &member_bytes));
}
END_TEST

START_TEST(flows)
{
    static const char *const good[] = {"JAP", "EtatCivil-2", "a--b", "a-", "0"};
    static const char *const bad[] = {"", "-", "-a", "a_b", "a b", "\xc3\xa9", "a.b"};
    char text[NAME_FLOW_BYTES + 2];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(name_is_flow(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!name_is_flow(bad[i]), "%s", bad[i]);
    }
    ck_assert(name_is_flow(filled(text, NAME_FLOW_BYTES, 'Z')));
    ck_assert(!name_is_flow(filled(text, NAME_FLOW_BYTES + 1, 'Z')));
}
END_TEST

START_TEST(ids)
{
    char text[NAME_ID_BYTES + 2];

    ck_assert(name_is_id("!"));
    ck_assert(name_is_id("~"));
    ck_assert(name_is_id("4c6f-72/65:m@x"));
    ck_assert(!name_is_id(""));
    ck_assert(!name_is_id("a b"));
    ck_assert(!name_is_id("a\n"));
    ck_assert(!name_is_id("a\x7f"));
    ck_assert(!name_is_id("\xc3\xa9"));
    ck_assert(name_is_id(filled(text, NAME_ID_BYTES, '#')));
    ck_assert(!name_is_id(filled(text, NAME_ID_BYTES + 1, '#')));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire.name");
    TCase *names = tcase_create("the grammar at its edges");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_test(names, slugs);
    tcase_add_test(names, addresses);
    tcase_add_test(names, flows);
    tcase_add_test(names, ids);
    suite_add_tcase(suite, names);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
