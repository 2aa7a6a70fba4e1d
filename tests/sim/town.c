/* SPDX-License-Identifier: EUPL-1.2
 *
 * See town.h.
 */
#include "town.h"

#include <assert.h>
#include <string.h>

enum { DILA, PREFECTURE, COMMUNE_1, COMMUNE_2, COMMUNE_3, OPERATOR };
enum { BOTH = ROLE_MAY_SEND | ROLE_MAY_RECEIVE };

const char *const TOWN_SLUGS[TOWN_MEMBERS] = {"dila",      "prefecture", "commune-1",
                                              "commune-2", "commune-3",  "op"};

static const enum member_kind KINDS[TOWN_MEMBERS] = {KIND_STATE,   KIND_DEPARTEMENT, KIND_COMMUNE,
                                                     KIND_COMMUNE, KIND_COMMUNE,     KIND_OPERATOR};

const struct town_place TOWN_ADDRESSES[TOWN_PLACES] = {
    {DILA, "greffe", "dila/greffe", 0},
    {PREFECTURE, "courrier", "prefecture/courrier", 0},
    {COMMUNE_1, "etat-civil", "commune-1/etat-civil", 0},
    {COMMUNE_1, "accueil", "commune-1/accueil", 0},
    {COMMUNE_2, "etat-civil", "commune-2/etat-civil", 0},
    {COMMUNE_2, "accueil", "commune-2/accueil", 0},
    {COMMUNE_3, "etat-civil", "commune-3/etat-civil", 0},
    {COMMUNE_3, "accueil", "commune-3/accueil", 0},
    {DILA, "~back", "dila/~back", 1 + 1},
    {COMMUNE_2, "~files", "commune-2/~files", 5 + 1},
};

const struct town_client TOWN_PEOPLE[TOWN_CLIENTS + 1] = {
    {DILA, "front", "dilafront0000000000000000000000000000000", ROLE_MAY_SEND},
    {DILA, "back", "dilaback00000000000000000000000000000000", BOTH},
    {PREFECTURE, "front", "prefecture000000000000000000000000000000", BOTH},
    {COMMUNE_1, "files", "communeone000000000000000000000000000000", BOTH},
    {COMMUNE_1, "spare", "communeonespare0000000000000000000000000", ROLE_MAY_RECEIVE},
    {COMMUNE_2, "files", "communetwo000000000000000000000000000000", BOTH},
    {COMMUNE_2, "spare", "communetwospare0000000000000000000000000", ROLE_MAY_RECEIVE},
    {COMMUNE_3, "files", "communethree0000000000000000000000000000", BOTH},
    {OPERATOR, "console", "operator00000000000000000000000000000000", ROLE_MAY_OPERATE},
};

char *const TOWN_CODES[TOWN_FLOWS] = {"NOTICE", "REPLY", "SMALL"};

static bool is_commune(unsigned member)
{
    return member >= COMMUNE_1 && member <= COMMUNE_3;
}

void town_spoil(struct town *town, struct chance *chance)
{
    for (unsigned i = 0; i < TOWN_CLIENTS; i++) {
        town->client_absent[i] = chance_is(chance, 120);
        town->roles_taken[i] = chance_is(chance, 120) ? 1U << chance_below(chance, 2) : 0;
    }
    for (unsigned i = 0; i < TOWN_PLACES; i++) {
        town->place_absent[i] = chance_is(chance, 120);
    }
    for (unsigned i = 0; i < TOWN_FLOWS; i++) {
        town->flow_absent[i] = chance_is(chance, 120);
    }
    /* 0: none. Small ones, since the town is. */
    town->quota = (struct quota){
        .messages = chance_is(chance, 300) ? chance_between(chance, 1, 40) : 0,
        .bytes = chance_is(chance, 200) ? chance_between(chance, 200, 20000) : 0,
        .rate = chance_is(chance, 300) ? chance_between(chance, 1, 200) : 0,
        .burst = chance_below(chance, 30),
        .connections = chance_is(chance, 200) ? chance_between(chance, 1, 3) : 0,
    };
}

static void add_flows(const struct town *town, struct directory *directory)
{
    static const struct {
        const char *senders[2];
        const char *receivers[2];
    } rules[TOWN_FLOWS] = {{{"dila", "kind:departement"}, {"kind:commune"}},
                           {{"*"}, {"dila", "prefecture"}},
                           {{"*"}, {"*"}}};
    for (unsigned i = 0; i < TOWN_FLOWS; i++) {
        if (town->flow_absent[i]) {
            continue;
        }
        assert(directory_add_flow(directory, TOWN_CODES[i],
                                  i == FLOW_SMALL ? TOWN_SMALL_BYTES : 0) == DIRECTORY_OK);
        const struct flow_delivery slow = {.attempts = TOWN_REPLY_ATTEMPTS,
                                           .lease_ms = TOWN_REPLY_LEASE_MS};
        assert(i != FLOW_REPLY ||
               directory_set_delivery(directory, TOWN_CODES[i], &slow) == DIRECTORY_OK);
        for (unsigned k = 0; k < 2; k++) {
            const char *sender = rules[i].senders[k];
            const char *receiver = rules[i].receivers[k];
            assert(!sender ||
                   directory_allow_sender(directory, TOWN_CODES[i], sender) == DIRECTORY_OK);
            assert(!receiver ||
                   directory_allow_receiver(directory, TOWN_CODES[i], receiver) == DIRECTORY_OK);
        }
    }
}

