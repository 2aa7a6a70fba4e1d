/* SPDX-License-Identifier: EUPL-1.2
 *
 * Frames that an honest sealer never makes, inside chunks that are sealed rightly: a sender who is
 * allowed to write may still want to harm.
 */
#include "letter.h"
#include "seal/compression.h"
#include "seal/stream.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zstd.h>

static const struct letter_steps STEPS = {65536, 65536};

static struct mailbox_key *key;

static void set_up(void)
{
    key = letter_key(6);
}

static void tear_down(void)
{
    mailbox_key_free(key);
}

/* Seals `content` as if the compressor had given it. */
static struct letter seal_content(struct seal_bytes content)
{
    static const uint8_t content_key[SEAL_CONTENT_KEY_BYTES] = {9};
    const struct seal_message message = {LETTER_ID, LETTER_SENDER};
    struct seal_header header = {.flags = SEAL_FLAG_ZSTD};
    struct letter letter = {.sealed = malloc(SEAL_HEADER_BYTES + content.size * 2 + 100)};
    struct wrap_terms terms = {&message, LETTER_RECIPIENT, letter.sealed};
    struct stream_writer *writer = malloc(sizeof *writer);
    uint8_t stream_key[SEAL_STREAM_KEY_BYTES];
    struct seal_output out = {.data = letter.sealed + SEAL_HEADER_BYTES,
                              .size = content.size * 2 + 100};
    size_t taken = 0;

    ck_assert(letter.sealed != NULL && writer != NULL);
    seal_header_derive(content_key, header.flags, &message, header.commitment, stream_key);
    seal_header_encode(&header, letter.sealed);
    ck_assert_int_eq(wrap_seal(&terms, mailbox_key_public(key), content_key, letter.wrap), SEAL_OK);
    stream_writer_init(writer, stream_key, false);
    for (size_t at = 0; at < content.size; at += taken) {
        ck_assert(stream_writer_drain(writer, &out));
        ck_assert_int_eq(
            stream_writer_put(writer, (struct seal_bytes){content.data + at, content.size - at},
                              &taken),
            SEAL_OK);
    }
    stream_writer_finish(writer);
    ck_assert(stream_writer_drain(writer, &out));
    letter.size = SEAL_HEADER_BYTES + out.used;
    free(writer);
    return letter;
}

static enum seal_status open_content(struct seal_bytes content, uint64_t most)
{
    struct letter letter = seal_content(content);
    struct open_request request = letter_request(&letter, key);
    enum seal_status status = SEAL_OK;

    request.most_bytes = most;
    status = letter_open(&request, letter_chunks(&letter), STEPS, NULL);
    letter_free(&letter);
    return status;
}

static size_t frame_of(const void *data, size_t size, int window_log, uint8_t *out, size_t room)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t written = 0;

    ck_assert_ptr_nonnull(context);
    ck_assert(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log)));
    written = ZSTD_compress2(context, out, room, data, size);
    ck_assert(!ZSTD_isError(written));
    (void)ZSTD_freeCCtx(context);
    return written;
}

START_TEST(frames)
{
    uint8_t frame[200];
    size_t size = frame_of("bonjour", 7, 20, frame, sizeof frame);

    ck_assert_int_eq(open_content((struct seal_bytes){frame, size}, 7), SEAL_OK);
    for (size_t cut = 0; cut < size; cut++) { /* not the whole frame */
        ck_assert_int_eq(open_content((struct seal_bytes){frame, cut}, 100), SEAL_BAD_COMPRESSION);
    }
    frame[size] = 0; /* a byte behind it */
    ck_assert_int_eq(open_content((struct seal_bytes){frame, size + 1}, 100), SEAL_BAD_COMPRESSION);
    memcpy(frame + size, frame, size); /* another frame behind it */
    ck_assert_int_eq(open_content((struct seal_bytes){frame, 2 * size}, 100), SEAL_BAD_COMPRESSION);
}
END_TEST

START_TEST(only_zstds_own_frames)
{
    const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0};
    const uint8_t old[] = {0x27, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0}; /* zstd 0.7 */
    const uint8_t gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0};

    ck_assert_int_eq(open_content((struct seal_bytes){skippable, sizeof skippable}, 100),
                     SEAL_BAD_COMPRESSION);
    ck_assert_int_eq(open_content((struct seal_bytes){old, sizeof old}, 100), SEAL_BAD_COMPRESSION);
    ck_assert_int_eq(open_content((struct seal_bytes){gzip, sizeof gzip}, 100),
                     SEAL_BAD_COMPRESSION);
}
END_TEST

static long most_memory_kb(void)
{
    struct rusage usage;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* 2 GiB of zeros in 70 KB or so. */
START_TEST(a_bomb)
{
    enum { ROUNDS = 2048, ROUND_BYTES = 1 << 20 };
    uint8_t *zeros = calloc(1, ROUND_BYTES);
    uint8_t *frame = malloc(1 << 20);
    struct compressor *compressor = compressor_new();
    struct seal_output out = {.data = frame, .size = 1 << 20};
    long before_kb = 0;
    bool done = false;

    ck_assert(zeros != NULL && frame != NULL && compressor != NULL);
    for (int i = 0; i < ROUNDS; i++) {
        struct seal_input in = {.data = zeros, .size = ROUND_BYTES};

        ck_assert_int_eq(compressor_step(compressor, &in, &out), SEAL_OK);
        ck_assert_uint_eq(in.used, in.size);
    }
    ck_assert_int_eq(compressor_end(compressor, &out, &done), SEAL_OK);
    ck_assert(done && out.used < 200000);
    before_kb = most_memory_kb();
    ck_assert_int_eq(open_content((struct seal_bytes){frame, out.used}, 4 << 20), SEAL_TOO_LARGE);
    ck_assert_int_lt(most_memory_kb() - before_kb, 64 * 1024);
    compressor_free(compressor);
    free(zeros);
    free(frame);
}
END_TEST

/* A frame that asks its reader for more memory than a window may have. */
START_TEST(a_large_window)
{
    enum { SIZE = 9 << 20 };
    uint8_t *data = malloc(SIZE);
    uint8_t *frame = malloc(SIZE + 1000);
    size_t size = 0;

    ck_assert(data != NULL && frame != NULL);
    for (size_t i = 0; i < SIZE; i++) {
        data[i] = (uint8_t)(i * i >> 7);
    }
    size = frame_of(data, SIZE, 24, frame, SIZE + 1000);
    ck_assert_int_eq(open_content((struct seal_bytes){frame, size}, SIZE), SEAL_BAD_COMPRESSION);
    size = frame_of(data, SIZE, 20, frame, SIZE + 1000);
    ck_assert_int_eq(open_content((struct seal_bytes){frame, size}, SIZE), SEAL_OK);
    free(data);
    free(frame);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compression");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 30);
    tcase_add_test(all, frames);
    tcase_add_test(all, only_zstds_own_frames);
    tcase_add_test(all, a_bomb);
    tcase_add_test(all, a_large_window);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
