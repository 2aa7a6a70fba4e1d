/* SPDX-License-Identifier: EUPL-1.2
 *
 * trust/entry.c: one text for one entry, and each rule of the format.
 */
#include "tests/unit/trust/given.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t text[NOTE_BYTES];
static struct trust_entry back;

static size_t encoded(void)
{
    size_t size = 0;

    ck_assert_int_eq(entry_encode(given_entry(), text, &size), TRUST_OK);
    return size;
}

START_TEST(an_entry_comes_back)
{
    const size_t size = encoded();

    ck_assert_int_eq(entry_decode((struct bytes){text, size}, &back), TRUST_OK);
    ck_assert_str_eq(back.slug, "commune-76540");
    ck_assert_int_eq(back.sequence, 7);
    ck_assert_str_eq(back.siret, "21760540300013");
    ck_assert_uint_eq(back.service_count, 2);
    ck_assert_str_eq(back.services[0], "accueil"); /* sorted */
    ck_assert_uint_eq(back.client_count, 1);
    ck_assert_uint_eq(back.signing_key_count, 1);
    ck_assert(entry_has_service(&back, "etat-civil"));
    ck_assert(!entry_has_service(&back, "etat"));
}
END_TEST

/* Invariant 1. */
START_TEST(the_same_entry_is_the_same_bytes)
{
    static uint8_t again[NOTE_BYTES];
    const size_t size = encoded();
    size_t size_again = 0;

    ck_assert_int_eq(entry_decode((struct bytes){text, size}, &back), TRUST_OK);
    ck_assert_int_eq(entry_encode(&back, again, &size_again), TRUST_OK);
    ck_assert_uint_eq(size, size_again);
    ck_assert_mem_eq(text, again, size);
}
END_TEST

/* A change of one part of the text, and what is said of it. */
static const struct {
    const char *from;
    const char *to;
    enum trust_status status;
} changes[] = {
    {"entry 1\n", "entry 2\n", TRUST_OTHER_KIND},
    {"sequence: 7", "sequence: 07", TRUST_BAD_LINE},
    {"sequence: 7", "sequence: 0", TRUST_BAD_LINE},
    {"sequence: 7", "sequence: -7", TRUST_BAD_LINE},
    {"sequence: 7", "sequence: 9223372036854775808", TRUST_BAD_LINE},
    {"sequence: 7", "sequence:  7", TRUST_BAD_LINE},
    {"sequence: 7\n", "", TRUST_BAD_LINE},
    {"sequence: 7\n", "sequence: 7\nsequence: 7\n", TRUST_BAD_LINE},
    {"until-ms: 1829952000000", "until-ms: 1795392000000", TRUST_BAD_LINE},
    {"kind: commune", "kind: ville", TRUST_BAD_LINE},
    {"siret: 21760540300013", "siret: 2176054030001", TRUST_BAD_LINE},
    {"insee: 76540\n", "insee: \n", TRUST_BAD_LINE},
    {"slug: commune-76540", "slug: commune-76541", TRUST_BAD_KEY}, /* the key has another name */
    {"signing-key: commune", "signing-key: bommune", TRUST_BAD_KEY},
    {"service: accueil\nservice: etat-civil\n", "service: etat-civil\nservice: accueil\n",
     TRUST_BAD_LINE},
    {"service: accueil\n", "service: accueil\nservice: accueil\n", TRUST_BAD_LINE},
    {"service: accueil", "service: Accueil", TRUST_BAD_LINE},
    {"client: files ", "client: files  ", TRUST_BAD_LINE},
    {"hID\n", "hID\nfuture: 1\n", TRUST_BAD_LINE},
    {"hID\n", "hID", TRUST_BAD_LINE},
};

START_TEST(each_rule_is_kept)
{
    char changed[NOTE_BYTES];
    const size_t size = encoded();
    text[size] = '\0';
    const char *at = strstr((const char *)text, changes[_i].from);

    ck_assert_msg(at != NULL, "%s", changes[_i].from);
    const int length = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - (char *)text),
                                (const char *)text, changes[_i].to, at + strlen(changes[_i].from));
    ck_assert_int_eq(entry_decode((struct bytes){(const uint8_t *)changed, (size_t)length}, &back),
                     changes[_i].status);
}
END_TEST

START_TEST(the_largest_entry_fits_and_one_more_line_does_not)
{
    struct trust_entry *entry = given_entry();
    size_t size = 0;

    entry->service_count = ENTRY_SERVICES;
    for (size_t i = 0; i < ENTRY_SERVICES; i++) {
        (void)snprintf(entry->services[i], sizeof entry->services[i],
                       "s%03zu-012345678901234567890123456789012345678901234567890123456", i);
    }
    entry->client_count = ENTRY_CLIENTS;
    for (size_t i = 0; i < ENTRY_CLIENTS; i++) {
        entry->clients[i] = entry->clients[0];
    }
    for (size_t i = 0; i < ENTRY_CLIENTS; i++) {
        (void)snprintf(entry->clients[i].name, sizeof entry->clients[i].name,
                       "c%03zu-012345678901234567890123456789012345678901234567890123456", i);
    }
    ck_assert_int_eq(entry_encode(entry, text, &size), TRUST_OK);
    const size_t room = NOTE_BYTES - size - 1;
    const int more = snprintf((char *)text + size, room, "client: d %s\n", entry->clients[0].key);
    ck_assert_int_eq(entry_decode((struct bytes){text, size + (size_t)more}, &back),
                     TRUST_TOO_LONG);
}
END_TEST

START_TEST(time_is_checked_at_both_ends)
{
    const struct trust_entry *entry = given_entry();

    ck_assert_int_eq(entry_check_time(entry, entry->from_ms - 1), TRUST_NOT_YET);
    ck_assert_int_eq(entry_check_time(entry, entry->from_ms), TRUST_OK);
    ck_assert_int_eq(entry_check_time(entry, entry->until_ms - 1), TRUST_OK);
    ck_assert_int_eq(entry_check_time(entry, entry->until_ms), TRUST_EXPIRED);
}
END_TEST

START_TEST(what_is_no_entry_is_not_written)
{
    struct trust_entry *entry = given_entry();
    size_t size = 0;

    entry->signing_key_count = 0;
    ck_assert_int_eq(entry_encode(entry, text, &size), TRUST_BAD_LINE);
    entry = given_entry();
    (void)snprintf(entry->slug, sizeof entry->slug, "dila");
    ck_assert_int_eq(entry_encode(entry, text, &size), TRUST_BAD_KEY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.trust.entry");
    TCase *entries = tcase_create("entries");
    tcase_add_test(entries, an_entry_comes_back);
    tcase_add_test(entries, the_same_entry_is_the_same_bytes);
    tcase_add_loop_test(entries, each_rule_is_kept, 0, sizeof changes / sizeof changes[0]);
    tcase_add_test(entries, the_largest_entry_fits_and_one_more_line_does_not);
    tcase_add_test(entries, time_is_checked_at_both_ends);
    tcase_add_test(entries, what_is_no_entry_is_not_written);
    suite_add_tcase(suite, entries);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
