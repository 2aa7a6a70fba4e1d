/* SPDX-License-Identifier: EUPL-1.2
 *
 * When a sender is told that its message was accepted (core/pace.h).
 */
#include "core/limits.h"
#include "core/pace.h"
#include "heard.h"

#include <stdlib.h>

enum { CREDIT = 4, MESSAGES = 40 };

/* A consumer at work behind whom messages lie in the store. */
static void begin(struct world *world)
{
    world_init(world, NULL);
    greet(world, 1, DILA);
    greet_consumer(world, 2, CREDIT);
    store_messages(world, 1, MESSAGES);
    heard_deliver(world, 2, CREDIT);
    world_ack(world, 2, ROUEN, 1, 1, 2);
    world_turn(world);
    while (world_hear(world, 2) != NULL) {
    }
}

START_TEST(who_is_faster_than_consumers_at_work_is_told_later)
{
    struct world world;
    uint64_t tag = 3;
    begin(&world);
    world_submit_one(&world, 1, MESSAGES + 1, "more");
    world_turn(&world);
    for (int waited = 0; waited < PACE_MOST_MS; waited += PACE_LOOK_MS) {
        ck_assert_ptr_null(world_hear(&world, 1));
        world_ack(&world, 2, ROUEN, 1, tag, tag); /* still at work */
        tag++;
        world_credit(&world, 2, ROUEN, 1, 1);
        world_turn(&world);
        world_pass(&world, PACE_LOOK_MS);
        world_turn(&world);
    }
    heard_accepted(&world, 1, MESSAGES + 1, MESSAGES + 1);
    world_fini(&world);
}
END_TEST

START_TEST(the_core_wakes_for_whom_it_holds)
{
    struct world world;
    begin(&world);
    int64_t now_ms = world.now.mono_ms;
    world_submit_one(&world, 1, MESSAGES + 1, "more");
    world_turn(&world);
    ck_assert_int_gt(world.effects.wake_mono_ms, 0);
    ck_assert_int_le(world.effects.wake_mono_ms, now_ms + PACE_MOST_MS);
    world_fini(&world);
}
END_TEST

START_TEST(who_waited_is_told_when_consumers_rest)
{
    struct world world;
    begin(&world);
    world_submit_one(&world, 1, MESSAGES + 1, "more");
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 1));
    world_pass(&world, PACE_BUSY_MS + 1);
    world_turn(&world);
    heard_accepted(&world, 1, MESSAGES + 1, MESSAGES + 1);
    world_fini(&world);
}
END_TEST

START_TEST(who_waited_is_told_when_consumers_have_caught_up)
{
    struct world world;
    begin(&world);
    world_submit_one(&world, 1, MESSAGES + 1, "more");
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 1));
    world_credit(&world, 2, ROUEN, 1, MESSAGES);
    world_turn(&world); /* all that lay in the store is taken */
    world_pass(&world, PACE_LOOK_MS);
    world_turn(&world);
    heard_accepted(&world, 1, MESSAGES + 1, MESSAGES + 1);
    world_fini(&world);
}
END_TEST

START_TEST(consumers_that_rest_pace_nobody)
{
    struct world world;
    begin(&world);
    world_pass(&world, PACE_BUSY_MS + 1);
    world_submit_one(&world, 1, MESSAGES + 1, "more");
    world_turn(&world);
    heard_accepted(&world, 1, MESSAGES + 1, MESSAGES + 1);
    world_fini(&world);
}
END_TEST

START_TEST(consumers_that_keep_up_pace_nobody)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, CREDIT);
    store_messages(&world, 1, 2);
    heard_deliver(&world, 2, 2);
    world_ack(&world, 2, ROUEN, 1, 1, 1);
    world_turn(&world);
    while (world_hear(&world, 2) != NULL) {
    }
    world_submit_one(&world, 1, 3, "more");
    world_turn(&world);
    heard_accepted(&world, 1, 3, 3);
    world_fini(&world);
}
END_TEST

START_TEST(a_broker_that_drains_holds_nothing)
{
    struct world world;
    begin(&world);
    world_submit_one(&world, 1, MESSAGES + 1, "more");
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 1));
    world_drain(&world);
    world_turn(&world);
    heard_accepted(&world, 1, MESSAGES + 1, MESSAGES + 1);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core pace", who_is_faster_than_consumers_at_work_is_told_later,
           the_core_wakes_for_whom_it_holds, who_waited_is_told_when_consumers_have_caught_up,
           who_waited_is_told_when_consumers_rest, consumers_that_rest_pace_nobody,
           consumers_that_keep_up_pace_nobody, a_broker_that_drains_holds_nothing)
