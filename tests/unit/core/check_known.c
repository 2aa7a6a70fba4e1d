/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that was accepted, said again when it would be refused: it was accepted. Others are
 * refused as they would be, once the store has said that it does not know them.
 */
#include "heard.h"

#include <stdlib.h>

static struct world world;

static void submit(uint64_t number, struct message *message)
{
    world_submit(&world, 1, DILA, number, message, 1);
}

static void begin(struct message *message)
{
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    message_init(message, "id-1");
    message->envelope.expires_at_ms = world.now.wall_ms + 1000;
    submit(1, message);
    world_turn(&world);
    heard_accepted(&world, 1, 1, 1);
}

/* Without flows and communes. */
static struct directory *bare(void)
{
    struct directory *d = directory_new();
    ck_assert_int_eq(directory_add_member(d, "dila", KIND_STATE), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_client(d, "dila", "files", DILA, ROLE_MAY_SEND), DIRECTORY_OK);
    directory_seal(d);
    return d;
}

static void heard_refusal(uint64_t number, Relais__V1__Code code, const char *field)
{
    const Relais__V1__Refused *refused = heard(&world, 1, TOLD(REFUSED))->refused;
    ck_assert_uint_eq(refused->n_refusals, 1);
    ck_assert_uint_eq(refused->refusals[0]->number, number);
    heard_error(refused->refusals[0]->error, code, field);
}

START_TEST(what_was_accepted_is_accepted_after_its_expiry)
{
    struct message message;
    begin(&message);
    world_pass(&world, 5000);
    submit(2, &message);
    ck_assert_ptr_null(world_hear(&world, 1)); /* the store is asked first */
    world_turn(&world);
    heard_accepted(&world, 1, 2, 2);
    ck_assert_uint_eq(world.shelf.appends, 1);
    world_fini(&world);
}
END_TEST

START_TEST(what_was_accepted_is_accepted_without_its_flow)
{
    struct message message;
    begin(&message);
    world_replace(&world, bare());
    submit(2, &message);
    world_turn(&world);
    heard_accepted(&world, 1, 2, 2);
    world_fini(&world);
}
END_TEST

START_TEST(what_is_not_known_is_refused_for_what_is_wrong)
{
    struct message message;
    begin(&message);
    message.envelope.id = "id-2";
    message.envelope.expires_at_ms = world.now.wall_ms - 1;
    submit(2, &message);
    world_turn(&world);
    heard_refusal(2, CODE(EXPIRED), "submit.parts[0].envelope.expires_at_ms");
    ck_assert(world_noted(&world, "submit.refused"));
    message.envelope.flow = "NONE";
    submit(3, &message);
    world_turn(&world);
    heard_refusal(3, CODE(UNKNOWN_FLOW), "submit.parts[0].envelope.flow");
    ck_assert_uint_eq(world.shelf.knowns, 2);
    world_fini(&world);
}
END_TEST

/* What no message can ever have been needs no look at the disk. */
START_TEST(what_is_malformed_is_refused_at_once)
{
    struct message message;
    begin(&message);
    message.envelope.type = "";
    submit(2, &message);
    heard_refusal(2, CODE(FIELD_MISSING), "submit.parts[0].envelope.type");
    ck_assert_uint_eq(world.shelf.knowns, 0);
    world_fini(&world);
}
END_TEST

START_TEST(questions_count_in_the_window)
{
    static struct message messages[1024];
    begin(&messages[0]);
    for (size_t i = 0; i < 1024; i++) {
        message_init(&messages[i], "id-2");
        messages[i].envelope.expires_at_ms = 1;
    }
    for (uint64_t i = 0; i < 4; i++) {
        world_submit(&world, 1, DILA, 2 + i * 1024, messages, 1024);
    }
    submit(2 + 4 * 1024, &messages[0]);
    heard_refusal(2 + 4 * 1024, CODE(BUSY), "submit.parts[0]");
    ck_assert(core_is_storing(world.core));
    world_turn(&world);
    ck_assert(!core_is_storing(world.core));
    ck_assert_uint_eq(world.shelf.knowns, 4 * 1024);
    world_fini(&world);
}
END_TEST

START_TEST(who_has_gone_is_told_nothing)
{
    struct message message;
    begin(&message);
    world_pass(&world, 5000);
    submit(2, &message);
    message.envelope.id = "id-2";
    submit(3, &message);
    world_closed(&world, 1);
    world_turn(&world);
    ck_assert(!core_is_storing(world.core));
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core.known", what_was_accepted_is_accepted_after_its_expiry,
           what_was_accepted_is_accepted_without_its_flow,
           what_is_not_known_is_refused_for_what_is_wrong, what_is_malformed_is_refused_at_once,
           questions_count_in_the_window, who_has_gone_is_told_nothing)
