/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message without recipients goes to the subscribers of its flow (recipients.h).
 */
#include "heard.h"

#include <stdlib.h>
#include <string.h>

static const char *const subscribers[] = {"dila/greffe", "commune-76540/accueil",
                                          "commune-06088/etat-civil"};

enum { SUBSCRIBERS = 3 };

static void start(struct world *world, const struct core_settings *settings)
{
    world_init(world, settings);
    greet(world, 1, DILA);
}

static void notice_init(struct message *message, const char *id)
{
    message_init(message, id);
    message->envelope.flow = "PETIT";
    message->envelope.n_to = 0;
}

static const Relais__V1__Error *heard_refusal(struct world *world)
{
    world_turn(world);
    return heard(world, 1, TOLD(REFUSED))->refused->refusals[0]->error;
}

START_TEST(every_subscriber_has_an_entry_and_the_bytes_are_stored_once)
{
    struct world world;
    struct message message;
    start(&world, NULL);
    notice_init(&message, "notice");
    world_submit(&world, 1, DILA, 1, &message, 1);
    ck_assert_uint_eq(world.shelf.announces, 1);
    world_turn(&world);
    heard_accepted(&world, 1, 1, 1);
    ck_assert_uint_eq(world.shelf.appends, 1);
    ck_assert_uint_eq(world.shelf.entry_count, SUBSCRIBERS);
    for (int i = 0; i < SUBSCRIBERS; i++) {
        ck_assert_uint_eq(shelf_waiting(&world.shelf, subscribers[i]), 1);
    }
    notice_init(&message, "notice-2");
    world_submit(&world, 1, DILA, 2, &message, 1);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.announces, 1);
    ck_assert_uint_eq(world.shelf.mailboxes, SUBSCRIBERS);
    ck_assert_uint_eq(world.shelf.entry_count, 2 * SUBSCRIBERS);
    world_fini(&world);
}
END_TEST

START_TEST(the_service_that_sends_gets_no_copy)
{
    struct world world;
    struct message message;
    start(&world, NULL);
    notice_init(&message, "own");
    message.envelope.from = "dila/greffe";
    world_submit(&world, 1, DILA, 1, &message, 1);
    notice_init(&message, "other");
    message.envelope.from = "dila/gref";
    world_submit(&world, 1, DILA, 2, &message, 1);
    world_turn(&world);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "dila/greffe"), 1);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "commune-76540/accueil"), 2);
    world_fini(&world);
}
END_TEST

START_TEST(each_copy_is_delivered_and_acknowledged_by_itself)
{
    struct world world;
    struct message message;
    start(&world, NULL);
    notice_init(&message, "notice");
    world_submit(&world, 1, DILA, 1, &message, 1);
    world_turn(&world);
    world_hello(&world, 2, ROUEN);
    world_attach(&world, 2, ROUEN, 1, "commune-76540/accueil", 10);
    world_turn(&world);
    (void)world_hear(&world, 2);
    (void)world_hear(&world, 2);
    const Relais__V1__ToClient *told = world_hear(&world, 2);
    ck_assert_ptr_nonnull(told);
    ck_assert_int_eq(told->command_case, RELAIS__V1__TO_CLIENT__COMMAND_DELIVER);
    world_ack(&world, 2, ROUEN, 1, 1, 1);
    world_turn(&world);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "commune-76540/accueil"), 0);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "commune-06088/etat-civil"), 1);
    world_fini(&world);
}
END_TEST

START_TEST(a_flow_that_nobody_has_subscribed_to_is_refused)
{
    struct world world;
    struct message message;
    start(&world, NULL);
    notice_init(&message, "id");
    message.envelope.flow = "ETATCIVIL";
    world_submit(&world, 1, DILA, 1, &message, 1);
    const Relais__V1__Error *error = heard_refusal(&world);
    ck_assert_int_eq(error->code, CODE(NO_SUBSCRIBER));
    ck_assert_str_eq(error->field, "submit.parts[0].envelope.to");
    ck_assert_uint_eq(world.shelf.appends, 0);
    world_fini(&world);
}
END_TEST

