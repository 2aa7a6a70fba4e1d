/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "Large payloads": what is said of an upload and of a fetch, who may, and that
 * what is on its way is bounded.
 */
#include "core/limits.h"
#include "heard.h"

#include <stdlib.h>
#include <string.h>

#define BOX "commune-76540/etat-civil"

enum { CHUNK = LIMIT_CHUNK_BYTES, WINDOW_CHUNKS = LIMIT_UPLOAD_WINDOW_BYTES / CHUNK };

static void say_upload_of(struct world *world, uint64_t connection, const char *key,
                          uint32_t number, const char *id, uint64_t bytes, const char *flow)
{
    Relais__V1__Upload upload = RELAIS__V1__UPLOAD__INIT;
    upload.upload = number;
    upload.id = (char *)id;
    upload.flow = (char *)flow;
    upload.payload_bytes = bytes;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_UPLOAD;
    command.upload = &upload;
    world_say(world, connection, key, &command);
}

static void say_upload(struct world *world, uint32_t number, const char *id, uint64_t bytes)
{
    say_upload_of(world, 1, DILA, number, id, bytes, "ETATCIVIL");
}

/* Each byte of a payload says where it is. */
static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 31 + offset / 251);
}

static void say_chunk_of(struct world *world, uint64_t connection, const char *key, uint32_t number,
                         uint64_t offset, size_t size)
{
    uint8_t *data = malloc(size);
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < size; i++) {
        data[i] = byte_at(offset + i);
    }
    Relais__V1__Chunk chunk = RELAIS__V1__CHUNK__INIT;
    chunk.upload = number;
    chunk.offset = offset;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_CHUNK;
    command.chunk = &chunk;
    world_say_with(world, connection, key, &command, (struct bytes){data, size});
    free(data);
}

static void say_chunk(struct world *world, uint32_t number, uint64_t offset, size_t size)
{
    say_chunk_of(world, 1, DILA, number, offset, size);
}

static const Relais__V1__UploadState *state(struct world *world, uint64_t connection)
{
    world_turn(world);
    return heard(world, connection, TOLD(UPLOAD_STATE))->upload_state;
}

static void state_is(struct world *world, uint32_t number, uint64_t durable)
{
    const Relais__V1__UploadState *told = state(world, 1);
    ck_assert_uint_eq(told->upload, number);
    ck_assert_uint_eq(told->durable_bytes, durable);
    ck_assert_uint_eq(told->chunk_bytes, CHUNK);
    ck_assert_ptr_null(told->reason);
}

static void state_fails(struct world *world, uint32_t number, Relais__V1__Code code,
                        const char *field)
{
    const Relais__V1__UploadState *told = state(world, 1);
    ck_assert_uint_eq(told->upload, number);
    heard_error(told->reason, code, field);
}

static void say_submit(struct world *world, uint64_t number, const char *id, uint32_t upload,
                       uint64_t bytes)
{
    struct message message;
    message_init(&message, id);
    message.payload_bytes = 0;
    message.upload = upload;
    message.envelope.payload_size = bytes;
    world_submit(world, 1, DILA, number, &message, 1);
    world_turn(world);
}

static void refused(struct world *world, Relais__V1__Code code, const char *field)
{
    const Relais__V1__Refused *told = heard(world, 1, TOLD(REFUSED))->refused;
    ck_assert_uint_eq(told->n_refusals, 1);
    heard_error(told->refusals[0]->error, code, field);
}

/* Uploaded and accepted as number 1 of connection 1. */
static void send_large(struct world *world, uint64_t bytes)
{
    say_upload(world, 5, "big", bytes);
    state_is(world, 5, 0);
    for (uint64_t offset = 0; offset < bytes; offset += CHUNK) {
        uint64_t left = bytes - offset;
        size_t size = left < CHUNK ? (size_t)left : CHUNK;
        say_chunk(world, 5, offset, size);
        state_is(world, 5, offset + size);
    }
    say_submit(world, 1, "big", 5, bytes);
    heard_accepted(world, 1, 1, 1);
}

