/* SPDX-License-Identifier: EUPL-1.2
 *
 * Sealing, see sealer.h. The way of a byte: caller, compressor if any, chunk, caller.
 *
 *   running     seal_update                 -> running
 *   running     seal_end, first call        -> compressing or padding
 *   compressing the frame's end is out      -> padding
 *   padding     the last zero is in a chunk -> last
 *   last        the last chunk is sealed    -> draining
 *   draining    all is out                  -> over
 *   any         a failure                   -> over
 */
#include "seal/sealer.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "seal/compression.h"
#include "seal/padding.h"
#include "seal/stream.h"

enum { SQUEEZED_BYTES = 16 * 1024 }; /* between compressor and chunk */

/* In locked memory of their own. */
struct sealer_keys {
    uint8_t content[SEAL_CONTENT_KEY_BYTES];
    uint8_t stream[SEAL_STREAM_KEY_BYTES];
};

enum sealer_state { RUNNING, COMPRESSING, PADDING, LAST, DRAINING, OVER };

struct sealer {
    enum sealer_state state;
    struct sealer_keys *keys;
    struct compressor *compressor; /* NULL: none */
    struct seal_output squeezed;   /* its output, of which squeezed_used has gone into chunks */
    size_t squeezed_used;
    bool frame_ended;
    uint64_t payload; /* bytes in chunks so far: after compression, before padding */
    uint64_t zeros;   /* of padding, still to come */
    bool pad;
    uint8_t header[SEAL_HEADER_BYTES];
    char id[SEAL_ID_BYTES + 1];
    char sender[SEAL_ADDRESS_BYTES + 1];
    struct stream_writer writer;
    uint8_t squeezed_bytes[SQUEEZED_BYTES];
};

static struct seal_message message_of(const struct sealer *sealer)
{
    return (struct seal_message){sealer->id, sealer->sender};
}

/* A fresh content key, and what follows from it. */
static void make_keys(struct sealer *sealer, uint16_t flags)
{
    const struct seal_message message = message_of(sealer);
    struct seal_header header = {.flags = flags};

    randombytes_buf(sealer->keys->content, sizeof sealer->keys->content);
    seal_header_derive(sealer->keys->content, flags, &message, header.commitment,
                       sealer->keys->stream);
    seal_header_encode(&header, sealer->header);
    (void)sodium_mprotect_readonly(sealer->keys);
}

enum seal_status seal_begin(const struct seal_request *request, struct sealer **out_sealer)
{
    const uint16_t flags = (uint16_t)((request->compress ? SEAL_FLAG_ZSTD : 0) |
                                      (request->pad ? SEAL_FLAG_PADDED : 0));
    struct sealer *sealer = NULL;
    enum seal_status status = seal_message_check(&request->message);

    if (status != SEAL_OK) {
        return status;
    }
    if (sodium_init() < 0) {
        return SEAL_NO_RANDOMNESS;
    }
    sealer = calloc(1, sizeof *sealer);
    if (sealer == NULL) {
        return SEAL_NO_MEMORY;
    }
    sealer->keys = sodium_malloc(sizeof *sealer->keys);
    sealer->compressor = request->compress ? compressor_new() : NULL;
    if (sealer->keys == NULL || (request->compress && sealer->compressor == NULL)) {
        seal_free(sealer);
        return SEAL_NO_MEMORY;
    }
    memcpy(sealer->id, request->message.id, strlen(request->message.id));
    memcpy(sealer->sender, request->message.sender, strlen(request->message.sender));
    sealer->pad = request->pad;
    sealer->squeezed =
        (struct seal_output){.data = sealer->squeezed_bytes, .size = sizeof sealer->squeezed_bytes};
    make_keys(sealer, flags);
    stream_writer_init(&sealer->writer, sealer->keys->stream, request->pad);
    *out_sealer = sealer;
    return SEAL_OK;
}

const uint8_t *seal_header(const struct sealer *sealer)
{
    return sealer->header;
}

enum seal_status seal_wrap(const struct sealer *sealer, const struct seal_recipient *recipient,
                           uint8_t out_wrap[SEAL_WRAP_BYTES])
{
    const struct seal_message message = message_of(sealer);
    const struct wrap_terms terms = {&message, recipient->address, sealer->header};
    const enum seal_status status = seal_address_check(recipient->address);

    if (status != SEAL_OK) {
        return status;
    }
    if (!mailbox_public_is_valid_at(recipient->key, recipient->now_ms)) {
        return SEAL_KEY_NOT_VALID_NOW;
    }
    return wrap_seal(&terms, recipient->key, sealer->keys->content, out_wrap);
}

/* Moves `bytes` into chunks and chunks out, as far as it goes; *out_taken of them are in. */
static enum seal_status write_chunks(struct sealer *sealer, struct seal_bytes bytes,
                                     struct seal_output *out, size_t *out_taken)
{
    *out_taken = 0;
    while (stream_writer_drain(&sealer->writer, out) && *out_taken < bytes.size) {
        const struct seal_bytes rest = {bytes.data + *out_taken, bytes.size - *out_taken};
        size_t taken = 0;
        const enum seal_status status = stream_writer_put(&sealer->writer, rest, &taken);

        if (status != SEAL_OK) {
            return status;
        }
        *out_taken += taken;
        sealer->payload += taken;
    }
    return SEAL_OK;
}

