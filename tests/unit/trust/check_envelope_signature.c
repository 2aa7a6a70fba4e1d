/* SPDX-License-Identifier: EUPL-1.2
 *
 * trust/envelope_signature.c: the signature is over every byte before it, and nothing else passes.
 */
#include "tests/unit/trust/given.h"
#include "trust/envelope_signature.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { ENVELOPE_BYTES = 40 };

static uint8_t envelope[ENVELOPE_BYTES + ENVELOPE_SIGNATURE_FIELD_BYTES];

/* An envelope with the signature of this key. */
static struct bytes signed_by(const struct signing_key *key)
{
    for (size_t i = 0; i < ENVELOPE_BYTES; i++) {
        envelope[i] = (uint8_t)i;
    }
    ck_assert_int_eq(
        envelope_sign((struct bytes){envelope, ENVELOPE_BYTES}, key, envelope + ENVELOPE_BYTES),
        TRUST_OK);
    return (struct bytes){envelope, sizeof envelope};
}

START_TEST(what_was_signed_verifies_and_no_other_bytes_do)
{
    struct signing_key *key = given_key("dila", 3);
    const struct note_keys keys = {signing_key_public(key), 1};
    const struct bytes bytes = signed_by(key);

    ck_assert_int_eq(envelope_verify(bytes, &keys), TRUST_OK);
    for (size_t i = 0; i < bytes.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            envelope[i] ^= (uint8_t)(1U << bit);
            ck_assert_int_ne(envelope_verify(bytes, &keys), TRUST_OK);
            envelope[i] ^= (uint8_t)(1U << bit);
        }
        ck_assert_int_ne(envelope_verify((struct bytes){bytes.data, i}, &keys), TRUST_OK);
        ck_assert_int_ne(
            envelope_verify((struct bytes){bytes.data + i + 1, bytes.size - i - 1}, &keys),
            TRUST_OK);
    }
    signing_key_free(key);
}
END_TEST

START_TEST(a_stranger_s_is_no_signature_and_a_known_key_s_that_is_wrong_is_forged)
{
    struct signing_key *key = given_key("dila", 3);
    struct signing_key *other = given_key("dila", 4);
    const struct signing_public both[] = {*signing_key_public(other), *signing_key_public(key)};
    const struct note_keys one = {both, 1};
    const struct note_keys two = {both, 2};
    const struct bytes bytes = signed_by(key);

    ck_assert_int_eq(envelope_verify(bytes, &one), TRUST_UNSIGNED);
    ck_assert_int_eq(envelope_verify(bytes, &two), TRUST_OK);
    envelope[0] ^= 1;
    ck_assert_int_eq(envelope_verify(bytes, &two), TRUST_FORGED);
    signing_key_free(key);
    signing_key_free(other);
}
END_TEST

/* Invariant 1: what a key signs as a note is no signature of an envelope. */
START_TEST(a_note_s_signature_is_none_of_an_envelope)
{
    struct signing_key *key = given_key("dila", 3);
    const struct note_keys keys = {signing_key_public(key), 1};
    const struct bytes bytes = signed_by(key);

    signing_key_sign(key, (struct bytes){envelope, ENVELOPE_BYTES},
                     envelope + ENVELOPE_BYTES + 3 + SIGNING_ID_BYTES);
    ck_assert_int_eq(envelope_verify(bytes, &keys), TRUST_FORGED);
    signing_key_free(key);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.trust.envelope_signature");
    TCase *signatures = tcase_create("signatures");
    tcase_add_test(signatures, what_was_signed_verifies_and_no_other_bytes_do);
    tcase_add_test(signatures,
                   a_stranger_s_is_no_signature_and_a_known_key_s_that_is_wrong_is_forged);
    tcase_add_test(signatures, a_note_s_signature_is_none_of_an_envelope);
    suite_add_tcase(suite, signatures);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
