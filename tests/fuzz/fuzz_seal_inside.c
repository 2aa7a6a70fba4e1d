/* SPDX-License-Identifier: EUPL-1.2
 *
 * What somebody may send who is allowed to seal for us, so that every chunk opens: frames, zeros,
 * compression. Input: flags (two bits), bit 7 for an honest sealer, one byte of most_bytes in KiB,
 * one byte for the sizes of the buffers; then the content.
 *
 * An honest sealer's letter must open to the same bytes. Of another's, which is cut into chunks as
 * it is, no more comes out than allowed, and the same with small buffers as with large ones.
 */
#include "seal/opener.h"
#include "seal/sealer.h"
#include "seal/stream.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONTROL_BYTES = 3,
    ROOM_BYTES = 512 * 1024,
    HONEST = 0x80,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct seal_message MESSAGE = {"id", "a/b"};
static const char RECIPIENT[] = "c/d";

static uint8_t sealed[ROOM_BYTES];
static uint8_t opened[2][ROOM_BYTES];
static uint8_t wrap[SEAL_WRAP_BYTES];

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

static const struct mailbox_key *our_key(void)
{
    static const uint8_t secret[MAILBOX_SECRET_BYTES] = {1, 2, 3, 4};
    static struct mailbox_key *key;

    if (key == NULL) {
        require(mailbox_key_from_secret(secret, 0, MAILBOX_KEY_WEEK_MS, &key) == SEAL_OK);
    }
    return key;
}

/* Header and chunks of `content` in `sealed`; gives their size. */
static size_t seal_as_it_is(struct seal_bytes content, uint16_t flags)
{
    static const uint8_t content_key[SEAL_CONTENT_KEY_BYTES] = {9};
    const struct wrap_terms terms = {&MESSAGE, RECIPIENT, sealed};
    struct seal_header header = {.flags = flags};
    uint8_t stream_key[SEAL_STREAM_KEY_BYTES];
    size_t used = SEAL_HEADER_BYTES;
    uint64_t index = 0;

    seal_header_derive(content_key, flags, &MESSAGE, header.commitment, stream_key);
    seal_header_encode(&header, sealed);
    require(wrap_seal(&terms, mailbox_key_public(our_key()), content_key, wrap) == SEAL_OK);
    do {
        const size_t part = content.size < STREAM_CHUNK_BYTES ? content.size : STREAM_CHUNK_BYTES;

        stream_seal_chunk(stream_key, (struct stream_place){index, part == content.size},
                          (struct seal_bytes){content.data, part}, sealed + used);
        used += part + STREAM_TAG_BYTES;
        content.data += part;
        content.size -= part;
        index++;
    } while (content.size > 0);
    return used;
}

static size_t seal_honestly(struct seal_bytes content, uint16_t flags, size_t step)
{
    const struct seal_request request = {
        .message = MESSAGE,
        .compress = (flags & SEAL_FLAG_ZSTD) != 0,
        .pad = (flags & SEAL_FLAG_PADDED) != 0,
    };
    const struct seal_recipient recipient = {RECIPIENT, mailbox_key_public(our_key()), 0};
    struct seal_output out = {.data = sealed, .size = sizeof sealed};
    struct sealer *sealer = NULL;
    bool done = false;

    require(seal_begin(&request, &sealer) == SEAL_OK);
    require(seal_wrap(sealer, &recipient, wrap) == SEAL_OK);
    (void)seal_output_put(&out, (struct seal_bytes){seal_header(sealer), SEAL_HEADER_BYTES});
    for (size_t at = 0; at < content.size;) {
        struct seal_input in = {.data = content.data + at,
                                .size = content.size - at < step ? content.size - at : step};

        require(seal_update(sealer, &in, &out) == SEAL_OK && in.used > 0);
        at += in.used;
    }
    require(seal_end(sealer, &out, &done) == SEAL_OK && done);
    seal_free(sealer);
    return out.used;
}

/* Opens what is in `sealed` into `room`, `step` bytes at a time on both sides. */
static enum seal_status open_with(size_t size, uint64_t most, size_t step, struct seal_output *room)
{
    const struct open_request request = {
        .message = MESSAGE,
        .recipient = RECIPIENT,
        .header = sealed,
        .wrap = {wrap, sizeof wrap},
        .key = our_key(),
        .most_bytes = most,
    };
    struct opener *opener = NULL;
    enum seal_status status = SEAL_OK;
    bool done = false;

    require(open_begin(&request, &opener) == SEAL_OK);
    for (size_t at = SEAL_HEADER_BYTES; at < size && status == SEAL_OK;) {
        struct seal_input in = {.data = sealed + at, .size = size - at < step ? size - at : step};
        struct seal_output out = {.data = room->data + room->used,
                                  .size = room->size - room->used < step ? room->size - room->used
                                                                         : step};

        status = open_update(opener, &in, &out);
        require(status != SEAL_OK || in.used == in.size || out.used == out.size);
        at += in.used;
        room->used += out.used;
    }
    while (status == SEAL_OK && !done) {
        struct seal_output out = {.data = room->data + room->used,
                                  .size = room->size - room->used < step ? room->size - room->used
                                                                         : step};

        status = open_end(opener, &out, &done);
        room->used += out.used;
    }
    require(room->used <= most);
    open_free(opener);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seal_output large = {.data = opened[0], .size = ROOM_BYTES};
    struct seal_output small = {.data = opened[1], .size = ROOM_BYTES};
    struct seal_bytes content;
    uint64_t most = 0;
    size_t step = 0;
    size_t used = 0;
    enum seal_status status = SEAL_OK;

    if (size < CONTROL_BYTES) {
        return 0;
    }
    content = (struct seal_bytes){data + CONTROL_BYTES, size - CONTROL_BYTES};
    most = (uint64_t)data[1] * 1024;
    step = 64 + (size_t)data[2] * 97;
    if ((data[0] & HONEST) != 0) {
        used = seal_honestly(content, data[0] & SEAL_FLAGS, step);
        require(open_with(used, ROOM_BYTES - 1, step, &large) == SEAL_OK);
        require(large.used == content.size);
        require(content.size == 0 || memcmp(opened[0], content.data, content.size) == 0);
        return 0;
    }
    used = seal_as_it_is(content, data[0] & SEAL_FLAGS);
    status = open_with(used, most, ROOM_BYTES, &large);
    require(open_with(used, most, step, &small) == status);
    require(status != SEAL_OK ||
            (large.used == small.used && memcmp(opened[0], opened[1], large.used) == 0));
    return 0;
}
