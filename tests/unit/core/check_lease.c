/* SPDX-License-Identifier: EUPL-1.2
 *
 * Leases, back-off, dead letters and due times; core.h, promise 2.
 */
#include "heard.h"

#include <stdlib.h>
#include <string.h>

/* One message, delivered to connection 2 with credit for more. */
static void begin(struct world *world, const struct core_settings *settings)
{
    world_init(world, settings);
    greet(world, 1, DILA);
    greet_consumer(world, 2, 1000);
    store_messages(world, 1, 1);
    heard_deliver(world, 2, 1);
}

START_TEST(a_lease_that_runs_out_is_tried_again_later)
{
    struct world world;
    begin(&world, NULL);
    ck_assert_int_eq(world.effects.wake_mono_ms, world.now.mono_ms + 120000);
    world_pass(&world, 119999);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 1);
    world_pass(&world, 1);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
    ck_assert_uint_eq(world.shelf.defers, 1);
    int64_t delay = world.shelf.entries[0].key.due_ms - world.now.wall_ms;
    ck_assert_int_ge(delay, 800);
    ck_assert_int_le(delay, 1200);
    world_ack(&world, 2, ROUEN, 1, 1, 1); /* too late */
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_DELIVERY), "ack.tags");
    world_turn(&world);
    /* The mailbox is asked about when it is due. */
    ck_assert_int_eq(world.effects.wake_mono_ms, world.now.mono_ms + delay);
    world_pass(&world, delay - 1);
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 2));
    world_pass(&world, 1);
    world_turn(&world);
    const Relais__V1__Deliver *deliver = heard_deliver(&world, 2, 1);
    ck_assert_uint_eq(deliver->first_tag, 2);
    ck_assert_uint_eq(deliver->deliveries[0]->attempt, 2);
    world_fini(&world);
}
END_TEST

START_TEST(the_wall_clock_does_not_matter_to_leases)
{
    struct world world;
    begin(&world, NULL);
    world.now.wall_ms += INT64_C(86400000);
    world_pass(&world, 119999);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 1);
    world_fini(&world);
}
END_TEST

START_TEST(the_back_off_doubles_up_to_an_hour_and_ends_in_a_dead_letter)
{
    struct world world;
    struct core_settings settings;
    core_settings_init(&settings);
    settings.attempts = 20;
    begin(&world, &settings);
    int64_t expected = 1000;
    for (uint32_t attempt = 1; attempt < 20; attempt++) {
        world_pass(&world, 120000);
        world_turn(&world);
        ck_assert_uint_eq(world.shelf.entries[0].attempts, attempt);
        int64_t delay = world.shelf.entries[0].key.due_ms - world.now.wall_ms;
        ck_assert_int_ge(delay, expected * 8 / 10);
        ck_assert_int_le(delay, expected * 12 / 10);
        expected = expected * 2 < 3600000 ? expected * 2 : 3600000;
        for (int64_t slept = 0; slept < delay; slept += 60000) {
            world_pass(&world, 60000);
            world_turn(&world);
        }
        ck_assert_uint_eq(heard_deliver(&world, 2, 1)->deliveries[0]->attempt, attempt + 1);
        ck_assert_uint_eq(shelf_taken(&world.shelf), 1);
    }
    world_fini(&world);
}
END_TEST

START_TEST(after_its_last_attempt_it_is_a_dead_letter)
{
    struct world world;
    struct core_settings settings;
    core_settings_init(&settings);
    settings.attempts = 3;
    settings.retry_ms = 10;
    begin(&world, &settings);
    for (int attempt = 1; attempt < 3; attempt++) {
        world_pass(&world, 120000);
        world_turn(&world);
        world_pass(&world, 1000);
        world_turn(&world);
        heard_deliver(&world, 2, 1);
    }
    world_pass(&world, 120000);
    world_turn(&world);
    const struct shelf_entry *dead = shelf_first_dead(&world.shelf);
    ck_assert_ptr_nonnull(dead);
    ck_assert_uint_eq(dead->code, CODE(ATTEMPTS_EXHAUSTED));
    ck_assert_uint_eq(dead->attempts, 3);
    ck_assert(world_noted(&world, "delivery.dead"));
    world_pass(&world, 3600000);
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 2));
    world_fini(&world);
}
END_TEST

