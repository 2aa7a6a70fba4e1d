/* SPDX-License-Identifier: EUPL-1.2
 *
 * Chunks, see stream.h. Writer and reader hold a full chunk back until they know whether another
 * byte follows: only then is it known to be the last or not.
 */
#include "seal/stream.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == STREAM_KEY_BYTES, "RFC 8439");
_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == STREAM_TAG_BYTES, "RFC 8439");

enum {
    NONCE_BYTES = crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
    NONCE_LAST = NONCE_BYTES - 1,
    NONCE_COUNTER = NONCE_LAST - 8, /* the counter has 11 bytes, of which eight are enough */
};

static void place_nonce(struct stream_place place, uint8_t out_nonce[NONCE_BYTES])
{
    memset(out_nonce, 0, NONCE_BYTES);
    seal_put_u64(out_nonce + NONCE_COUNTER, place.index);
    out_nonce[NONCE_LAST] = place.last ? 1 : 0;
}

void stream_seal_chunk(const uint8_t key[STREAM_KEY_BYTES], struct stream_place place,
                       struct seal_bytes plaintext, uint8_t *out)
{
    uint8_t nonce[NONCE_BYTES];

    assert(plaintext.size <= STREAM_CHUNK_BYTES);
    place_nonce(place, nonce);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plaintext.data, plaintext.size, NULL,
                                                    0, NULL, nonce, key);
}

enum seal_status stream_open_chunk(const uint8_t key[STREAM_KEY_BYTES], struct stream_place place,
                                   struct seal_bytes sealed, uint8_t *out)
{
    uint8_t nonce[NONCE_BYTES];

    if (sealed.size < STREAM_TAG_BYTES) {
        return SEAL_CUT_SHORT;
    }
    if (sealed.size > STREAM_SEALED_BYTES) {
        return SEAL_CHUNK_REFUSED;
    }
    place_nonce(place, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.size, NULL,
                                                  0, nonce, key) != 0) {
        return SEAL_CHUNK_REFUSED;
    }
    return SEAL_OK;
}

static size_t frame_bytes(bool framed)
{
    return framed ? STREAM_FRAME_BYTES : 0;
}

void stream_writer_init(struct stream_writer *writer, const uint8_t *key, bool framed)
{
    writer->key = key;
    writer->next = 0;
    writer->framed = framed;
    writer->finished = false;
    writer->payload = 0;
    writer->filled = frame_bytes(framed);
    writer->sealed = 0;
    writer->drained = 0;
}

static void seal_held(struct stream_writer *writer, bool last)
{
    if (writer->framed) {
        seal_put_u32(writer->buffer, (uint32_t)writer->payload);
    }
    stream_seal_chunk(writer->key, (struct stream_place){writer->next, last},
                      (struct seal_bytes){writer->buffer, writer->filled}, writer->buffer);
    writer->sealed = writer->filled + STREAM_TAG_BYTES;
    writer->drained = 0;
}

/* How many more bytes the buffer takes now: 0 when it must be drained first. */
static enum seal_status make_room(struct stream_writer *writer, size_t *out_room)
{
    assert(!writer->finished);
    *out_room = 0;
    if (writer->sealed > 0) {
        return SEAL_OK;
    }
    if (writer->filled < STREAM_CHUNK_BYTES) {
        *out_room = STREAM_CHUNK_BYTES - writer->filled;
        return SEAL_OK;
    }
    if (writer->next + 1 >= STREAM_MOST_CHUNKS) {
        return SEAL_TOO_LONG;
    }
    seal_held(writer, false);
    return SEAL_OK;
}

enum seal_status stream_writer_put(struct stream_writer *writer, struct seal_bytes bytes,
                                   size_t *out_taken)
{
    size_t room = 0;
    enum seal_status status = SEAL_OK;

    *out_taken = 0;
    if (bytes.size == 0) {
        return SEAL_OK;
    }
    status = make_room(writer, &room);
    if (status == SEAL_OK && room > 0) {
        const size_t taken = bytes.size < room ? bytes.size : room;

        memcpy(writer->buffer + writer->filled, bytes.data, taken);
        writer->filled += taken;
        writer->payload += taken;
        *out_taken = taken;
    }
    return status;
}

enum seal_status stream_writer_pad(struct stream_writer *writer, uint64_t zeros, size_t *out_taken)
{
    size_t room = 0;
    enum seal_status status = SEAL_OK;

