/* SPDX-License-Identifier: EUPL-1.2
 *
 * HPKE against RFC 9180, appendix A.2.1, and the points that must be refused.
 */
#include "fixed_random.h"
#include "seal/hpke.h"
#include "vectors.h"

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const struct seal_bytes NO_INFO;

static struct seal_bytes bytes_of(const struct vector *vector)
{
    return (struct seal_bytes){vector->data, vector->size};
}

/* The encryptions of the vector, both ways; those between them are made, too. */
static void check_encryptions(FILE *file, const struct vector *pt, struct hpke_context *sender,
                              struct hpke_context *recipient)
{
    char number[2 * VECTOR_BYTES + 1];
    uint8_t out[VECTOR_BYTES];
    uint8_t back[VECTOR_BYTES];
    int count = 0;

    for (; vectors_text(file, "sequence", number); count++) {
        const uint64_t sequence = strtoull(number, NULL, 10);
        const struct vector aad = vectors_bytes(file, "aad");
        const struct vector ct = vectors_bytes(file, "ct");

        while (sender->sequence < sequence) {
            hpke_seal(sender, bytes_of(&aad), bytes_of(pt), out);
            ck_assert_int_eq(hpke_open(recipient, bytes_of(&aad),
                                       (struct seal_bytes){out, pt->size + HPKE_TAG_BYTES}, back),
                             SEAL_OK);
        }
        hpke_seal(sender, bytes_of(&aad), bytes_of(pt), out);
        ck_assert_mem_eq(out, ct.data, ct.size);
        ck_assert_int_eq(hpke_open(recipient, NO_INFO, bytes_of(&ct), back), SEAL_WRAP_REFUSED);
        ck_assert_int_eq(hpke_open(recipient, bytes_of(&aad), bytes_of(&ct), back), SEAL_OK);
        ck_assert_mem_eq(back, pt->data, pt->size);
    }
    ck_assert_int_eq(count, 6);
}

START_TEST(rfc_9180)
{
    FILE *file = vectors_open("rfc9180.txt");
    char name[2 * VECTOR_BYTES + 1];
    struct vector info;
    struct vector ephemeral;
    struct vector enc;
    struct vector secret;
    struct vector public;
    struct vector key;
    struct vector nonce;
    struct vector pt;
    struct hpke_context sender;
    struct hpke_context recipient;
    uint8_t out_enc[HPKE_ENC_BYTES];

    ck_assert(vectors_text(file, "case", name));
    info = vectors_bytes(file, "info");
    ephemeral = vectors_bytes(file, "skEm");
    enc = vectors_bytes(file, "pkEm");
    secret = vectors_bytes(file, "skRm");
    public = vectors_bytes(file, "pkRm");
    key = vectors_bytes(file, "key");
    nonce = vectors_bytes(file, "base_nonce");
    pt = vectors_bytes(file, "pt");
    fixed_random_start();
    fixed_random_give(ephemeral.data, ephemeral.size);
    ck_assert_int_eq(hpke_setup_sender(public.data, bytes_of(&info), out_enc, &sender), SEAL_OK);
    ck_assert_mem_eq(out_enc, enc.data, enc.size);
    ck_assert_mem_eq(sender.key, key.data, key.size);
    ck_assert_mem_eq(sender.base_nonce, nonce.data, nonce.size);
    ck_assert_int_eq(hpke_setup_recipient(enc.data, (struct hpke_pair){public.data, secret.data},
                                          bytes_of(&info), &recipient),
                     SEAL_OK);
    ck_assert_mem_eq(recipient.key, key.data, key.size);
    check_encryptions(file, &pt, &sender, &recipient);
    (void)fclose(file);
}
END_TEST

/* Order 1, 2, 4 and 8, also as numbers beyond the prime, and with the bit that X25519 ignores. */
static const char *const LOW_ORDER[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000080",
};

START_TEST(low_order_is_refused)
{
    uint8_t point[HPKE_PUBLIC_BYTES];
    uint8_t secret[HPKE_SECRET_BYTES];
    uint8_t public[HPKE_PUBLIC_BYTES];
    uint8_t enc[HPKE_ENC_BYTES];
    struct hpke_context context;

    ck_assert_int_ge(sodium_init(), 0);
    (void)sodium_hex2bin(point, sizeof point, LOW_ORDER[_i], 64, NULL, NULL, NULL);
    memset(secret, 0x42, sizeof secret);
    (void)crypto_scalarmult_base(public, secret);
    ck_assert_int_eq(hpke_setup_sender(point, NO_INFO, enc, &context), SEAL_BAD_PUBLIC_KEY);
    ck_assert_int_eq(
        hpke_setup_recipient(point, (struct hpke_pair){public, secret}, NO_INFO, &context),
        SEAL_BAD_PUBLIC_KEY);
}
END_TEST

START_TEST(each_sealing_is_fresh)
{
    uint8_t public[HPKE_PUBLIC_BYTES];
    uint8_t enc[2][HPKE_ENC_BYTES];
    struct hpke_context context[2];

    ck_assert_int_ge(sodium_init(), 0);
    (void)crypto_scalarmult_base(public, (const uint8_t[32]){9});
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(hpke_setup_sender(public, NO_INFO, enc[i], &context[i]), SEAL_OK);
    }
    ck_assert_mem_ne(enc[0], enc[1], sizeof enc[0]);
    ck_assert_mem_ne(context[0].key, context[1].key, sizeof context[0].key);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hpke");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    suite_add_tcase(suite, all);
    tcase_add_test(all, rfc_9180);
    tcase_add_loop_test(all, low_order_is_refused, 0, sizeof LOW_ORDER / sizeof *LOW_ORDER);
    tcase_add_test(all, each_sealing_is_fresh);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