START_TEST(a_lost_connection_costs_no_attempt_however_often)
{
    struct world world;
    struct core_settings settings;
    core_settings_init(&settings);
    settings.attempts = 4;
    begin(&world, &settings);
    for (uint64_t i = 2; i < 12; i++) {
        world_closed(&world, i);
        world_turn(&world);
        greet_consumer(&world, i + 1, 10);
        world_pass(&world, 1200);
        world_turn(&world);
        ck_assert_uint_eq(heard_deliver(&world, i + 1, 1)->deliveries[0]->attempt, 1);
    }
    ck_assert_ptr_null(shelf_first_dead(&world.shelf));
    world_fini(&world);
}
END_TEST

/* A message that kills its consumer must not stop those behind it. */
START_TEST(what_a_consumer_may_have_died_of_pauses_and_lets_others_pass)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 10);
    store_messages(&world, 1, 3);
    heard_deliver(&world, 2, 3);
    world_closed(&world, 2);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.defers, 1);
    ck_assert_uint_eq(world.shelf.entries[0].attempts, 0);
    greet_consumer(&world, 3, 10);
    world_turn(&world);
    heard_deliver(&world, 3, 2);
    world_pass(&world, 1200);
    world_turn(&world);
    heard_deliver(&world, 3, 1);
    world_fini(&world);
}
END_TEST

/* Two messages on a slow line: the first is answered late in its lease, so the second, sent behind
 * it, has its lease anew; when nothing more comes it runs out. */
START_TEST(a_lease_is_renewed_while_what_was_sent_before_is_answered)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 10);
    store_messages(&world, 1, 2);
    heard_deliver(&world, 2, 2);
    world_pass(&world, 100000);
    world_ack(&world, 2, ROUEN, 1, 1, 1);
    world_turn(&world);
    world_pass(&world, 20000);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 1);
    world_pass(&world, 119999);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 1);
    world_pass(&world, 1);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
    ck_assert_uint_eq(world.shelf.defers, 1);
    world_fini(&world);
}
END_TEST

/* The second was answered, so the first has arrived: its consumer has forgotten it. */
START_TEST(a_lease_is_not_renewed_when_what_was_sent_after_is_answered)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 10);
    store_messages(&world, 1, 2);
    heard_deliver(&world, 2, 2);
    world_pass(&world, 100000);
    world_ack(&world, 2, ROUEN, 1, 2, 2);
    world_turn(&world);
    world_pass(&world, 20000);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
    ck_assert_uint_eq(world.shelf.defers, 1);
    world_fini(&world);
}
END_TEST

START_TEST(an_expired_message_is_a_dead_letter_and_not_delivered)
{
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    message_init(&message, "short");
    message.envelope.expires_at_ms = world.now.wall_ms + 1000;
    world_submit(&world, 1, DILA, 1, &message, 1);
    world_turn(&world);
    world_pass(&world, 1000);
    greet_consumer(&world, 2, 5);
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 2));
    ck_assert_uint_eq(shelf_first_dead(&world.shelf)->code, CODE(EXPIRED));
    ck_assert_uint_eq(shelf_first_dead(&world.shelf)->attempts, 0);
    world_fini(&world);
}
END_TEST

START_TEST(not_before_is_kept)
{
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 5);
    message_init(&message, "later");
    message.envelope.not_before_ms = world.now.wall_ms + 50000;
    world_submit(&world, 1, DILA, 1, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 1, 1, 1);
    ck_assert_uint_eq(world.shelf.takes, 0);
    ck_assert_int_eq(world.effects.wake_mono_ms, world.now.mono_ms + 50000);
    world_pass(&world, 49999);
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 2));
    world_pass(&world, 1);
    world_turn(&world);
    heard_deliver(&world, 2, 1);
    world_fini(&world);
}
END_TEST

