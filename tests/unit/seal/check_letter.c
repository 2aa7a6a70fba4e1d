/* SPDX-License-Identifier: EUPL-1.2
 *
 * Whole letters: what is sealed opens, whatever the size and the buffers; for its recipient alone,
 * as the message that it was sealed for; many recipients; sizes and padding; the limit.
 */
#include "letter.h"
#include "seal/padding.h"
#include "seal/stream.h"

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const struct letter_steps LARGE = {1 << 20, 1 << 20};
static const struct seal_request PLAIN;

static struct mailbox_key *key;
static uint8_t *payload; /* half of it repeats itself */

enum { PAYLOAD_BYTES = 200000 };

static void set_up(void)
{
    key = letter_key(3);
    payload = malloc(PAYLOAD_BYTES);
    ck_assert_ptr_nonnull(payload);
    randombytes_buf(payload, PAYLOAD_BYTES);
    for (size_t i = 0; i < PAYLOAD_BYTES; i += 1000) {
        memset(payload + i, 'a', 500);
    }
}

static void tear_down(void)
{
    mailbox_key_free(key);
    free(payload);
}

static void round_trip(const struct seal_request *options, size_t size, struct letter_steps steps)
{
    struct letter letter = letter_seal(key, options, (struct seal_bytes){payload, size}, steps);
    const struct open_request request = letter_request(&letter, key);
    struct letter_bytes back = {0};

    ck_assert_int_eq(letter_open(&request, letter_chunks(&letter), steps, &back), SEAL_OK);
    ck_assert_uint_eq(back.size, size);
    ck_assert_mem_eq(back.data, payload, size);
    free(back.data);
    letter_free(&letter);
}

static const size_t SIZES[] = {0,     1,     2,     1023,  1024,   1025,   65531,  65532,
                               65533, 65535, 65536, 65537, 131064, 131072, 131073, 200000};

static const struct letter_steps STEPS[] = {
    {1, 7}, {7, 1}, {1000, 65536}, {65552, 65552}, {65536, 1000}, {1 << 20, 1 << 20},
};

START_TEST(opens_again)
{
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        for (size_t j = 0; j < sizeof STEPS / sizeof *STEPS; j++) {
            if (SIZES[i] <= 1025 || STEPS[j].out >= 1000) {
                round_trip(&(struct seal_request){.compress = (_i & 1) != 0, .pad = (_i & 2) != 0},
                           SIZES[i], STEPS[j]);
            }
        }
    }
    round_trip(&(struct seal_request){.compress = (_i & 1) != 0, .pad = (_i & 2) != 0}, 65540,
               (struct letter_steps){1, 1});
}
END_TEST

/* Opens a letter whose request was changed. */
static enum seal_status open_with(const struct letter *letter, const struct open_request *request)
{
    struct letter_bytes back = {0};
    const enum seal_status status = letter_open(request, letter_chunks(letter), LARGE, &back);

    free(back.data);
    return status;
}

START_TEST(for_its_recipient_alone)
{
    struct letter letter = letter_seal(key, &PLAIN, (struct seal_bytes){payload, 100}, LARGE);
    struct mailbox_key *other = letter_key(4);
    struct mailbox_key *same_pair = NULL;
    struct open_request request = letter_request(&letter, key);

    ck_assert_int_eq(open_with(&letter, &request), SEAL_OK);
    request.key = other;
    ck_assert_int_eq(open_with(&letter, &request), SEAL_OTHER_KEY);
    memcpy(letter.wrap + 2, mailbox_key_id(other), MAILBOX_KEY_ID_BYTES);
    ck_assert_int_eq(open_with(&letter, &request), SEAL_WRAP_REFUSED);
    /* the same pair published for another week is another key */
    ck_assert_int_eq(mailbox_key_from_secret(mailbox_key_secret(key), LETTER_UNTIL_MS,
                                             LETTER_UNTIL_MS + 1, &same_pair),
                     SEAL_OK);
    memcpy(letter.wrap + 2, mailbox_key_id(same_pair), MAILBOX_KEY_ID_BYTES);
    request.key = same_pair;
    ck_assert_int_eq(open_with(&letter, &request), SEAL_WRAP_REFUSED);
    mailbox_key_free(other);
    mailbox_key_free(same_pair);
    letter_free(&letter);
}
END_TEST

