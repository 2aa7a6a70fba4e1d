/* SPDX-License-Identifier: EUPL-1.2
 *
 * Chunks by themselves: the rules of stream.h by number, the counter at its edges, opening that
 * begins in the middle.
 */
#include "seal/stream.h"

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t KEY[STREAM_KEY_BYTES] = {1, 2, 3};

static struct stream_writer writer;
static struct stream_reader reader;
static uint8_t *payload; /* three chunks and a bit */
static uint8_t *sealed;
static uint8_t *opened;

enum { PAYLOAD_BYTES = 3 * STREAM_CHUNK_BYTES + 1000, ROOM_BYTES = PAYLOAD_BYTES + 4096 };

static void set_up(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    payload = malloc(ROOM_BYTES);
    sealed = malloc(ROOM_BYTES);
    opened = malloc(ROOM_BYTES);
    ck_assert(payload != NULL && sealed != NULL && opened != NULL);
    randombytes_buf(payload, ROOM_BYTES);
}

static void tear_down(void)
{
    free(payload);
    free(sealed);
    free(opened);
}

static void put_all(struct seal_bytes bytes, struct seal_output *out)
{
    size_t taken = 0;

    for (size_t at = 0; at < bytes.size; at += taken) {
        ck_assert(stream_writer_drain(&writer, out));
        ck_assert_int_eq(stream_writer_put(&writer,
                                           (struct seal_bytes){bytes.data + at, bytes.size - at},
                                           &taken),
                         SEAL_OK);
    }
}

static size_t seal_all(size_t size)
{
    struct seal_output out = {.data = sealed, .size = ROOM_BYTES};

    stream_writer_init(&writer, KEY, false);
    put_all((struct seal_bytes){payload, size}, &out);
    ck_assert(stream_writer_drain(&writer, &out));
    stream_writer_finish(&writer);
    ck_assert(stream_writer_drain(&writer, &out));
    return out.used;
}

/* Opens sealed[from, size) as the chunks from `first` on. */
static enum seal_status open_all(size_t from, size_t size, uint64_t first, size_t *out_size)
{
    struct seal_output out = {.data = opened, .size = ROOM_BYTES};
    enum seal_status status = SEAL_OK;
    size_t at = from;

    stream_reader_init(&reader, KEY, false, first);
    for (;;) {
        const struct seal_bytes plain = stream_reader_plain(&reader);
        size_t taken = 0;

        stream_reader_consume(&reader, seal_output_put(&out, plain));
        if (at == size) {
            break;
        }
        status = stream_reader_put(&reader, (struct seal_bytes){sealed + at, size - at}, &taken);
        if (status != SEAL_OK) {
            return status;
        }
        at += taken;
    }
    status = stream_reader_finish(&reader);
    if (status == SEAL_OK) {
        (void)seal_output_put(&out, stream_reader_plain(&reader));
        *out_size = out.used;
    }
    return status;
}

START_TEST(rule_1_sizes)
{
    static const struct {
        size_t payload;
        size_t chunks;
    } rows[] = {
        {0, 1},
        {1, 1},
        {STREAM_CHUNK_BYTES - 1, 1},
        {STREAM_CHUNK_BYTES, 1},
        {STREAM_CHUNK_BYTES + 1, 2},
        {2 * STREAM_CHUNK_BYTES, 2},
        {PAYLOAD_BYTES, 4},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const size_t size = seal_all(rows[i].payload);
        size_t back = 0;

        ck_assert_uint_eq(size, rows[i].payload + rows[i].chunks * STREAM_TAG_BYTES);
        ck_assert_int_eq(open_all(0, size, 0, &back), SEAL_OK);
        ck_assert_uint_eq(back, rows[i].payload);
        ck_assert_mem_eq(opened, payload, back);
    }
}
END_TEST

START_TEST(rule_1_the_last_is_not_empty)
{
    const size_t size = STREAM_SEALED_BYTES;
    size_t back = 0;

    stream_seal_chunk(KEY, (struct stream_place){0, false},
                      (struct seal_bytes){payload, STREAM_CHUNK_BYTES}, sealed);
    stream_seal_chunk(KEY, (struct stream_place){1, true}, (struct seal_bytes){0}, sealed + size);
    ck_assert_int_eq(open_all(0, size + STREAM_TAG_BYTES, 0, &back), SEAL_EMPTY_CHUNK);
}
END_TEST

START_TEST(rule_1_only_the_last_is_short)
{
    size_t back = 0;

    stream_seal_chunk(KEY, (struct stream_place){0, false}, (struct seal_bytes){payload, 100},
                      sealed);
    stream_seal_chunk(KEY, (struct stream_place){1, true}, (struct seal_bytes){payload, 100},
                      sealed + 116);
    ck_assert_int_eq(open_all(0, 232, 0, &back), SEAL_CHUNK_REFUSED);
}
END_TEST

