/* SPDX-License-Identifier: EUPL-1.2
 *
 * Withdrawing a message: who may, what is told, what is counted.
 */
#include "heard.h"

#include <stdlib.h>

static struct world world;

static void order_cancel(uint64_t connection, const char *key, uint64_t number, const char *id)
{
    Relais__V1__CancelOrder what = RELAIS__V1__CANCEL_ORDER__INIT;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    what.id = (char *)id;
    manage.number = number;
    manage.what_case = RELAIS__V1__MANAGE__WHAT_CANCEL;
    manage.cancel = &what;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = &manage;
    world_say(&world, connection, key, &command);
    world_turn(&world);
}

static const Relais__V1__Answer *answered(uint64_t connection, uint64_t number)
{
    const Relais__V1__Answer *answer = heard(&world, connection, TOLD(ANSWER))->answer;
    ck_assert_uint_eq(answer->number, number);
    return answer;
}

START_TEST(a_message_that_waits_is_withdrawn)
{
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    store_messages(&world, 1, 2);
    world.shelf.cancelled = (struct store_cancelled){.withdrawn = 1, .too_late = 2, .bytes = 50};
    order_cancel(1, DILA, 7, "id-1");
    const Relais__V1__Answer *answer = answered(1, 7);
    ck_assert_int_eq(answer->what_case, RELAIS__V1__ANSWER__WHAT_DONE);
    ck_assert_uint_eq(answer->done->withdrawn, 1);
    ck_assert_uint_eq(answer->done->too_late, 2);
    ck_assert_uint_eq(world.shelf.cancels, 1);
    world_fini(&world);
}
END_TEST

START_TEST(only_who_may_send_withdraws)
{
    world_init(&world, NULL);
    greet(&world, 1, NICE);
    order_cancel(1, NICE, 1, "id-1");
    heard_error(answered(1, 1)->error, CODE(ROLE_MISSING), "client.roles");
    ck_assert_uint_eq(world.shelf.cancels, 0);
    world_fini(&world);
}
END_TEST

START_TEST(what_cannot_be_withdrawn_is_told_why)
{
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    order_cancel(1, DILA, 1, "");
    heard_error(answered(1, 1)->error, CODE(FIELD_MISSING), "manage.cancel.id");
    order_cancel(1, DILA, 2, "not an id");
    heard_error(answered(1, 2)->error, CODE(FIELD_INVALID), "manage.cancel.id");
    world.shelf.cancel_status = STORE_NOT_FOUND;
    order_cancel(1, DILA, 3, "unknown");
    heard_error(answered(1, 3)->error, CODE(UNKNOWN_MESSAGE), "manage.cancel.id");
    world.shelf.cancel_status = STORE_NO_ROOM;
    order_cancel(1, DILA, 4, "full");
    heard_error(answered(1, 4)->error, CODE(STORE_FULL), "manage.cancel");
    world_drain(&world);
    order_cancel(1, DILA, 5, "id-1");
    ck_assert_uint_eq(world.shelf.cancels, 2);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core.cancel", a_message_that_waits_is_withdrawn, only_who_may_send_withdraws,
           what_cannot_be_withdrawn_is_told_why)
