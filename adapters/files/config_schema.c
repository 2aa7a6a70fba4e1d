/* SPDX-License-Identifier: EUPL-1.2
 *
 * The shape of the configuration file: see config_schema.h. What a shape cannot say (addresses,
 * bounds, either of two keys) is checked in config.c.
 */
#include "adapters/files/config_schema.h"

#include "adapters/files/config.h"

enum { PATH_BYTES = 4096, WORD_BYTES = 255, RECIPIENTS = RELAIS_RECIPIENTS_MAX };

#define OPTIONAL_TEXT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_strval_t completions[] = {
    {"settle", CONFIG_SETTLE}, {"rename", CONFIG_RENAME}, {"ready", CONFIG_READY}};

static const cyaml_strval_t priorities[] = {{"low", RELAIS_PRIORITY_LOW},
                                            {"normal", RELAIS_PRIORITY_NORMAL},
                                            {"high", RELAIS_PRIORITY_HIGH}};

static const cyaml_schema_value_t address_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, WORD_BYTES)};

static const cyaml_schema_field_t rule_fields[] = {
    CYAML_FIELD_STRING_PTR("pattern", CYAML_FLAG_POINTER, struct config_rule, pattern, 1,
                           WORD_BYTES),
    CYAML_FIELD_SEQUENCE("to", CYAML_FLAG_POINTER, struct config_rule, to, &address_value, 1,
                         RECIPIENTS),
    CYAML_FIELD_STRING_PTR("flow", CYAML_FLAG_POINTER, struct config_rule, flow, 1, WORD_BYTES),
    CYAML_FIELD_STRING_PTR("media_type", OPTIONAL_TEXT, struct config_rule, media_type, 1,
                           WORD_BYTES),
    CYAML_FIELD_ENUM("priority", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct config_rule,
                     priority, priorities, CYAML_ARRAY_LEN(priorities)),
    CYAML_FIELD_END};

static const cyaml_schema_value_t rule_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_rule, rule_fields)};

static const cyaml_schema_field_t outbound_fields[] = {
    CYAML_FIELD_STRING_PTR("folder", CYAML_FLAG_POINTER, struct config_outbound, folder, 1,
                           PATH_BYTES),
    CYAML_FIELD_ENUM("completion", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct config_outbound,
                     completion, completions, CYAML_ARRAY_LEN(completions)),
    CYAML_FIELD_STRING_PTR("ready_suffix", OPTIONAL_TEXT, struct config_outbound, ready_suffix, 1,
                           32),
    CYAML_FIELD_UINT("settle_ms", CYAML_FLAG_OPTIONAL, struct config_outbound, settle_ms),
    CYAML_FIELD_UINT("rescan_s", CYAML_FLAG_OPTIONAL, struct config_outbound, rescan_s),
    CYAML_FIELD_STRING_PTR("sent", OPTIONAL_TEXT, struct config_outbound, sent, 1, PATH_BYTES),
    CYAML_FIELD_STRING_PTR("failed", OPTIONAL_TEXT, struct config_outbound, failed, 1, PATH_BYTES),
    CYAML_FIELD_STRING_PTR("from", OPTIONAL_TEXT, struct config_outbound, from, 1, WORD_BYTES),
    CYAML_FIELD_SEQUENCE_COUNT("rules", OPTIONAL_TEXT, struct config_outbound, rules, rule_count,
                               &rule_value, 0, CONFIG_RULES),
    CYAML_FIELD_END};

static const cyaml_schema_field_t mailbox_fields[] = {
    CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct config_mailbox, address, 1,
                           WORD_BYTES),
    CYAML_FIELD_STRING_PTR("folder", CYAML_FLAG_POINTER, struct config_mailbox, folder, 1,
                           PATH_BYTES),
    CYAML_FIELD_END};

static const cyaml_schema_value_t mailbox_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_mailbox, mailbox_fields)};

static const cyaml_schema_field_t inbound_fields[] = {
    CYAML_FIELD_STRING_PTR("address", OPTIONAL_TEXT, struct config_inbound, address, 1, WORD_BYTES),
    CYAML_FIELD_STRING_PTR("folder", OPTIONAL_TEXT, struct config_inbound, folder, 1, PATH_BYTES),
    CYAML_FIELD_STRING_PTR("state", OPTIONAL_TEXT, struct config_inbound, state, 1, PATH_BYTES),
    CYAML_FIELD_UINT("credit", CYAML_FLAG_OPTIONAL, struct config_inbound, credit),
    CYAML_FIELD_SEQUENCE_COUNT("mailboxes", OPTIONAL_TEXT, struct config_inbound, mailboxes,
                               mailbox_count, &mailbox_value, 1, CONFIG_MAILBOXES),
    CYAML_FIELD_END};

static const cyaml_schema_field_t config_fields[] = {
    CYAML_FIELD_STRING_PTR("profile", CYAML_FLAG_POINTER, struct config, profile, 1, PATH_BYTES),
    CYAML_FIELD_MAPPING_PTR("outbound", OPTIONAL_TEXT, struct config, outbound, outbound_fields),
    CYAML_FIELD_MAPPING_PTR("inbound", OPTIONAL_TEXT, struct config, inbound, inbound_fields),
    CYAML_FIELD_END};

const cyaml_schema_value_t config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, config_fields)};
