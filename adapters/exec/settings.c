/* SPDX-License-Identifier: EUPL-1.2
 *
 * See settings.h.
 */
#include "adapters/exec/settings.h"

#include "program/error.h"
#include "program/locale.h"

#include <string.h>

enum { PATH_BYTES = 4000, WORD_BYTES = 255, ARGUMENT_BYTES = 4096, ARGUMENTS = 64, VARIABLES = 64 };

#define OPTIONAL_TEXT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_strval_t inputs[] = {
    {"metadata", SETTINGS_METADATA}, {"payload", SETTINGS_PAYLOAD}, {"nothing", SETTINGS_NOTHING}};

static const cyaml_schema_value_t argument_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, ARGUMENT_BYTES)};

static const cyaml_schema_value_t word_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, WORD_BYTES)};

#define COMMAND_FIELDS(type)                                                                       \
    CYAML_FIELD_SEQUENCE_COUNT("command", OPTIONAL_TEXT, type, run.command, run.command_count,     \
                               &argument_value, 1, ARGUMENTS),                                     \
        CYAML_FIELD_STRING_PTR("shell", OPTIONAL_TEXT, type, run.shell, 1, ARGUMENT_BYTES),        \
        CYAML_FIELD_STRING_PTR("folder", OPTIONAL_TEXT, type, run.folder, 1, PATH_BYTES),          \
        CYAML_FIELD_SEQUENCE_COUNT("environment", OPTIONAL_TEXT, type, run.environment,            \
                                   run.environment_count, &argument_value, 0, VARIABLES),          \
        CYAML_FIELD_UINT("memory_mb", CYAML_FLAG_OPTIONAL, type, run.memory_mb),                   \
        CYAML_FIELD_BOOL("pass_stderr", CYAML_FLAG_OPTIONAL, type, run.pass_stderr)

#define DEFAULT_FIELDS(struct_type)                                                                \
    CYAML_FIELD_SEQUENCE_COUNT("to", OPTIONAL_TEXT, struct_type, defaults.to, defaults.to_count,   \
                               &word_value, 1, RELAIS_RECIPIENTS_MAX),                             \
        CYAML_FIELD_STRING_PTR("flow", OPTIONAL_TEXT, struct_type, defaults.flow, 1, WORD_BYTES),  \
        CYAML_FIELD_STRING_PTR("from", OPTIONAL_TEXT, struct_type, defaults.from, 1, WORD_BYTES),  \
        CYAML_FIELD_STRING_PTR("type", OPTIONAL_TEXT, struct_type, defaults.type, 1, WORD_BYTES)

static const cyaml_schema_field_t inbound_fields[] = {
    COMMAND_FIELDS(struct settings_inbound),
    CYAML_FIELD_ENUM("stdin", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct settings_inbound,
                     input, inputs, CYAML_ARRAY_LEN(inputs)),
    CYAML_FIELD_UINT("concurrency", CYAML_FLAG_OPTIONAL, struct settings_inbound, concurrency),
    CYAML_FIELD_UINT("timeout_s", CYAML_FLAG_OPTIONAL, struct settings_inbound, timeout_s),
    CYAML_FIELD_UINT("refuse_code", CYAML_FLAG_OPTIONAL, struct settings_inbound, refuse_code),
    CYAML_FIELD_UINT("unavailable_code", CYAML_FLAG_OPTIONAL, struct settings_inbound,
                     unavailable_code),
    CYAML_FIELD_END};

static const cyaml_schema_field_t outbound_fields[] = {
    COMMAND_FIELDS(struct settings_outbound),
    CYAML_FIELD_UINT("every_s", CYAML_FLAG_OPTIONAL, struct settings_outbound, every_s),
    CYAML_FIELD_BOOL("confirm", CYAML_FLAG_OPTIONAL, struct settings_outbound, confirm),
    DEFAULT_FIELDS(struct settings_outbound), CYAML_FIELD_END};

