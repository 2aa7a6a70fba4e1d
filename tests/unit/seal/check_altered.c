/* SPDX-License-Identifier: EUPL-1.2
 *
 * A letter that somebody handled on its way: each bit of each byte, each place to cut it, each byte
 * left out or doubled. None opens; each refusal is one of those that the part can give.
 */
#include "letter.h"
#include "seal/stream.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char TEXT[] = "La demande est accordee; sans suite si rien n'est fourni avant lundi.";
static const struct letter_steps LARGE = {1 << 20, 1 << 20};

static struct mailbox_key *key;
static struct letter letter;

static struct seal_request options_of(int i)
{
    return (struct seal_request){.compress = (i & 1) != 0, .pad = (i & 2) != 0};
}

static void make(int i)
{
    const struct seal_request options = options_of(i);

    key = letter_key(5);
    letter = letter_seal(key, &options, (struct seal_bytes){(const uint8_t *)TEXT, sizeof TEXT - 1},
                         LARGE);
    ck_assert_int_eq(letter_try(&letter, key), SEAL_OK);
}

static void tear_down(void)
{
    letter_free(&letter);
    mailbox_key_free(key);
}

START_TEST(each_bit_of_the_header)
{
    make(_i);
    for (size_t at = 0; at < SEAL_HEADER_BYTES; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            enum seal_status status = SEAL_OK;

            letter.sealed[at] ^= (uint8_t)(1U << bit);
            status = letter_try(&letter, key);
            if (at < 6) {
                ck_assert_int_eq(status, SEAL_NOT_SEALED);
            } else if (at < 8) {
                ck_assert_int_eq(status, SEAL_UNKNOWN_SUITE);
            } else if (at < 9 || (at == 9 && bit > 1)) {
                ck_assert_int_eq(status, SEAL_UNKNOWN_FLAG);
            } else { /* a flag that exists, or the commitment: the wrap is beside another header */
                ck_assert_int_eq(status, SEAL_WRAP_REFUSED);
            }
            letter.sealed[at] ^= (uint8_t)(1U << bit);
        }
    }
    ck_assert_int_eq(letter_try(&letter, key), SEAL_OK);
}
END_TEST

START_TEST(each_bit_of_the_chunk)
{
    make(_i);
    for (size_t at = SEAL_HEADER_BYTES; at < letter.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            letter.sealed[at] ^= (uint8_t)(1U << bit);
            ck_assert_int_eq(letter_try(&letter, key), SEAL_CHUNK_REFUSED);
            letter.sealed[at] ^= (uint8_t)(1U << bit);
            if ((options_of(_i).pad) && at > SEAL_HEADER_BYTES + 100) {
                break; /* one bit of each zero is enough */
            }
        }
    }
}
END_TEST

START_TEST(each_bit_of_the_wrap)
{
    make(_i);
    for (size_t at = 0; at < SEAL_WRAP_BYTES; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            const enum seal_status expected = at < 2    ? SEAL_UNKNOWN_SUITE
                                              : at < 18 ? SEAL_OTHER_KEY
                                                        : SEAL_WRAP_REFUSED;

            letter.wrap[at] ^= (uint8_t)(1U << bit);
            ck_assert_int_eq(letter_try(&letter, key), expected);
            letter.wrap[at] ^= (uint8_t)(1U << bit);
        }
    }
}
END_TEST

START_TEST(wraps_of_other_sizes)
{
    struct open_request request;
    struct opener *opener = NULL;
    uint8_t longer[SEAL_WRAP_BYTES + 1] = {0};

    make(0);
    request = letter_request(&letter, key);
    memcpy(longer, letter.wrap, SEAL_WRAP_BYTES);
    for (size_t size = 0; size <= sizeof longer; size++) {
        uint8_t *exact = malloc(size + 1);

        ck_assert_ptr_nonnull(exact);
        memcpy(exact, longer, size);
        request.wrap = (struct seal_bytes){exact, size};
        if (size != SEAL_WRAP_BYTES) {
            ck_assert_int_eq(open_begin(&request, &opener), SEAL_BAD_WRAP);
        }
        free(exact);
    }
    ck_assert_ptr_null(opener);
}
END_TEST

