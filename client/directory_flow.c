/* SPDX-License-Identifier: EUPL-1.2
 *
 * A flow's file. Deny by default: what no rule names may not be sent, so a flow without senders or
 * receivers is an error, not an open door.
 */
#include "client/directory_acknowledge.h"
#include "client/directory_state.h"

#include "program/error.h"
#include "program/locale.h"
#include "program/yaml.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS_MOST = 1000,     /* as delivery.attempts of the broker */
    LEASE_S_MOST = 24 * 3600, /* as long as a lease can be extended by */
    NUMBER_TEXT_BYTES = 32,
};

static const cyaml_schema_value_t rule_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, DIRECTORY_RULE_BYTES)};

static const cyaml_schema_field_t flow_fields[] = {
    CYAML_FIELD_STRING_PTR("code", CYAML_FLAG_POINTER, relais_flow, code, 1, DIRECTORY_NAME_BYTES),
    CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER, relais_flow, title, 1,
                           DIRECTORY_TEXT_BYTES),
    CYAML_FIELD_STRING_PTR("purpose", CYAML_FLAG_POINTER, relais_flow, purpose, 1,
                           DIRECTORY_TEXT_BYTES),
    CYAML_FIELD_STRING_PTR("legal_basis", CYAML_FLAG_POINTER, relais_flow, legal_basis, 1,
                           DIRECTORY_TEXT_BYTES),
    CYAML_FIELD_SEQUENCE_COUNT("senders", CYAML_FLAG_POINTER, relais_flow, senders, sender_count,
                               &rule_schema, 1, DIRECTORY_RULES),
    CYAML_FIELD_SEQUENCE_COUNT("receivers", CYAML_FLAG_POINTER, relais_flow, receivers,
                               receiver_count, &rule_schema, 1, DIRECTORY_RULES),
    CYAML_FIELD_UINT("payload_max", CYAML_FLAG_OPTIONAL, relais_flow, payload_max),
    CYAML_FIELD_UINT("attempts", CYAML_FLAG_OPTIONAL, relais_flow, attempts),
    CYAML_FIELD_UINT("lease_s", CYAML_FLAG_OPTIONAL, relais_flow, lease_s),
    CYAML_FIELD_STRING_PTR("sealing", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, relais_flow,
                           sealing, 1, DIRECTORY_NAME_BYTES),
    CYAML_FIELD_MAPPING_PTR("acknowledge", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, relais_flow,
                            acknowledge, directory_acknowledge_fields),
    CYAML_FIELD_END};

static const cyaml_schema_value_t flow_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, relais_flow, flow_fields)};

static void free_list(char **texts, size_t count)
{
    for (size_t i = 0; texts != NULL && i < count; i++) {
        free(texts[i]);
    }
    free(texts);
}

void relais_flow_free(relais_flow *flow)
{
    if (flow == NULL) {
        return;
    }
    free_list(flow->senders, flow->sender_count);
    free_list(flow->receivers, flow->receiver_count);
    directory_acknowledge_free(flow->acknowledge);
    free(flow->code);
    free(flow->title);
    free(flow->purpose);
    free(flow->legal_basis);
    free(flow->sealing);
    free(flow);
}

static bool is_rule(const char *rule)
{
    static const char by_kind[] = "kind:";
    relais_member_kind kind = RELAIS_KIND_COMMUNE;

    if (rule == NULL) {
        return false;
    }
    if (strncmp(rule, by_kind, strlen(by_kind)) == 0) {
        return relais_member_kind_parse(rule + strlen(by_kind), &kind);
    }
    return strcmp(rule, "*") == 0 || relais_slug_is_valid(rule);
}

