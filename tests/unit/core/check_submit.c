/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "Submitting"; core.h, promises 1, 3 and 6.
 */
#include "core/limits.h"
#include "heard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Relais__V1__Refusal *refusal(struct world *world, uint64_t connection)
{
    const Relais__V1__Refused *refused = heard(world, connection, TOLD(REFUSED))->refused;
    ck_assert_uint_eq(refused->n_refusals, 1);
    return refused->refusals[0];
}

/* A submit whose parts say something else than its body holds. */
static void submit_raw(struct world *world, uint64_t first, uint32_t envelope_bytes,
                       uint32_t payload_bytes, size_t body_bytes)
{
    uint8_t packed[64];
    uint8_t *body = calloc(body_bytes + 1, 1);
    Relais__V1__Part part = RELAIS__V1__PART__INIT;
    part.envelope_bytes = envelope_bytes;
    part.payload_bytes = payload_bytes;
    Relais__V1__Part *parts[] = {&part};
    Relais__V1__Submit submit = RELAIS__V1__SUBMIT__INIT;
    submit.first_number = first;
    submit.n_parts = 1;
    submit.parts = parts;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_SUBMIT;
    command.submit = &submit;
    struct bytes frames[] = {{packed, relais__v1__to_broker__pack(&command, packed)},
                             {body, body_bytes}};
    oracle_said(&world->oracle, 1, "dila", &command, frames + 1, 1);
    world_frames(world, 1, DILA, frames, 2);
    free(body);
}

START_TEST(accepted_leaves_when_the_store_has_it)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    world_submit_one(&world, 1, 1, "id-1");
    world_flush(&world);
    ck_assert_ptr_null(world_hear(&world, 1));
    ck_assert(core_is_storing(world.core));
    ck_assert_uint_eq(world.shelf.op_count, 2); /* the mailbox' name, then the message */
    world_store_one(&world);
    world_store_one(&world);
    ck_assert_ptr_null(world_hear(&world, 1)); /* the turn has not ended */
    world_flush(&world);
    heard_accepted(&world, 1, 1, 1);
    ck_assert(!core_is_storing(world.core));
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "commune-76540/etat-civil"), 1);
    world_submit_one(&world, 1, 2, "id-2");
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.mailboxes, 1); /* its name is said once */
    world_fini(&world);
}
END_TEST

START_TEST(a_batch_is_answered_in_ranges)
{
    struct world world;
    struct message messages[100];
    char ids[100][16];
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    for (int i = 0; i < 100; i++) {
        snprintf(ids[i], sizeof ids[i], "id-%d", i);
        message_init(&messages[i], ids[i]);
    }
    messages[40].envelope.flow = "NONE";
    messages[60].to_one[0] = "commune-06088/etat-civil";
    world_submit(&world, 1, DILA, 1, messages, 100);
    world_turn(&world);
    const Relais__V1__Refusal *one = refusal(&world, 1);
    ck_assert_uint_eq(one->number, 41);
    heard_error(one->error, CODE(UNKNOWN_FLOW), "submit.parts[40].envelope.flow");
    ck_assert_str_eq(one->error->wrong, "NONE");
    const Relais__V1__Accepted *accepted = heard(&world, 1, TOLD(ACCEPTED))->accepted;
    ck_assert_uint_eq(accepted->n_numbers, 2);
    ck_assert_uint_eq(accepted->numbers[0]->last, 40);
    ck_assert_uint_eq(accepted->numbers[1]->first, 42);
    ck_assert_uint_eq(accepted->numbers[1]->last, 100);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "commune-76540/etat-civil"), 98);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "commune-06088/etat-civil"), 1);
    world_fini(&world);
}
END_TEST

START_TEST(numbers_have_no_gap)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    world_submit_one(&world, 1, 1, "id-1");
    world_submit_one(&world, 1, 3, "id-3");
    heard_cut(&world, 1, CODE(FIELD_INVALID), "submit.first_number");
    ck_assert_str_eq(world.told[1].command->error->right, "2");
    world_turn(&world); /* the first one is stored, its answer goes nowhere */
    ck_assert_ptr_null(world_hear(&world, 1));
    world_closed(&world, 1);
    world_turn(&world);
    world_fini(&world);
}
END_TEST

