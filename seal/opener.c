/* SPDX-License-Identifier: EUPL-1.2
 *
 * Opening, see opener.h. The way of a byte: caller, chunk, expander if any, caller.
 *
 *   running   open_update               -> running
 *   running   open_end, first call      -> finishing (the last chunk is open)
 *   finishing all is out, and is whole  -> over
 *   any       a failure                 -> over
 */
#include "seal/opener.h"

#include <sodium.h>
#include <stdlib.h>

#include "seal/compression.h"
#include "seal/stream.h"

/* In locked memory of their own. */
struct opener_keys {
    uint8_t content[SEAL_CONTENT_KEY_BYTES];
    uint8_t stream[SEAL_STREAM_KEY_BYTES];
};

enum opener_state { RUNNING, FINISHING, OVER };

struct opener {
    enum opener_state state;
    struct opener_keys *keys;
    struct expander *expander; /* NULL: none */
    bool unflushed;            /* the expander filled its output and may have more */
    uint64_t most;             /* payload bytes that may still come out */
    struct stream_reader reader;
};

/* Rule 1 of header.h: the key that was wrapped is the one that the header stands for. */
static enum seal_status check_commitment(const struct open_request *request,
                                         const struct seal_header *header, struct opener_keys *keys)
{
    uint8_t commitment[SEAL_COMMITMENT_BYTES];

    seal_header_derive(keys->content, header->flags, &request->message, commitment, keys->stream);
    return sodium_memcmp(commitment, header->commitment, sizeof commitment) == 0
               ? SEAL_OK
               : SEAL_OTHER_CONTENT_KEY;
}

static enum seal_status unwrap(const struct open_request *request, const struct seal_header *header,
                               struct opener_keys *keys)
{
    const struct wrap_terms terms = {&request->message, request->recipient, request->header};
    const enum seal_status status = wrap_open(&terms, request->key, request->wrap, keys->content);

    return status == SEAL_OK ? check_commitment(request, header, keys) : status;
}

static enum seal_status check_request(const struct open_request *request,
                                      struct seal_header *out_header)
{
    enum seal_status status = seal_message_check(&request->message);

    if (status == SEAL_OK) {
        status = seal_address_check(request->recipient);
    }
    if (status == SEAL_OK) {
        status = seal_header_decode(request->header, out_header);
    }
    if (status != SEAL_OK) {
        return status;
    }
    if (request->first_chunk >= STREAM_MOST_CHUNKS) {
        return SEAL_TOO_LONG;
    }
    return request->first_chunk > 0 && (out_header->flags & SEAL_FLAG_ZSTD) != 0 ? SEAL_NOT_SEEKABLE
                                                                                 : SEAL_OK;
}

enum seal_status open_begin(const struct open_request *request, struct opener **out_opener)
{
    struct seal_header header;
    struct opener *opener = NULL;
    enum seal_status status = check_request(request, &header);

    if (status != SEAL_OK) {
        return status;
    }
    if (sodium_init() < 0) {
        return SEAL_NO_RANDOMNESS;
    }
    opener = calloc(1, sizeof *opener);
    if (opener == NULL) {
        return SEAL_NO_MEMORY;
    }
    opener->keys = sodium_malloc(sizeof *opener->keys);
    status = opener->keys != NULL ? unwrap(request, &header, opener->keys) : SEAL_NO_MEMORY;
    if (status == SEAL_OK && (header.flags & SEAL_FLAG_ZSTD) != 0) {
        opener->expander = expander_new();
        status = opener->expander != NULL ? SEAL_OK : SEAL_NO_MEMORY;
    }
    if (status != SEAL_OK) {
        open_free(opener);
        return status;
    }
    (void)sodium_mprotect_readonly(opener->keys);
    opener->most = request->most_bytes;
    stream_reader_init(&opener->reader, opener->keys->stream,
                       (header.flags & SEAL_FLAG_PADDED) != 0, request->first_chunk);
    *out_opener = opener;
    return SEAL_OK;
}

/* `out`, but no longer than what may still come out. */
static struct seal_output allowed(const struct opener *opener, const struct seal_output *out)
{
    const size_t room = out->size - out->used;

    return (struct seal_output){
        .data = out->data + out->used,
        .size = opener->most < room ? (size_t)opener->most : room,
    };
}

/* Opened bytes go to the caller as they are. */
static enum seal_status deliver_plain(struct opener *opener, struct seal_output *out)
{
    const struct seal_bytes plain = stream_reader_plain(&opener->reader);
    struct seal_output to = allowed(opener, out);
    const size_t put = plain.size > 0 ? seal_output_put(&to, plain) : 0;

