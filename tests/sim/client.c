/* SPDX-License-Identifier: EUPL-1.2
 *
 * See client.h. Connections: opened, lost, left, and what is said on them.
 */
#include "client.h"

#include "world.h"

#include <stdlib.h>

enum {
    RETRY_LOW_MS = 50,
    RETRY_HIGH_MS = 2000,
    RUDE_CONSUMERS = 4,                 /* numbers that the proper half of a client does not use */
    TOO_LONG_MS = 8 * 24 * 3600 * 1000, /* for a nack */
    IDLE_MS = 20000,                    /* between two looks when nothing is to be done */
};

void client_init(struct world *world, struct client *client, unsigned who)
{
    *client = (struct client){.who = who, .next_consumer = RUDE_CONSUMERS + 1};
    client_wake(world, client, chance_between(&world->chance, 0, 50));
}

void client_fini(struct client *client)
{
    free(client->backlog);
    free(client->numbers);
    free(client->answers);
}

void client_wake(struct world *world, struct client *client, int64_t delay_ms)
{
    int64_t at_ms = world->trace.now_ms + delay_ms;
    if (client->wake_ms == 0 || at_ms < client->wake_ms) {
        client->wake_ms = at_ms > 0 ? at_ms : 1;
        agenda_add(&world->agenda, client->wake_ms, AGENDA_CLIENT, client->who);
    }
}

bool client_is_done(const struct client *client)
{
    return client->backlog_count == 0 && client->unanswered == 0;
}

static void lost(struct world *world, struct client *client)
{
    client->line = 0;
    client->welcomed = false;
    client->question_count = 0;
    client->connect_ms =
        world->trace.now_ms + chance_between(&world->chance, RETRY_LOW_MS, RETRY_HIGH_MS);
    sender_lost(client);
    receiver_lost(client);
}

void client_line_gone(struct world *world, struct client *client, uint64_t line)
{
    if (client->line == line) {
        lost(world, client);
        client_wake(world, client, RETRY_LOW_MS);
    }
}

static void leave(struct world *world, struct client *client)
{
    network_leave(&world->network, client->line);
    lost(world, client);
}

void client_crash(struct world *world, struct client *client)
{
    for (size_t i = 0; i < client->recent_count; i++) {
        if (chance_is(&world->chance, 500)) {
            client->backlog = agenda_grown(client->backlog, client->backlog_count,
                                           &client->backlog_capacity, sizeof *client->backlog);
            client->backlog[client->backlog_count++] = client->recent[i];
        }
    }
    client->recent_count = 0;
    if (client->line > 0) {
        leave(world, client);
    }
}

/* False: not now. */
static bool connect(struct world *world, struct client *client)
{
    bool known = !world->town.client_absent[client->who] || chance_is(&world->chance, 100);
    if (!world->broker.core || world->trace.now_ms < client->connect_ms || !known) {
        return false;
    }
    client->line = network_open(&world->network, client->who);
    if (chance_is(&world->chance, world->calm ? 0 : world->plan.rude)) {
        speech_credit(world, client, 1, 1);
    } else {
        speech_hello(world, client);
    }
    return true;
}

static void answer_rudely(struct world *world, struct client *client)
{
    uint64_t tags[2];
    tags[0] = chance_between(&world->chance, 1, 30);
    tags[1] = tags[0] + chance_between(&world->chance, 1, 30);
    uint32_t consumer = chance_between(&world->chance, 1, 3 * RUDE_CONSUMERS);
    if (chance_is(&world->chance, 300)) {
        speech_answer_all(world, client, consumer, tags[0]);
        return;
    }
    static const enum verdict verdicts[] = {VERDICT_REFUSE, VERDICT_NACK, VERDICT_EXTEND};
    enum verdict verdict = verdicts[chance_below(&world->chance, 3)];
    struct settlement settlement = {.consumer = consumer,
                                    .verdict = verdict,
                                    .delay_ms = verdict == VERDICT_REFUSE ? 0 : TOO_LONG_MS};
    speech_answer(world, client, &settlement, tags, 2);
}

/* What nobody should do. */
static void be_rude(struct world *world, struct client *client)
{
    struct chance *chance = &world->chance;
    struct message *message = world->ledger.count > 0 ? world->ledger.messages[0] : NULL;
    uint32_t what = chance_below(chance, 8);
    uint32_t consumer = chance_between(chance, 0, 3 * RUDE_CONSUMERS);
    uint32_t number = chance_between(chance, 1, 2000);
    switch (what) {
    case 0:
        speech_hello(world, client);
        break;
    case 1:
        speech_noise(world, client);
        break;
    case 2:
        speech_credit(world, client, consumer, number);
        break;
    case 3:
        speech_detach(world, client, consumer);
        break;
    case 4:
        speech_attach(world, client, consumer % (RUDE_CONSUMERS + 1), number % TOWN_PLACES, 5);
        break;
    case 5:
        if (message) {
            speech_submit(world, client, client->number_count + 7, &message, 1);
        }
        break;
    default:
        answer_rudely(world, client);
        break;
    }
}

/* True: it has left. */
static bool go_wrong(struct world *world, struct client *client)
{
    if (world->calm) {
        return false;
    }
    if (chance_is(&world->chance, world->plan.rude)) {
        be_rude(world, client);
    }
    if (chance_is(&world->chance, world->plan.leave)) {
        if (chance_is(&world->chance, 500)) {
            speech_goodbye(world, client);
        }
        leave(world, client);
        return true;
    }
    return false;
}

void client_look(struct world *world, struct client *client)
{
    if (client->wake_ms != world->trace.now_ms) {
        return; /* an item of the agenda that is out of date */
    }
    client->wake_ms = 0;
    if (world->night) {
        return;
    }
    if (client->line == 0 && !connect(world, client)) {
        client_wake(world, client, RETRY_LOW_MS);
        return;
    }
    if (!go_wrong(world, client) && client->welcomed) {
        receiver_work(world, client);
        letters_work(world, client);
        sender_work(world, client);
    }
    client_wake(world, client,
                world->calm ? IDLE_MS : chance_between(&world->chance, 1, world->plan.client_ms));
}

static void told(struct world *world, struct client *client, const Relais__V1__ToClient *command)
{
    switch (command->command_case) {
    case RELAIS__V1__TO_CLIENT__COMMAND_WELCOME:
        client->welcomed = true;
        client_wake(world, client, 0);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ACCEPTED:
        sender_accepted(client, command->accepted);
        client_wake(world, client, 1);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_REFUSED:
        sender_refused(world, client, command->refused);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ATTACHED:
        receiver_attached(client, command->attached->consumer);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_DETACHED:
        receiver_detached(client, command->detached->consumer);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_DELIVER:
        receiver_delivered(world, client, command->deliver);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ERROR:
        if (command->error->code == RELAIS__V1__CODE__CODE_HELLO_FIRST) {
            leave(world, client);
        }
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ANSWER:
        letters_answered(client, command->answer);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_GOODBYE:
        leave(world, client);
        break;
    default:
        break;
    }
}

void client_told(struct world *world, struct client *client, uint64_t line, struct bytes command)
{
    struct wire_fault fault = {0};
    if (client->line != line) {
        return;
    }
    struct wire_arena *arena = &world->oracle.told; /* free between two turns */
    wire_arena_reset(arena);
    const Relais__V1__ToClient *read = wire_unpack_to_client(command, arena, &fault);
    PROMISE(&world->trace, read != NULL, "what the broker says can be read", {"line", line});
    told(world, client, read);
}
