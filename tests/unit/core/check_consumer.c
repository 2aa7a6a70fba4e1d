/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "Receiving": attaching, credit, and who gets what. The oracle aborts on a
 * delivery without credit or to a foreign member.
 */
#include "core/limits.h"
#include "heard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD_FIRST = 16 }; /* taken ahead of credit, until more prove useful */

static const char MAILBOX[] = "commune-76540/etat-civil";

static void heard_detached(struct world *world, uint64_t connection, uint32_t consumer,
                           Relais__V1__Code code, const char *field)
{
    const Relais__V1__Detached *detached = heard(world, connection, TOLD(DETACHED))->detached;
    ck_assert_uint_eq(detached->consumer, consumer);
    heard_error(detached->reason, code, field);
}

START_TEST(a_client_opens_its_own_mailboxes_only)
{
    static const struct {
        const char *key, *address;
        uint32_t consumer, credit;
        Relais__V1__Code code;
        const char *field;
    } rows[] = {
        {AISNE, "departement-02/etat-civil", 1, 1, CODE(ROLE_MISSING), "client.roles"},
        {ROUEN, "", 1, 1, CODE(FIELD_MISSING), "attach.address"},
        {ROUEN, "etat-civil", 1, 1, CODE(FIELD_INVALID), "attach.address"},
        {ROUEN, "commune-99999/etat-civil", 1, 1, CODE(UNKNOWN_MEMBER), "attach.address"},
        {ROUEN, "commune-06088/etat-civil", 1, 1, CODE(NOT_YOUR_MAILBOX), "attach.address"},
        {ROUEN, "commune-76540/guichet", 1, 1, CODE(UNKNOWN_SERVICE), "attach.address"},
        {ROUEN, "commune-76540/accueil", 0, 1, CODE(FIELD_INVALID), "attach.consumer"},
        {ROUEN, "commune-76540/accueil", 1, 1025, CODE(LIMIT_EXCEEDED), "attach.credit"},
    };
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, ROUEN);
    greet(&world, 2, AISNE);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t connection = rows[i].key == AISNE ? 2 : 1;
        world_attach(&world, connection, rows[i].key, rows[i].consumer, rows[i].address,
                     rows[i].credit);
        heard_detached(&world, connection, rows[i].consumer, rows[i].code, rows[i].field);
    }
    world_attach(&world, 1, ROUEN, 1, "commune-76540/accueil", 1024);
    ck_assert_uint_eq(heard(&world, 1, TOLD(ATTACHED))->attached->lease_ms, 120000);
    world_attach(&world, 1, ROUEN, 1, MAILBOX, 1); /* in use: the first one stays */
    heard_error(heard(&world, 1, TOLD(ERROR))->error, CODE(FIELD_INVALID), "attach.consumer");
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.takes, 0); /* nothing is known to be there */
    world_fini(&world);
}
END_TEST

START_TEST(a_connection_has_64_consumers)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, ROUEN);
    for (uint32_t i = 1; i <= 64; i++) {
        world_attach(&world, 1, ROUEN, i, MAILBOX, 1);
        heard(&world, 1, TOLD(ATTACHED));
    }
    world_attach(&world, 1, ROUEN, 65, MAILBOX, 1);
    heard_detached(&world, 1, 65, CODE(LIMIT_EXCEEDED), "attach");
    world_detach(&world, 1, ROUEN, 7);
    world_turn(&world);
    ck_assert_ptr_null(heard(&world, 1, TOLD(DETACHED))->detached->reason);
    world_attach(&world, 1, ROUEN, 65, MAILBOX, 1);
    heard(&world, 1, TOLD(ATTACHED));
    world_fini(&world);
}
END_TEST

