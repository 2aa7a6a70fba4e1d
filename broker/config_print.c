/* SPDX-License-Identifier: EUPL-1.2
 *
 * The configuration for people: effective values as YAML, and the table of the documentation.
 */
#include "broker/config.h"

#include "program/locale.h"

#include <inttypes.h>
#include <string.h>

static const char *text_of(const struct config_option *option, const struct config *config)
{
    const char *text = NULL;

    memcpy(&text, (const char *)config + option->value_offset, sizeof text);
    return text;
}

static uint64_t number_of(const struct config_option *option, const struct config *config)
{
    uint64_t number = 0;

    memcpy(&number, (const char *)config + option->value_offset, sizeof number);
    return number;
}

/* In single quotes, as YAML doubles them. */
static void print_quoted(const char *text, FILE *out)
{
    (void)fputc('\'', out);
    for (; *text != '\0'; text++) {
        (void)fputs(*text == '\'' ? "'" : "", out);
        (void)fputc(*text, out);
    }
    (void)fputc('\'', out);
}

static void print_value(const struct config_option *option, const struct config *config, FILE *out)
{
    switch (option->kind) {
    case CONFIG_ENDPOINT:
    case CONFIG_PATH:
        print_quoted(text_of(option, config) == NULL ? "" : text_of(option, config), out);
        break;
    case CONFIG_NUMBER:
        (void)fprintf(out, "%" PRIu64, number_of(option, config));
        break;
    default:
        (void)fputs(option->words[number_of(option, config)], out);
    }
}

void config_print(const struct config *config, FILE *out)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);
    const char *group = "";
    size_t group_bytes = 0;

    for (size_t i = 0; i < count; i++) {
        const char *dot = strchr(options[i].key, '.');
        size_t size = dot == NULL ? 0 : (size_t)(dot - options[i].key);

        if (size > 0 && (size != group_bytes || strncmp(group, options[i].key, size) != 0)) {
            (void)fprintf(out, "%.*s:\n", (int)size, options[i].key);
        }
        group = options[i].key;
        group_bytes = size;
        const char *indent = dot == NULL ? "" : "  ";
        (void)fprintf(out, "%s# %s\n%s%s: ", indent, _(options[i].about), indent,
                      dot == NULL ? options[i].key : dot + 1);
        print_value(&options[i], config, out);
        (void)fputc('\n', out);
    }
}

static void print_allowed(const struct config_option *option, FILE *out)
{
    switch (option->kind) {
    case CONFIG_ENDPOINT:
        (void)fputs("tcp://address:port", out);
        break;
    case CONFIG_PATH:
        (void)fputs("a path", out);
        break;
    case CONFIG_NUMBER:
        (void)fprintf(out, "%" PRIu64 " to %" PRIu64, option->min, option->max);
        break;
    default:
        for (size_t i = 0; option->words[i] != NULL; i++) {
            (void)fprintf(out, "%s%s", i == 0 ? "" : ", ", option->words[i]);
        }
    }
}

void config_print_table(FILE *out)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);

    (void)fputs("| key | environment | default | allowed | what it is |\n"
                "| --- | --- | --- | --- | --- |\n",
                out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "| `%s` | `%s` | %s | ", options[i].key, options[i].environment,
                      options[i].preset == NULL      ? "required"
                      : options[i].preset[0] == '\0' ? "none"
                                                     : options[i].preset);
        print_allowed(&options[i], out);
        (void)fprintf(out, " | %s |\n", options[i].about);
    }
}