START_TEST(low_order_in_the_wrap)
{
    make(0);
    memset(letter.wrap + 18, 0, HPKE_ENC_BYTES);
    ck_assert_int_eq(letter_try(&letter, key), SEAL_WRAP_REFUSED);
}
END_TEST

START_TEST(cut_at_each_place)
{
    struct seal_bytes chunks;

    make(_i);
    chunks = letter_chunks(&letter);
    for (size_t size = 0; size < chunks.size; size++) {
        const struct open_request request = letter_request(&letter, key);
        struct letter_bytes back = {0};
        uint8_t *exact = malloc(size + 1);

        ck_assert_ptr_nonnull(exact);
        memcpy(exact, chunks.data, size);
        ck_assert_int_eq(letter_open(&request, (struct seal_bytes){exact, size}, LARGE, &back),
                         size < STREAM_TAG_BYTES ? SEAL_CUT_SHORT : SEAL_CHUNK_REFUSED);
        free(exact);
    }
}
END_TEST

/* Two chunks; cut around the border and at the end. */
START_TEST(cut_two_chunks)
{
    enum { SIZE = STREAM_CHUNK_BYTES + 100 };
    uint8_t *payload = calloc(1, SIZE);
    struct seal_bytes chunks;
    struct open_request request;

    ck_assert_ptr_nonnull(payload);
    key = letter_key(5);
    letter = letter_seal(key, &(struct seal_request){0}, (struct seal_bytes){payload, SIZE}, LARGE);
    chunks = letter_chunks(&letter);
    request = letter_request(&letter, key);
    for (size_t size = STREAM_SEALED_BYTES - 40; size < chunks.size; size++) {
        struct letter_bytes back = {0};
        const size_t second = size > STREAM_SEALED_BYTES ? size - STREAM_SEALED_BYTES : 0;
        const enum seal_status expected = second == 0                  ? SEAL_CHUNK_REFUSED
                                          : second < STREAM_TAG_BYTES  ? SEAL_CUT_SHORT
                                          : second == STREAM_TAG_BYTES ? SEAL_EMPTY_CHUNK
                                                                       : SEAL_CHUNK_REFUSED;

        ck_assert_int_eq(
            letter_open(&request, (struct seal_bytes){chunks.data, size}, LARGE, &back), expected);
    }
    free(payload);
}
END_TEST

START_TEST(a_byte_left_out_or_doubled)
{
    struct seal_bytes chunks;
    uint8_t *changed = NULL;

    make(_i);
    chunks = letter_chunks(&letter);
    changed = malloc(chunks.size + 1);
    ck_assert_ptr_nonnull(changed);
    for (size_t at = 0; at < chunks.size; at++) {
        const struct open_request request = letter_request(&letter, key);
        struct letter_bytes back = {0};

        memcpy(changed, chunks.data, at);
        memcpy(changed + at, chunks.data + at + 1, chunks.size - at - 1);
        ck_assert_int_ne(
            letter_open(&request, (struct seal_bytes){changed, chunks.size - 1}, LARGE, &back),
            SEAL_OK);
        memcpy(changed, chunks.data, at + 1);
        memcpy(changed + at + 1, chunks.data + at, chunks.size - at);
        ck_assert_int_ne(
            letter_open(&request, (struct seal_bytes){changed, chunks.size + 1}, LARGE, &back),
            SEAL_OK);
    }
    free(changed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("altered");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, NULL, tear_down);
    tcase_set_timeout(all, 30);
    tcase_add_loop_test(all, each_bit_of_the_header, 0, 4);
    tcase_add_loop_test(all, each_bit_of_the_chunk, 0, 4);
    tcase_add_loop_test(all, each_bit_of_the_wrap, 0, 4);
    tcase_add_test(all, wraps_of_other_sizes);
    tcase_add_test(all, low_order_in_the_wrap);
    tcase_add_loop_test(all, cut_at_each_place, 0, 4);
    tcase_add_test(all, cut_two_chunks);
    tcase_add_loop_test(all, a_byte_left_out_or_doubled, 0, 4);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