static relais_status check_rules(char *const *rules, size_t count, const char *name,
                                 relais_error *error)
{
    if (count == 0 || rules == NULL) {
        return error_set(error, RELAIS_FIELD_MISSING, name,
                         _("a list of slugs, kind:commune and the like, or '*'"), "%s",
                         _("missing"));
    }
    if (count > DIRECTORY_RULES) {
        return directory_blame(error, name, DIRECTORY_RULES, "", _("at most 50,000 rules"), NULL);
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_rule(rules[i])) {
            return directory_blame(error, name, i, "",
                                   _("a member's slug, kind: and a kind (commune, epci, "
                                     "departement, region, state, operator), or '*'"),
                                   rules[i]);
        }
    }
    return RELAIS_OK;
}

/* 0 stands for what the broker says. */
static relais_status check_number(uint64_t number, uint64_t most, const char *name,
                                  relais_error *error)
{
    if (number <= most) {
        return RELAIS_OK;
    }
    char right[NUMBER_TEXT_BYTES];
    (void)snprintf(right, sizeof right, "0 to %" PRIu64, most);
    return error_set(error, RELAIS_FIELD_INVALID, name, right, "%" PRIu64, number);
}

static relais_status check_sealing(const relais_flow *flow, relais_error *error)
{
    if (flow->sealing == NULL || strcmp(flow->sealing, "required") == 0 ||
        strcmp(flow->sealing, "optional") == 0) {
        return RELAIS_OK;
    }
    return error_set(error, RELAIS_FIELD_INVALID, "sealing", _("required or optional"), "%s",
                     flow->sealing);
}

relais_status relais_flow_check(const relais_flow *flow, relais_error *error)
{
    const struct {
        const char *name;
        const char *text;
    } texts[] = {
        {"title", flow->title}, {"purpose", flow->purpose}, {"legal_basis", flow->legal_basis}};
    relais_status status = RELAIS_OK;

    if (flow->code == NULL || !relais_flow_code_is_valid(flow->code)) {
        bool missing = flow->code == NULL || flow->code[0] == '\0';

        return error_set(error, missing ? RELAIS_FIELD_MISSING : RELAIS_FIELD_INVALID, "code",
                         _("letters, digits and - inside, 1 to 64 characters, e.g. ETATCIVIL"),
                         "%s", missing ? _("missing") : flow->code);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && status == RELAIS_OK; i++) {
        status = directory_require(texts[i].text, texts[i].name, error);
    }
    if (status == RELAIS_OK) {
        status = check_rules(flow->senders, flow->sender_count, "senders", error);
    }
    if (status == RELAIS_OK) {
        status = check_rules(flow->receivers, flow->receiver_count, "receivers", error);
    }
    if (status == RELAIS_OK) {
        status = check_number(flow->attempts, ATTEMPTS_MOST, "attempts", error);
    }
    if (status == RELAIS_OK) {
        status = check_number(flow->lease_s, LEASE_S_MOST, "lease_s", error);
    }
    if (status == RELAIS_OK) {
        status = check_sealing(flow, error);
    }
    return status == RELAIS_OK ? directory_acknowledge_check(flow->acknowledge, error) : status;
}

relais_status relais_flow_load(const char *path, relais_flow **out_flow, relais_error *error)
{
    void *data = NULL;
    relais_status status = yaml_load(path, &flow_schema, &data, error);

    if (status != RELAIS_OK) {
        return status;
    }
    if (relais_flow_check(data, error) != RELAIS_OK) {
        yaml_name_line(path, error);
        relais_flow_free(data);
        if (error != NULL) {
            error->status = RELAIS_CONFIG_INVALID;
        }
        return RELAIS_CONFIG_INVALID;
    }
    *out_flow = data;
    return RELAIS_OK;
}

relais_status relais_flow_save(const relais_flow *flow, const char *path, relais_error *error)
{
    relais_status status = relais_flow_check(flow, error);

    if (status != RELAIS_OK) {
        return status;
    }
    return yaml_save(path, "# A flow of the bus: docs/operations.md, \"Flows\".\n", &flow_schema,
                     flow, error);
}
