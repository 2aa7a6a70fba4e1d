/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that supersedes an earlier one: what is checked, and what is made of the store's word.
 */
#include "heard.h"

#include <stdlib.h>
#include <string.h>

static void later_init(struct message *message, const char *id, const char *earlier)
{
    message_init(message, id);
    message->envelope.n_to = 0;
    message->envelope.supersedes = (char *)earlier;
}

static struct event stored(const struct world *world, enum store_status status)
{
    struct event event = {.kind = EVENT_STORED};
    const struct store_op *op = &world->shelf.ops[world->shelf.op_count - 1]->op;
    ck_assert_int_eq(op->kind, STORE_APPEND);
    event.stored = (struct store_result){.kind = STORE_APPEND, .ticket = op->ticket};
    event.stored.status = status;
    return event;
}

START_TEST(past_recipients_need_not_be_named)
{
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    later_init(&message, "new", "old");
    message.envelope.priority = RELAIS__V1__PRIORITY__PRIORITY_HIGH;
    world_submit(&world, 1, DILA, 1, &message, 1);
    const struct store_op *op = &world.shelf.ops[0]->op;
    ck_assert_int_eq(op->kind, STORE_APPEND);
    ck_assert_uint_eq(op->append.recipient_count, 0);
    ck_assert_uint_eq(op->append.lane, LANE_HIGH);
    ck_assert_ptr_nonnull(op->append.supersedes);
    world_fini(&world);
}
END_TEST

START_TEST(an_earlier_message_has_an_id_and_is_another)
{
    static const char *const wrong[] = {"new", "a b"};
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    for (uint64_t i = 0; i < 2; i++) {
        later_init(&message, "new", wrong[i]);
        world_submit(&world, 1, DILA, i + 1, &message, 1);
        heard_error(heard(&world, 1, TOLD(REFUSED))->refused->refusals[0]->error,
                    CODE(FIELD_INVALID), "submit.parts[0].envelope.supersedes");
    }
    ck_assert_uint_eq(world.shelf.appends, 0);
    world_fini(&world);
}
END_TEST

START_TEST(one_that_is_unknown_is_refused)
{
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    later_init(&message, "new", "old");
    world_submit(&world, 1, DILA, 1, &message, 1);
    struct event event = stored(&world, STORE_UNKNOWN_EARLIER);
    world_event(&world, &event);
    const Relais__V1__Refused *refused = heard(&world, 1, TOLD(REFUSED))->refused;
    ck_assert_uint_eq(refused->refusals[0]->number, 1);
    heard_error(refused->refusals[0]->error, CODE(UNKNOWN_MESSAGE),
                "submit.parts.envelope.supersedes");
    world_fini(&world);
}
END_TEST

static uint64_t waiting_in(struct world *world, const char *address)
{
    Relais__V1__QueuesQuery queues = RELAIS__V1__QUEUES_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    query.what_case = RELAIS__V1__QUERY__WHAT_QUEUES;
    query.queues = &queues;
    world_say(world, 9, OPERATOR, &command);
    const Relais__V1__Queues *told = heard(world, 9, TOLD(ANSWER))->answer->queues;
    for (size_t i = 0; i < told->n_queues; i++) {
        if (strcmp(told->queues[i]->address, address) == 0) {
            return told->queues[i]->waiting;
        }
    }
    return 0;
}

START_TEST(counters_follow_what_the_store_has_done)
{
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet(&world, 9, OPERATOR);
    store_messages(&world, 1, 3);
    ck_assert_uint_eq(waiting_in(&world, "commune-76540/etat-civil"), 3);
    later_init(&message, "new", "id-1");
    world_submit(&world, 1, DILA, 4, &message, 1);
    struct event event = {.kind = EVENT_STORED};
    ck_assert(shelf_work(&world.shelf, &event.stored));
    struct store_replaced *replaced = calloc(1, sizeof *replaced);
    *replaced = (struct store_replaced){.mailbox = 1, .added = true, .gone = true, .bytes = 20};
    event.stored.append.replaced = replaced;
    event.stored.append.replaced_count = 1;
    world_event(&world, &event);
    heard_accepted(&world, 1, 4, 4);
    ck_assert_uint_eq(waiting_in(&world, "commune-76540/etat-civil"), 3);
    later_init(&message, "newer", "id-2");
    world_submit(&world, 1, DILA, 5, &message, 1);
    ck_assert(shelf_work(&world.shelf, &event.stored));
    replaced = calloc(1, sizeof *replaced);
    *replaced = (struct store_replaced){.mailbox = 1, .added = true};
    event.stored.append.replaced = replaced;
    event.stored.append.replaced_count = 1;
    world_event(&world, &event);
    ck_assert_uint_eq(waiting_in(&world, "commune-76540/etat-civil"), 4);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core supersede", past_recipients_need_not_be_named,
           an_earlier_message_has_an_id_and_is_another, one_that_is_unknown_is_refused,
           counters_follow_what_the_store_has_done)
