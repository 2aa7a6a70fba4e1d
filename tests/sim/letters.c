/* SPDX-License-Identifier: EUPL-1.2
 *
 * See client.h. Questions: dead letters: what a member does with its own, and tries with those of
 * others.
 */
#include "client.h"
#include "world.h"

#include <stdio.h>

enum { PAGE = 5 };

static void ask(struct world *world, struct client *client, Relais__V1__Query *query)
{
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = query;
    query->number = ++client->question_count;
    speech_command(world, client, &command);
}

static void list(struct world *world, struct client *client)
{
    Relais__V1__DeadQuery dead = RELAIS__V1__DEAD_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    bool stranger = chance_is(&world->chance, world->plan.wrong);
    unsigned k = chance_below(&world->chance, TOWN_PLACES);
    client->letter_place = stranger ? k : receiver_place(client, k);
    client->letter_count = 0;
    dead.address = (char *)TOWN_ADDRESSES[client->letter_place].address;
    dead.limit = chance_below(&world->chance, PAGE);
    query.what_case = RELAIS__V1__QUERY__WHAT_DEAD;
    query.dead = &dead;
    ask(world, client, &query);
}

static void decide(struct world *world, struct client *client, uint64_t sequence)
{
    Relais__V1__DeadName name = RELAIS__V1__DEAD_NAME__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    uint32_t what = chance_below(&world->chance, 4);
    name.address = (char *)TOWN_ADDRESSES[client->letter_place].address;
    name.sequence = sequence;
    if (what == 0) {
        query.what_case = RELAIS__V1__QUERY__WHAT_DEAD_LETTER;
        query.dead_letter = &name;
        ask(world, client, &query);
        return;
    }
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = &manage;
    manage.number = ++client->question_count;
    manage.what_case = what == 1 ? RELAIS__V1__MANAGE__WHAT_DROP : RELAIS__V1__MANAGE__WHAT_REPLAY;
    if (what == 1) {
        manage.drop = &name;
    } else {
        manage.replay = &name;
    }
    speech_command(world, client, &command);
}

/* What became of a message, now and then one of another member. */
static void track(struct world *world, struct client *client)
{
    Relais__V1__TrackQuery what = RELAIS__V1__TRACK_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    char id[16];
    unsigned member = TOWN_PEOPLE[client->who].member;
    if (chance_is(&world->chance, world->plan.wrong)) {
        member = chance_below(&world->chance, TOWN_MEMBERS);
    }
    (void)snprintf(id, sizeof id, "m%u",
                   chance_below(&world->chance, (uint32_t)world->ledger.count + 2));
    what.id = id;
    what.sender = chance_is(&world->chance, 500) ? (char *)TOWN_SLUGS[member] : what.sender;
    what.missing = chance_is(&world->chance, 300);
    what.limit = chance_below(&world->chance, PAGE);
    query.what_case = RELAIS__V1__QUERY__WHAT_TRACK;
    query.track = &what;
    ask(world, client, &query);
}

/* A message, now and then one of another member. */
static void withdraw(struct world *world, struct client *client)
{
    Relais__V1__CancelOrder cancel = RELAIS__V1__CANCEL_ORDER__INIT;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    char id[16];
    (void)snprintf(id, sizeof id, "m%u",
                   chance_below(&world->chance, (uint32_t)world->ledger.count + 2));
    cancel.id = id;
    manage.number = ++client->question_count;
    manage.what_case = RELAIS__V1__MANAGE__WHAT_CANCEL;
    manage.cancel = &cancel;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = &manage;
    speech_command(world, client, &command);
}

void letters_work(struct world *world, struct client *client)
{
    if (world->calm || !chance_is(&world->chance, world->plan.letters)) {
        return;
    }
    if (chance_is(&world->chance, 300)) {
        track(world, client);
        return;
    }
    if (chance_is(&world->chance, 200)) {
        withdraw(world, client);
        return;
    }
    if (client->letter_count == 0) {
        list(world, client);
        return;
    }
    decide(world, client, client->letters[--client->letter_count]);
}

void letters_answered(struct client *client, const Relais__V1__Answer *answer)
{
    if (answer->what_case != RELAIS__V1__ANSWER__WHAT_DEAD) {
        return;
    }
    client->letter_count = 0;
    for (size_t i = 0; i < answer->dead->n_letters && i < CLIENT_LETTERS; i++) {
        client->letters[client->letter_count++] = answer->dead->letters[i]->sequence;
    }
}
