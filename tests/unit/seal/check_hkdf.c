/* SPDX-License-Identifier: EUPL-1.2
 *
 * HKDF against RFC 5869, in one piece and cut at each place.
 */
#include "seal/hkdf.h"
#include "vectors.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void check_case(FILE *file)
{
    const struct vector ikm = vectors_bytes(file, "ikm");
    const struct vector salt = vectors_bytes(file, "salt");
    const struct vector info = vectors_bytes(file, "info");
    const struct vector prk = vectors_bytes(file, "prk");
    const struct vector okm = vectors_bytes(file, "okm");
    uint8_t key[HKDF_KEY_BYTES];
    uint8_t out[VECTOR_BYTES];

    for (size_t cut = 0; cut <= ikm.size; cut++) {
        const struct seal_bytes pieces[] = {{ikm.data, cut}, {ikm.data + cut, ikm.size - cut}};

        hkdf_extract((struct seal_bytes){salt.data, salt.size}, pieces, 2, key);
        ck_assert_mem_eq(key, prk.data, prk.size);
    }
    for (size_t cut = 0; cut <= info.size; cut++) {
        const struct seal_bytes pieces[] = {{info.data, cut}, {info.data + cut, info.size - cut}};

        for (size_t size = 0; size <= okm.size; size++) { /* a shorter output is a beginning */
            memset(out, 0xee, sizeof out);
            hkdf_expand(key, pieces, 2, out, size);
            ck_assert_mem_eq(out, okm.data, size);
            ck_assert_uint_eq(out[size], 0xee);
        }
    }
}

START_TEST(rfc_5869)
{
    FILE *file = vectors_open("rfc5869.txt");
    char name[2 * VECTOR_BYTES + 1];
    int cases = 0;

    for (; vectors_text(file, "case", name); cases++) {
        check_case(file);
    }
    ck_assert_int_eq(cases, 3);
    (void)fclose(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hkdf");
    TCase *vectors = tcase_create("vectors");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    suite_add_tcase(suite, vectors);
    tcase_add_test(vectors, rfc_5869);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
