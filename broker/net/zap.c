/* SPDX-License-Identifier: EUPL-1.2
 *
 * ZAP requests in, answers out. See zap.h.
 */
#include "net/zap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum {
    ZAP_FRAME_VERSION,
    ZAP_FRAME_ID,
    ZAP_FRAME_DOMAIN,
    ZAP_FRAME_ADDRESS,
    ZAP_FRAME_ROUTING_ID,
    ZAP_FRAME_MECHANISM,
    ZAP_FRAME_CREDENTIALS,
    ZAP_FRAME_COUNT,
};

enum { ZAP_KEY_BYTES = 32, ZAP_METADATA_BYTES = 64 };

void *zap_open(void *context)
{
    void *socket = zmq_socket(context, ZMQ_REP);
    if (socket == NULL) {
        return NULL;
    }
    const int linger = 0;
    if (zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_bind(socket, "inproc://zeromq.zap.01") != 0) {
        (void)zmq_close(socket);
        return NULL;
    }
    return socket;
}

static bool frame_is(zmq_msg_t *frame, const char *text)
{
    const size_t size = strlen(text);
    return zmq_msg_size(frame) == size && memcmp(zmq_msg_data(frame), text, size) == 0;
}

/* Takes over what frame number `index` says. False: not what RFC 27 asks for. */
static bool request_read(struct zap_request *request, size_t index, zmq_msg_t *frame)
{
    switch (index) {
    case ZAP_FRAME_VERSION:
        return frame_is(frame, "1.0");
    case ZAP_FRAME_ID:
        if (zmq_msg_size(frame) > sizeof request->id) {
            return false;
        }
        request->id_size = zmq_msg_size(frame);
        memcpy(request->id, zmq_msg_data(frame), request->id_size);
        return true;
    case ZAP_FRAME_DOMAIN:
        return frame_is(frame, ZAP_DOMAIN);
    case ZAP_FRAME_MECHANISM:
        return frame_is(frame, "CURVE");
    case ZAP_FRAME_CREDENTIALS:
        return zmq_msg_size(frame) == ZAP_KEY_BYTES &&
               zmq_z85_encode(request->key, zmq_msg_data(frame), ZAP_KEY_BYTES) != NULL;
    default:
        return index < ZAP_FRAME_COUNT;
    }
}

bool zap_receive(void *socket, struct zap_request *out_request)
{
    memset(out_request, 0, sizeof *out_request);
    out_request->valid = true;
    size_t count = 0;
    bool more = true;
    while (more) {
        zmq_msg_t frame;
        (void)zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
            (void)zmq_msg_close(&frame);
            return false;
        }
        out_request->valid = request_read(out_request, count, &frame) && out_request->valid;
        more = zmq_msg_more(&frame) != 0;
        (void)zmq_msg_close(&frame);
        count++;
    }
    out_request->valid = out_request->valid && count == ZAP_FRAME_COUNT;
    return true;
}

struct zap_answer {
    const char *status;
    const char *text;
    struct bytes user_id;
    struct bytes metadata;
};

static struct bytes text_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static void answer(void *socket, const struct zap_request *request, const struct zap_answer *say)
{
    const struct bytes frames[] = {
        text_bytes("1.0"),
        {(const uint8_t *)request->id, request->id_size},
        text_bytes(say->status),
        text_bytes(say->text),
        say->user_id,
        say->metadata,
    };
    const size_t count = sizeof frames / sizeof frames[0];
    for (size_t i = 0; i < count; i++) {
        const int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        /* When it fails the asker has gone: the connection died in its handshake. */
        (void)zmq_send(socket, frames[i].data, frames[i].size, flags);
    }
}

/* One ZMTP property: name length, name, value length in 4 bytes, value. */
static size_t metadata_write(uint8_t *out_metadata, uint64_t connection)
{
    const struct bytes name = text_bytes(ZAP_CONNECTION_PROPERTY);
    char value[24];
    const int digits = snprintf(value, sizeof value, "%" PRIu64, connection);
    size_t size = 0;
    out_metadata[size++] = (uint8_t)name.size;
    memcpy(out_metadata + size, name.data, name.size);
    size += name.size;
    memset(out_metadata + size, 0, 3);
    size += 3;
    out_metadata[size++] = (uint8_t)digits;
    memcpy(out_metadata + size, value, (size_t)digits);
    return size + (size_t)digits;
}

void zap_admit(void *socket, const struct zap_request *request, uint64_t connection)
{
    uint8_t metadata[ZAP_METADATA_BYTES];
    const size_t size = metadata_write(metadata, connection);
    const struct zap_answer say = {"200", "", text_bytes(request->key), {metadata, size}};
    answer(socket, request, &say);
}

void zap_refuse(void *socket, const struct zap_request *request)
{
    const struct bytes nothing = {(const uint8_t *)"", 0};
    const struct zap_answer say = {"400", "this key is not registered", nothing, nothing};
    answer(socket, request, &say);
}