static void say_fetch(struct world *world, uint64_t tag, uint64_t offset, uint32_t bytes)
{
    Relais__V1__Fetch fetch = RELAIS__V1__FETCH__INIT;
    fetch.consumer = 1;
    fetch.tag = tag;
    fetch.offset = offset;
    fetch.bytes = bytes;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_FETCH;
    command.fetch = &fetch;
    world_say(world, 2, ROUEN, &command);
}

static void fetched_is(struct world *world, uint64_t tag, uint64_t offset, uint32_t bytes)
{
    const struct told *told = world_hear_told(world, 2);
    ck_assert_ptr_nonnull(told);
    ck_assert_int_eq(told->command->command_case, TOLD(FETCHED));
    ck_assert_uint_eq(told->command->fetched->consumer, 1);
    ck_assert_uint_eq(told->command->fetched->tag, tag);
    ck_assert_uint_eq(told->command->fetched->offset, offset);
    ck_assert_ptr_null(told->command->fetched->reason);
    ck_assert_uint_eq(told->message_count, 1);
    ck_assert_uint_eq(told->messages[0].payload.size, bytes);
    uint32_t same = 0;
    while (same < bytes && told->messages[0].payload.data[same] == byte_at(offset + same)) {
        same++;
    }
    ck_assert_uint_eq(same, bytes);
}

static void fetch_fails(struct world *world, Relais__V1__Code code, const char *field)
{
    world_turn(world);
    heard_error(heard(world, 2, TOLD(FETCHED))->fetched->reason, code, field);
}

START_TEST(a_large_payload_goes_through)
{
    const uint64_t bytes = 2 * (uint64_t)CHUNK + 100;
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 5);
    send_large(&world, bytes);
    const Relais__V1__Deliver *deliver = heard_deliver(&world, 2, 1);
    ck_assert_uint_eq(deliver->deliveries[0]->stored_bytes, bytes);
    ck_assert_uint_eq(deliver->deliveries[0]->part->payload_bytes, 0);
    say_fetch(&world, 1, 0, CHUNK);
    say_fetch(&world, 1, CHUNK, CHUNK);
    say_fetch(&world, 1, bytes - 5, 5);
    world_turn(&world);
    fetched_is(&world, 1, 0, CHUNK);
    fetched_is(&world, 1, CHUNK, CHUNK);
    fetched_is(&world, 1, bytes - 5, 5);
    world_ack(&world, 2, ROUEN, 1, 1, 1);
    world_turn(&world);
    heard_settled(&world, 2, 1, 1, 1);
    world_fini(&world);
}
END_TEST

START_TEST(it_goes_on_where_it_was)
{
    const uint64_t bytes = 3 * (uint64_t)CHUNK;
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    say_upload(&world, 1, "big", bytes);
    state_is(&world, 1, 0);
    say_chunk(&world, 1, 0, CHUNK);
    say_chunk(&world, 1, CHUNK, CHUNK);
    state_is(&world, 1, 2 * (uint64_t)CHUNK); /* one state for both */
    world_closed(&world, 1);
    world_flush(&world);
    greet(&world, 1, DILA);
    say_upload(&world, 9, "big", bytes);
    state_is(&world, 9, 2 * (uint64_t)CHUNK);
    say_submit(&world, 1, "big", 9, bytes);
    refused(&world, CODE(INCOMPLETE), "submit.parts[0].upload");
    say_chunk(&world, 9, 2 * (uint64_t)CHUNK, CHUNK);
    state_is(&world, 9, bytes);
    say_submit(&world, 2, "other", 9, bytes);
    refused(&world, CODE(FIELD_INVALID), "submit.parts[0].envelope.id");
    say_submit(&world, 3, "big", 9, bytes - 1);
    refused(&world, CODE(FIELD_INVALID), "submit.parts[0].envelope.payload_size");
    say_submit(&world, 4, "big", 9, bytes);
    heard_accepted(&world, 1, 4, 4);
    say_submit(&world, 5, "big", 9, bytes);
    refused(&world, CODE(UNKNOWN_UPLOAD), "submit.parts[0].upload");
    /* Accepted was lost: begun again, it is there, and the message is known. */
    say_upload(&world, 10, "big", bytes);
    state_is(&world, 10, bytes);
    say_submit(&world, 6, "big", 10, bytes);
    heard_accepted(&world, 1, 6, 6);
    world_fini(&world);
}
END_TEST

