/* SPDX-License-Identifier: EUPL-1.2
 *
 * A member's file. What YAML can say of it is in the schema; the rest is relais_member_check(),
 * which load, save and callers go through alike.
 */
#include "client/directory_quota.h"
#include "client/directory_state.h"

#include "program/error.h"
#include "program/locale.h"
#include "program/yaml.h"

#include <relais/identity.h>
#include <stdlib.h>
#include <string.h>

#define SLUG_GRAMMAR N_("a-z, 0-9 and single - inside, 1 to 63 characters, e.g. commune-76540")

static const cyaml_strval_t kinds[] = {
    {"commune", RELAIS_KIND_COMMUNE},
    {"epci", RELAIS_KIND_EPCI},
    {"departement", RELAIS_KIND_DEPARTEMENT},
    {"region", RELAIS_KIND_REGION},
    {"state", RELAIS_KIND_STATE},
    {"operator", RELAIS_KIND_OPERATOR},
};

static const cyaml_strval_t roles[] = {
    {"send", RELAIS_ROLE_SEND},
    {"receive", RELAIS_ROLE_RECEIVE},
    {"operate", RELAIS_ROLE_OPERATE},
};

static const cyaml_schema_value_t service_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, DIRECTORY_NAME_BYTES)};

static const cyaml_schema_field_t client_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, relais_member_client, name, 1,
                           DIRECTORY_NAME_BYTES),
    CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, relais_member_client, key,
                           RELAIS_KEY_CHARACTERS, RELAIS_KEY_CHARACTERS),
    CYAML_FIELD_FLAGS("roles", CYAML_FLAG_STRICT, relais_member_client, roles, roles,
                      CYAML_ARRAY_LEN(roles)),
    CYAML_FIELD_END};

static const cyaml_schema_value_t client_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, relais_member_client, client_fields)};

static const cyaml_schema_value_t signing_key_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, RELAIS_IDENTITY_TEXT_BYTES)};

static const cyaml_schema_field_t subscription_fields[] = {
    CYAML_FIELD_STRING_PTR("flow", CYAML_FLAG_POINTER, relais_subscription, flow, 1,
                           DIRECTORY_NAME_BYTES),
    CYAML_FIELD_STRING_PTR("service", CYAML_FLAG_POINTER, relais_subscription, service, 1,
                           DIRECTORY_NAME_BYTES),
    CYAML_FIELD_END};

static const cyaml_schema_value_t subscription_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, relais_subscription, subscription_fields)};

static const cyaml_schema_field_t member_fields[] = {
    CYAML_FIELD_STRING_PTR("slug", CYAML_FLAG_POINTER, relais_member, slug, 1,
                           DIRECTORY_NAME_BYTES),
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, relais_member, name, 1,
                           DIRECTORY_TEXT_BYTES),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, relais_member, kind, kinds, CYAML_ARRAY_LEN(kinds)),
    CYAML_FIELD_STRING_PTR("siret", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, relais_member, siret,
                           1, DIRECTORY_NAME_BYTES),
    CYAML_FIELD_STRING_PTR("insee", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, relais_member, insee,
                           1, DIRECTORY_NAME_BYTES),
    CYAML_FIELD_SEQUENCE_COUNT("services", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, relais_member,
                               services, service_count, &service_schema, 0, DIRECTORY_SERVICES),
    CYAML_FIELD_SEQUENCE_COUNT("clients", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, relais_member,
                               clients, client_count, &client_schema, 0, DIRECTORY_CLIENTS),
    CYAML_FIELD_SEQUENCE_COUNT("signing_keys", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               relais_member, signing_keys, signing_key_count, &signing_key_schema,
                               0, DIRECTORY_SIGNING_KEYS),
    CYAML_FIELD_MAPPING_PTR("quota", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, relais_member, quota,
                            directory_quota_fields),
    CYAML_FIELD_SEQUENCE_COUNT("subscriptions", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               relais_member, subscriptions, subscription_count,
                               &subscription_schema, 0, DIRECTORY_SUBSCRIPTIONS),
    CYAML_FIELD_END};

static const cyaml_schema_value_t member_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, relais_member, member_fields)};

void relais_member_free(relais_member *member)
{
    if (member == NULL) {
        return;
    }
    for (size_t i = 0; member->services != NULL && i < member->service_count; i++) {
        free(member->services[i]);
    }
    for (size_t i = 0; member->clients != NULL && i < member->client_count; i++) {
        free(member->clients[i].name);
        free(member->clients[i].key);
    }
    for (size_t i = 0; member->signing_keys != NULL && i < member->signing_key_count; i++) {
        free(member->signing_keys[i]);
    }
    free(member->signing_keys);
    directory_quota_free(member->quota);
    for (size_t i = 0; member->subscriptions != NULL && i < member->subscription_count; i++) {
        free(member->subscriptions[i].flow);
        free(member->subscriptions[i].service);
    }
    free(member->services);
    free(member->clients);
    free(member->subscriptions);
    free(member->slug);
    free(member->name);
    free(member->siret);
    free(member->insee);
    free(member);
}

