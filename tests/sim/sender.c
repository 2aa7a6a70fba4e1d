/* SPDX-License-Identifier: EUPL-1.2
 *
 * See client.h. The half that sends: nothing is given up before it has an answer.
 */
#include "client.h"
#include "core/limits.h"
#include "world.h"

#include <string.h>

enum {
    NO_MESSAGE = UINT32_MAX,
    LARGE_BYTES = 100 * 1024,
    USUAL_BYTES = 300,
    LATER_MS = 20 * 1000,
    EXPIRES_MS = 30 * 1000,
    RECENT = 60, /* what is superseded is seldom old */
    TRIES = 8,
};

static void add_backlog(struct client *client, uint32_t message)
{
    client->backlog = agenda_grown(client->backlog, client->backlog_count,
                                   &client->backlog_capacity, sizeof *client->backlog);
    client->backlog[client->backlog_count++] = message;
}

static uint32_t draw_size(struct world *world)
{
    if (chance_is(&world->chance, world->plan.large)) {
        return chance_between(&world->chance, USUAL_BYTES, LARGE_BYTES);
    }
    return chance_is(&world->chance, 100) ? 0 : chance_between(&world->chance, 1, USUAL_BYTES);
}

/* Recipients that the flow allows, or any when the message is to be wrong. */
static void draw_places(struct world *world, struct message *message, bool wrong)
{
    static const struct town everybody;
    uint32_t count = chance_is(&world->chance, world->plan.many)
                         ? chance_between(&world->chance, 2, TOWN_PLACES)
                         : 1;
    unsigned first = chance_below(&world->chance, TOWN_PLACES);
    for (unsigned i = 0; i < TOWN_PLACES && message->place_count < count; i++) {
        unsigned place = (first + i) % TOWN_PLACES;
        if (wrong || town_may_send(&everybody, message->client, message->flow, place,
                                   message->payload_bytes)) {
            message->places[message->place_count++] = place;
        }
    }
    if (message->place_count == 0) {
        message->places[message->place_count++] = first;
    }
}

/* One of its member's, of any flow and age; now and then of anybody, itself too. */
static void draw_earlier(struct world *world, struct message *pattern, bool wrong)
{
    const struct ledger *ledger = &world->ledger;
    uint32_t count = (uint32_t)ledger->count;
    for (int i = 0; i < TRIES && count > 0 && !wrong; i++) {
        uint32_t index = count - 1 - chance_below(&world->chance, count < RECENT ? count : RECENT);
        const struct message *earlier = ledger->messages[index];
        if (TOWN_PEOPLE[earlier->client].member == TOWN_PEOPLE[pattern->client].member) {
            pattern->supersedes = true;
            pattern->earlier = index;
            pattern->flow = earlier->flow;
            return;
        }
    }
    if (wrong) {
        pattern->supersedes = true;
        pattern->earlier = chance_below(&world->chance, count + 1);
    }
}

static uint32_t make(struct world *world, const struct client *client)
{
    static const uint8_t lanes[] = {LANE_NORMAL, LANE_NORMAL, LANE_HIGH, LANE_LOW};
    struct chance *chance = &world->chance;
    int64_t now_ms = broker_now(world).wall_ms;
    struct message pattern = {.client = client->who};
    pattern.lane = lanes[chance_below(chance, 4)];
    pattern.flow = (enum town_flow)chance_below(chance, TOWN_FLOWS);
    bool wrong = chance_is(chance, world->plan.wrong);
    if (chance_is(chance, world->plan.superseding)) {
        draw_earlier(world, &pattern, wrong);
    }
    pattern.payload_bytes = draw_size(world);
    if (pattern.flow == FLOW_SMALL && !wrong) {
        pattern.payload_bytes %= TOWN_SMALL_BYTES;
    }
    if (chance_is(chance, world->plan.later)) {
        pattern.not_before_ms = now_ms + chance_between(chance, 1, LATER_MS);
    }
    if (chance_is(chance, world->plan.expiring)) {
        pattern.expires_ms = now_ms + chance_between(chance, wrong ? 0 : 200, EXPIRES_MS);
    }
    if (chance_is(chance, world->plan.ordered)) {
        pattern.key = chance_between(chance, 1, LEDGER_KEYS);
    }
    pattern.to_subscribers = !pattern.supersedes && chance_is(chance, world->plan.notices);
    bool names_none = pattern.supersedes && chance_is(chance, 700);
    if (!pattern.to_subscribers && !names_none) {
        draw_places(world, &pattern, wrong);
    }
    return ledger_add(&world->ledger, &pattern)->index;
}