START_TEST(nothing_is_accepted_before_it_is_on_disk)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    say_upload(&world, 1, "big", CHUNK);
    say_chunk(&world, 1, 0, CHUNK); /* too early */
    state_fails(&world, 1, CODE(FIELD_INVALID), "chunk.offset");
    say_upload(&world, 2, "big", CHUNK);
    state_is(&world, 2, 0);
    say_chunk(&world, 2, 0, CHUNK);
    world_flush(&world);
    ck_assert_ptr_null(world_hear(&world, 1));
    struct message message;
    message_init(&message, "big");
    message.payload_bytes = 0;
    message.upload = 2;
    message.envelope.payload_size = CHUNK;
    world_submit(&world, 1, DILA, 1, &message, 1);
    refused(&world, CODE(INCOMPLETE), "submit.parts[0].upload");
    state_is(&world, 2, CHUNK);
    world_fini(&world);
}
END_TEST

START_TEST(who_may_upload_what)
{
    struct core_settings settings;
    struct world world;
    core_settings_init(&settings);
    settings.stored_bytes = 1000;
    world_init(&world, &settings);
    greet(&world, 1, DILA);
    say_upload(&world, 0, "big", 10);
    heard_error(heard(&world, 1, TOLD(ERROR))->error, CODE(FIELD_INVALID), "upload.upload");
    say_upload(&world, 1, "b i g", 10);
    state_fails(&world, 1, CODE(FIELD_INVALID), "upload.id");
    say_upload(&world, 1, "big", 0);
    state_fails(&world, 1, CODE(FIELD_MISSING), "upload.payload_bytes");
    say_upload(&world, 1, "big", 1001);
    state_fails(&world, 1, CODE(TOO_LARGE), "upload.payload_bytes");
    say_upload_of(&world, 1, DILA, 1, "big", 101, "PETIT");
    state_fails(&world, 1, CODE(TOO_LARGE), "upload.payload_bytes");
    say_upload_of(&world, 1, DILA, 1, "big", 10, "NONE");
    state_fails(&world, 1, CODE(UNKNOWN_FLOW), "upload.flow");
    greet(&world, 2, AISNE);
    say_upload_of(&world, 2, AISNE, 1, "big", 10, "ETATCIVIL");
    heard_error(state(&world, 2)->reason, CODE(SENDER_NOT_ALLOWED), "upload.flow");
    greet(&world, 3, NICE);
    say_upload_of(&world, 3, NICE, 1, "big", 10, "PETIT");
    heard_error(state(&world, 3)->reason, CODE(ROLE_MISSING), "client.roles");
    say_upload(&world, 1, "big", 10);
    state_is(&world, 1, 0);
    say_upload(&world, 1, "other", 10);
    heard_error(heard(&world, 1, TOLD(ERROR))->error, CODE(FIELD_INVALID), "upload.upload");
    say_chunk(&world, 7, 0, 10);
    state_fails(&world, 7, CODE(UNKNOWN_UPLOAD), "chunk.upload");
    say_submit(&world, 1, "big", 7, 10);
    refused(&world, CODE(UNKNOWN_UPLOAD), "submit.parts[0].upload");
    say_chunk(&world, 1, 0, 9);
    state_fails(&world, 1, CODE(FIELD_INVALID), "chunk body");
    world_fini(&world);
}
END_TEST

