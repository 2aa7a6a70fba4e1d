/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is delivered without being read from the store, and what is taken ahead of credit
 * (core/handover.h, core/ahead.h).
 */
#include "core/limits.h"
#include "heard.h"

#include <stdlib.h>

static const char MAILBOX[] = "commune-76540/etat-civil";

static void begin(struct world *world, uint32_t credit)
{
    world_init(world, NULL);
    greet(world, 1, DILA);
    greet_consumer(world, 2, credit);
}

START_TEST(what_there_is_credit_for_is_handed_on)
{
    struct world world;
    begin(&world, 10);
    store_messages(&world, 1, 3);
    const struct told *told = world_hear_told(&world, 2);
    ck_assert_int_eq(told->command->command_case, TOLD(DELIVER));
    ck_assert_uint_eq(told->command->deliver->n_deliveries, 3);
    ck_assert_uint_eq(told->command->deliver->deliveries[0]->attempt, 1);
    ck_assert_int_eq(told->command->deliver->deliveries[0]->accepted_ms, world.now.wall_ms);
    ck_assert_uint_eq(told->messages[2].payload.size, 20);
    ck_assert_uint_eq(world.shelf.claims, 3);
    ck_assert_uint_eq(world.shelf.takes, 0);
    world_ack(&world, 2, ROUEN, 1, 1, 3);
    world_turn(&world);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, MAILBOX), 0);
    world_fini(&world);
}
END_TEST

START_TEST(nothing_is_handed_on_before_it_is_stored)
{
    struct world world;
    begin(&world, 10);
    world_submit_one(&world, 1, 1, "id-1");
    world_flush(&world);
    ck_assert_ptr_null(world_hear(&world, 2));
    world.shelf.no_room = true;
    world_turn(&world);
    heard(&world, 1, TOLD(REFUSED));
    ck_assert_ptr_null(world_hear(&world, 2));
    world.shelf.no_room = false;
    store_messages(&world, 2, 1); /* its credit is free again */
    heard_deliver(&world, 2, 1);
    world_fini(&world);
}
END_TEST

START_TEST(a_duplicate_is_not_handed_on)
{
    struct world world;
    begin(&world, 10);
    store_messages(&world, 1, 1);
    heard_deliver(&world, 2, 1);
    world_submit_one(&world, 1, 2, "id-1");
    world_turn(&world);
    heard_accepted(&world, 1, 2, 2);
    ck_assert_ptr_null(world_hear(&world, 2));
    world_fini(&world);
}
END_TEST

START_TEST(what_is_first_in_the_mailbox_is_first_delivered)
{
    struct world world;
    begin(&world, 10);
    submit_in_order(&world, 1, "id-1"); /* not handed on; nor what follows it */
    world_submit_one(&world, 1, 2, "id-2");
    world_turn(&world);
    heard_accepted(&world, 1, 1, 2);
    ck_assert_uint_eq(world.shelf.claims, 0);
    heard_deliver(&world, 2, 2);
    world_fini(&world);
}
END_TEST

START_TEST(what_nobody_can_take_any_more_goes_back)
{
    struct world world;
    begin(&world, 10);
    world_submit_one(&world, 1, 1, "id-1");
    world_flush(&world);
    world_closed(&world, 2);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.claims, 1);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
    greet_consumer(&world, 3, 10);
    world_turn(&world);
    heard_deliver(&world, 3, 1);
    world_fini(&world);
}
END_TEST

START_TEST(as_many_are_ahead_as_are_held)
{
    struct world world;
    begin(&world, 4);
    store_messages(&world, 1, 20);
    heard_deliver(&world, 2, 4);
    ck_assert_ptr_null(world_hear(&world, 2));
    ck_assert_uint_eq(shelf_taken(&world.shelf), 8);
    ck_assert_uint_eq(world.shelf.takes, 0);
    world_credit(&world, 2, ROUEN, 1, 4);
    world_flush(&world);
    ck_assert_uint_eq(heard_deliver(&world, 2, 4)->first_tag, 5); /* from memory, at once */
    world_fini(&world);
}
END_TEST

START_TEST(what_is_ahead_for_too_long_goes_back)
{
    struct world world;
    begin(&world, 4);
    store_messages(&world, 1, 8);
    heard_deliver(&world, 2, 4);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 8);
    world_pass(&world, 250);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 4);
    ck_assert_uint_eq(world.shelf.releases, 4);
    world_credit(&world, 2, ROUEN, 1, 4);
    world_turn(&world);
    heard_deliver(&world, 2, 4);
    world_fini(&world);
}
END_TEST

START_TEST(what_is_ahead_goes_back_with_the_last_consumer)
{
    struct world world;
    begin(&world, 4);
    store_messages(&world, 1, 8);
    heard_deliver(&world, 2, 4);
    world_closed(&world, 2);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core handover", what_there_is_credit_for_is_handed_on,
           nothing_is_handed_on_before_it_is_stored, a_duplicate_is_not_handed_on,
           what_is_first_in_the_mailbox_is_first_delivered, what_nobody_can_take_any_more_goes_back,
           as_many_are_ahead_as_are_held, what_is_ahead_for_too_long_goes_back,
           what_is_ahead_goes_back_with_the_last_consumer)