    assert(writer->framed);
    *out_taken = 0;
    if (zeros == 0) {
        return SEAL_OK;
    }
    status = make_room(writer, &room);
    if (status == SEAL_OK && room > 0) {
        const size_t taken = zeros < room ? (size_t)zeros : room;

        memset(writer->buffer + writer->filled, 0, taken);
        writer->filled += taken;
        *out_taken = taken;
    }
    return status;
}

void stream_writer_finish(struct stream_writer *writer)
{
    assert(!writer->finished && writer->sealed == 0);
    seal_held(writer, true);
    writer->finished = true;
}

bool stream_writer_drain(struct stream_writer *writer, struct seal_output *out)
{
    writer->drained += seal_output_put(out, (struct seal_bytes){writer->buffer + writer->drained,
                                                                writer->sealed - writer->drained});
    if (writer->drained < writer->sealed) {
        return false;
    }
    if (writer->sealed > 0 && !writer->finished) {
        writer->next++;
        writer->payload = 0;
        writer->filled = frame_bytes(writer->framed);
        writer->sealed = 0;
        writer->drained = 0;
    }
    return true;
}

void stream_reader_init(struct stream_reader *reader, const uint8_t *key, bool framed,
                        uint64_t first)
{
    reader->key = key;
    reader->next = first;
    reader->framed = framed;
    reader->zeros = false;
    reader->held = 0;
    reader->opened = 0;
    reader->drained = 0;
}

/* Rule 4: which of the chunk's `size` bytes are payload. */
static enum seal_status read_frame(struct stream_reader *reader, size_t size)
{
    const size_t room = size - STREAM_FRAME_BYTES;
    size_t payload = 0;

    if (size < STREAM_FRAME_BYTES) {
        return SEAL_BAD_PADDING;
    }
    payload = seal_get_u32(reader->buffer);
    if (payload > room || (reader->zeros && payload > 0) ||
        !sodium_is_zero(reader->buffer + STREAM_FRAME_BYTES + payload, room - payload)) {
        return SEAL_BAD_PADDING;
    }
    reader->zeros = reader->zeros || payload < room;
    reader->drained = STREAM_FRAME_BYTES;
    reader->opened = STREAM_FRAME_BYTES + payload;
    return SEAL_OK;
}

static enum seal_status open_held(struct stream_reader *reader, bool last)
{
    const struct seal_bytes sealed = {reader->buffer, reader->held};
    const enum seal_status status = stream_open_chunk(
        reader->key, (struct stream_place){reader->next, last}, sealed, reader->buffer);

    if (status != SEAL_OK) {
        return status;
    }
    reader->next++;
    reader->held = 0;
    if (reader->framed) {
        return read_frame(reader, sealed.size - STREAM_TAG_BYTES);
    }
    reader->drained = 0;
    reader->opened = sealed.size - STREAM_TAG_BYTES;
    return SEAL_OK;
}

enum seal_status stream_reader_put(struct stream_reader *reader, struct seal_bytes bytes,
                                   size_t *out_taken)
{
    const size_t room = STREAM_SEALED_BYTES - reader->held;
    const size_t taken = bytes.size < room ? bytes.size : room;

    *out_taken = 0;
    if (bytes.size == 0 || reader->drained < reader->opened) {
        return SEAL_OK;
    }
    if (room == 0) { /* another byte follows: the chunk is not the last */
        if (reader->next + 1 >= STREAM_MOST_CHUNKS) {
            return SEAL_TOO_LONG;
        }
        return open_held(reader, false);
    }
    memcpy(reader->buffer + reader->held, bytes.data, taken);
    reader->held += taken;
    *out_taken = taken;
    return SEAL_OK;
}

enum seal_status stream_reader_finish(struct stream_reader *reader)
{
    const size_t empty = STREAM_TAG_BYTES + frame_bytes(reader->framed);

    assert(reader->drained == reader->opened);
    if (reader->held < STREAM_TAG_BYTES) {
        return SEAL_CUT_SHORT;
    }
    if (reader->held <= empty && reader->next > 0) {
        return SEAL_EMPTY_CHUNK;
    }
    return open_held(reader, true);
}

struct seal_bytes stream_reader_plain(const struct stream_reader *reader)
{
    return (struct seal_bytes){reader->buffer + reader->drained, reader->opened - reader->drained};
}

void stream_reader_consume(struct stream_reader *reader, size_t size)
{
    assert(size <= reader->opened - reader->drained);
    reader->drained += size;
}