static void add_subscribers(const struct town *town, struct directory *directory)
{
    for (unsigned flow = 0; flow < TOWN_FLOWS; flow++) {
        for (unsigned i = 0; i < TOWN_PLACES; i++) {
            const struct town_place *place = &TOWN_ADDRESSES[i];
            assert(!town_subscribes(town, (enum town_flow)flow, i) ||
                   directory_subscribe(directory, TOWN_CODES[flow], TOWN_SLUGS[place->member],
                                       place->service) == DIRECTORY_OK);
        }
    }
}

struct directory *town_directory(const struct town *town)
{
    struct directory *directory = directory_new();
    assert(directory);
    for (unsigned i = 0; i < TOWN_MEMBERS; i++) {
        assert(directory_add_member(directory, TOWN_SLUGS[i], KINDS[i]) == DIRECTORY_OK);
        assert(directory_set_quota(directory, TOWN_SLUGS[i], &town->quota) == DIRECTORY_OK);
    }
    for (unsigned i = 0; i < TOWN_PLACES; i++) {
        const struct town_place *place = &TOWN_ADDRESSES[i];
        assert(town->place_absent[i] || place->owner > 0 ||
               directory_add_service(directory, TOWN_SLUGS[place->member], place->service) ==
                   DIRECTORY_OK);
    }
    for (unsigned i = 0; i <= TOWN_CLIENTS; i++) {
        const struct town_client *client = &TOWN_PEOPLE[i];
        assert(town->client_absent[i] ||
               directory_add_client(directory, TOWN_SLUGS[client->member], client->name,
                                    client->key, town_roles(town, i)) == DIRECTORY_OK);
    }
    add_flows(town, directory);
    add_subscribers(town, directory);
    directory_seal(directory);
    return directory;
}

unsigned town_roles(const struct town *town, unsigned client)
{
    return TOWN_PEOPLE[client].roles & ~town->roles_taken[client];
}

bool town_has_place(const struct town *town, unsigned place)
{
    unsigned owner = TOWN_ADDRESSES[place].owner;
    return owner > 0 ? !town->client_absent[owner - 1] : !town->place_absent[place];
}

bool town_may_open(const struct town *town, unsigned client, unsigned place)
{
    if (TOWN_ADDRESSES[place].owner > 0) {
        return !town->client_absent[client] && town_roles(town, client) != 0 &&
               TOWN_ADDRESSES[place].owner == client + 1;
    }
    return !town->client_absent[client] && (town_roles(town, client) & ROLE_MAY_RECEIVE) != 0 &&
           TOWN_ADDRESSES[place].member == TOWN_PEOPLE[client].member && !town->place_absent[place];
}

bool town_may_send(const struct town *town, unsigned client, enum town_flow flow, unsigned place,
                   uint32_t payload_bytes)
{
    unsigned sender = TOWN_PEOPLE[client].member;
    unsigned receiver = TOWN_ADDRESSES[place].member;
    if (town->flow_absent[flow] || !town_has_place(town, place)) {
        return false;
    }
    if (TOWN_ADDRESSES[place].owner > 0) { /* an answer: the other way round */
        unsigned asker = receiver;
        receiver = sender;
        sender = asker;
    }
    switch (flow) {
    case FLOW_NOTICE:
        return (sender == DILA || sender == PREFECTURE) && is_commune(receiver);
    case FLOW_REPLY:
        return receiver == DILA || receiver == PREFECTURE;
    case FLOW_SMALL:
        return payload_bytes <= TOWN_SMALL_BYTES;
    }
    return false;
}

bool town_may_use(const struct town *town, unsigned member, enum town_flow flow,
                  uint32_t payload_bytes)
{
    return !town->flow_absent[flow] &&
           (flow != FLOW_NOTICE || member == DILA || member == PREFECTURE) &&
           (flow != FLOW_SMALL || payload_bytes <= TOWN_SMALL_BYTES);
}

bool town_subscribes(const struct town *town, enum town_flow flow, unsigned place)
{
    bool etat_civil = strcmp(TOWN_ADDRESSES[place].service, "etat-civil") == 0;
    return !town->flow_absent[flow] && !town->place_absent[place] &&
           TOWN_ADDRESSES[place].owner == 0 &&
           (flow == FLOW_NOTICE ? etat_civil : flow == FLOW_SMALL && !etat_civil);
}

unsigned town_place(const char *address)
{
    unsigned place = 0;
    while (place < TOWN_PLACES && strcmp(TOWN_ADDRESSES[place].address, address) != 0) {
        place++;
    }
    return place;
}