static relais_status check_identifiers(const relais_member *member, relais_error *error)
{
    if (member->siret != NULL && !relais_siret_is_valid(member->siret)) {
        return error_set(error, RELAIS_FIELD_INVALID, "siret",
                         _("14 digits whose control digit is right, in quotes"), "%s",
                         member->siret);
    }
    if (member->insee == NULL) {
        return RELAIS_OK;
    }
    if (member->kind != RELAIS_KIND_COMMUNE) {
        return error_set(error, RELAIS_FIELD_INVALID, "insee",
                         _("only with kind commune; leave it out"), "%s", member->insee);
    }
    if (!directory_is_insee(member->insee)) {
        return error_set(error, RELAIS_FIELD_INVALID, "insee",
                         _("the 5 characters of a commune's code, in quotes, e.g. '01004', "
                           "'2A004', '97105'"),
                         "%s", member->insee);
    }
    return RELAIS_OK;
}

static relais_status check_services(const relais_member *member, relais_error *error)
{
    if (member->service_count > DIRECTORY_SERVICES) {
        return directory_blame(error, "services", DIRECTORY_SERVICES, "", _("at most 256 services"),
                               NULL);
    }
    for (size_t i = 0; i < member->service_count; i++) {
        if (!relais_slug_is_valid(member->services[i])) {
            return directory_blame(error, "services", i, "", _(SLUG_GRAMMAR), member->services[i]);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(member->services[i], member->services[k]) == 0) {
                return directory_blame(error, "services", i, "", _("each service once"),
                                       member->services[i]);
            }
        }
    }
    return RELAIS_OK;
}

/* Is this client named or keyed as one before it? */
static relais_status check_unique_client(const relais_member *member, size_t index,
                                         relais_error *error)
{
    const relais_member_client *client = &member->clients[index];

    for (size_t i = 0; i < index; i++) {
        if (strcmp(client->name, member->clients[i].name) == 0) {
            return directory_blame(error, "clients", index, ".name", _("each client once"),
                                   client->name);
        }
        if (strcmp(client->key, member->clients[i].key) == 0) {
            return directory_blame(error, "clients", index, ".key",
                                   _("a key of its own for each client"), client->key);
        }
    }
    return RELAIS_OK;
}

static relais_status check_clients(const relais_member *member, relais_error *error)
{
    const unsigned known = RELAIS_ROLE_SEND | RELAIS_ROLE_RECEIVE | RELAIS_ROLE_OPERATE;

    if (member->client_count > DIRECTORY_CLIENTS) {
        return directory_blame(error, "clients", DIRECTORY_CLIENTS, "", _("at most 64 clients"),
                               NULL);
    }
    for (size_t i = 0; i < member->client_count; i++) {
        const relais_member_client *client = &member->clients[i];

        if (!relais_slug_is_valid(client->name)) {
            return directory_blame(error, "clients", i, ".name", _(SLUG_GRAMMAR), client->name);
        }
        if (client->key == NULL || !relais_key_is_public(client->key)) {
            return directory_blame(error, "clients", i, ".key",
                                   _("the 40 characters of a public key (Z85), in single quotes"),
                                   client->key);
        }
        if (client->roles == 0 || (client->roles & ~known) != 0) {
            return directory_blame(error, "clients", i, ".roles",
                                   _("one or more of send, receive, operate"), "");
        }
        relais_status status = check_unique_client(member, i, error);
        if (status != RELAIS_OK) {
            return status;
        }
    }
    return RELAIS_OK;
}

relais_status relais_member_check(const relais_member *member, relais_error *error)
{
    relais_status status = RELAIS_OK;

    if (member->slug == NULL || member->slug[0] == '\0') {
        return error_set(error, RELAIS_FIELD_MISSING, "slug", _(SLUG_GRAMMAR), "%s", _("missing"));
    }
    if (!relais_slug_is_valid(member->slug)) {
        return error_set(error, RELAIS_FIELD_INVALID, "slug", _(SLUG_GRAMMAR), "%s", member->slug);
    }
    if (strcmp(member->slug, "relais") == 0) {
        return error_set(error, RELAIS_FIELD_INVALID, "slug",
                         _("another slug: this one is the broker's own, in what it sends itself"),
                         "%s", member->slug);
    }
    status = directory_require(member->name, "name", error);
    if (status == RELAIS_OK && (unsigned)member->kind >= DIRECTORY_KINDS) {
        status = error_set(error, RELAIS_FIELD_INVALID, "kind",
                           "commune, epci, departement, region, state, operator", "%u",
                           (unsigned)member->kind);
    }
    if (status == RELAIS_OK) {
        status = check_identifiers(member, error);
    }
    if (status == RELAIS_OK) {
        status = check_services(member, error);
    }
    if (status == RELAIS_OK) {
        status = directory_quota_check(member->quota, error);
    }
    if (status == RELAIS_OK) {
        status = check_clients(member, error);
    }
    if (status == RELAIS_OK) {
        status = directory_check_signing_keys(member, error);
    }
    return status == RELAIS_OK ? directory_check_subscriptions(member, error) : status;
}

relais_status relais_member_load(const char *path, relais_member **out_member, relais_error *error)
{
    void *data = NULL;
    relais_status status = yaml_load(path, &member_schema, &data, error);

    if (status != RELAIS_OK) {
        return status;
    }
    if (relais_member_check(data, error) != RELAIS_OK) {
        yaml_name_line(path, error);
        relais_member_free(data);
        if (error != NULL) {
            error->status = RELAIS_CONFIG_INVALID;
        }
        return RELAIS_CONFIG_INVALID;
    }
    *out_member = data;
    return RELAIS_OK;
}

relais_status relais_member_save(const relais_member *member, const char *path, relais_error *error)
{
    relais_status status = relais_member_check(member, error);

    if (status != RELAIS_OK) {
        return status;
    }
    return yaml_save(path, "# A member of the bus: docs/operations.md, \"Members\".\n",
                     &member_schema, member, error);
}