START_TEST(rule_2_cut_after_each_chunk)
{
    const size_t size = seal_all(PAYLOAD_BYTES);
    size_t back = 0;

    ck_assert_int_eq(open_all(0, 0, 0, &back), SEAL_CUT_SHORT);
    for (size_t chunks = 1; chunks * STREAM_SEALED_BYTES < size; chunks++) {
        ck_assert_int_eq(open_all(0, chunks * STREAM_SEALED_BYTES, 0, &back), SEAL_CHUNK_REFUSED);
    }
    ck_assert_int_eq(open_all(0, size, 0, &back), SEAL_OK);
}
END_TEST

START_TEST(rule_2_added_at_the_end)
{
    const size_t size = seal_all(2 * STREAM_CHUNK_BYTES);
    size_t back = 0;

    for (size_t more = 1; more <= STREAM_TAG_BYTES + 1; more++) {
        memset(sealed + size, 0, more);
        ck_assert_int_eq(open_all(0, size + more, 0, &back), SEAL_CHUNK_REFUSED);
    }
}
END_TEST

START_TEST(rule_2_exchanged_and_repeated)
{
    const size_t size = seal_all(PAYLOAD_BYTES);
    size_t back = 0;

    memcpy(opened, sealed, STREAM_SEALED_BYTES);
    memcpy(sealed, sealed + STREAM_SEALED_BYTES, STREAM_SEALED_BYTES);
    ck_assert_int_eq(open_all(0, size, 0, &back), SEAL_CHUNK_REFUSED); /* the second twice */
    memcpy(sealed + STREAM_SEALED_BYTES, opened, STREAM_SEALED_BYTES);
    ck_assert_int_eq(open_all(0, size, 0, &back), SEAL_CHUNK_REFUSED);
}
END_TEST

START_TEST(from_the_middle)
{
    const size_t size = seal_all(PAYLOAD_BYTES);

    for (size_t first = 0; first < 4; first++) {
        size_t back = 0;

        ck_assert_int_eq(open_all(first * STREAM_SEALED_BYTES, size, first, &back), SEAL_OK);
        ck_assert_uint_eq(back, PAYLOAD_BYTES - first * STREAM_CHUNK_BYTES);
        ck_assert_mem_eq(opened, payload + first * STREAM_CHUNK_BYTES, back);
        ck_assert_int_eq(open_all(first * STREAM_SEALED_BYTES, size, first + 1, &back),
                         SEAL_CHUNK_REFUSED);
    }
}
END_TEST

/* 4 GiB of payload, 2^32 bytes, are chunk 2^16; the counter itself turns over nowhere. */
START_TEST(the_counter_at_its_edges)
{
    static const uint64_t edges[] = {0xff, 0xffff, 0xffffff, STREAM_MOST_CHUNKS - 2};

    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        struct seal_output out = {.data = sealed, .size = ROOM_BYTES};
        size_t back = 0;

        stream_writer_init(&writer, KEY, false);
        writer.next = edges[i];
        put_all((struct seal_bytes){payload, STREAM_CHUNK_BYTES + 5}, &out);
        stream_writer_finish(&writer);
        ck_assert(stream_writer_drain(&writer, &out));
        ck_assert_int_eq(open_all(0, out.used, edges[i], &back), SEAL_OK);
        ck_assert_mem_eq(opened, payload, STREAM_CHUNK_BYTES + 5);
        ck_assert_int_eq(open_all(0, out.used, edges[i] & 0xff, &back),
                         edges[i] == 0xff ? SEAL_OK : SEAL_CHUNK_REFUSED);
        ck_assert_int_eq(open_all(0, out.used, edges[i] + 1, &back),
                         edges[i] + 2 == STREAM_MOST_CHUNKS ? SEAL_TOO_LONG : SEAL_CHUNK_REFUSED);
    }
}
END_TEST

START_TEST(too_many_chunks)
{
    struct seal_output out = {.data = sealed, .size = ROOM_BYTES};
    size_t taken = 0;

    stream_writer_init(&writer, KEY, false);
    writer.next = STREAM_MOST_CHUNKS - 1;
    put_all((struct seal_bytes){payload, STREAM_CHUNK_BYTES}, &out);
    ck_assert_int_eq(stream_writer_put(&writer, (struct seal_bytes){payload, 1}, &taken),
                     SEAL_TOO_LONG);
}
END_TEST

START_TEST(the_nonce_is_ages)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {0, 0, 0, 0, 0, 0,
                                                                  0, 0, 1, 2, 3, 1};
    uint8_t theirs[5 + STREAM_TAG_BYTES];

    stream_seal_chunk(KEY, (struct stream_place){0x010203, true}, (struct seal_bytes){payload, 5},
                      sealed);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(theirs, NULL, payload, 5, NULL, 0, NULL, nonce,
                                                    KEY);
    ck_assert_mem_eq(sealed, theirs, sizeof theirs);
}
END_TEST