static const cyaml_schema_field_t spool_fields[] = {
    CYAML_FIELD_STRING_PTR("folder", CYAML_FLAG_POINTER, struct settings_spool, folder, 1,
                           PATH_BYTES),
    CYAML_FIELD_UINT("rescan_s", CYAML_FLAG_OPTIONAL, struct settings_spool, rescan_s),
    DEFAULT_FIELDS(struct settings_spool), CYAML_FIELD_END};

const cyaml_schema_field_t settings_fields[] = {
    CYAML_FIELD_MAPPING_PTR("inbound", OPTIONAL_TEXT, struct settings, inbound, inbound_fields),
    CYAML_FIELD_MAPPING_PTR("outbound", OPTIONAL_TEXT, struct settings, outbound, outbound_fields),
    CYAML_FIELD_MAPPING_PTR("spool", OPTIONAL_TEXT, struct settings, spool, spool_fields),
    CYAML_FIELD_END};

static relais_status refuse(relais_error *error, const char *key, const char *wrong,
                            const char *right)
{
    return error_set(error, RELAIS_CONFIG_INVALID, key, right, "%s", wrong);
}

/* `value` 0 becomes the default. */
static relais_status bound(relais_error *error, const char *key, uint32_t *value,
                           uint32_t by_default, uint32_t max)
{
    *value = *value == 0 ? by_default : *value;
    if (*value <= max) {
        return RELAIS_OK;
    }
    return error_set(error, RELAIS_CONFIG_INVALID, key, _("a smaller number"), "%u (%u)", *value,
                     max);
}

static relais_status check_command(const struct settings_command *run, const char *key,
                                   relais_error *error)
{
    if ((run->command_count > 0) == (run->shell != NULL)) {
        return refuse(error, key, run->shell ? "command, shell" : "",
                      _("either command (a list of arguments) or shell (one text)"));
    }
    if (run->command_count > 0 && run->command[0][0] == '\0') {
        return refuse(error, key, "\"\"", _("the name or the path of a program"));
    }
    for (unsigned i = 0; i < run->environment_count; i++) {
        if (run->environment[i][0] == '=' || run->environment[i][0] == '\0') {
            return refuse(error, key, run->environment[i],
                          _("environment: NAME, which is passed on, or NAME=value"));
        }
    }
    return RELAIS_OK;
}

static relais_status check_inbound(struct settings_inbound *inbound, relais_error *error)
{
    relais_status status = check_command(&inbound->run, "inbound", error);
    if (status == RELAIS_OK) {
        status = bound(error, "inbound.concurrency", &inbound->concurrency, SETTINGS_CONCURRENCY,
                       SETTINGS_CONCURRENCY_MAX);
    }
    if (status == RELAIS_OK) {
        status = bound(error, "inbound.timeout_s", &inbound->timeout_s, SETTINGS_TIMEOUT_S,
                       SETTINGS_TIMEOUT_S_MAX);
    }
    if (status == RELAIS_OK) {
        status =
            bound(error, "inbound.refuse_code", &inbound->refuse_code, SETTINGS_REFUSE_CODE, 125);
    }
    if (status == RELAIS_OK) {
        status = bound(error, "inbound.unavailable_code", &inbound->unavailable_code,
                       SETTINGS_UNAVAILABLE_CODE, 125);
    }
    return status;
}

relais_status settings_check(void *given, const char *path, relais_error *error)
{
    struct settings *settings = given;
    relais_status status = RELAIS_OK;
    (void)path;
    if (!settings->inbound && !settings->outbound && !settings->spool) {
        return refuse(error, "inbound", "", _("inbound, outbound or spool, or several of them"));
    }
    if (settings->inbound) {
        status = check_inbound(settings->inbound, error);
    }
    if (status == RELAIS_OK && settings->outbound) {
        status = check_command(&settings->outbound->run, "outbound", error);
    }
    if (status == RELAIS_OK && settings->spool) {
        status = bound(error, "spool.rescan_s", &settings->spool->rescan_s, SETTINGS_RESCAN_S,
                       SETTINGS_TIMEOUT_S_MAX);
    }
    return status;
}
