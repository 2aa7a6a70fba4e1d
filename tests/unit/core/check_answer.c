/* SPDX-License-Identifier: EUPL-1.2
 *
 * Ack, nack, refuse, and what an answer to nothing gets. docs/protocol.md, "Receiving".
 */
#include "core/limits.h"
#include "heard.h"

#include <stdlib.h>
#include <string.h>

static const char MAILBOX[] = "commune-76540/etat-civil";

static void begin(struct world *world, size_t count)
{
    world_init(world, NULL);
    greet(world, 1, DILA);
    greet_consumer(world, 2, 1000);
    store_messages(world, 1, count);
    heard_deliver(world, 2, count);
}

static void nack_with(struct world *world, uint64_t tag, uint32_t delay_ms, const char *reason)
{
    Relais__V1__Range range = RELAIS__V1__RANGE__INIT;
    range.first = tag;
    range.last = tag;
    Relais__V1__Range *ranges[] = {&range};
    Relais__V1__Nack nack = RELAIS__V1__NACK__INIT;
    nack.consumer = 1;
    nack.tags = ranges;
    nack.n_tags = 1;
    nack.delay_ms = delay_ms;
    nack.reason = (char *)reason;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_NACK;
    command.nack = &nack;
    world_say(world, 2, ROUEN, &command);
}

START_TEST(settled_comes_when_the_answer_is_on_disk)
{
    struct world world;
    begin(&world, 5);
    world_ack(&world, 2, ROUEN, 1, 2, 4);
    world_flush(&world);
    ck_assert_ptr_null(world_hear(&world, 2));
    ck_assert(core_is_storing(world.core));
    world_turn(&world);
    heard_settled(&world, 2, 1, 2, 4);
    ck_assert(!core_is_storing(world.core));
    ck_assert_uint_eq(shelf_waiting(&world.shelf, MAILBOX), 2);
    world_fini(&world);
}
END_TEST

START_TEST(an_answer_to_what_is_not_held_is_an_error_and_no_more)
{
    struct world world;
    begin(&world, 3);
    world_ack(&world, 2, ROUEN, 1, 2, 2);
    world_ack(&world, 2, ROUEN, 1, 1, 3); /* 2 has been answered: the others count */
    const Relais__V1__Error *error = heard(&world, 2, TOLD(ERROR))->error;
    heard_error(error, CODE(UNKNOWN_DELIVERY), "ack.tags");
    ck_assert_str_eq(error->wrong, "2");
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.acks, 3);
    heard(&world, 2, TOLD(SETTLED));
    static const uint64_t odd[][2] = {{0, 0}, {0, 5}, {4, 4}, {3, 1}, {UINT64_MAX, UINT64_MAX}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        world_ack(&world, 2, ROUEN, 1, odd[i][0], odd[i][1]);
        heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_DELIVERY), "ack.tags");
    }
    world_ack(&world, 2, ROUEN, 2, 1, 1);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_CONSUMER), "ack.consumer");
    world_nack(&world, 2, 3, 1, 0, false);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_CONSUMER), "nack.consumer");
    world_nack(&world, 2, 1, 9, 0, false);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_DELIVERY), "nack.tags");
    world_fini(&world);
}
END_TEST

START_TEST(a_range_as_wide_as_can_be_answers_what_is_held)
{
    struct world world;
    begin(&world, 200);
    world_ack(&world, 2, ROUEN, 1, 1, UINT64_MAX);
    const Relais__V1__Error *error = heard(&world, 2, TOLD(ERROR))->error;
    heard_error(error, CODE(UNKNOWN_DELIVERY), "ack.tags");
    ck_assert_str_eq(error->wrong, "201");
    world_turn(&world);
    heard_settled(&world, 2, 1, 1, 200);
    world_ack(&world, 2, ROUEN, 1, 0, UINT64_MAX);
    heard(&world, 2, TOLD(ERROR));
    world_fini(&world);
}
END_TEST

START_TEST(a_nack_comes_again_after_its_delay)
{
    struct world world;
    begin(&world, 1);
    world_nack(&world, 2, 1, 1, 5000, false);
    ck_assert_ptr_null(world_hear(&world, 2));
    world_nack(&world, 2, 1, 1, 1, false);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_DELIVERY), "nack.tags");
    world_turn(&world);
    heard_settled(&world, 2, 1, 1, 1);
    world_pass(&world, 4999);
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 2));
    world_pass(&world, 1);
    world_turn(&world);
    ck_assert_uint_eq(heard_deliver(&world, 2, 1)->deliveries[0]->attempt, 2);
    world_nack(&world, 2, 1, 1, 0, false); /* tag 1 was another delivery */
    heard(&world, 2, TOLD(ERROR));
    world_nack(&world, 2, 1, 2, 0, false);
    world_turn(&world);
    heard_settled(&world, 2, 1, 2, 2);
    world_pass(&world, 1);
    world_turn(&world);
    ck_assert_uint_eq(heard_deliver(&world, 2, 1)->deliveries[0]->attempt, 3);
    world_fini(&world);
}
END_TEST

