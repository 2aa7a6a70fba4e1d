/* SPDX-License-Identifier: EUPL-1.2
 *
 * trust/mailboxes.c: one text for one sheet, and which key is sealed for.
 */
#include "tests/unit/trust/given.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t text[NOTE_BYTES];
static struct mailboxes back;

START_TEST(a_sheet_comes_back_sorted)
{
    size_t size = 0;

    ck_assert_int_eq(mailboxes_encode(given_mailboxes(), text, &size), TRUST_OK);
    ck_assert_int_eq(mailboxes_decode((struct bytes){text, size}, &back), TRUST_OK);
    ck_assert_uint_eq(back.count, 3);
    ck_assert_str_eq(back.keys[0].place, "*");
    ck_assert_int_eq(back.keys[1].key.not_before_ms, GIVEN_MONDAY_MS);
}
END_TEST

START_TEST(the_key_of_a_place_is_its_own_or_everybody_s)
{
    const struct mailboxes *sheet = given_mailboxes();
    const int64_t next = GIVEN_MONDAY_MS + MAILBOX_KEY_WEEK_MS;

    ck_assert_int_eq(mailboxes_find(sheet, "etat-civil", GIVEN_MONDAY_MS)->point[0], 3);
    ck_assert_int_eq(mailboxes_find(sheet, "etat-civil", next)->point[0], 4);
    ck_assert_int_eq(mailboxes_find(sheet, "accueil", GIVEN_MONDAY_MS)->point[0], 5);
    ck_assert_int_eq(mailboxes_find(sheet, "~files", GIVEN_MONDAY_MS)->point[0], 5);
    ck_assert_ptr_null(mailboxes_find(sheet, "accueil", next));
    /* A place with keys of its own never falls back on one that others hold. */
    ck_assert_ptr_null(mailboxes_find(sheet, "etat-civil", GIVEN_MONDAY_MS - 1));
}
END_TEST

static const struct {
    const char *from;
    const char *to;
    enum trust_status status;
} changes[] = {
    {"keys 1\n", "keys 2\n", TRUST_OTHER_KIND},
    {"member: commune-76540", "member: Rouen", TRUST_BAD_LINE},
    {"sequence: 12", "sequence: 0", TRUST_BAD_LINE},
    {"mailbox: * ", "mailbox: ? ", TRUST_BAD_LINE},
    {"mailbox: * ", "mailbox: z ", TRUST_BAD_LINE},      /* out of order */
    {"mailbox: * AAE", "mailbox: * AAI", TRUST_BAD_KEY}, /* another suite */
    {"mailbox: * A", "mailbox: * ", TRUST_BAD_KEY},
};

START_TEST(each_rule_is_kept)
{
    char changed[NOTE_BYTES];
    size_t size = 0;

    ck_assert_int_eq(mailboxes_encode(given_mailboxes(), text, &size), TRUST_OK);
    text[size] = '\0';
    const char *at = strstr((const char *)text, changes[_i].from);
    ck_assert_msg(at != NULL, "%s", changes[_i].from);
    const int length = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - (char *)text),
                                (const char *)text, changes[_i].to, at + strlen(changes[_i].from));
    ck_assert_int_eq(
        mailboxes_decode((struct bytes){(const uint8_t *)changed, (size_t)length}, &back),
        changes[_i].status);
}
END_TEST

START_TEST(the_largest_sheet_fits)
{
    struct mailboxes *sheet = given_mailboxes();
    const struct mailboxes_key one = sheet->keys[0];
    struct signing_key *key =
        given_key("a12345678901234567890123456789012345678901234567890123456789012", 2);
    size_t size = 0;

    sheet->count = MAILBOXES_KEYS;
    for (size_t i = 0; i < MAILBOXES_KEYS; i++) {
        sheet->keys[i] = one;
        (void)snprintf(sheet->keys[i].place, sizeof sheet->keys[i].place,
                       "~s%03zu-012345678901234567890123456789012345678901234567890123456", i);
    }
    ck_assert_int_eq(mailboxes_encode(sheet, text, &size), TRUST_OK);
    (void)given_note((struct bytes){text, size}, key); /* aborts when it does not fit */
    signing_key_free(key);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.trust.mailboxes");
    TCase *sheets = tcase_create("sheets");
    tcase_add_test(sheets, a_sheet_comes_back_sorted);
    tcase_add_test(sheets, the_key_of_a_place_is_its_own_or_everybody_s);
    tcase_add_loop_test(sheets, each_rule_is_kept, 0, sizeof changes / sizeof changes[0]);
    tcase_add_test(sheets, the_largest_sheet_fits);
    suite_add_tcase(suite, sheets);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
