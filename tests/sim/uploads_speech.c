/* SPDX-License-Identifier: EUPL-1.2
 *
 * See uploads_state.h. What the two clients of a run say.
 */
#include "core/limits.h"
#include "relais/v1/envelope.pb-c.h"
#include "uploads_state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    NOISE_SHIFT = 4099, /* no two messages have the same bytes in one place */
    ID_BYTES = 8,
    DIGEST_BYTES = 32,
    PACKED_BYTES = 256,
    CREDIT = 500,
};

const uint8_t *uploads_bytes(const struct uploads *run, unsigned message, uint64_t offset)
{
    return run->noise + (uint64_t)message * NOISE_SHIFT + offset;
}

/* What clients say. */

static void speak(struct uploads *run, unsigned end, const Relais__V1__ToBroker *command,
                  struct bytes body)
{
    uint8_t *data = NULL;
    struct buffer *buffers[2] = {
        buffer_new(relais__v1__to_broker__get_packed_size(command), &data)};
    relais__v1__to_broker__pack(command, data);
    struct bytes frames[2] = {buffers[0]->bytes};
    if (body.size > 0) {
        buffers[1] = buffer_new(body.size, &data);
        memcpy(data, body.data, body.size);
        frames[1] = buffers[1]->bytes;
    }
    struct event event = {.kind = EVENT_FRAMES};
    event.frames.connection = run->lines[end];
    event.frames.key = end == 0 ? UPLOADS_SENDER : UPLOADS_RECEIVER;
    event.frames.frames = frames;
    event.frames.buffers = buffers;
    event.frames.frame_count = body.size > 0 ? 2 : 1;
    uploads_step(run, &event);
    buffer_unref(buffers[0]);
    buffer_unref(buffers[1]);
}

void uploads_say_hello(struct uploads *run, unsigned end)
{
    Relais__V1__Hello hello = RELAIS__V1__HELLO__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    hello.major = 1;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_HELLO;
    command.hello = &hello;
    run->lines[end] = ++run->last_line;
    speak(run, end, &command, (struct bytes){0});
}

void uploads_say_upload(struct uploads *run, unsigned message)
{
    Relais__V1__Upload upload = RELAIS__V1__UPLOAD__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    char id[ID_BYTES];
    (void)snprintf(id, sizeof id, "%u", message);
    upload.upload = ++run->last_upload;
    upload.id = id;
    upload.flow = "F";
    upload.payload_bytes = run->cargo[message].bytes;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_UPLOAD;
    command.upload = &upload;
    run->cargo[message].number = upload.upload;
    run->cargo[message].durable = 0;
    speak(run, 0, &command, (struct bytes){0});
}

void uploads_say_chunk(struct uploads *run, unsigned message)
{
    struct cargo *cargo = &run->cargo[message];
    Relais__V1__Chunk chunk = RELAIS__V1__CHUNK__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    uint64_t left = cargo->bytes - cargo->next;
    size_t size = left < LIMIT_CHUNK_BYTES ? (size_t)left : LIMIT_CHUNK_BYTES;
    chunk.upload = cargo->number;
    chunk.offset = cargo->next;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_CHUNK;
    command.chunk = &chunk;
    struct bytes body = {uploads_bytes(run, message, cargo->next), size};
    cargo->next += size;
    speak(run, 0, &command, body);
}

void uploads_say_submit(struct uploads *run, unsigned message)
{
    char *to[] = {UPLOADS_TO};
    uint8_t digest[DIGEST_BYTES] = {0};
    uint8_t packed[PACKED_BYTES];
    char id[ID_BYTES];
    Relais__V1__Envelope envelope = RELAIS__V1__ENVELOPE__INIT;
    Relais__V1__Part part = RELAIS__V1__PART__INIT;
    Relais__V1__Part *parts[] = {&part};
    Relais__V1__Submit submit = RELAIS__V1__SUBMIT__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    (void)snprintf(id, sizeof id, "%u", message);
    envelope.id = id;
    envelope.source = envelope.type = "sim";
    envelope.flow = "F";
    envelope.n_to = 1;
    envelope.to = to;
    envelope.payload_size = run->cargo[message].bytes;
    envelope.payload_digest.data = digest;
    envelope.payload_digest.len = sizeof digest;
    assert(relais__v1__envelope__get_packed_size(&envelope) <= sizeof packed);
    part.envelope_bytes = (uint32_t)relais__v1__envelope__pack(&envelope, packed);
    part.upload = run->cargo[message].number;
    submit.first_number = ++run->last_number;
    submit.n_parts = 1;
    submit.parts = parts;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_SUBMIT;
    command.submit = &submit;
    run->cargo[message].submitted = run->last_number;
    speak(run, 0, &command, (struct bytes){packed, part.envelope_bytes});
}

void uploads_say_attach(struct uploads *run)
{
    Relais__V1__Attach attach = RELAIS__V1__ATTACH__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    attach.consumer = 1;
    attach.address = UPLOADS_TO;
    attach.credit = CREDIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ATTACH;
    command.attach = &attach;
    speak(run, 1, &command, (struct bytes){0});
}

void uploads_say_fetch(struct uploads *run, const struct cargo *cargo)
{
    Relais__V1__Fetch fetch = RELAIS__V1__FETCH__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    uint64_t left = cargo->bytes - cargo->got;
    uint32_t most = left < LIMIT_CHUNK_BYTES ? (uint32_t)left : LIMIT_CHUNK_BYTES;
    fetch.consumer = 1;
    fetch.tag = cargo->tag;
    fetch.offset = cargo->got;
    fetch.bytes = chance_is(&run->chance, 300) ? chance_between(&run->chance, 1, most) : most;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_FETCH;
    command.fetch = &fetch;
    speak(run, 1, &command, (struct bytes){0});
}

void uploads_say_answer(struct uploads *run, struct cargo *cargo)
{
    Relais__V1__Range range = RELAIS__V1__RANGE__INIT;
    Relais__V1__Range *ranges[] = {&range};
    Relais__V1__Ack ack = RELAIS__V1__ACK__INIT;
    Relais__V1__Nack nack = RELAIS__V1__NACK__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    bool whole = cargo->got == cargo->bytes;
    range.first = range.last = cargo->tag;
    ack.consumer = nack.consumer = 1;
    ack.n_tags = nack.n_tags = 1;
    ack.tags = nack.tags = ranges;
    command.command_case =
        whole ? RELAIS__V1__TO_BROKER__COMMAND_ACK : RELAIS__V1__TO_BROKER__COMMAND_NACK;
    if (whole) {
        command.ack = &ack;
    } else {
        command.nack = &nack;
    }
    cargo->acked = whole;
    cargo->tag = 0;
    speak(run, 1, &command, (struct bytes){0});
}