START_TEST(what_waits_is_delivered_as_it_was_submitted)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    store_messages(&world, 1, 3);
    world.now.wall_ms += 5;
    greet_consumer(&world, 2, 10);
    world_turn(&world);
    const struct told *told = world_hear_told(&world, 2);
    ck_assert_int_eq(told->command->command_case, TOLD(DELIVER));
    const Relais__V1__Deliver *deliver = told->command->deliver;
    ck_assert_uint_eq(deliver->first_tag, 1);
    ck_assert_uint_eq(deliver->n_deliveries, 3);
    ck_assert_uint_eq(deliver->deliveries[0]->attempt, 1);
    ck_assert_int_eq(deliver->deliveries[0]->accepted_ms, world.now.wall_ms - 5);
    ck_assert_uint_eq(told->messages[2].payload.size, 20);
    ck_assert_int_eq(told->messages[2].payload.data[19], 'p');
    store_messages(&world, 4, 2); /* what comes later is sent on */
    ck_assert_uint_eq(heard_deliver(&world, 2, 2)->first_tag, 4);
    world_fini(&world);
}
END_TEST

START_TEST(without_credit_nothing_is_taken)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 0);
    store_messages(&world, 1, 10);
    ck_assert_uint_eq(world.shelf.takes, 0);
    world_credit(&world, 2, ROUEN, 1, 4);
    world_turn(&world);
    heard_deliver(&world, 2, 4);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 8); /* as many ahead: check_handover.c */
    world_ack(&world, 2, ROUEN, 1, 1, 4);            /* an answer is no credit */
    world_turn(&world);
    heard_settled(&world, 2, 1, 1, 4);
    ck_assert_ptr_null(world_hear(&world, 2));
    world_credit(&world, 2, ROUEN, 1, 100);
    world_turn(&world);
    ck_assert_uint_eq(heard_deliver(&world, 2, 6)->first_tag, 5);
    world_fini(&world);
}
END_TEST

START_TEST(credit_is_at_most_1024)
{
    struct world world;
    world_init(&world, NULL);
    greet_consumer(&world, 2, 1000);
    world_credit(&world, 2, ROUEN, 1, 25);
    const Relais__V1__Error *error = heard(&world, 2, TOLD(ERROR))->error;
    heard_error(error, CODE(LIMIT_EXCEEDED), "credit.add");
    ck_assert_str_eq(error->right, "24");
    world_credit(&world, 2, ROUEN, 1, UINT32_MAX);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(LIMIT_EXCEEDED), "credit.add");
    world_credit(&world, 2, ROUEN, 1, 24);
    world_credit(&world, 2, ROUEN, 9, 1);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_CONSUMER), "credit.consumer");
    ck_assert_ptr_null(world_hear(&world, 2));
    world_fini(&world);
}
END_TEST

START_TEST(a_consumer_holds_at_most_1024_without_an_answer)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    store_messages(&world, 1, 1100);
    greet_consumer(&world, 2, 1024);
    world_turn(&world);
    world_credit(&world, 2, ROUEN, 1, 1024);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 1024);
    world_ack(&world, 2, ROUEN, 1, 1, 10);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 1024 + AHEAD_FIRST);
    ck_assert_uint_eq(shelf_waiting(&world.shelf, MAILBOX), 1090);
    world_fini(&world);
}
END_TEST

/* 8 MiB without an answer, one message excepted; a Deliver has at most 2 MiB. */
START_TEST(a_consumer_holds_at_most_8_mib_without_an_answer)
{
    struct world world;
    struct message message;
    char id[16];
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    for (uint64_t i = 1; i <= 12; i++) {
        snprintf(id, sizeof id, "id-%d", (int)i);
        message_init(&message, id);
        message.payload_bytes = 900 * 1024;
        message.envelope.payload_size = message.payload_bytes;
        world_submit(&world, 1, DILA, i, &message, 1);
        world_turn(&world);
    }
    greet_consumer(&world, 2, 100);
    world_turn(&world);
    size_t count = 0;
    const Relais__V1__ToClient *next = NULL;
    while ((next = world_hear(&world, 2))) {
        ck_assert_uint_le(next->deliver->n_deliveries, 2);
        count += next->deliver->n_deliveries;
    }
    ck_assert_uint_eq(count, 10);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 10);
    world_ack(&world, 2, ROUEN, 1, 1, 1);
    world_turn(&world);
    heard(&world, 2, TOLD(SETTLED));
    heard_deliver(&world, 2, 1);
    world_fini(&world);
}
END_TEST

