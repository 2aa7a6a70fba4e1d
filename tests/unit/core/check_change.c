/* SPDX-License-Identifier: EUPL-1.2
 *
 * What changes under the clients: the directory, a stop, a restart; and that the same events give
 * the same effects (core.h).
 */
#include "heard.h"

#include <stdlib.h>
#include <string.h>

static const char MAILBOX[] = "commune-76540/etat-civil";

enum { WITHOUT_NOTHING, WITHOUT_KEY, WITHOUT_ROLE, WITHOUT_SERVICE, WITH_KEY_OF_NICE };

/* dila, and commune-76540 with something missing. */
static struct directory *directory_less(int less)
{
    struct directory *d = directory_new();
    directory_add_member(d, "dila", KIND_STATE);
    directory_add_member(d, "commune-76540", KIND_COMMUNE);
    directory_add_member(d, "commune-06088", KIND_COMMUNE);
    directory_add_client(d, "dila", "files", DILA, ROLE_MAY_SEND);
    if (less != WITHOUT_SERVICE) {
        directory_add_service(d, "commune-76540", "etat-civil");
    }
    if (less != WITHOUT_KEY) {
        directory_add_client(d, less == WITH_KEY_OF_NICE ? "commune-06088" : "commune-76540",
                             "files", ROUEN, less == WITHOUT_ROLE ? 0 : ROLE_MAY_RECEIVE);
    }
    directory_add_flow(d, "ETATCIVIL", 0);
    directory_allow_sender(d, "ETATCIVIL", "*");
    directory_allow_receiver(d, "ETATCIVIL", "*");
    directory_seal(d);
    return d;
}

static void begin(struct world *world)
{
    world_init(world, NULL);
    greet(world, 1, DILA);
    greet_consumer(world, 2, 1000);
    store_messages(world, 1, 3);
    heard_deliver(world, 2, 3);
}

START_TEST(a_directory_that_says_the_same_changes_nothing)
{
    struct world world;
    begin(&world);
    world_replace(&world, directory_less(WITHOUT_NOTHING));
    world_turn(&world);
    ck_assert(world_noted(&world, "directory.replaced"));
    ck_assert_ptr_null(world_hear(&world, 2));
    store_messages(&world, 4, 1);
    heard_deliver(&world, 2, 1);
    world_fini(&world);
}
END_TEST

START_TEST(a_revoked_key_is_sent_away_and_what_it_holds_goes_back)
{
    struct world world;
    static const int changes[] = {WITHOUT_KEY, WITH_KEY_OF_NICE};
    for (size_t i = 0; i < 2; i++) {
        begin(&world);
        world_replace(&world, directory_less(changes[i]));
        world_turn(&world);
        heard_error(heard(&world, 2, TOLD(GOODBYE))->goodbye->reason, CODE(KEY_REVOKED),
                    "client.key");
        ck_assert(world.cut[2]);
        ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
        ck_assert_uint_eq(world.shelf.releases, 3);
        world_closed(&world, 2);
        world_turn(&world);
        world_fini(&world);
    }
}
END_TEST

START_TEST(a_role_or_service_that_goes_detaches)
{
    struct world world;
    static const int changes[] = {WITHOUT_ROLE, WITHOUT_SERVICE};
    static const Relais__V1__Code codes[] = {CODE(ROLE_MISSING), CODE(UNKNOWN_SERVICE)};
    static const char *const fields[] = {"client.roles", "attach.address"};
    for (size_t i = 0; i < 2; i++) {
        begin(&world);
        world_ack(&world, 2, ROUEN, 1, 1, 1);
        world_replace(&world, directory_less(changes[i]));
        world_turn(&world);
        heard_settled(&world, 2, 1, 1, 1);
        heard_error(heard(&world, 2, TOLD(DETACHED))->detached->reason, codes[i], fields[i]);
        ck_assert(!world.cut[2]);
        ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
        ck_assert_uint_eq(shelf_waiting(&world.shelf, MAILBOX), 2); /* it stays */
        world_fini(&world);
    }
}
END_TEST

START_TEST(a_draining_broker_takes_nothing_new_and_says_goodbye_when_all_is_on_disk)
{
    struct world world;
    begin(&world);
    greet(&world, 3, NICE);
    world_submit_one(&world, 1, 4, "id-4");
    world_ack(&world, 2, ROUEN, 1, 1, 1);
    world_drain(&world);
    world_submit_one(&world, 1, 5, "id-5");
    const Relais__V1__Refused *refused = heard(&world, 1, TOLD(REFUSED))->refused;
    ck_assert_int_eq(refused->refusals[0]->error->code, CODE(DRAINING));
    ck_assert_uint_eq(refused->refusals[0]->error->retry_after_ms, 1000);
    world_flush(&world);
    ck_assert_ptr_null(world_hear(&world, 3)); /* id-4 is with the store */
    world_hello(&world, 4, ROUEN);
    heard_error(heard(&world, 4, TOLD(GOODBYE))->goodbye->reason, CODE(DRAINING), "");
    world_turn(&world);
    heard_accepted(&world, 1, 4, 4);
    heard_settled(&world, 2, 1, 1, 1);
    for (uint64_t i = 1; i <= 3; i++) {
        heard_error(heard(&world, i, TOLD(GOODBYE))->goodbye->reason, CODE(DRAINING), "");
        ck_assert(world.cut[i]);
        ck_assert_ptr_null(world_hear(&world, i));
    }
    ck_assert(!core_is_storing(world.core));
    ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
    ck_assert_uint_eq(world.shelf.takes, 0);
    world_fini(&world);
}
END_TEST