START_TEST(as_its_message_alone)
{
    struct letter letter = letter_seal(key, &PLAIN, (struct seal_bytes){payload, 100}, LARGE);
    struct open_request request = letter_request(&letter, key);

    request.message.id = "0197a2b4-0002";
    ck_assert_int_eq(open_with(&letter, &request), SEAL_WRAP_REFUSED);
    request = letter_request(&letter, key);
    request.message.sender = "dila/notice";
    ck_assert_int_eq(open_with(&letter, &request), SEAL_WRAP_REFUSED);
    request = letter_request(&letter, key);
    request.recipient = "commune-76541/etat-civil";
    ck_assert_int_eq(open_with(&letter, &request), SEAL_WRAP_REFUSED);
    /* one name's end is not the next one's begin */
    request = letter_request(&letter, key);
    request.message = (struct seal_message){LETTER_ID "d", "ila/notices"};
    ck_assert_int_eq(open_with(&letter, &request), SEAL_WRAP_REFUSED);
    letter_free(&letter);
}
END_TEST

START_TEST(parts_of_two_letters)
{
    struct letter one =
        letter_seal(key, &PLAIN, (struct seal_bytes){payload, PAYLOAD_BYTES}, LARGE);
    struct letter two =
        letter_seal(key, &PLAIN, (struct seal_bytes){payload, PAYLOAD_BYTES}, LARGE);
    struct open_request request = letter_request(&one, key);

    request.wrap = (struct seal_bytes){two.wrap, sizeof two.wrap};
    ck_assert_int_eq(open_with(&one, &request), SEAL_WRAP_REFUSED);
    request = letter_request(&one, key);
    ck_assert_int_eq(open_with(&two, &request), SEAL_CHUNK_REFUSED);
    memcpy(one.sealed + SEAL_HEADER_BYTES + STREAM_SEALED_BYTES,
           two.sealed + SEAL_HEADER_BYTES + STREAM_SEALED_BYTES, STREAM_SEALED_BYTES);
    ck_assert_int_eq(letter_try(&one, key), SEAL_CHUNK_REFUSED);
    ck_assert_int_eq(letter_try(&two, key), SEAL_OK);
    letter_free(&one);
    letter_free(&two);
}
END_TEST

/* A sender who wants to show two recipients two letters in the same bytes must wrap two content
 * keys beside one header: the second recipient finds that its key is not the header's. */
START_TEST(one_header_one_content_key)
{
    struct letter letter = letter_seal(key, &PLAIN, (struct seal_bytes){payload, 100}, LARGE);
    const struct open_request request = letter_request(&letter, key);
    const struct wrap_terms terms = {&request.message, request.recipient, request.header};
    const uint8_t another[SEAL_CONTENT_KEY_BYTES] = {7};

    ck_assert_int_eq(wrap_seal(&terms, mailbox_key_public(key), another, letter.wrap), SEAL_OK);
    ck_assert_int_eq(letter_try(&letter, key), SEAL_OTHER_CONTENT_KEY);
    letter_free(&letter);
}
END_TEST

START_TEST(many_recipients)
{
    enum { RECIPIENTS = 50 };
    const struct seal_request options = {.message = {LETTER_ID, LETTER_SENDER}};
    uint8_t wraps[RECIPIENTS][SEAL_WRAP_BYTES];
    struct mailbox_key *keys[RECIPIENTS];
    struct sealer *sealer = NULL;
    uint8_t room[1024];
    struct seal_input in = {.data = payload, .size = 100};
    struct seal_output out = {.data = room, .size = sizeof room};
    bool done = false;

    ck_assert_int_eq(seal_begin(&options, &sealer), SEAL_OK);
    (void)seal_output_put(&out, (struct seal_bytes){seal_header(sealer), SEAL_HEADER_BYTES});
    ck_assert_int_eq(seal_update(sealer, &in, &out), SEAL_OK);
    ck_assert_int_eq(seal_end(sealer, &out, &done), SEAL_OK);
    ck_assert(done);
    for (size_t i = 0; i < RECIPIENTS; i++) { /* wraps may come after the end, too */
        keys[i] = letter_key((uint8_t)(i + 10));
        ck_assert_int_eq(
            seal_wrap(sealer,
                      &(struct seal_recipient){LETTER_RECIPIENT, mailbox_key_public(keys[i]),
                                               LETTER_FROM_MS},
                      wraps[i]),
            SEAL_OK);
    }
    seal_free(sealer);
    for (size_t i = 0; i < RECIPIENTS; i++) {
        struct letter letter = {.sealed = room, .size = out.used};

        memcpy(letter.wrap, wraps[i], sizeof letter.wrap);
        ck_assert_int_eq(letter_try(&letter, keys[i]), SEAL_OK);
        ck_assert_int_eq(letter_try(&letter, keys[(i + 1) % RECIPIENTS]), SEAL_OTHER_KEY);
    }
    for (size_t i = 0; i < RECIPIENTS; i++) {
        mailbox_key_free(keys[i]);
    }
}
END_TEST