/* What waits aside is found by a consumer that comes before, at, and after its time. */
START_TEST(a_due_time_without_consumers_wakes_nobody)
{
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    message_init(&message, "later");
    message.envelope.not_before_ms = world.now.wall_ms + 50000;
    world_submit(&world, 1, DILA, 1, &message, 1);
    world_turn(&world);
    ck_assert_int_eq(world.effects.wake_mono_ms, 0);
    greet_consumer(&world, 2, 5);
    world_turn(&world);
    ck_assert_int_eq(world.effects.wake_mono_ms, world.now.mono_ms + 50000);
    world_closed(&world, 2);
    world_flush(&world);
    ck_assert_int_eq(world.effects.wake_mono_ms, 0);
    world_pass(&world, 60000);
    greet_consumer(&world, 3, 5);
    world_turn(&world);
    ck_assert_int_ge(world.effects.wake_mono_ms, world.now.mono_ms);
    world_pass(&world, 1);
    world_turn(&world);
    heard_deliver(&world, 3, 1);
    world_fini(&world);
}
END_TEST

/* The wall clock is set forward while everybody sleeps: no longer than a minute is lost. */
START_TEST(due_times_are_looked_at_each_minute)
{
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 5);
    message_init(&message, "later");
    message.envelope.not_before_ms = world.now.wall_ms + INT64_C(86400000);
    world_submit(&world, 1, DILA, 1, &message, 1);
    world_turn(&world);
    ck_assert_int_eq(world.effects.wake_mono_ms, world.now.mono_ms + 60000);
    world.now.wall_ms += INT64_C(86400000);
    world_pass(&world, 60000);
    world_turn(&world);
    heard_deliver(&world, 2, 1);
    world_fini(&world);
}
END_TEST

/* Many mailboxes and due times: the heap wakes each at its own. */
START_TEST(many_due_times_come_in_their_order)
{
    struct world world;
    static const char *const names[] = {"commune-76540/etat-civil", "commune-76540/accueil"};
    struct message message;
    char id[16];
    size_t heard_in_all = 0;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet(&world, 2, ROUEN);
    for (uint32_t i = 0; i < 2; i++) {
        world_attach(&world, 2, ROUEN, i + 1, names[i], 1000);
        heard(&world, 2, TOLD(ATTACHED));
    }
    for (uint64_t i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "id-%d", (int)i);
        message_init(&message, id);
        message.to_one[0] = (char *)names[i % 2];
        message.envelope.not_before_ms = world.now.wall_ms + 1 + (int64_t)(i * 17 % 40) * 100;
        world_submit(&world, 1, DILA, i + 1, &message, 1);
    }
    world_turn(&world);
    for (int step = 0; step < 40; step++) {
        world_pass(&world, 100);
        world_turn(&world);
        const Relais__V1__ToClient *next = NULL;
        while ((next = world_hear(&world, 2))) {
            ck_assert_int_eq(next->command_case, TOLD(DELIVER));
            heard_in_all += next->deliver->n_deliveries;
        }
        ck_assert_uint_eq(heard_in_all, (size_t)step + 1);
    }
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core lease", a_lease_that_runs_out_is_tried_again_later,
           the_wall_clock_does_not_matter_to_leases,
           the_back_off_doubles_up_to_an_hour_and_ends_in_a_dead_letter,
           after_its_last_attempt_it_is_a_dead_letter,
           a_lost_connection_costs_no_attempt_however_often,
           what_a_consumer_may_have_died_of_pauses_and_lets_others_pass,
           a_lease_is_renewed_while_what_was_sent_before_is_answered,
           a_lease_is_not_renewed_when_what_was_sent_after_is_answered,
           an_expired_message_is_a_dead_letter_and_not_delivered, not_before_is_kept,
           a_due_time_without_consumers_wakes_nobody, due_times_are_looked_at_each_minute,
           many_due_times_come_in_their_order)