    stream_reader_consume(&opener->reader, put);
    out->used += put;
    opener->most -= put;
    return put < plain.size && opener->most == 0 ? SEAL_TOO_LARGE : SEAL_OK;
}

/* One call of the expander. It gets one byte more than is allowed, of our own, when nothing is
 * allowed any more: that tells a frame that ends here from one that goes on. */
static enum seal_status expand_step(struct opener *opener, struct seal_output *out)
{
    const struct seal_bytes plain = stream_reader_plain(&opener->reader);
    struct seal_input in = {.data = plain.data, .size = plain.size};
    struct seal_output to = allowed(opener, out);
    uint8_t beyond = 0;
    const bool spent = opener->most == 0;
    enum seal_status status = SEAL_OK;

    if (spent) {
        to = (struct seal_output){.data = &beyond, .size = sizeof beyond};
    }
    status = expander_step(opener->expander, &in, &to);
    stream_reader_consume(&opener->reader, in.used);
    opener->unflushed = to.used == to.size && !expander_is_done(opener->expander);
    if (status == SEAL_OK && spent && to.used > 0) {
        return SEAL_TOO_LARGE;
    }
    if (!spent) {
        out->used += to.used;
        opener->most -= to.used;
    }
    return status;
}

static enum seal_status deliver_expanded(struct opener *opener, struct seal_output *out)
{
    while ((opener->unflushed || stream_reader_plain(&opener->reader).size > 0) &&
           (out->used < out->size || opener->most == 0)) {
        const enum seal_status status = expand_step(opener, out);

        if (status != SEAL_OK) {
            return status;
        }
    }
    return SEAL_OK;
}

/* What has been opened goes to the caller; *out_empty when nothing is left inside. */
static enum seal_status deliver(struct opener *opener, struct seal_output *out, bool *out_empty)
{
    const enum seal_status status =
        opener->expander != NULL ? deliver_expanded(opener, out) : deliver_plain(opener, out);

    *out_empty = !opener->unflushed && stream_reader_plain(&opener->reader).size == 0;
    return status;
}

static enum seal_status update(struct opener *opener, struct seal_input *in,
                               struct seal_output *out)
{
    for (;;) {
        bool empty = false;
        size_t taken = 0;
        enum seal_status status = deliver(opener, out, &empty);

        if (status != SEAL_OK || !empty || in->used == in->size) {
            return status;
        }
        status = stream_reader_put(
            &opener->reader, (struct seal_bytes){in->data + in->used, in->size - in->used}, &taken);
        if (status != SEAL_OK) {
            return status;
        }
        in->used += taken;
    }
}

enum seal_status open_update(struct opener *opener, struct seal_input *in, struct seal_output *out)
{
    enum seal_status status = SEAL_OK;

    if (opener->state != RUNNING) {
        return SEAL_OVER;
    }
    status = update(opener, in, out);
    if (status != SEAL_OK) {
        opener->state = OVER;
    }
    return status;
}

static enum seal_status finish(struct opener *opener, struct seal_output *out, bool *out_done)
{
    bool empty = false;
    enum seal_status status = deliver(opener, out, &empty);

    if (status == SEAL_OK && empty && opener->state == RUNNING) {
        opener->state = FINISHING;
        status = stream_reader_finish(&opener->reader);
        if (status == SEAL_OK) {
            status = deliver(opener, out, &empty);
        }
    }
    if (status != SEAL_OK || !empty || opener->state != FINISHING) {
        return status;
    }
    if (opener->expander != NULL && !expander_is_done(opener->expander)) {
        return SEAL_BAD_COMPRESSION;
    }
    *out_done = true;
    return SEAL_OK;
}

enum seal_status open_end(struct opener *opener, struct seal_output *out, bool *out_done)
{
    enum seal_status status = SEAL_OK;

    *out_done = false;
    if (opener->state == OVER) {
        return SEAL_OVER;
    }
    status = finish(opener, out, out_done);
    if (status != SEAL_OK || *out_done) {
        opener->state = OVER;
    }
    return status;
}

uint64_t open_chunk_bytes(const struct opener *opener)
{
    return STREAM_CHUNK_BYTES - (opener->reader.framed ? STREAM_FRAME_BYTES : 0);
}

void open_free(struct opener *opener)
{
    if (opener != NULL) {
        sodium_free(opener->keys);
        expander_free(opener->expander);
        sodium_memzero(opener, sizeof *opener);
        free(opener);
    }
}
