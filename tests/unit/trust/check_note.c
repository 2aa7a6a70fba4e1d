/* SPDX-License-Identifier: EUPL-1.2
 *
 * trust/signing_key.c, trust/note.c: keys as text, and that no other text passes for the signed
 * one.
 */
#include "tests/unit/trust/given.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char TEXT[] = "one\n\ntwo\n";

START_TEST(a_public_key_comes_back_and_no_neighbour_passes)
{
    struct signing_key *key = given_key("commune-76540", 2);
    char text[SIGNING_PUBLIC_TEXT_BYTES];
    struct signing_public back;

    signing_public_encode(signing_key_public(key), text);
    ck_assert_int_eq(signing_public_decode(given_bytes(text), &back), TRUST_OK);
    ck_assert(signing_public_equal(&back, signing_key_public(key)));
    for (size_t i = 0; text[i] != '\0'; i++) {
        for (unsigned bit = 0; bit < 7; bit++) {
            text[i] = (char)(text[i] ^ (1 << bit));
            ck_assert_int_ne(signing_public_decode(given_bytes(text), &back), TRUST_OK);
            text[i] = (char)(text[i] ^ (1 << bit));
        }
        ck_assert_int_ne(signing_public_decode((struct bytes){(const uint8_t *)text, i}, &back),
                         TRUST_OK);
    }
    signing_key_free(key);
}
END_TEST

START_TEST(a_secret_key_comes_back_and_signs_the_same)
{
    struct signing_key *key = given_key("relais-france", 1);
    struct signing_key *back = NULL;
    char text[SIGNING_SECRET_TEXT_BYTES];
    uint8_t signature[SIGNATURE_BYTES];

    signing_key_encode(key, text);
    ck_assert_int_eq(strncmp(text, "PRIVATE+KEY+relais-france+", 26), 0);
    ck_assert_int_eq(signing_key_decode(given_bytes(text), &back), TRUST_OK);
    signing_key_sign(back, given_bytes(TEXT), signature);
    ck_assert(signing_public_verifies(signing_key_public(key), given_bytes(TEXT), signature));
    signing_key_free(back);
    char *id = &text[sizeof "PRIVATE+KEY+relais-france+" - 1];
    *id = *id == '0' ? '1' : '0';
    ck_assert_int_eq(signing_key_decode(given_bytes(text), &back), TRUST_BAD_KEY);
    signing_key_free(key);
}
END_TEST

START_TEST(a_key_has_a_name_that_is_a_slug)
{
    const char *const names[] = {"", "Rouen", "a b", "a+b", "a--b"};
    struct signing_key *key = NULL;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_int_eq(signing_key_generate(names[i], &key), TRUST_BAD_NAME);
    }
}
END_TEST

START_TEST(what_was_signed_verifies_and_nothing_else_does)
{
    struct signing_key *key = given_key("relais-france", 1);
    const struct note_keys keys = {signing_key_public(key), 1};
    const struct bytes signed_note = given_note(given_bytes(TEXT), key);
    uint8_t bytes[512];
    struct note note;

    ck_assert_int_eq(note_split(signed_note, &note), TRUST_OK);
    ck_assert_uint_eq(note.text.size, strlen(TEXT));
    ck_assert_int_eq(note_verify(&note, &keys, NULL), TRUST_OK);
    memcpy(bytes, signed_note.data, signed_note.size);
    for (size_t i = 0; i < signed_note.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1U << bit);
            enum trust_status status = note_split((struct bytes){bytes, signed_note.size}, &note);

            ck_assert(status != TRUST_OK || note_verify(&note, &keys, NULL) != TRUST_OK);
            bytes[i] ^= (uint8_t)(1U << bit);
        }
        enum trust_status status = note_split((struct bytes){bytes, i}, &note);
        ck_assert(status != TRUST_OK || note_verify(&note, &keys, NULL) != TRUST_OK);
    }
    signing_key_free(key);
}
END_TEST

START_TEST(a_stranger_s_signature_counts_for_nothing)
{
    struct signing_key *key = given_key("relais-france", 1);
    struct signing_key *namesake = given_key("relais-france", 9);
    const struct note_keys keys = {signing_key_public(key), 1};
    struct note note;

    ck_assert(!signing_public_equal(signing_key_public(key), signing_key_public(namesake)));
    ck_assert(!signing_public_equal(signing_key_public(namesake), signing_key_public(key)));
    ck_assert_int_eq(note_split(given_note(given_bytes(TEXT), namesake), &note), TRUST_OK);
    ck_assert_int_eq(note_verify(&note, &keys, NULL), TRUST_UNSIGNED);
    signing_key_free(key);
    signing_key_free(namesake);
}
END_TEST

/* The signature lines of one note behind another's, as two regulators' keys sign in turn. */
START_TEST(one_of_several_signatures_is_enough_unless_one_is_forged)
{
    struct signing_key *old = given_key("relais-france", 1);
    struct signing_key *new = given_key("relais-france", 9);
    const struct signing_public both[] = {*signing_key_public(old), *signing_key_public(new)};
    const struct note_keys only_new = {&both[1], 1};
    const struct note_keys trusted = {both, 2};
    uint8_t bytes[1024];
    size_t signer = 9;
    struct note note;
    struct bytes one = given_note(given_bytes(TEXT), old);
    size_t size = one.size;

    memcpy(bytes, one.data, size);
    one = given_note(given_bytes(TEXT), new);
    memcpy(bytes + size, one.data + strlen(TEXT) + 1, one.size - strlen(TEXT) - 1);
    size += one.size - strlen(TEXT) - 1;
    ck_assert_int_eq(note_split((struct bytes){bytes, size}, &note), TRUST_OK);
    ck_assert_int_eq(note_verify(&note, &only_new, &signer), TRUST_OK);
    ck_assert_uint_eq(signer, 0);
    ck_assert_int_eq(note_verify(&note, &trusted, &signer), TRUST_OK);
    one = given_note(given_bytes("another\n"), new); /* a signature of something else */
    size -= one.size - strlen("another\n") - 1;
    memcpy(bytes + size, one.data + strlen("another\n") + 1, one.size - strlen("another\n") - 1);
    size += one.size - strlen("another\n") - 1;
    ck_assert_int_eq(note_split((struct bytes){bytes, size}, &note), TRUST_OK);
    ck_assert_int_eq(note_verify(&note, &trusted, &signer), TRUST_FORGED);
    signing_key_free(old);
    signing_key_free(new);
}
END_TEST

START_TEST(what_is_no_note_is_told)
{
    static const char *const wrong[] = {"", "\n", "\n\n", "a\n", "a\n\nb\n", "a\n\n- x y\n", "a"};
    struct note note;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(note_split(given_bytes(wrong[i]), &note) == TRUST_BAD_NOTE, "%s", wrong[i]);
    }
    ck_assert_int_eq(note_split(given_bytes("a\n\n"), &note), TRUST_UNSIGNED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.trust.note");
    TCase *notes = tcase_create("notes");
    tcase_add_test(notes, a_public_key_comes_back_and_no_neighbour_passes);
    tcase_add_test(notes, a_secret_key_comes_back_and_signs_the_same);
    tcase_add_test(notes, a_key_has_a_name_that_is_a_slug);
    tcase_add_test(notes, what_was_signed_verifies_and_nothing_else_does);
    tcase_add_test(notes, a_stranger_s_signature_counts_for_nothing);
    tcase_add_test(notes, one_of_several_signatures_is_enough_unless_one_is_forged);
    tcase_add_test(notes, what_is_no_note_is_told);
    suite_add_tcase(suite, notes);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