START_TEST(a_body_that_does_not_fit_is_cut)
{
    static const struct {
        uint32_t envelope, payload;
        size_t body;
    } rows[] = {{10, 10, 19}, {10, 10, 21}, {UINT32_MAX, UINT32_MAX, 20}, {0, 0, 1}};
    struct world world;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_init(&world, NULL);
        greet(&world, 1, DILA);
        submit_raw(&world, 1, rows[i].envelope, rows[i].payload, rows[i].body);
        heard(&world, 1, TOLD(ERROR));
        heard(&world, 1, TOLD(GOODBYE));
        ck_assert(world.cut[1]);
        ck_assert_int_eq(world.told[1].command->error->code, CODE(MALFORMED));
        world_fini(&world);
    }
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    world_submit(&world, 1, DILA, 1, NULL, 0); /* no message at all */
    heard_cut(&world, 1, CODE(MALFORMED), "submit.parts");
    world_fini(&world);
}
END_TEST

START_TEST(a_batch_has_its_bytes_one_message_excepted)
{
    struct world world;
    struct message messages[3];
    struct core_settings settings;
    core_settings_init(&settings);
    settings.payload_bytes = UINT32_C(4194304);
    world_init(&world, &settings);
    greet(&world, 1, DILA);
    for (int i = 0; i < 3; i++) {
        message_init(&messages[i], i == 0 ? "a" : i == 1 ? "b" : "c");
        messages[i].payload_bytes = 1024 * 1024;
        messages[i].envelope.payload_size = messages[i].payload_bytes;
    }
    messages[0].payload_bytes = 3 * 1024 * 1024;
    messages[0].envelope.payload_size = messages[0].payload_bytes;
    world_submit(&world, 1, DILA, 1, messages, 1);
    world_turn(&world);
    heard_accepted(&world, 1, 1, 1);
    world_submit(&world, 1, DILA, 2, messages + 1, 2);
    heard_cut(&world, 1, CODE(MALFORMED), "submit.parts");
    world_fini(&world);
}
END_TEST

START_TEST(sizes_at_and_above_the_limit)
{
    struct world world;
    struct message message;
    struct core_settings settings;
    core_settings_init(&settings);
    settings.payload_bytes = 1000;
    world_init(&world, &settings);
    greet(&world, 1, DILA);
    message_init(&message, "at");
    message.payload_bytes = 1000;
    message.envelope.payload_size = 1000;
    world_submit(&world, 1, DILA, 1, &message, 1);
    message.payload_bytes = 1001;
    world_submit(&world, 1, DILA, 2, &message, 1);
    heard_error(refusal(&world, 1)->error, CODE(TOO_LARGE), "submit.parts[0].payload_bytes");
    submit_raw(&world, 3, 16 * 1024 + 1, 0, 16 * 1024 + 1);
    heard_error(refusal(&world, 1)->error, CODE(TOO_LARGE), "submit.parts[0].envelope_bytes");
    submit_raw(&world, 4, 100, 0, 100); /* zeros are no envelope */
    heard_error(refusal(&world, 1)->error, CODE(FIELD_INVALID), "submit.parts[0].envelope");
    message_init(&message, "flow");
    message.envelope.flow = "PETIT"; /* 100 bytes */
    message.payload_bytes = 101;
    message.envelope.payload_size = 101;
    world_submit(&world, 1, DILA, 5, &message, 1);
    world_turn(&world);
    const Relais__V1__Refusal *last = refusal(&world, 1);
    heard_error(last->error, CODE(TOO_LARGE), "submit.parts[0].payload_bytes");
    ck_assert_str_eq(last->error->right, "100");
    heard_accepted(&world, 1, 1, 1);
    world_fini(&world);
}
END_TEST

/* Refusals are many and long: they come in several commands, none too large (the oracle looks). */
START_TEST(a_thousand_refusals_come_in_commands_that_fit)
{
    struct world world;
    static struct message messages[1024];
    char type[1000];
    memset(type, 't', sizeof type);
    type[999] = '\0';
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    for (int i = 0; i < 1024; i++) {
        message_init(&messages[i], "same");
        messages[i].envelope.type = type;
    }
    world_submit(&world, 1, DILA, 1, messages, 1024);
    size_t count = 0;
    const Relais__V1__ToClient *next = NULL;
    while ((next = world_hear(&world, 1))) {
        ck_assert_int_eq(next->command_case, TOLD(REFUSED));
        count += next->refused->n_refusals;
    }
    ck_assert_uint_eq(count, 1024);
    ck_assert_uint_eq(world.noted_count, 2); /* hello, and one for all of these */
    world_fini(&world);
}
END_TEST

