/* SPDX-License-Identifier: EUPL-1.2
 *
 * libcyaml tells what is wrong only through its log, in lines such as
 *     Load: Unexpected key: q
 *     Load: Backtrace:
 *       in mapping field 'in' (line: 3, column: 3)
 * The first is what was wrong, the backtrace says where, innermost first. This file listens and
 * makes one relais_error of it: "path:3: in", "Unexpected key: q".
 */
#include "program/yaml.h"

#include "program/file.h"
#include "program/locale.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { YAML_FILE_BYTES = 1024 * 1024, YAML_DEPTH = 16 };

struct listener {
    char wrong[RELAIS_ERROR_TEXT_BYTES];
    char keys[YAML_DEPTH][48]; /* innermost first */
    size_t depth;
    unsigned line; /* 0: not said */
};

static void hear_place(struct listener *heard, const char *text)
{
    const char *line = strstr(text, "(line: ");
    if (line && heard->line == 0) {
        heard->line = (unsigned)strtoul(line + strlen("(line: "), NULL, 10);
    }
    const char *name = strchr(text, '\'');
    const char *entry = strstr(text, "sequence entry");
    if (heard->depth >= YAML_DEPTH || (!name && !entry)) {
        return;
    }
    char *key = heard->keys[heard->depth++];
    if (name) {
        size_t length = strcspn(name + 1, "'");
        (void)snprintf(key, sizeof heard->keys[0], "%.*s", (int)length, name + 1);
    } else {
        const char *digit = strpbrk(entry, "0123456789");
        (void)snprintf(key, sizeof heard->keys[0], "[%lu]", digit ? strtoul(digit, NULL, 10) : 0);
    }
}

__attribute__((format(printf, 3, 0))) static void hear(cyaml_log_t level, void *context,
                                                       const char *format, va_list arguments)
{
    struct listener *heard = context;
    char text[512];
    if (level < CYAML_LOG_ERROR) {
        return;
    }
    (void)vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = '\0';
    if (strncmp(text, "  in ", 5) == 0) {
        hear_place(heard, text);
    } else if (heard->wrong[0] == '\0' && !strstr(text, "Backtrace")) {
        const char *said = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
        (void)snprintf(heard->wrong, sizeof heard->wrong, "%.*s", RELAIS_ERROR_TEXT_BYTES - 1,
                       said);
    }
}

/* cyaml's own words for the schema's types are capitals; the rest is English for people. */
static const char *what_would_do(cyaml_err_t problem)
{
    switch (problem) {
    case CYAML_ERR_INVALID_KEY:
        return _(
            "only the keys that the documentation lists; check the spelling and the indentation");
    case CYAML_ERR_MAPPING_FIELD_MISSING:
        return _("this key is required");
    case CYAML_ERR_STRING_LENGTH_MIN:
    case CYAML_ERR_STRING_LENGTH_MAX:
        return _("a text of the length that the documentation gives");
    case CYAML_ERR_INVALID_VALUE:
        return _("a value of the kind that the documentation gives for this key");
    case CYAML_ERR_LIBYAML_PARSER:
    case CYAML_ERR_UNEXPECTED_EVENT:
        return _("YAML 1.1: keys once each, steady indentation with spaces, texts with special "
                 "characters in "
                 "single quotes");
    default:
        return _("a file as the documentation describes");
    }
}

static void say_where(const char *path, const struct listener *heard, relais_error *error)
{
    size_t used = (size_t)snprintf(error->field, sizeof error->field, "%s", path);
    if (heard->line > 0 && used < sizeof error->field) {
        used +=
            (size_t)snprintf(error->field + used, sizeof error->field - used, ":%u", heard->line);
    }
    for (size_t i = heard->depth; i > 0 && used < sizeof error->field; i--) {
        const char *key = heard->keys[i - 1];
        const char *before = i == heard->depth ? ": " : (key[0] == '[' ? "" : ".");
        used +=
            (size_t)snprintf(error->field + used, sizeof error->field - used, "%s%s", before, key);
    }
}

relais_status yaml_load(const char *path, const cyaml_schema_value_t *schema, void **out_data,
                        relais_error *error)
{
    char *text = NULL;
    size_t size = 0;
    relais_error unheard;
    relais_error *out = error ? error : &unheard;
    relais_status status = file_read(path, YAML_FILE_BYTES, &text, &size, out);
    if (status != RELAIS_OK) {
        return status;
    }
    struct listener heard = {0};
    const cyaml_config_t config = {.log_fn = hear,
                                   .log_ctx = &heard,
                                   .mem_fn = cyaml_mem,
                                   .log_level = CYAML_LOG_ERROR,
                                   .flags = CYAML_CFG_DEFAULT};
    void *data = NULL;
    cyaml_err_t problem =
        cyaml_load_data((const uint8_t *)text, size, &config, schema, &data, NULL);
    free(text);
    if (problem == CYAML_OK && data) {
        *out_data = data;
        return RELAIS_OK;
    }
    *out = (relais_error){.status = RELAIS_CONFIG_INVALID};
    say_where(path, &heard, out);
    (void)snprintf(out->wrong, sizeof out->wrong, "%s",
                   problem == CYAML_OK ? _("the file is empty")
                   : heard.wrong[0]    ? heard.wrong
                                       : cyaml_strerror(problem));
    (void)snprintf(out->right, sizeof out->right, "%s", what_would_do(problem));
    return RELAIS_CONFIG_INVALID;
}

void yaml_free(const cyaml_schema_value_t *schema, void *data)
{
    const cyaml_config_t config = {.mem_fn = cyaml_mem, .flags = CYAML_CFG_DEFAULT};
    if (data) {
        (void)cyaml_free(&config, schema, data, 0);
    }
}

relais_status yaml_save(const char *path, const char *heading, const cyaml_schema_value_t *schema,
                        const void *data, relais_error *error)
{
    const cyaml_config_t config = {.mem_fn = cyaml_mem,
                                   .flags = CYAML_CFG_STYLE_BLOCK | CYAML_CFG_DOCUMENT_DELIM};
    char *body = NULL;
    size_t size = 0;
    cyaml_err_t problem =
        cyaml_save_data(&body, &size, &config, schema, (cyaml_data_t *)(uintptr_t)data, 0);
    if (problem != CYAML_OK) {
        if (error) {
            *error = (relais_error){.status = RELAIS_CONFIG_INVALID};
            (void)snprintf(error->field, sizeof error->field, "%s", path);
            (void)snprintf(error->wrong, sizeof error->wrong, "%s", cyaml_strerror(problem));
        }
        return RELAIS_CONFIG_INVALID;
    }
    char *whole = NULL;
    int length = asprintf(&whole, "%s%.*s", heading ? heading : "", (int)size, body);
    cyaml_mem(NULL, body, 0);
    if (length < 0) {
        return RELAIS_NO_MEMORY;
    }
    relais_status status = file_replace(path, whole, (size_t)length, 0644, error);
    free(whole);
    return status;
}