START_TEST(a_nack_has_its_limits)
{
    struct world world;
    char reason[258];
    memset(reason, 'r', sizeof reason);
    reason[257] = '\0';
    begin(&world, 1);
    nack_with(&world, 1, 7 * 24 * 3600 * 1000 + 1, "");
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(FIELD_INVALID), "nack.delay_ms");
    nack_with(&world, 1, 1, reason);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(FIELD_INVALID), "nack.reason");
    ck_assert_uint_eq(world.shelf.defers, 0);
    nack_with(&world, 1, 7 * 24 * 3600 * 1000, reason + 1);
    ck_assert_uint_eq(world.shelf.defers, 1);
    world_fini(&world);
}
END_TEST

START_TEST(a_refusal_is_a_dead_letter_with_its_reason)
{
    struct world world;
    begin(&world, 1);
    world_nack(&world, 2, 1, 1, 0, true);
    world_turn(&world);
    heard_settled(&world, 2, 1, 1, 1);
    const struct shelf_entry *dead = shelf_first_dead(&world.shelf);
    ck_assert_uint_eq(dead->code, CODE(REFUSED_BY_RECIPIENT));
    ck_assert_str_eq(dead->reason, "not?now"); /* without its control character */
    ck_assert_uint_eq(dead->attempts, 1);
    world_fini(&world);
}
END_TEST

START_TEST(nacks_use_up_the_attempts)
{
    struct world world;
    begin(&world, 1);
    for (uint64_t tag = 1; tag < 10; tag++) {
        world_nack(&world, 2, 1, tag, 0, false);
        world_turn(&world);
        heard_settled(&world, 2, 1, tag, tag);
        world_pass(&world, 1);
        world_turn(&world);
        heard_deliver(&world, 2, 1);
    }
    world_nack(&world, 2, 1, 10, 0, false);
    world_turn(&world);
    heard_settled(&world, 2, 1, 10, 10);
    ck_assert_uint_eq(shelf_first_dead(&world.shelf)->code, CODE(ATTEMPTS_EXHAUSTED));
    ck_assert_str_eq(shelf_first_dead(&world.shelf)->reason, "not?now");
    world_fini(&world);
}
END_TEST

START_TEST(an_answer_that_finds_no_room_is_not_settled_and_comes_again)
{
    struct world world;
    begin(&world, 2);
    world.shelf.answer_no_room = true;
    world_ack(&world, 2, ROUEN, 1, 1, 1);
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 2));
    ck_assert_uint_eq(shelf_waiting(&world.shelf, MAILBOX), 2);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 1);
    ck_assert(!core_is_storing(world.core));
    world.shelf.answer_no_room = false;
    world_pass(&world, 1000);
    world_turn(&world);
    heard_deliver(&world, 2, 1);
    world_fini(&world);
}
END_TEST

START_TEST(settled_for_a_consumer_that_has_gone_is_dropped)
{
    struct world world;
    begin(&world, 2);
    world_ack(&world, 2, ROUEN, 1, 1, 2);
    world_closed(&world, 2);
    greet_consumer(&world, 3, 10);
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 3));
    ck_assert_uint_eq(shelf_waiting(&world.shelf, MAILBOX), 0);
    world_fini(&world);
}
END_TEST

/* Work is bounded: the same thousand tags named sixteen times, and once more. */
START_TEST(ranges_that_overlap_are_looked_at_up_to_a_limit)
{
    enum { RANGES = LIMIT_ANSWER_TAGS / LIMIT_CREDIT + 1 };
    struct world world;
    begin(&world, 3);
    Relais__V1__Range ranges[RANGES];
    Relais__V1__Range *tags[RANGES];
    for (size_t i = 0; i < RANGES; i++) {
        relais__v1__range__init(&ranges[i]);
        ranges[i].first = i + 1 < RANGES ? 4 : 1;
        ranges[i].last = i + 1 < RANGES ? 3 + LIMIT_CREDIT : 3;
        tags[i] = &ranges[i];
    }
    Relais__V1__Ack ack = RELAIS__V1__ACK__INIT;
    ack.consumer = 1;
    ack.tags = tags;
    ack.n_tags = RANGES;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ACK;
    command.ack = &ack;
    world_say(&world, 2, ROUEN, &command);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_DELIVERY), "ack.tags");
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(LIMIT_EXCEEDED), "ack.tags");
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.acks, 0);
    ranges[0].last = 4; /* fewer, and the last one counts */
    world_say(&world, 2, ROUEN, &command);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_DELIVERY), "ack.tags");
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.acks, 3);
    heard_settled(&world, 2, 1, 1, 3);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core answer", settled_comes_when_the_answer_is_on_disk,
           an_answer_to_what_is_not_held_is_an_error_and_no_more,
           ranges_that_overlap_are_looked_at_up_to_a_limit,
           a_range_as_wide_as_can_be_answers_what_is_held, a_nack_comes_again_after_its_delay,
           a_nack_has_its_limits, a_refusal_is_a_dead_letter_with_its_reason,
           nacks_use_up_the_attempts, an_answer_that_finds_no_room_is_not_settled_and_comes_again,
           settled_for_a_consumer_that_has_gone_is_dropped)