START_TEST(what_is_on_its_way_is_bounded)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    say_upload(&world, 1, "big", 100 * (uint64_t)CHUNK);
    state_is(&world, 1, 0);
    for (uint64_t i = 0; i < WINDOW_CHUNKS; i++) {
        say_chunk(&world, 1, i * CHUNK, CHUNK);
    }
    ck_assert_ptr_null(world_hear(&world, 1));
    say_chunk(&world, 1, WINDOW_CHUNKS * (uint64_t)CHUNK, CHUNK);
    state_fails(&world, 1, CODE(BUSY), "chunk");
    ck_assert_ptr_null(world_hear(&world, 1));
    say_upload(&world, 2, "big", 100 * (uint64_t)CHUNK);
    state_is(&world, 2, WINDOW_CHUNKS * (uint64_t)CHUNK);
    for (uint32_t i = 0; i < LIMIT_UPLOADS_OF_MEMBER - 1; i++) {
        char id[16];
        snprintf(id, sizeof id, "up-%u", i);
        say_upload(&world, 10 + i, id, 1);
        state_is(&world, 10 + i, 0);
    }
    say_upload(&world, 3, "too-many", 1);
    state_fails(&world, 3, CODE(LIMIT_EXCEEDED), "upload");
    greet(&world, 4, DILA_SECOND);
    say_upload_of(&world, 4, DILA_SECOND, 3, "too-many", 1, "ETATCIVIL");
    heard_error(state(&world, 4)->reason, CODE(LIMIT_EXCEEDED), "unfinished uploads of the member");
    world_fini(&world);
}
END_TEST

/* Seven connections with a full window each: the last finds the share of its member used up. */
START_TEST(one_member_leaves_room_for_the_uploads_of_others)
{
    enum { LINES = LIMIT_UPLOADING_OF_MEMBER / LIMIT_UPLOAD_WINDOW_BYTES + 1 };
    struct world world;
    world_init(&world, NULL);
    for (uint32_t line = 1; line <= LINES; line++) {
        char id[16];
        snprintf(id, sizeof id, "up-%u", line);
        greet(&world, line, DILA);
        say_upload_of(&world, line, DILA, 1, id, 100 * (uint64_t)CHUNK, "ETATCIVIL");
        ck_assert_ptr_null(state(&world, line)->reason);
    }
    for (uint64_t i = 0; i < (uint64_t)LINES * WINDOW_CHUNKS; i++) {
        uint64_t line = 1 + i / WINDOW_CHUNKS;
        say_chunk_of(&world, line, DILA, 1, i % WINDOW_CHUNKS * CHUNK, CHUNK);
        const Relais__V1__ToClient *told = world_hear(&world, line);
        if ((i + 1) * CHUNK <= LIMIT_UPLOADING_OF_MEMBER) {
            ck_assert_ptr_null(told);
        } else {
            ck_assert_ptr_nonnull(told);
            ck_assert_ptr_nonnull(told->upload_state);
        }
    }
    world_turn(&world);
    world_fini(&world);
}
END_TEST

START_TEST(a_broker_that_stops_takes_no_more_chunks)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    say_upload(&world, 1, "big", 3 * (uint64_t)CHUNK);
    state_is(&world, 1, 0);
    say_chunk(&world, 1, 0, CHUNK);
    world_drain(&world);
    say_chunk(&world, 1, CHUNK, CHUNK);
    const Relais__V1__UploadState *told = heard(&world, 1, TOLD(UPLOAD_STATE))->upload_state;
    heard_error(told->reason, CODE(DRAINING), "");
    ck_assert_uint_gt(told->reason->retry_after_ms, 0);
    world_turn(&world);
    ck_assert(!core_is_storing(world.core));
    heard(&world, 1, TOLD(GOODBYE));
    world_fini(&world);
}
END_TEST