START_TEST(consumers_with_credit_take_turns)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 100);
    greet_consumer(&world, 3, 2);
    greet_consumer(&world, 4, 100);
    world_attach(&world, 4, ROUEN, 2, MAILBOX, 0);
    heard(&world, 4, TOLD(ATTACHED));
    store_messages(&world, 1, 10);
    heard_deliver(&world, 2, 4);
    heard_deliver(&world, 3, 2);
    heard_deliver(&world, 4, 4);
    world_fini(&world);
}
END_TEST

START_TEST(one_take_at_a_time_and_no_larger_than_allowed)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    store_messages(&world, 1, 1000);
    store_messages(&world, 1001, 200);
    greet_consumer(&world, 2, LIMIT_CREDIT);
    world_flush(&world);
    ck_assert_uint_eq(world.shelf.op_count, 1);
    ck_assert_uint_eq(world.shelf.ops[0]->op.take.max_entries, LIMIT_TAKE_ENTRIES);
    greet_consumer(&world, 3, 10);
    world_flush(&world);
    ck_assert_uint_eq(world.shelf.op_count, 1);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), LIMIT_CREDIT + 10 + AHEAD_FIRST);
    world_fini(&world);
}
END_TEST

START_TEST(a_mailbox_has_at_most_2048_taken)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    store_messages(&world, 1, 2100);
    for (uint64_t i = 2; i <= 4; i++) {
        greet_consumer(&world, i, 1024);
    }
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), LIMIT_HELD_ENTRIES);
    /* Room made by one is used by whoever has credit. */
    world_ack(&world, 2, ROUEN, 1, 1, 10);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), LIMIT_HELD_ENTRIES);
    world_fini(&world);
}
END_TEST

START_TEST(detaching_gives_back_without_counting)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 10);
    store_messages(&world, 1, 3);
    heard_deliver(&world, 2, 3);
    world_ack(&world, 2, ROUEN, 1, 2, 2);
    world_detach(&world, 2, ROUEN, 1);
    world_flush(&world);
    ck_assert_ptr_null(world_hear(&world, 2)); /* its answer is not on disk yet */
    world_attach(&world, 2, ROUEN, 1, MAILBOX, 1);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(FIELD_INVALID), "attach.consumer");
    world_turn(&world);
    heard_settled(&world, 2, 1, 2, 2);
    ck_assert_ptr_null(heard(&world, 2, TOLD(DETACHED))->detached->reason);
    ck_assert_uint_eq(world.shelf.releases, 2);
    ck_assert_uint_eq(world.shelf.defers, 0);
    world_detach(&world, 2, ROUEN, 1);
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_CONSUMER), "detach.consumer");
    world_attach(&world, 2, ROUEN, 1, MAILBOX, 10); /* the number may be used again */
    heard(&world, 2, TOLD(ATTACHED));
    world_turn(&world);
    const Relais__V1__Deliver *deliver = heard_deliver(&world, 2, 2);
    ck_assert_uint_eq(deliver->first_tag, 1);
    ck_assert_uint_eq(deliver->deliveries[0]->attempt, 1);
    world_fini(&world);
}
END_TEST

START_TEST(entries_that_come_for_nobody_go_back)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    store_messages(&world, 1, 5);
    greet_consumer(&world, 2, 10);
    world_flush(&world); /* the take is with the store */
    world_detach(&world, 2, ROUEN, 1);
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
    ck_assert_uint_eq(world.shelf.releases, 5);
    heard(&world, 2, TOLD(DETACHED));
    ck_assert_ptr_null(world_hear(&world, 2));
    greet_consumer(&world, 3, 10);
    world_turn(&world);
    heard_deliver(&world, 3, 5);
    world_fini(&world);
}
END_TEST

/* What goes back while a take is with the store is not in its result, but is not forgotten. */
START_TEST(what_goes_back_during_a_take_is_taken_again)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet_consumer(&world, 2, 3);
    store_messages(&world, 1, 3);
    heard_deliver(&world, 2, 3);
    greet_consumer(&world, 3, 10);
    submit_in_order(&world, 4, "id-4"); /* it is not handed on */
    world_store_one(&world);
    world_flush(&world); /* the take for connection 3 is with the store */
    ck_assert_uint_eq(world.shelf.op_count, 1);
    world_detach(&world, 2, ROUEN, 1);
    world_turn(&world);
    heard_deliver(&world, 3, 1);
    heard_deliver(&world, 3, 3);
    world_fini(&world);
}
END_TEST