/* What the compressor has given goes into chunks; true in *out_empty when all of it did. */
static enum seal_status write_squeezed(struct sealer *sealer, struct seal_output *out,
                                       bool *out_empty)
{
    const struct seal_bytes rest = {sealer->squeezed.data + sealer->squeezed_used,
                                    sealer->squeezed.used - sealer->squeezed_used};
    size_t taken = 0;
    const enum seal_status status = write_chunks(sealer, rest, out, &taken);

    sealer->squeezed_used += taken;
    *out_empty = sealer->squeezed_used == sealer->squeezed.used;
    if (*out_empty) {
        sealer->squeezed.used = 0;
        sealer->squeezed_used = 0;
    }
    return status;
}

static enum seal_status update_compressed(struct sealer *sealer, struct seal_input *in,
                                          struct seal_output *out)
{
    for (;;) {
        bool empty = false;
        enum seal_status status = write_squeezed(sealer, out, &empty);

        if (status != SEAL_OK || !empty || in->used == in->size) {
            return status;
        }
        status = compressor_step(sealer->compressor, in, &sealer->squeezed);
        if (status != SEAL_OK) {
            return status;
        }
    }
}

static enum seal_status update_plain(struct sealer *sealer, struct seal_input *in,
                                     struct seal_output *out)
{
    const struct seal_bytes rest = {in->data + in->used, in->size - in->used};
    size_t taken = 0;
    const enum seal_status status = write_chunks(sealer, rest, out, &taken);

    in->used += taken;
    return status;
}

enum seal_status seal_update(struct sealer *sealer, struct seal_input *in, struct seal_output *out)
{
    enum seal_status status = SEAL_OK;

    if (sealer->state != RUNNING) {
        return SEAL_OVER;
    }
    if (in->used == in->size) {
        return SEAL_OK;
    }
    status = sealer->compressor != NULL ? update_compressed(sealer, in, out)
                                        : update_plain(sealer, in, out);
    if (status != SEAL_OK) {
        sealer->state = OVER;
    }
    return status;
}

/* The compressor's end, until all of it is in chunks. */
static enum seal_status end_compressed(struct sealer *sealer, struct seal_output *out)
{
    for (;;) {
        bool empty = false;
        enum seal_status status = write_squeezed(sealer, out, &empty);

        if (status != SEAL_OK || !empty) {
            return status;
        }
        if (sealer->frame_ended) {
            sealer->state = PADDING;
            return SEAL_OK;
        }
        status = compressor_end(sealer->compressor, &sealer->squeezed, &sealer->frame_ended);
        if (status != SEAL_OK) {
            return status;
        }
    }
}

static enum seal_status end_padding(struct sealer *sealer, struct seal_output *out)
{
    while (stream_writer_drain(&sealer->writer, out)) {
        size_t taken = 0;
        const enum seal_status status = stream_writer_pad(&sealer->writer, sealer->zeros, &taken);

        if (status != SEAL_OK) {
            return status;
        }
        sealer->zeros -= taken;
        if (sealer->zeros == 0) {
            sealer->state = LAST;
            return SEAL_OK;
        }
    }
    return SEAL_OK;
}

/* One step of the end; the state tells what comes next, and stays where `out` is full. */
static enum seal_status end_step(struct sealer *sealer, struct seal_output *out)
{
    switch (sealer->state) {
    case RUNNING:
        sealer->state = sealer->compressor != NULL ? COMPRESSING : PADDING;
        return SEAL_OK;
    case COMPRESSING:
        return end_compressed(sealer, out);
    case PADDING:
        if (!sealer->pad) {
            sealer->state = LAST;
            return SEAL_OK;
        }
        if (sealer->zeros == 0) {
            sealer->zeros = padding_length(sealer->payload) - sealer->payload;
        }
        return end_padding(sealer, out);
    case LAST:
        if (stream_writer_drain(&sealer->writer, out)) {
            stream_writer_finish(&sealer->writer);
            sealer->state = DRAINING;
        }
        return SEAL_OK;
    case DRAINING:
        if (stream_writer_drain(&sealer->writer, out)) {
            sealer->state = OVER;
        }
        return SEAL_OK;
    case OVER:
    default:
        return SEAL_OVER;
    }
}

enum seal_status seal_end(struct sealer *sealer, struct seal_output *out, bool *out_done)
{
    *out_done = false;
    for (;;) {
        const enum sealer_state before = sealer->state;
        const enum seal_status status = end_step(sealer, out);

        if (status != SEAL_OK) {
            sealer->state = OVER;
            return status;
        }
        if (sealer->state == OVER) {
            *out_done = true;
            return SEAL_OK;
        }
        if (sealer->state == before) { /* `out` is full */
            return SEAL_OK;
        }
    }
}

void seal_free(struct sealer *sealer)
{
    if (sealer != NULL) {
        sodium_free(sealer->keys);
        compressor_free(sealer->compressor);
        sodium_memzero(sealer, sizeof *sealer);
        free(sealer);
    }
}