START_TEST(a_full_store_ends_an_upload_for_now)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    say_upload(&world, 1, "big", CHUNK);
    state_is(&world, 1, 0);
    world.shelf.no_room = true;
    say_chunk(&world, 1, 0, CHUNK);
    const Relais__V1__UploadState *told = state(&world, 1);
    heard_error(told->reason, CODE(STORE_FULL), "chunk");
    ck_assert_uint_gt(told->reason->retry_after_ms, 0);
    say_upload(&world, 1, "other", CHUNK);
    state_fails(&world, 1, CODE(STORE_FULL), "upload.payload_bytes");
    world_fini(&world);
}
END_TEST

START_TEST(what_a_fetch_may_ask)
{
    const uint64_t bytes = 5 * (uint64_t)CHUNK + 50;
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 5);
    send_large(&world, bytes);
    world_submit_one(&world, 1, 2, "small");
    world_turn(&world);
    heard_deliver(&world, 2, 1);
    heard_deliver(&world, 2, 1);
    say_fetch(&world, 3, 0, 1);
    fetch_fails(&world, CODE(UNKNOWN_DELIVERY), "fetch.tag");
    say_fetch(&world, 2, 0, 1);
    fetch_fails(&world, CODE(FIELD_INVALID), "fetch.tag");
    say_fetch(&world, 1, bytes, 1);
    fetch_fails(&world, CODE(FIELD_INVALID), "fetch.offset");
    say_fetch(&world, 1, bytes - 1, 2);
    fetch_fails(&world, CODE(FIELD_INVALID), "fetch.bytes");
    say_fetch(&world, 1, 0, CHUNK + 1);
    fetch_fails(&world, CODE(FIELD_INVALID), "fetch.bytes");
    say_fetch(&world, 1, 0, 0);
    fetch_fails(&world, CODE(FIELD_INVALID), "fetch.bytes");
    for (uint64_t i = 0; i < LIMIT_FETCH_WINDOW_BYTES / CHUNK; i++) {
        say_fetch(&world, 1, i * CHUNK, CHUNK);
    }
    say_fetch(&world, 1, 0, CHUNK);
    heard_error(heard(&world, 2, TOLD(FETCHED))->fetched->reason, CODE(BUSY), "fetch");
    world_turn(&world);
    for (uint64_t i = 0; i < LIMIT_FETCH_WINDOW_BYTES / CHUNK; i++) {
        fetched_is(&world, 1, i * CHUNK, CHUNK);
    }
    world_fini(&world);
}
END_TEST

START_TEST(a_fetch_renews_the_lease)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 5);
    send_large(&world, 100);
    heard_deliver(&world, 2, 1);
    for (int i = 0; i < 4; i++) {
        world_pass(&world, 100 * 1000);
        say_fetch(&world, 1, 0, 100);
        world_turn(&world);
        fetched_is(&world, 1, 0, 100);
    }
    world_pass(&world, 121 * 1000);
    say_fetch(&world, 1, 0, 100);
    fetch_fails(&world, CODE(UNKNOWN_DELIVERY), "fetch.tag");
    world_fini(&world);
}
END_TEST

START_TEST(damage_makes_a_dead_letter)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 5);
    send_large(&world, 100);
    heard_deliver(&world, 2, 1);
    world.shelf.damaged = true;
    say_fetch(&world, 1, 0, 100);
    say_fetch(&world, 1, 0, 50);
    fetch_fails(&world, CODE(DAMAGED), "fetch");
    const struct shelf_entry *dead = shelf_first_dead(&world.shelf);
    ck_assert_ptr_nonnull(dead);
    ck_assert_uint_eq(dead->code, CODE(DAMAGED));
    ck_assert_ptr_null(world_hear(&world, 2));
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core.upload", one_member_leaves_room_for_the_uploads_of_others,
           a_broker_that_stops_takes_no_more_chunks, a_large_payload_goes_through,
           it_goes_on_where_it_was, nothing_is_accepted_before_it_is_on_disk, who_may_upload_what,
           what_is_on_its_way_is_bounded, a_full_store_ends_an_upload_for_now, what_a_fetch_may_ask,
           a_fetch_renews_the_lease, damage_makes_a_dead_letter)
