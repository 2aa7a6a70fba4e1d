/* SPDX-License-Identifier: EUPL-1.2
 *
 * The directory's values for -o json and for tables.
 */
#include "cli/directory_json.h"

#include <string.h>

struct role_word {
    unsigned role;
    const char *name;
};

static const struct role_word role_words[] = {
    {RELAIS_ROLE_SEND, "send"},
    {RELAIS_ROLE_RECEIVE, "receive"},
    {RELAIS_ROLE_OPERATE, "operate"},
};

enum { ROLE_COUNT = sizeof(role_words) / sizeof(role_words[0]) };

const char *role_name(unsigned role)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (role_words[i].role == role) {
            return role_words[i].name;
        }
    }
    return "";
}

bool role_parse(const char *name, unsigned *out_role)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(role_words[i].name, name) == 0) {
            *out_role = role_words[i].role;
            return true;
        }
    }
    return false;
}

static json_t *roles_json(unsigned roles)
{
    json_t *array = json_array();
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if ((roles & role_words[i].role) != 0) {
            json_array_append_new(array, json_string(role_words[i].name));
        }
    }
    return array;
}

static json_t *texts_json(char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_string(texts[i]));
    }
    return array;
}

static json_t *quota_json(const relais_quota *quota, json_t *texts)
{
    const struct {
        const char *name;
        const uint64_t *number;
    } rows[] = {
        {"messages", quota->messages},
        {"bytes", quota->bytes},
        {"rate", quota->rate},
        {"burst", quota->burst},
        {"connections", quota->connections},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].number) {
            json_int_t number = (json_int_t)*rows[i].number;
            json_object_set_new(object, rows[i].name, json_integer(number));
            json_array_append_new(texts, json_sprintf("%s=%lld", rows[i].name, (long long)number));
        }
    }
    return object;
}

/* "accueil JOURNALOFFICIEL": the service and the flow. */
static json_t *subscriptions_json(const relais_member *member)
{
    json_t *array = json_array();
    for (size_t i = 0; i < member->subscription_count; i++) {
        const relais_subscription *one = &member->subscriptions[i];
        json_array_append_new(array, json_sprintf("%s %s", one->service, one->flow));
    }
    return array;
}

json_t *member_json(const relais_member *member)
{
    json_t *quota_texts = json_array();
    json_t *quota = member->quota ? quota_json(member->quota, quota_texts) : json_null();
    json_t *clients = json_array();
    json_t *names = json_array();
    for (size_t i = 0; i < member->client_count; i++) {
        const relais_member_client *client = &member->clients[i];
        json_array_append_new(names, json_string(client->name));
        json_array_append_new(clients, json_pack("{s:s, s:s, s:o}", "name", client->name, "key",
                                                 client->key, "roles", roles_json(client->roles)));
    }
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "slug",
                     member->slug, "name", member->name, "kind",
                     relais_member_kind_name(member->kind), "siret", member->siret, "insee",
                     member->insee, "services", texts_json(member->services, member->service_count),
                     "clients", clients, "client_names", names, "signing_keys",
                     texts_json(member->signing_keys, member->signing_key_count), "quota", quota,
                     "quota_texts", quota_texts, "subscriptions", subscriptions_json(member));
}

json_t *member_row_json(const relais_member *member)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:I}", "slug", member->slug, "name", member->name,
                     "kind", relais_member_kind_name(member->kind), "services",
                     texts_json(member->services, member->service_count), "clients",
                     (json_int_t)member->client_count);
}

json_t *client_json(const relais_member *member, const relais_member_client *client)
{
    return json_pack("{s:s, s:s, s:o, s:s}", "member", member->slug, "client", client->name,
                     "roles", roles_json(client->roles), "key", client->key);
}

/* 0: as the broker says. */
static json_t *given(uint64_t number)
{
    return number > 0 ? json_integer((json_int_t)number) : json_null();
}

json_t *flow_json(const relais_flow *flow)
{
    const relais_acknowledge *asked = flow->acknowledge;
    json_t *remind = texts_json(asked ? asked->remind : NULL, asked ? asked->remind_count : 0);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s?, s:s?, s:o}", "code",
                     flow->code, "title", flow->title, "purpose", flow->purpose, "legal_basis",
                     flow->legal_basis, "senders", texts_json(flow->senders, flow->sender_count),
                     "receivers", texts_json(flow->receivers, flow->receiver_count), "payload_max",
                     given(flow->payload_max), "attempts", given(flow->attempts), "lease_s",
                     given(flow->lease_s), "sealing", flow->sealing, "within",
                     asked ? asked->within : NULL, "remind", remind);
}
