/* SPDX-License-Identifier: EUPL-1.2
 *
 * Private mailboxes: who opens them, who may answer there, and what is handed back uncounted.
 */
#include "heard.h"

#include "core/limits.h"

#include <stdlib.h>

#define PRIVATE "dila/~files"

static struct world world;

/* A message of commune-76540 by a flow. */
static void answer_by(const char *flow, uint64_t number, const char *to)
{
    struct message message;
    char id[16];
    snprintf(id, sizeof id, "r-%u", (unsigned)number);
    message_init(&message, id);
    message.envelope.flow = (char *)flow;
    message.to_one[0] = (char *)to;
    world_submit(&world, 2, ROUEN, number, &message, 1);
    world_turn(&world);
}

static void begin(void)
{
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet(&world, 2, ROUEN);
}

static void heard_refusal(uint64_t connection, Relais__V1__Code code, const char *field)
{
    world_turn(&world);
    const Relais__V1__Refused *refused = heard(&world, connection, TOLD(REFUSED))->refused;
    heard_error(refused->refusals[0]->error, code, field);
}

START_TEST(only_its_client_opens_it)
{
    begin();
    greet(&world, 3, DILA_SECOND);
    world_attach(&world, 1, DILA, 1, PRIVATE, 1);
    heard(&world, 1, TOLD(ATTACHED));
    world_attach(&world, 3, DILA_SECOND, 1, PRIVATE, 1);
    heard_error(heard(&world, 3, TOLD(DETACHED))->detached->reason, CODE(NOT_YOUR_MAILBOX),
                "attach.address");
    world_attach(&world, 2, ROUEN, 1, PRIVATE, 1);
    heard_error(heard(&world, 2, TOLD(DETACHED))->detached->reason, CODE(NOT_YOUR_MAILBOX),
                "attach.address");
    world_attach(&world, 2, ROUEN, 1, "commune-76540/~nobody", 1);
    heard_error(heard(&world, 2, TOLD(DETACHED))->detached->reason, CODE(NOT_YOUR_MAILBOX),
                "attach.address");
    world_fini(&world);
}
END_TEST

/* It asks only: answers it may have all the same. */
START_TEST(a_client_that_only_sends_opens_its_own)
{
    begin();
    greet(&world, 3, AISNE);
    world_attach(&world, 3, AISNE, 1, "departement-02/~files", 1);
    heard(&world, 3, TOLD(ATTACHED));
    world_attach(&world, 3, AISNE, 2, "departement-02/etat-civil", 1);
    heard_error(heard(&world, 3, TOLD(DETACHED))->detached->reason, CODE(ROLE_MISSING),
                "client.roles");
    greet(&world, 4, OPERATOR);
    world_attach(&world, 4, OPERATOR, 1, "op/~console", 1);
    heard_error(heard(&world, 4, TOLD(DETACHED))->detached->reason, CODE(ROLE_MISSING),
                "client.roles");
    world_fini(&world);
}
END_TEST

/* ETATCIVIL goes from dila to communes: a commune may answer by it, and nothing else. */
START_TEST(an_answer_goes_the_other_way)
{
    begin();
    answer_by("ETATCIVIL", 1, PRIVATE);
    heard_accepted(&world, 2, 1, 1);
    answer_by("ETATCIVIL", 2, "dila/greffe");
    heard_refusal(2, CODE(SENDER_NOT_ALLOWED), "submit.parts[0].envelope.flow");
    answer_by("ETATCIVIL", 3, "commune-06088/~files"); /* could not have asked */
    heard_refusal(2, CODE(RECEIVER_NOT_ALLOWED), "submit.parts[0].envelope.to[0]");
    answer_by("ETATCIVIL", 4, "dila/~nobody");
    heard_refusal(2, CODE(UNKNOWN_SERVICE), "submit.parts[0].envelope.to[0]");
    struct message message;
    message_init(&message, "asker");
    message.to_one[0] = (char *)"commune-76540/~files"; /* dila is no receiver of it */
    world_submit(&world, 1, DILA, 1, &message, 1);
    heard_refusal(1, CODE(SENDER_NOT_ALLOWED), "submit.parts[0].envelope.flow");
    world_fini(&world);
}
END_TEST

