/* SPDX-License-Identifier: EUPL-1.2
 *
 * See client.h. The half that receives. In the calm part it acks everything at once.
 */
#include "client.h"
#include "world.h"

#include <string.h>

enum {
    NACK_MS = 3000, /* the longest delay that is asked for */
    SOON_MS = 30,
    CALM_CREDIT = 200,
    TAGS = 256, /* of one command */
};

static struct client_consumer *consumer_of(struct client *client, uint32_t number)
{
    for (size_t i = 0; i < CLIENT_CONSUMERS; i++) {
        if (client->consumers[i].number == number) {
            return &client->consumers[i];
        }
    }
    return NULL;
}

void receiver_attached(struct client *client, uint32_t number)
{
    struct client_consumer *consumer = consumer_of(client, number);
    if (consumer && number > 0) {
        consumer->attached = true;
    }
}

void receiver_detached(struct client *client, uint32_t number)
{
    struct client_consumer *consumer = consumer_of(client, number);
    if (consumer) {
        *consumer = (struct client_consumer){0};
    }
}

void receiver_lost(struct client *client)
{
    memset(client->consumers, 0, sizeof client->consumers);
    client->answer_count = 0;
}

/* Several consumers may have the same. */
unsigned receiver_place(const struct client *client, size_t k)
{
    unsigned found[TOWN_PLACES];
    unsigned count = 0;
    for (unsigned place = 0; place < TOWN_PLACES; place++) {
        if (TOWN_ADDRESSES[place].member == TOWN_PEOPLE[client->who].member) {
            found[count++] = place;
        }
    }
    return found[k % count];
}

static void attach_some(struct world *world, struct client *client)
{
    for (size_t i = 0; i < CLIENT_CONSUMERS; i++) {
        struct client_consumer *consumer = &client->consumers[i];
        if (consumer->number > 0 || (!world->calm && chance_is(&world->chance, 700))) {
            continue;
        }
        *consumer = (struct client_consumer){
            .number = client->next_consumer++,
            .place = receiver_place(client, i),
            .credit =
                world->calm ? CALM_CREDIT : chance_between(&world->chance, 0, world->plan.credit)};
        speech_attach(world, client, consumer->number, consumer->place, consumer->credit);
    }
}

static void tend(struct world *world, struct client *client, struct client_consumer *consumer)
{
    uint32_t most = world->calm ? CALM_CREDIT : world->plan.credit;
    if (!consumer->attached || consumer->leaving) {
        return;
    }
    if (!world->calm && chance_is(&world->chance, world->plan.leave)) {
        consumer->leaving = true;
        speech_detach(world, client, consumer->number);
    } else if (consumer->credit <= most / 2) {
        uint32_t add = most - consumer->credit;
        consumer->credit += add;
        speech_credit(world, client, consumer->number, add);
    }
}

/* One command for all that is due with the same verdict about the same consumer. */
static uint32_t draw_delay(struct world *world, enum verdict verdict)
{
    if (verdict == VERDICT_EXTEND) {
        return chance_between(&world->chance, 1, 2 * world->plan.lease_ms);
    }
    return verdict == VERDICT_NACK ? chance_between(&world->chance, 0, NACK_MS) : 0;
}

static void answer_some(struct world *world, struct client *client)
{
    uint64_t tags[TAGS];
    size_t count = 0;
    size_t kept = 0;
    struct settlement said = {0};
    for (size_t i = 0; i < client->answer_count; i++) {
        const struct answer answer = client->answers[i];
        bool fits =
            count == 0 || (answer.consumer == said.consumer && answer.verdict == said.verdict);
        if (answer.at_ms > world->trace.now_ms || !fits || count == TAGS) {
            client->answers[kept++] = answer;
            continue;
        }
        said.consumer = answer.consumer;
        said.verdict = answer.verdict;
        tags[count++] = answer.tag;
    }
    client->answer_count = kept;
    if (count > 0) {
        said.delay_ms = draw_delay(world, said.verdict);
        speech_answer(world, client, &said, tags, count);
    }
}

static void wake_for_answers(struct world *world, struct client *client)
{
    int64_t first_ms = INT64_MAX;
    for (size_t i = 0; i < client->answer_count; i++) {
        first_ms = client->answers[i].at_ms < first_ms ? client->answers[i].at_ms : first_ms;
    }
    if (client->answer_count > 0) {
        int64_t delay_ms = first_ms - world->trace.now_ms;
        client_wake(world, client, delay_ms > 1 ? delay_ms : 1);
    }
}

void receiver_work(struct world *world, struct client *client)
{
    if ((TOWN_PEOPLE[client->who].roles & ROLE_MAY_RECEIVE) == 0) {
        return;
    }
    attach_some(world, client);
    answer_some(world, client);
    for (size_t i = 0; i < CLIENT_CONSUMERS; i++) {
        tend(world, client, &client->consumers[i]);
    }
    wake_for_answers(world, client);
}

/* False: it forgets this one. */
static bool decide(struct world *world, struct answer *out_answer)
{
    struct chance *chance = &world->chance;
    const struct plan *plan = &world->plan;
    out_answer->verdict = VERDICT_ACK;
    out_answer->at_ms = world->trace.now_ms + chance_below(chance, SOON_MS);
    if (world->calm) {
        return true;
    }
    if (chance_is(chance, plan->forget)) {
        return false;
    }
    if (chance_is(chance, plan->late)) {
        out_answer->at_ms += chance_below(chance, plan->lease_ms + plan->lease_ms / 2);
    }
    if (chance_is(chance, plan->refuse)) {
        out_answer->verdict = VERDICT_REFUSE;
    } else if (chance_is(chance, plan->nack)) {
        out_answer->verdict = VERDICT_NACK;
    }
    return true;
}

static void plan_answer(struct client *client, const struct answer *answer)
{
    client->answers = agenda_grown(client->answers, client->answer_count, &client->answer_capacity,
                                   sizeof *client->answers);
    client->answers[client->answer_count++] = *answer;
}

void receiver_delivered(struct world *world, struct client *client,
                        const Relais__V1__Deliver *deliver)
{
    struct client_consumer *consumer = consumer_of(client, deliver->consumer);
    if (!consumer) {
        return;
    }
    for (size_t i = 0; i < deliver->n_deliveries; i++) {
        struct answer answer = {.consumer = deliver->consumer, .tag = deliver->first_tag + i};
        consumer->credit -= consumer->credit > 0;
        if (!world->calm && chance_is(&world->chance, world->plan.extend)) {
            plan_answer(client, &(struct answer){.consumer = answer.consumer,
                                                 .tag = answer.tag,
                                                 .verdict = VERDICT_EXTEND,
                                                 .at_ms = world->trace.now_ms + SOON_MS});
        }
        if (decide(world, &answer)) {
            plan_answer(client, &answer);
        }
    }
    wake_for_answers(world, client);
}