/* A framed chunk whose plaintext is `size` bytes: what opening it says. */
static enum seal_status open_framed(uint32_t count, size_t size, bool zero, uint64_t index)
{
    size_t taken = 0;
    enum seal_status status = SEAL_OK;

    if (zero) {
        memset(payload, 0, size);
    }
    if (size >= STREAM_FRAME_BYTES) {
        seal_put_u32(payload, count);
    }
    stream_seal_chunk(KEY, (struct stream_place){index, true}, (struct seal_bytes){payload, size},
                      sealed);
    stream_reader_init(&reader, KEY, true, index);
    status =
        stream_reader_put(&reader, (struct seal_bytes){sealed, size + STREAM_TAG_BYTES}, &taken);
    ck_assert_int_eq(status, SEAL_OK);
    return stream_reader_finish(&reader);
}

START_TEST(rule_4_frames)
{
    ck_assert_int_eq(open_framed(0, 4, false, 0), SEAL_OK);
    ck_assert_int_eq(open_framed(96, 100, false, 0), SEAL_OK);
    ck_assert_uint_eq(stream_reader_plain(&reader).size, 96);
    ck_assert_int_eq(open_framed(96, 200, false, 0), SEAL_BAD_PADDING);
    ck_assert_int_eq(open_framed(96, 200, true, 0), SEAL_OK);
    ck_assert_uint_eq(stream_reader_plain(&reader).size, 96);
    ck_assert_int_eq(open_framed(97, 100, true, 0), SEAL_BAD_PADDING);
    ck_assert_int_eq(open_framed(UINT32_MAX, 100, true, 0), SEAL_BAD_PADDING);
    for (size_t size = 0; size < STREAM_FRAME_BYTES; size++) {
        ck_assert_int_eq(open_framed(0, size, true, 0), SEAL_BAD_PADDING);
    }
    ck_assert_int_eq(open_framed(0, 4, true, 1), SEAL_EMPTY_CHUNK);
    ck_assert_int_eq(open_framed(0, 5, true, 1), SEAL_OK);
}
END_TEST

/* A full chunk with `count` payload bytes, then a last one with `more` of its 100. */
static enum seal_status open_two_framed(uint32_t count, uint32_t more)
{
    const size_t size = STREAM_SEALED_BYTES + STREAM_FRAME_BYTES + 100 + STREAM_TAG_BYTES;
    size_t taken = 0;

    memset(payload, 0, STREAM_CHUNK_BYTES);
    seal_put_u32(payload, count);
    stream_seal_chunk(KEY, (struct stream_place){0, false},
                      (struct seal_bytes){payload, STREAM_CHUNK_BYTES}, sealed);
    seal_put_u32(payload, more);
    stream_seal_chunk(KEY, (struct stream_place){1, true},
                      (struct seal_bytes){payload, STREAM_FRAME_BYTES + 100},
                      sealed + STREAM_SEALED_BYTES);
    stream_reader_init(&reader, KEY, true, 0);
    for (size_t at = 0; at < size; at += taken) {
        stream_reader_consume(&reader, stream_reader_plain(&reader).size);
        ck_assert_int_eq(
            stream_reader_put(&reader, (struct seal_bytes){sealed + at, size - at}, &taken),
            SEAL_OK);
    }
    return stream_reader_finish(&reader);
}

START_TEST(rule_4_nothing_behind_zeros)
{
    enum { FULL = STREAM_CHUNK_BYTES - STREAM_FRAME_BYTES };

    ck_assert_int_eq(open_two_framed(FULL, 100), SEAL_OK);
    ck_assert_int_eq(open_two_framed(FULL, 0), SEAL_OK);
    ck_assert_int_eq(open_two_framed(FULL - 1, 0), SEAL_OK);
    ck_assert_int_eq(open_two_framed(FULL - 1, 1), SEAL_BAD_PADDING);
    ck_assert_int_eq(open_two_framed(0, 100), SEAL_BAD_PADDING);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, rule_1_sizes);
    tcase_add_test(all, rule_1_the_last_is_not_empty);
    tcase_add_test(all, rule_1_only_the_last_is_short);
    tcase_add_test(all, rule_2_cut_after_each_chunk);
    tcase_add_test(all, rule_2_added_at_the_end);
    tcase_add_test(all, rule_2_exchanged_and_repeated);
    tcase_add_test(all, from_the_middle);
    tcase_add_test(all, the_counter_at_its_edges);
    tcase_add_test(all, too_many_chunks);
    tcase_add_test(all, the_nonce_is_ages);
    tcase_add_test(all, rule_4_frames);
    tcase_add_test(all, rule_4_nothing_behind_zeros);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
