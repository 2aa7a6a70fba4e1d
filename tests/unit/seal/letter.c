/* SPDX-License-Identifier: EUPL-1.2
 *
 * See letter.h. Buffers have the exact size of a step, so that a sanitizer sees a byte too much.
 */
#include "letter.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct mailbox_key *letter_key(uint8_t seed)
{
    uint8_t secret[MAILBOX_SECRET_BYTES];
    struct mailbox_key *key = NULL;

    memset(secret, seed, sizeof secret);
    ck_assert_int_eq(mailbox_key_from_secret(secret, LETTER_FROM_MS, LETTER_UNTIL_MS, &key),
                     SEAL_OK);
    return key;
}

/* Memory grows by the block: a test that takes a byte at a time is not to copy all at each. */
static void append(uint8_t **bytes, size_t *size, const struct seal_output *out)
{
    const size_t blocks = (*size + out->used) / BLOCK_BYTES + 1;

    if (*bytes == NULL || blocks != *size / BLOCK_BYTES + 1) {
        *bytes = realloc(*bytes, blocks * BLOCK_BYTES);
        ck_assert_ptr_nonnull(*bytes);
    }
    memcpy(*bytes + *size, out->data, out->used);
    *size += out->used;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void run_sealer(struct sealer *sealer, struct seal_bytes payload, struct letter_steps steps,
                       struct letter *letter)
{
    uint8_t *room = malloc(steps.out);
    bool done = false;

    ck_assert_ptr_nonnull(room);
    for (size_t at = 0; at < payload.size;) {
        struct seal_input in = {.data = payload.data + at,
                                .size = least(steps.in, payload.size - at)};
        struct seal_output out = {.data = room, .size = steps.out};

        ck_assert_int_eq(seal_update(sealer, &in, &out), SEAL_OK);
        ck_assert(in.used == in.size || out.used == out.size);
        append(&letter->sealed, &letter->size, &out);
        at += in.used;
    }
    while (!done) {
        struct seal_output out = {.data = room, .size = steps.out};

        ck_assert_int_eq(seal_end(sealer, &out, &done), SEAL_OK);
        ck_assert(done || out.used == out.size);
        append(&letter->sealed, &letter->size, &out);
    }
    free(room);
}

struct letter letter_seal(const struct mailbox_key *key, const struct seal_request *options,
                          struct seal_bytes payload, struct letter_steps steps)
{
    const struct seal_request request = {
        .message = {LETTER_ID, LETTER_SENDER}, .compress = options->compress, .pad = options->pad};
    const struct seal_recipient recipient = {LETTER_RECIPIENT, mailbox_key_public(key),
                                             LETTER_FROM_MS};
    struct letter letter = {0};
    struct sealer *sealer = NULL;

    ck_assert_int_eq(seal_begin(&request, &sealer), SEAL_OK);
    ck_assert_int_eq(seal_wrap(sealer, &recipient, letter.wrap), SEAL_OK);
    append(&letter.sealed, &letter.size,
           &(struct seal_output){.data = (uint8_t *)seal_header(sealer),
                                 .size = SEAL_HEADER_BYTES,
                                 .used = SEAL_HEADER_BYTES});
    run_sealer(sealer, payload, steps, &letter);
    seal_free(sealer);
    return letter;
}

void letter_free(struct letter *letter)
{
    free(letter->sealed);
    letter->sealed = NULL;
}

struct open_request letter_request(const struct letter *letter, const struct mailbox_key *key)
{
    return (struct open_request){
        .message = {LETTER_ID, LETTER_SENDER},
        .recipient = LETTER_RECIPIENT,
        .header = letter->sealed,
        .wrap = {letter->wrap, sizeof letter->wrap},
        .key = key,
        .most_bytes = UINT64_C(1) << 40,
    };
}

struct seal_bytes letter_chunks(const struct letter *letter)
{
    return (struct seal_bytes){letter->sealed + SEAL_HEADER_BYTES,
                               letter->size - SEAL_HEADER_BYTES};
}

static enum seal_status run_opener(struct opener *opener, struct seal_bytes chunks,
                                   struct letter_steps steps, struct letter_bytes *payload)
{
    uint8_t *room = malloc(steps.out);
    enum seal_status status = SEAL_OK;
    bool done = false;

    ck_assert_ptr_nonnull(room);
    for (size_t at = 0; at < chunks.size && status == SEAL_OK;) {
        struct seal_input in = {.data = chunks.data + at,
                                .size = least(steps.in, chunks.size - at)};
        struct seal_output out = {.data = room, .size = steps.out};

        status = open_update(opener, &in, &out);
        ck_assert(status != SEAL_OK || in.used == in.size || out.used == out.size);
        if (payload != NULL) {
            append(&payload->data, &payload->size, &out);
        }
        at += in.used;
    }
    while (status == SEAL_OK && !done) {
        struct seal_output out = {.data = room, .size = steps.out};

        status = open_end(opener, &out, &done);
        ck_assert(status != SEAL_OK || done || out.used == out.size);
        if (payload != NULL) {
            append(&payload->data, &payload->size, &out);
        }
    }
    if (status != SEAL_OK) { /* a failure is for good */
        struct seal_output out = {.data = room, .size = steps.out};

        ck_assert_int_eq(open_end(opener, &out, &done), SEAL_OVER);
    }
    free(room);
    return status;
}

enum seal_status letter_open(const struct open_request *request, struct seal_bytes chunks,
                             struct letter_steps steps, struct letter_bytes *out_payload)
{
    struct letter_bytes payload = {0};
    struct opener *opener = NULL;
    enum seal_status status = open_begin(request, &opener);

    if (status != SEAL_OK) {
        ck_assert_ptr_null(opener);
        return status;
    }
    status = run_opener(opener, chunks, steps, out_payload != NULL ? &payload : NULL);
    open_free(opener);
    if (status != SEAL_OK) {
        free(payload.data);
        return status;
    }
    if (out_payload != NULL) {
        *out_payload = payload;
    }
    return SEAL_OK;
}

enum seal_status letter_try(const struct letter *letter, const struct mailbox_key *key)
{
    const struct open_request request = letter_request(letter, key);
    const struct letter_steps steps = {1 << 20, 1 << 20};
    struct letter_bytes payload = {0};
    const enum seal_status status = letter_open(&request, letter_chunks(letter), steps, &payload);

    free(payload.data);
    return status;
}
