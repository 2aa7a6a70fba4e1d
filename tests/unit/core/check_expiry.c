/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages that nobody takes in time: dead letters without a reader, in steps, counted, and never
 * while the broker has nothing that expires.
 */
#include "heard.h"

#include <stdlib.h>

enum { LIFE_MS = 5000, LOOK_MS = 1000 };

static struct world world;

static void submit(uint64_t number, const char *id, int64_t life_ms)
{
    struct message message;
    message_init(&message, id);
    message.envelope.expires_at_ms = life_ms > 0 ? world.now.wall_ms + life_ms : 0;
    world_submit(&world, 1, DILA, number, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 1, number, number);
}

static Relais__V1__Status *status(void)
{
    Relais__V1__StatusQuery what = RELAIS__V1__STATUS_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    query.number = 9;
    query.what_case = RELAIS__V1__QUERY__WHAT_STATUS;
    query.status = &what;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(&world, 3, OPERATOR, &command);
    return heard(&world, 3, TOLD(ANSWER))->answer->status;
}

static void begin(void)
{
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet(&world, 3, OPERATOR);
}

static void pass(int64_t ms)
{
    world_pass(&world, ms);
    world_turn(&world);
}

START_TEST(what_nobody_reads_is_a_dead_letter_in_time)
{
    begin();
    submit(1, "short", LIFE_MS);
    submit(2, "for-ever", 0);
    ck_assert_int_eq(world.effects.wake_mono_ms, world.now.mono_ms + LIFE_MS + LOOK_MS);
    pass(LIFE_MS);
    ck_assert_ptr_null(shelf_first_dead(&world.shelf));
    pass(LOOK_MS);
    ck_assert_uint_eq(shelf_first_dead(&world.shelf)->code, CODE(EXPIRED));
    const Relais__V1__Status *told = status();
    ck_assert_uint_eq(told->waiting, 1);
    ck_assert_uint_eq(told->dead, 1);
    ck_assert(world_noted(&world, "messages.expired"));
    world_fini(&world);
}
END_TEST

START_TEST(without_expiry_nobody_is_asked)
{
    begin();
    submit(1, "for-ever", 0);
    ck_assert_int_eq(world.effects.wake_mono_ms, 0);
    pass(LIFE_MS);
    ck_assert_uint_eq(world.shelf.expires, 0);
    world_fini(&world);
}
END_TEST

START_TEST(the_next_is_looked_at_in_its_time)
{
    begin();
    submit(1, "later", 3 * LIFE_MS);
    submit(2, "sooner", LIFE_MS);
    pass(LIFE_MS + LOOK_MS);
    ck_assert_uint_eq(world.shelf.expires, 1);
    pass(LIFE_MS);
    ck_assert_uint_eq(world.shelf.expires, 1);
    pass(LIFE_MS);
    ck_assert_uint_eq(world.shelf.expires, 2);
    ck_assert_uint_eq(status()->dead, 2);
    pass(LIFE_MS);
    ck_assert_uint_eq(world.shelf.expires, 2);
    world_fini(&world);
}
END_TEST

START_TEST(many_go_in_steps)
{
    char id[16];
    begin();
    world.shelf.expire_most = 2;
    for (uint64_t i = 1; i <= 5; i++) {
        (void)snprintf(id, sizeof id, "m%u", (unsigned)i);
        submit(i, id, LIFE_MS);
    }
    pass(LIFE_MS + LOOK_MS);
    ck_assert_uint_eq(status()->dead, 2);
    for (int i = 0; i < 10; i++) {
        pass(20);
    }
    ck_assert_uint_eq(world.shelf.expires, 3);
    ck_assert_uint_eq(status()->dead, 5);
    world_fini(&world);
}
END_TEST

START_TEST(a_full_store_is_asked_again_later)
{
    begin();
    submit(1, "short", LIFE_MS);
    world.shelf.answer_no_room = true;
    pass(LIFE_MS + LOOK_MS);
    world.shelf.answer_no_room = false;
    pass(LIFE_MS);
    ck_assert_uint_eq(world.shelf.expires, 1);
    pass(60000);
    ck_assert_uint_eq(status()->dead, 1);
    world_fini(&world);
}
END_TEST

START_TEST(a_drain_asks_no_more)
{
    begin();
    submit(1, "short", LIFE_MS);
    world_drain(&world);
    pass(LIFE_MS + LOOK_MS);
    ck_assert_uint_eq(world.shelf.expires, 0);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core.expiry", what_nobody_reads_is_a_dead_letter_in_time,
           without_expiry_nobody_is_asked, the_next_is_looked_at_in_its_time, many_go_in_steps,
           a_full_store_is_asked_again_later, a_drain_asks_no_more)