START_TEST(padding_hides_sizes)
{
    uint64_t sizes = 0;
    uint64_t last = 0;

    ck_assert_uint_eq(padding_length(0), PADDING_LEAST_BYTES);
    ck_assert_uint_eq(padding_length(1025), 1088);
    for (uint64_t size = 1; size < 3000000; size += 1 + size / 1000) {
        const uint64_t padded = padding_length(size);

        ck_assert_uint_ge(padded, size);
        ck_assert(size <= PADDING_LEAST_BYTES || (padded - size) * 100 <= size * 12);
        ck_assert_uint_ge(padded, last);
        ck_assert_uint_eq(padding_length(padded), padded);
        sizes += padded != last;
        last = padded;
    }
    ck_assert_uint_lt(sizes, 300); /* of 6,700 or so */
}
END_TEST

static size_t sealed_size(const struct seal_request *options, size_t size)
{
    struct letter letter = letter_seal(key, options, (struct seal_bytes){payload, size}, LARGE);
    const size_t sealed = letter.size;

    letter_free(&letter);
    return sealed;
}

START_TEST(padded_letters_look_alike)
{
    const struct seal_request padded = {.pad = true};

    ck_assert_uint_eq(sealed_size(&padded, 0), SEAL_HEADER_BYTES + STREAM_FRAME_BYTES +
                                                   PADDING_LEAST_BYTES + STREAM_TAG_BYTES);
    ck_assert_uint_eq(sealed_size(&padded, 7), sealed_size(&padded, 1024));
    ck_assert_uint_eq(sealed_size(&padded, 196609), sealed_size(&padded, 200000));
    ck_assert_uint_ne(sealed_size(&PLAIN, 7), sealed_size(&PLAIN, 8));
}
END_TEST

START_TEST(no_more_than_allowed)
{
    const struct seal_request options = {.compress = (_i & 1) != 0, .pad = (_i & 2) != 0};
    struct letter letter =
        letter_seal(key, &options, (struct seal_bytes){payload, PAYLOAD_BYTES}, LARGE);
    struct open_request request = letter_request(&letter, key);

    for (size_t j = 2; j < sizeof STEPS / sizeof *STEPS; j++) {
        struct letter_bytes back = {0};

        request.most_bytes = PAYLOAD_BYTES;
        ck_assert_int_eq(letter_open(&request, letter_chunks(&letter), STEPS[j], &back), SEAL_OK);
        free(back.data);
        request.most_bytes = PAYLOAD_BYTES - 1;
        ck_assert_int_eq(letter_open(&request, letter_chunks(&letter), STEPS[j], &back),
                         SEAL_TOO_LARGE);
        request.most_bytes = 0;
        ck_assert_int_eq(letter_open(&request, letter_chunks(&letter), STEPS[j], &back),
                         SEAL_TOO_LARGE);
    }
    letter_free(&letter);
}
END_TEST

START_TEST(from_a_later_chunk)
{
    const struct seal_request options = {.pad = _i != 0};
    struct letter letter =
        letter_seal(key, &options, (struct seal_bytes){payload, PAYLOAD_BYTES}, LARGE);
    const struct seal_bytes chunks = letter_chunks(&letter);
    const size_t step = STREAM_CHUNK_BYTES - (_i != 0 ? STREAM_FRAME_BYTES : 0);
    struct open_request request = letter_request(&letter, key);
    struct letter_bytes back = {0};
    struct opener *opener = NULL;

    request.first_chunk = 2;
    ck_assert_int_eq(letter_open(&request,
                                 (struct seal_bytes){chunks.data + 2 * STREAM_SEALED_BYTES,
                                                     chunks.size - 2 * STREAM_SEALED_BYTES},
                                 LARGE, &back),
                     SEAL_OK);
    ck_assert_uint_eq(back.size, PAYLOAD_BYTES - 2 * step);
    ck_assert_mem_eq(back.data, payload + 2 * step, back.size);
    free(back.data);
    ck_assert_int_eq(open_begin(&request, &opener), SEAL_OK);
    ck_assert_uint_eq(open_chunk_bytes(opener), step);
    open_free(opener);
    request.first_chunk = STREAM_MOST_CHUNKS;
    opener = NULL;
    ck_assert_int_eq(open_begin(&request, &opener), SEAL_TOO_LONG);
    letter_free(&letter);
}
END_TEST

START_TEST(compressed_from_its_start_only)
{
    const struct seal_request options = {.compress = true};
    struct letter letter = letter_seal(key, &options, (struct seal_bytes){payload, 100}, LARGE);
    struct open_request request = letter_request(&letter, key);
    struct opener *opener = NULL;

    request.first_chunk = 1;
    ck_assert_int_eq(open_begin(&request, &opener), SEAL_NOT_SEEKABLE);
    letter_free(&letter);
}
END_TEST