/* Nobody who may answer fills it; what is read makes room, and other mailboxes have no such end. */
START_TEST(a_private_mailbox_holds_what_one_can_have_asked_for)
{
    static struct message messages[LIMIT_PRIVATE_WAITING];
    static char ids[LIMIT_PRIVATE_WAITING][16];
    begin();
    for (unsigned i = 0; i < LIMIT_PRIVATE_WAITING; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "a-%u", i);
        message_init(&messages[i], ids[i]);
        messages[i].to_one[0] = (char *)PRIVATE;
    }
    world_submit(&world, 2, ROUEN, 1, messages, LIMIT_PRIVATE_WAITING);
    world_turn(&world);
    heard_accepted(&world, 2, 1, LIMIT_PRIVATE_WAITING);
    answer_by("ETATCIVIL", LIMIT_PRIVATE_WAITING + 1, PRIVATE);
    heard_refusal(2, CODE(BUSY), "submit.parts[0]");
    world_attach(&world, 1, DILA, 1, PRIVATE, 1);
    heard(&world, 1, TOLD(ATTACHED));
    world_turn(&world);
    heard_deliver(&world, 1, 1);
    world_ack(&world, 1, DILA, 1, 1, 1);
    world_turn(&world);
    answer_by("ETATCIVIL", LIMIT_PRIVATE_WAITING + 2, PRIVATE);
    world_pass(&world, 100);
    world_turn(&world);
    heard_accepted(&world, 2, LIMIT_PRIVATE_WAITING + 2, LIMIT_PRIVATE_WAITING + 2);
    world_fini(&world);
}
END_TEST

START_TEST(nobody_has_another_client_answered_to)
{
    static const char *const bad[] = {"dila/~spare", "commune-76540/~files"};
    begin();
    struct message message;
    for (unsigned i = 0; i < 2; i++) {
        message_init(&message, "q");
        message.envelope.reply_to = (char *)bad[i];
        world_submit(&world, 1, DILA, 1 + i, &message, 1);
        heard_refusal(1, CODE(FIELD_INVALID), "submit.parts[0].envelope.reply_to");
    }
    message.envelope.reply_to = (char *)PRIVATE;
    world_submit(&world, 1, DILA, 3, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 1, 3, 3);
    world_fini(&world);
}
END_TEST

static void nack_uncounted(uint64_t connection, const char *key, uint64_t tag)
{
    Relais__V1__Range range = RELAIS__V1__RANGE__INIT;
    Relais__V1__Range *ranges[] = {&range};
    Relais__V1__Nack nack = RELAIS__V1__NACK__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    range.first = range.last = tag;
    nack.consumer = 1;
    nack.n_tags = 1;
    nack.tags = ranges;
    nack.delay_ms = 10;
    nack.uncounted = true;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_NACK;
    command.nack = &nack;
    world_say(&world, connection, key, &command);
    world_turn(&world);
}

START_TEST(what_is_handed_back_costs_no_attempt)
{
    begin();
    world_attach(&world, 1, DILA, 1, PRIVATE, 100);
    heard(&world, 1, TOLD(ATTACHED));
    answer_by("ETATCIVIL", 1, PRIVATE);
    for (uint64_t tag = 1; tag <= 30; tag++) { /* more than there are attempts */
        const Relais__V1__Deliver *deliver = heard_deliver(&world, 1, 1);
        ck_assert_uint_eq(deliver->deliveries[0]->attempt, 1);
        nack_uncounted(1, DILA, tag);
        heard_settled(&world, 1, 1, tag, tag);
        world_pass(&world, 11);
        world_turn(&world);
    }
    ck_assert_ptr_null(shelf_first_dead(&world.shelf));
    world_fini(&world);
}
END_TEST

START_TEST(a_service_hands_nothing_back)
{
    begin();
    greet_consumer(&world, 3, 10);
    store_messages(&world, 1, 1);
    heard_deliver(&world, 3, 1);
    nack_uncounted(3, ROUEN, 1);
    heard_error(heard(&world, 3, TOLD(ERROR))->error, CODE(FIELD_INVALID), "nack.uncounted");
    world_ack(&world, 3, ROUEN, 1, 1, 1); /* still held */
    world_turn(&world);
    heard_settled(&world, 3, 1, 1, 1);
    world_fini(&world);
}
END_TEST

/* The name or the client goes: so does the consumer. */
START_TEST(a_consumer_goes_with_its_client)
{
    begin();
    world_attach(&world, 1, DILA, 1, PRIVATE, 1);
    heard(&world, 1, TOLD(ATTACHED));
    struct directory *directory = directory_new();
    ck_assert_int_eq(directory_add_member(directory, "dila", KIND_STATE), DIRECTORY_OK);
    ck_assert_int_eq(
        directory_add_client(directory, "dila", "renamed", DILA, ROLE_MAY_SEND | ROLE_MAY_RECEIVE),
        DIRECTORY_OK);
    directory_seal(directory);
    world_replace(&world, directory);
    world_flush(&world);
    heard_error(heard(&world, 1, TOLD(DETACHED))->detached->reason, CODE(UNKNOWN_SERVICE),
                "attach.address");
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core.request", only_its_client_opens_it, a_client_that_only_sends_opens_its_own,
           an_answer_goes_the_other_way, nobody_has_another_client_answered_to,
           a_private_mailbox_holds_what_one_can_have_asked_for,
           what_is_handed_back_costs_no_attempt, a_service_hands_nothing_back,
           a_consumer_goes_with_its_client)