/* dila/greffe alone has subscribed. */
static struct directory *lonely(void)
{
    struct directory *d = directory_new();
    ck_assert_int_eq(directory_add_member(d, "dila", KIND_STATE), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_service(d, "dila", "greffe"), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_client(d, "dila", "files", DILA, ROLE_MAY_SEND), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_flow(d, "PETIT", 0), DIRECTORY_OK);
    ck_assert_int_eq(directory_allow_sender(d, "PETIT", "*"), DIRECTORY_OK);
    ck_assert_int_eq(directory_allow_receiver(d, "PETIT", "*"), DIRECTORY_OK);
    ck_assert_int_eq(directory_subscribe(d, "PETIT", "dila", "greffe"), DIRECTORY_OK);
    directory_seal(d);
    return d;
}

START_TEST(nobody_but_the_sender_is_nobody)
{
    struct world world;
    struct message message;
    start(&world, NULL);
    world_replace(&world, lonely());
    notice_init(&message, "id");
    message.envelope.from = "dila/greffe";
    world_submit(&world, 1, DILA, 1, &message, 1);
    ck_assert_int_eq(heard_refusal(&world)->code, CODE(NO_SUBSCRIBER));
    message.envelope.from = "";
    world_submit(&world, 1, DILA, 2, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 1, 2, 2);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "dila/greffe"), 1);
    world_fini(&world);
}
END_TEST

START_TEST(subscribers_are_those_of_the_directory_at_that_moment)
{
    struct world world;
    struct message message;
    start(&world, NULL);
    notice_init(&message, "before");
    world_submit(&world, 1, DILA, 1, &message, 1);
    world_replace(&world, lonely());
    notice_init(&message, "after");
    world_submit(&world, 1, DILA, 2, &message, 1);
    world_turn(&world);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "dila/greffe"), 2);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, "commune-06088/etat-civil"), 1);
    world_fini(&world);
}
END_TEST

START_TEST(a_repeated_notice_is_stored_once)
{
    struct world world;
    struct message message;
    start(&world, NULL);
    notice_init(&message, "same");
    world_submit(&world, 1, DILA, 1, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 1, 1, 1);
    world_submit(&world, 1, DILA, 2, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 1, 2, 2);
    ck_assert_uint_eq(world.shelf.entry_count, SUBSCRIBERS);
    world_fini(&world);
}
END_TEST

/* What a notice to many costs in memory is counted before it is taken. */
START_TEST(subscribers_count_as_bytes_on_their_way_to_disk)
{
    struct world world;
    struct message message;
    struct core_settings settings;
    core_settings_init(&settings);
    settings.storing_bytes = 1600 * 8 / 7 + 1; /* seven eighths are for one member */
    start(&world, &settings);
    notice_init(&message, "one");
    world_submit(&world, 1, DILA, 1, &message, 1);
    message_init(&message, "two");
    world_submit(&world, 1, DILA, 2, &message, 1);
    notice_init(&message, "three");
    world_submit(&world, 1, DILA, 3, &message, 1);
    ck_assert_int_eq(heard_refusal(&world)->code, CODE(BUSY));
    ck_assert_uint_eq(world.shelf.appends, 2);
    world_turn(&world);
    notice_init(&message, "four");
    world_submit(&world, 1, DILA, 4, &message, 1);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.appends, 3);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core fanout", every_subscriber_has_an_entry_and_the_bytes_are_stored_once,
           the_service_that_sends_gets_no_copy, each_copy_is_delivered_and_acknowledged_by_itself,
           a_flow_that_nobody_has_subscribed_to_is_refused, nobody_but_the_sender_is_nobody,
           subscribers_are_those_of_the_directory_at_that_moment, a_repeated_notice_is_stored_once,
           subscribers_count_as_bytes_on_their_way_to_disk)
