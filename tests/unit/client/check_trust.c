/* SPDX-License-Identifier: EUPL-1.2
 *
 * client/trust.c: what a program that uses the API is told; the rest is in
 * integration.cli.directory.
 */
#include "tests/unit/program/folder.h"
#include "tests/unit/trust/given.h"

#include "client/trust.h"

#include <check.h>
#include <relais/trust.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t text[NOTE_BYTES];

/* A note of the given entry, signed by relais-france, as the API reads it. */
static relais_entry *entry_of(relais_trust *trust, struct trust_entry *entry)
{
    struct signing_key *regulator = given_key("relais-france", 1);
    relais_entry *given = NULL;
    relais_error error = {0};
    size_t size = 0;

    ck_assert_int_eq(entry_encode(entry, text, &size), TRUST_OK);
    const struct bytes note = given_note((struct bytes){text, size}, regulator);
    ck_assert_int_eq(relais_trust_check_entry(trust, (relais_bytes){note.data, note.size},
                                              GIVEN_MONDAY_MS, &given, &error),
                     RELAIS_OK);
    signing_key_free(regulator);
    return given;
}

static relais_trust *opened(const char *memory)
{
    struct signing_key *regulator = given_key("relais-france", 1);
    char line[SIGNING_PUBLIC_TEXT_BYTES];
    relais_trust *trust = NULL;
    relais_error error = {0};

    signing_public_encode(signing_key_public(regulator), line);
    ck_assert_int_eq(relais_trust_open(folder_write("regulator.pub", line), memory, &trust, &error),
                     RELAIS_OK);
    signing_key_free(regulator);
    return trust;
}

/* A member's key is good for its own mailboxes, whoever's name the sheet has. */
START_TEST(nobody_signs_another_member_s_mailbox_keys)
{
    struct signing_key *key = given_key("commune-76540", 2);
    struct mailboxes *sheet = given_mailboxes();
    relais_trust *trust = opened(NULL);
    relais_entry *entry = entry_of(trust, given_entry());
    relais_error error = {0};
    size_t size = 0;

    (void)snprintf(sheet->member, sizeof sheet->member, "dila");
    ck_assert_int_eq(mailboxes_encode(sheet, text, &size), TRUST_OK);
    const struct bytes note = given_note((struct bytes){text, size}, key);
    ck_assert_int_eq(relais_trust_check_mailboxes(
                         trust, entry, (relais_bytes){note.data, note.size}, NULL, &error),
                     RELAIS_UNTRUSTED);
    ck_assert_str_ne(error.right, "");
    relais_entry_free(entry);
    relais_trust_close(trust);
    signing_key_free(key);
}
END_TEST

/* Two processes with one memory: what either saw, both have seen. */
START_TEST(a_shared_memory_grows_from_both_sides)
{
    const char *memory = folder_path("seen");
    relais_trust *one = opened(memory);
    relais_trust *other = opened(memory);
    struct trust_entry *entry = given_entry();
    relais_error error = {0};

    relais_entry_free(entry_of(one, entry));
    entry->sequence = 9;
    relais_entry_free(entry_of(other, entry));
    ck_assert_int_eq(relais_trust_save(other, &error), RELAIS_OK);
    ck_assert_int_eq(relais_trust_save(one, &error), RELAIS_OK);
    relais_trust_close(one);
    relais_trust_close(other);
    one = opened(memory);
    ck_assert_int_eq(one->memory.rows[0].sequence, 9);
    relais_trust_close(one);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.client.trust");
    TCase *trust = tcase_create("trust");
    tcase_add_checked_fixture(trust, folder_init, folder_fini);
    tcase_add_test(trust, nobody_signs_another_member_s_mailbox_keys);
    tcase_add_test(trust, a_shared_memory_grows_from_both_sides);
    suite_add_tcase(suite, trust);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