START_TEST(the_window_of_a_connection_is_4096_messages)
{
    struct world world;
    static struct message messages[1024];
    static char ids[4097][16];
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    for (int i = 0; i < 4096; i++) {
        snprintf(ids[i], sizeof ids[i], "id-%d", i);
        message_init(&messages[i % 1024], ids[i]);
        if (i % 1024 == 1023) {
            world_submit(&world, 1, DILA, (uint64_t)i - 1022, messages, 1024);
        }
    }
    ck_assert_ptr_null(world_hear(&world, 1));
    world_submit_one(&world, 1, 4097, "one-more");
    const Relais__V1__Refusal *busy = refusal(&world, 1);
    heard_error(busy->error, CODE(BUSY), "submit.parts[0]");
    ck_assert_uint_gt(busy->error->retry_after_ms, 0);
    world_turn(&world);
    heard_accepted(&world, 1, 1, 4096);
    world_submit_one(&world, 1, 4098, "one-more");
    world_turn(&world);
    heard_accepted(&world, 1, 4098, 4098);
    world_fini(&world);
}
END_TEST

static void submit_sized(struct world *world, uint64_t number, uint32_t payload_bytes)
{
    struct message message;
    char id[16];
    snprintf(id, sizeof id, "w-%d", (int)number);
    message_init(&message, id);
    message.payload_bytes = payload_bytes;
    message.envelope.payload_size = payload_bytes;
    world_submit(world, 1, DILA, number, &message, 1);
}

START_TEST(the_window_of_a_connection_is_8_mib)
{
    struct world world;
    uint64_t number = 0;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    for (int round = 0; round < 2; round++) { /* it is free again once all is answered */
        for (int i = 0; i < 8; i++) {
            submit_sized(&world, ++number, 1000000);
        }
        ck_assert_ptr_null(world_hear(&world, 1));
        submit_sized(&world, ++number, 1000000);
        heard_error(refusal(&world, 1)->error, CODE(BUSY), "submit.parts[0]");
        world_turn(&world);
        heard_accepted(&world, 1, number - 8, number - 1);
    }
    world_fini(&world);
}
END_TEST

START_TEST(all_that_is_on_its_way_to_disk_is_bounded)
{
    struct world world;
    struct message message;
    struct core_settings settings;
    core_settings_init(&settings);
    settings.storing_bytes = 3000;
    world_init(&world, &settings);
    greet(&world, 1, DILA);
    greet(&world, 2, DILA_SECOND);
    message_init(&message, "large");
    message.payload_bytes = 5000; /* one is taken, whatever its size */
    message.envelope.payload_size = 5000;
    world_submit(&world, 1, DILA, 1, &message, 1);
    ck_assert_ptr_null(world_hear(&world, 1));
    message_init(&message, "small");
    world_submit(&world, 2, DILA_SECOND, 1, &message, 1);
    heard_error(refusal(&world, 2)->error, CODE(BUSY), "submit.parts[0]");
    world_turn(&world);
    world_submit(&world, 2, DILA_SECOND, 2, &message, 1);
    message_init(&message, "other"); /* both have room now */
    world_submit(&world, 2, DILA_SECOND, 3, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 2, 2, 3);
    world_fini(&world);
}
END_TEST

/* What is refused of a command must not stay in memory with what is taken: the window and the bound
 * of all count the bytes that were taken. */
START_TEST(what_is_refused_of_a_batch_is_not_kept)
{
    struct world world;
    struct message messages[2];
    size_t kept = 0;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    message_init(&messages[0], "small");
    message_init(&messages[1], "refused");
    messages[1].envelope.flow = "NONE";
    messages[1].payload_bytes = 2000000;
    messages[1].envelope.payload_size = messages[1].payload_bytes;
    world_submit(&world, 1, DILA, 1, messages, 2);
    heard_error(refusal(&world, 1)->error, CODE(TOO_LARGE), "submit.parts[1].payload_bytes");
    for (size_t i = 0; i < world.shelf.op_count; i++) {
        const struct store_op *op = &world.shelf.ops[i]->op;
        if (op->kind == STORE_APPEND) {
            kept += op->append.message.envelope_buffer->bytes.size;
            kept += op->append.message.payload_buffer->bytes.size;
        }
    }
    ck_assert_uint_gt(kept, 0);
    ck_assert_uint_lt(kept, 4096);
    world_turn(&world);
    heard_accepted(&world, 1, 1, 1);
    ck_assert_uint_eq(world.shelf.entries[0].message.payload.size, 20);
    ck_assert_mem_eq(world.shelf.entries[0].message.payload.data, messages[0].payload, 20);
    world_fini(&world);
}
END_TEST