START_TEST(names)
{
    char id[SEAL_ID_BYTES + 2];
    char address[SEAL_ADDRESS_BYTES + 2];
    struct sealer *sealer = NULL;
    struct seal_request request = {.message = {id, address}};

    memset(id, 'i', sizeof id);
    memset(address, 'a', sizeof address);
    id[SEAL_ID_BYTES] = '\0';
    address[SEAL_ADDRESS_BYTES] = '\0';
    ck_assert_int_eq(seal_begin(&request, &sealer), SEAL_OK);
    seal_free(sealer);
    sealer = NULL;
    id[SEAL_ID_BYTES] = 'i';
    id[SEAL_ID_BYTES + 1] = '\0';
    ck_assert_int_eq(seal_begin(&request, &sealer), SEAL_BAD_NAME);
    request.message = (struct seal_message){"", "a/b"};
    ck_assert_int_eq(seal_begin(&request, &sealer), SEAL_BAD_NAME);
    request.message = (struct seal_message){NULL, "a/b"};
    ck_assert_int_eq(seal_begin(&request, &sealer), SEAL_BAD_NAME);
    request.message = (struct seal_message){"a", ""};
    ck_assert_int_eq(seal_begin(&request, &sealer), SEAL_BAD_NAME);
    ck_assert_ptr_null(sealer);
}
END_TEST

START_TEST(recipients_keys)
{
    const struct seal_request options = {.message = {LETTER_ID, LETTER_SENDER}};
    struct mailbox_public low = *mailbox_key_public(key);
    struct seal_recipient to = {LETTER_RECIPIENT, mailbox_key_public(key), LETTER_FROM_MS - 1};
    struct sealer *sealer = NULL;
    uint8_t wrap[SEAL_WRAP_BYTES];

    ck_assert_int_eq(seal_begin(&options, &sealer), SEAL_OK);
    ck_assert_int_eq(seal_wrap(sealer, &to, wrap), SEAL_KEY_NOT_VALID_NOW);
    to.now_ms = LETTER_UNTIL_MS;
    ck_assert_int_eq(seal_wrap(sealer, &to, wrap), SEAL_KEY_NOT_VALID_NOW);
    to.now_ms = LETTER_UNTIL_MS - 1;
    ck_assert_int_eq(seal_wrap(sealer, &to, wrap), SEAL_OK);
    to.address = "";
    ck_assert_int_eq(seal_wrap(sealer, &to, wrap), SEAL_BAD_NAME);
    memset(low.point, 0, sizeof low.point);
    to = (struct seal_recipient){LETTER_RECIPIENT, &low, LETTER_FROM_MS};
    ck_assert_int_eq(seal_wrap(sealer, &to, wrap), SEAL_BAD_PUBLIC_KEY);
    seal_free(sealer);
}
END_TEST

START_TEST(over_is_over)
{
    const struct seal_request options = {.message = {LETTER_ID, LETTER_SENDER}};
    struct sealer *sealer = NULL;
    uint8_t room[256];
    struct seal_input in = {.data = payload, .size = 1};
    struct seal_output out = {.data = room, .size = sizeof room};
    bool done = false;

    ck_assert_int_eq(seal_begin(&options, &sealer), SEAL_OK);
    ck_assert_int_eq(seal_end(sealer, &out, &done), SEAL_OK);
    ck_assert(done);
    ck_assert_int_eq(seal_update(sealer, &in, &out), SEAL_OVER);
    ck_assert_int_eq(seal_end(sealer, &out, &done), SEAL_OVER);
    ck_assert(!done);
    seal_free(sealer);
    seal_free(NULL);
    open_free(NULL);
    mailbox_key_free(NULL);
}
END_TEST

START_TEST(statuses_have_texts)
{
    ck_assert_str_eq(seal_status_name(SEAL_OK), "SEAL_OK");
    ck_assert_str_eq(seal_status_name(SEAL_OVER), "SEAL_OVER");
    ck_assert_str_eq(seal_status_text(SEAL_CUT_SHORT), "the sealed payload ends too early");
    ck_assert_str_eq(seal_status_text((enum seal_status)999), "unknown");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("letter");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 30);
    tcase_add_loop_test(all, opens_again, 0, 4);
    tcase_add_test(all, for_its_recipient_alone);
    tcase_add_test(all, as_its_message_alone);
    tcase_add_test(all, parts_of_two_letters);
    tcase_add_test(all, one_header_one_content_key);
    tcase_add_test(all, many_recipients);
    tcase_add_test(all, padding_hides_sizes);
    tcase_add_test(all, padded_letters_look_alike);
    tcase_add_loop_test(all, no_more_than_allowed, 0, 4);
    tcase_add_loop_test(all, from_a_later_chunk, 0, 2);
    tcase_add_test(all, compressed_from_its_start_only);
    tcase_add_test(all, names);
    tcase_add_test(all, recipients_keys);
    tcase_add_test(all, over_is_over);
    tcase_add_test(all, statuses_have_texts);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