START_TEST(who_was_cut_before_is_told_nothing_more)
{
    struct world world;
    begin(&world);
    world_hello(&world, 2, ROUEN); /* said again: cut */
    heard(&world, 2, TOLD(ERROR));
    heard(&world, 2, TOLD(GOODBYE));
    world_replace(&world, directory_less(WITHOUT_KEY));
    world_drain(&world);
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 2)); /* its end has not come yet */
    heard(&world, 1, TOLD(GOODBYE));
    world_fini(&world);
}
END_TEST

START_TEST(a_take_that_comes_back_while_draining_goes_back)
{
    struct world world;
    begin(&world);
    submit_in_order(&world, 4, "id-4"); /* it is not handed on */
    world_store_one(&world);
    world_flush(&world); /* the take of id-4 is with the store */
    ck_assert_uint_eq(world.shelf.op_count, 1);
    world_drain(&world);
    world_store_one(&world);
    world_turn(&world);
    heard(&world, 2, TOLD(GOODBYE));
    ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
    world_fini(&world);
}
END_TEST

START_TEST(what_the_store_holds_is_offered_after_a_restart)
{
    struct world world;
    begin(&world);
    struct shelf shelf = world.shelf;
    for (size_t i = 0; i < shelf.entry_count; i++) {
        shelf.entries[i].taken = false; /* claims live as long as the broker */
    }
    world.shelf = (struct shelf){0};
    world_fini(&world);
    struct core_settings settings;
    core_settings_init(&settings);
    world_init(&world, &settings);
    core_free(world.core);
    static const struct stored_mailbox stored[] = {
        {.id = 1, .name = "commune-76540/etat-civil", .waiting = 3, .waiting_bytes = 300},
        {.id = 9, .name = "commune-00000/gone", .waiting = 7, .dead = 2},
    };
    world.core = core_new(&settings, world_directory(), stored, 2);
    world.shelf = shelf;
    greet_consumer(&world, 2, 10);
    world_turn(&world);
    heard_deliver(&world, 2, 3);
    greet(&world, 1, DILA);
    struct message message;
    message_init(&message, "new");
    message.to_one[0] = "commune-76540/accueil";
    world_submit(&world, 1, DILA, 1, &message, 1);
    ck_assert_uint_eq(world.shelf.ops[0]->op.mailbox.id, 10); /* behind the largest */
    world_turn(&world);
    heard_accepted(&world, 1, 1, 1);
    world_fini(&world);
}
END_TEST

START_TEST(a_name_that_the_store_refused_is_said_again)
{
    struct world world;
    struct event event = {.kind = EVENT_STORED};
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    world_submit_one(&world, 1, 1, "id-1");
    ck_assert(shelf_work(&world.shelf, &event.stored));
    event.stored.status = STORE_NO_ROOM;
    core_step(world.core, world.now, &event, &world.effects);
    effects_clear(&world.effects);
    world_submit_one(&world, 1, 2, "id-2");
    ck_assert_uint_eq(world.shelf.mailboxes, 2);
    world_turn(&world);
    world_fini(&world);
}
END_TEST

START_TEST(a_result_that_nobody_waits_for_is_dropped)
{
    struct world world;
    struct event event = {.kind = EVENT_STORED};
    world_init(&world, NULL);
    event.stored.kind = STORE_ACK;
    event.stored.ticket = 42;
    core_step(world.core, world.now, &event, &world.effects);
    ck_assert_uint_eq(world.effects.count, 1);
    ck_assert_str_eq(world.effects.items[0].log.event, "store.unasked");
    effects_clear(&world.effects);
    event.stored.kind = STORE_TAKE;
    event.stored.take.count = 1;
    event.stored.take.entries = calloc(1, sizeof *event.stored.take.entries);
    core_step(world.core, world.now, &event, &world.effects);
    world_fini(&world);
}
END_TEST

/* Everything that has randomness or order in it, once more. */
static uint64_t story(uint64_t seed)
{
    struct world world;
    struct core_settings settings;
    core_settings_init(&settings);
    settings.seed = seed;
    world_init(&world, &settings);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 100);
    greet_consumer(&world, 3, 100);
    store_messages(&world, 1, 40);
    world_ack(&world, 2, ROUEN, 1, 1, 5);
    world_nack(&world, 3, 1, 2, 700, false);
    world_pass(&world, 120000);
    world_turn(&world);
    world_pass(&world, 3000);
    world_turn(&world);
    world_closed(&world, 2);
    world_drain(&world);
    world_turn(&world);
    uint64_t trace = world.trace;
    world_fini(&world);
    return trace;
}

START_TEST(the_same_events_and_seed_give_the_same_effects)
{
    ck_assert_uint_eq(story(1), story(1));
    ck_assert_uint_ne(story(1), story(2)); /* the jitter is of the seed */
}
END_TEST

SUITE_MAIN("core change", a_directory_that_says_the_same_changes_nothing,
           a_revoked_key_is_sent_away_and_what_it_holds_goes_back,
           a_role_or_service_that_goes_detaches,
           a_draining_broker_takes_nothing_new_and_says_goodbye_when_all_is_on_disk,
           who_was_cut_before_is_told_nothing_more, a_take_that_comes_back_while_draining_goes_back,
           what_the_store_holds_is_offered_after_a_restart,
           a_name_that_the_store_refused_is_said_again, a_result_that_nobody_waits_for_is_dropped,
           the_same_events_and_seed_give_the_same_effects)