START_TEST(a_repeated_id_is_accepted_again_and_stored_once)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    world_submit_one(&world, 1, 1, "same");
    world_submit_one(&world, 1, 2, "same");
    world_turn(&world);
    heard_accepted(&world, 1, 1, 2);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "commune-76540/etat-civil"), 1);
    world_fini(&world);
}
END_TEST

START_TEST(a_full_store_refuses_and_invites_again)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    world.shelf.no_room = true;
    world_submit_one(&world, 1, 1, "id-1");
    world_submit_one(&world, 1, 2, "id-2");
    world_turn(&world);
    const Relais__V1__Refused *refused = heard(&world, 1, TOLD(REFUSED))->refused;
    ck_assert_uint_eq(refused->n_refusals, 2);
    heard_error(refused->refusals[1]->error, CODE(STORE_FULL), "submit");
    ck_assert_uint_eq(refused->refusals[1]->error->retry_after_ms, 5000);
    ck_assert(world_noted(&world, "store.full"));
    world.shelf.no_room = false;
    world_submit_one(&world, 1, 3, "id-1");
    world_turn(&world);
    heard_accepted(&world, 1, 3, 3);
    world_fini(&world);
}
END_TEST

START_TEST(the_role_send_is_needed)
{
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, NICE);
    message_init(&message, "id");
    message.envelope.flow = "PETIT";
    world_submit(&world, 1, NICE, 1, &message, 1);
    heard_error(refusal(&world, 1)->error, CODE(ROLE_MISSING), "client.roles");
    ck_assert_uint_eq(world.shelf.appends, 0);
    world_fini(&world);
}
END_TEST

START_TEST(several_recipients_share_one_message)
{
    struct world world;
    struct message message;
    char *to[] = {"commune-76540/etat-civil", "commune-06088/etat-civil", "commune-76540/accueil"};
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    message_init(&message, "many");
    message.envelope.to = to;
    message.envelope.n_to = 3;
    world_submit(&world, 1, DILA, 1, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 1, 1, 1);
    ck_assert_uint_eq(world.shelf.appends, 1);
    ck_assert_uint_eq(world.shelf.mailboxes, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(shelf_waiting(&world.shelf, to[i]), 1);
    }
    world_fini(&world);
}
END_TEST

START_TEST(priority_and_not_before_choose_the_place)
{
    struct world world;
    struct message message;
    static const Relais__V1__Priority priorities[] = {
        RELAIS__V1__PRIORITY__PRIORITY_UNSPECIFIED, RELAIS__V1__PRIORITY__PRIORITY_LOW,
        RELAIS__V1__PRIORITY__PRIORITY_NORMAL, RELAIS__V1__PRIORITY__PRIORITY_HIGH};
    static const uint8_t lanes[] = {LANE_NORMAL, LANE_LOW, LANE_NORMAL, LANE_HIGH};
    char ids[4][8];
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    for (uint64_t i = 0; i < 4; i++) {
        snprintf(ids[i], sizeof ids[i], "id-%d", (int)i);
        message_init(&message, ids[i]);
        message.envelope.priority = priorities[i];
        message.envelope.not_before_ms = i == 0 ? world.now.wall_ms + 60000 : world.now.wall_ms;
        world_submit(&world, 1, DILA, i + 1, &message, 1);
    }
    world_turn(&world);
    ck_assert_int_eq(world.shelf.entries[0].key.due_ms, world.now.wall_ms + 60000);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(world.shelf.entries[i].key.lane, lanes[i]);
        ck_assert(i == 0 || world.shelf.entries[i].key.due_ms == 0);
    }
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core submit", accepted_leaves_when_the_store_has_it, a_batch_is_answered_in_ranges,
           numbers_have_no_gap, a_body_that_does_not_fit_is_cut,
           a_batch_has_its_bytes_one_message_excepted, sizes_at_and_above_the_limit,
           a_thousand_refusals_come_in_commands_that_fit,
           the_window_of_a_connection_is_4096_messages, the_window_of_a_connection_is_8_mib,
           all_that_is_on_its_way_to_disk_is_bounded, what_is_refused_of_a_batch_is_not_kept,
           a_repeated_id_is_accepted_again_and_stored_once, a_full_store_refuses_and_invites_again,
           the_role_send_is_needed, several_recipients_share_one_message,
           priority_and_not_before_choose_the_place)