static void make_some(struct world *world, struct client *client)
{
    uint32_t count = chance_below(&world->chance, world->plan.batch + 1);
    while (!world->calm && count > 0 && client->backlog_count < world->plan.backlog &&
           world->ledger.count < world->plan.messages) {
        add_backlog(client, make(world, client));
        count--;
    }
}

static void submit(struct world *world, struct client *client, size_t count)
{
    struct message *messages[WIRE_BATCH_MESSAGES] = {0};
    uint64_t bytes = 0;
    size_t fit = 0;
    while (fit < count) {
        struct message *message = world->ledger.messages[client->backlog[fit]];
        bytes += ledger_bytes(message);
        if (fit > 0 && bytes > LIMIT_BATCH_BYTES) {
            break;
        }
        messages[fit++] = message;
    }
    speech_submit(world, client, client->number_count + 1, messages, fit);
    for (size_t i = 0; i < fit; i++) {
        client->numbers = agenda_grown(client->numbers, client->number_count,
                                       &client->number_capacity, sizeof *client->numbers);
        client->numbers[client->number_count++] = messages[i]->index;
    }
    client->unanswered += fit;
    client->backlog_count -= fit;
    memmove(client->backlog, client->backlog + fit,
            client->backlog_count * sizeof *client->backlog);
}

void sender_work(struct world *world, struct client *client)
{
    if ((TOWN_PEOPLE[client->who].roles & ROLE_MAY_SEND) == 0) {
        return;
    }
    make_some(world, client);
    while (client->backlog_count > 0 && world->trace.now_ms >= client->submit_ms) {
        size_t most = client->backlog_count < WIRE_BATCH_MESSAGES ? client->backlog_count
                                                                  : WIRE_BATCH_MESSAGES;
        most = most < world->plan.batch ? most : world->plan.batch;
        submit(world, client, chance_between(&world->chance, 1, (uint32_t)most));
    }
}

/* The message of a number that has its answer now; NO_MESSAGE: it had one. */
static uint32_t close_number(struct client *client, uint64_t number)
{
    if (number == 0 || number > client->number_count) {
        return NO_MESSAGE; /* of a connection before this one */
    }
    uint32_t message = client->numbers[number - 1];
    client->numbers[number - 1] = NO_MESSAGE;
    client->unanswered -= message != NO_MESSAGE;
    return message;
}

void sender_accepted(struct client *client, const Relais__V1__Accepted *accepted)
{
    for (size_t i = 0; i < accepted->n_numbers; i++) {
        for (uint64_t n = accepted->numbers[i]->first; n <= accepted->numbers[i]->last; n++) {
            uint32_t message = close_number(client, n);
            if (message == NO_MESSAGE) {
                continue;
            }
            if (client->recent_count == CLIENT_RECENT) {
                client->recent_count = 0; /* written down */
            }
            client->recent[client->recent_count++] = message;
        }
    }
}

void sender_refused(struct world *world, struct client *client, const Relais__V1__Refused *refused)
{
    for (size_t i = 0; i < refused->n_refusals; i++) {
        const Relais__V1__Error *error = refused->refusals[i]->error;
        uint32_t message = close_number(client, refused->refusals[i]->number);
        if (message != NO_MESSAGE && error->retry_after_ms > 0) {
            add_backlog(client, message);
            client->submit_ms = world->trace.now_ms + error->retry_after_ms;
            client_wake(world, client, error->retry_after_ms);
        }
    }
}

void sender_lost(struct client *client)
{
    for (size_t i = 0; i < client->number_count; i++) {
        if (client->numbers[i] != NO_MESSAGE) {
            add_backlog(client, client->numbers[i]);
        }
    }
    client->number_count = 0;
    client->unanswered = 0;
}