/* What was handed to a consumer but has not left in this turn was no attempt. */
START_TEST(a_connection_that_goes_before_the_flush_costs_no_attempt)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    store_messages(&world, 1, 5);
    greet_consumer(&world, 2, 10);
    world_flush(&world);
    world_store_one(&world);              /* taken, not flushed */
    world_ack(&world, 2, ROUEN, 1, 1, 1); /* and nobody can answer it yet */
    heard_error(heard(&world, 2, TOLD(ERROR))->error, CODE(UNKNOWN_DELIVERY), "ack.tags");
    world_closed(&world, 2);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.releases, 5);
    ck_assert_uint_eq(world.shelf.defers, 0);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 0);
    world_fini(&world);
}
END_TEST

/* dila sends to a hundred mailboxes of commune-76540. */
static struct directory *hundred_mailboxes(void)
{
    struct directory *d = directory_new();
    const unsigned both = ROLE_MAY_SEND | ROLE_MAY_RECEIVE;
    char service[16];
    ck_assert_int_eq(directory_add_member(d, "dila", KIND_STATE), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_client(d, "dila", "files", DILA, both), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_member(d, "commune-76540", KIND_COMMUNE), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_client(d, "commune-76540", "files", ROUEN, both), DIRECTORY_OK);
    for (int i = 0; i < 100; i++) {
        snprintf(service, sizeof service, "boite-%d", i);
        ck_assert_int_eq(directory_add_service(d, "commune-76540", service), DIRECTORY_OK);
    }
    ck_assert_int_eq(directory_add_flow(d, "ETATCIVIL", 0), DIRECTORY_OK);
    ck_assert_int_eq(directory_allow_sender(d, "ETATCIVIL", "dila"), DIRECTORY_OK);
    ck_assert_int_eq(directory_allow_receiver(d, "ETATCIVIL", "*"), DIRECTORY_OK);
    directory_seal(d);
    return d;
}

/* Each take may bring a megabyte: everybody comes back at once after a restart. */
START_TEST(takes_of_many_mailboxes_wait_for_each_other)
{
    struct world world;
    struct message message;
    char address[32];
    char id[16];
    world_init(&world, NULL);
    world_replace(&world, hundred_mailboxes());
    greet(&world, 1, DILA);
    greet(&world, 2, ROUEN);
    greet(&world, 3, ROUEN);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(address, sizeof address, "commune-76540/boite-%u", i);
        snprintf(id, sizeof id, "id-%u", i);
        message_init(&message, id);
        message.to_one[0] = address;
        message.envelope.to = message.to_one;
        world_submit(&world, 1, DILA, i + 1, &message, 1);
    }
    world_turn(&world);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(address, sizeof address, "commune-76540/boite-%u", i);
        world_attach(&world, 2 + i % 2, ROUEN, i + 1, address, 1);
    }
    world_flush(&world);
    ck_assert_uint_eq(world.shelf.takes, LIMIT_TAKES);
    for (size_t done = 1; done <= 36; done++) { /* the next goes when one has come back */
        world_store_one(&world);
        world_flush(&world);
        ck_assert_uint_eq(world.shelf.takes, LIMIT_TAKES + done);
    }
    world_turn(&world);
    ck_assert_uint_eq(shelf_taken(&world.shelf), 100);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core consumer", a_client_opens_its_own_mailboxes_only, a_connection_has_64_consumers,
           what_waits_is_delivered_as_it_was_submitted, without_credit_nothing_is_taken,
           credit_is_at_most_1024, a_consumer_holds_at_most_1024_without_an_answer,
           a_consumer_holds_at_most_8_mib_without_an_answer, consumers_with_credit_take_turns,
           one_take_at_a_time_and_no_larger_than_allowed, a_mailbox_has_at_most_2048_taken,
           detaching_gives_back_without_counting, entries_that_come_for_nobody_go_back,
           what_goes_back_during_a_take_is_taken_again,
           a_connection_that_goes_before_the_flush_costs_no_attempt,
           takes_of_many_mailboxes_wait_for_each_other)
