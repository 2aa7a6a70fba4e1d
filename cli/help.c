/* SPDX-License-Identifier: EUPL-1.2
 *
 * Help texts, laid out for a terminal of 80 columns.
 */
#include "cli/help.h"

#include "program/locale.h"

#include <string.h>

enum { SUMMARY_COLUMN = 14, OPTION_COLUMN = 24, PAGE_COLUMNS = 80 };

/* Prints text behind `column` columns, `used` of them taken, wrapped at word ends. Counts
 * characters, not bytes, so that accents do not break lines early. */
static void print_wrapped(FILE *stream, const char *text, int used, int column)
{
    if (column > 0 && used >= column) {
        fputc('\n', stream);
        used = 0;
    }
    fprintf(stream, "%*s", column - used, "");
    int at = column;
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        int width = 0;
        for (size_t i = 0; i < length; i++) {
            width += ((unsigned char)text[i] & 0xC0U) != 0x80U;
        }
        if (at > column && at + 1 + width > PAGE_COLUMNS) {
            fprintf(stream, "\n%*s", column, "");
            at = column;
        }
        if (at > column) {
            fputc(' ', stream);
            at++;
        }
        fprintf(stream, "%.*s", (int)length, text);
        at += width;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', stream);
}

static void print_summary(FILE *stream, const struct command *command)
{
    int used = fprintf(stream, "  %s", command->words);
    print_wrapped(stream, _(command->summary), used, SUMMARY_COLUMN + 2);
}

static void print_option(FILE *stream, const struct option_spec *spec)
{
    int used =
        spec->letter != 0 ? fprintf(stream, "  -%c, ", spec->letter) : fprintf(stream, "      ");
    used += fprintf(stream, "--%s", spec->name);
    if (spec->argument) {
        used += fprintf(stream, " %s", spec->argument);
    }
    print_wrapped(stream, _(spec->help), used, OPTION_COLUMN + 2);
}

static void print_options(FILE *stream, const struct option_spec *specs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_option(stream, &specs[i]);
    }
}

void help_overview(FILE *stream)
{
    size_t shared_count = 0;
    const struct option_spec *shared = commands_shared_options(&shared_count);
    fprintf(stream, _("relais: messages between public authorities\n\n"));
    fprintf(stream, _("Examples:\n"));
    fprintf(stream, "  relais init bus\n"
                    "  relais send dossier.xml --to commune-76540/etat-civil --flow ETATCIVIL\n"
                    "  relais receive commune-76540/etat-civil --to-folder in --ack\n\n");
    fprintf(stream, _("Commands (each has --help):\n"));
    for (const struct command *const *command = commands_all(); *command; command++) {
        print_summary(stream, *command);
    }
    fprintf(stream, _("\nOptions of every command:\n"));
    print_options(stream, shared, shared_count);
    fprintf(stream, _("\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 not found,\n"
                      "4 refused by the bus, 5 broker unreachable or no answer in time,\n"
                      "6 partly done.\n"));
}

bool help_group(FILE *stream, const char *word)
{
    size_t length = strlen(word);
    bool found = false;
    for (const struct command *const *command = commands_all(); *command; command++) {
        if (strncmp((*command)->words, word, length) == 0 && (*command)->words[length] == ' ') {
            print_summary(stream, *command);
            found = true;
        }
    }
    return found;
}

void help_command(FILE *stream, const struct command *command)
{
    size_t shared_count = 0;
    const struct option_spec *shared = commands_shared_options(&shared_count);
    fprintf(stream, "relais %s%s%s: %s\n\n", command->words, *command->arguments ? " " : "",
            command->arguments, _(command->summary));
    fprintf(stream, _("Examples:\n"));
    for (const char *line = command->examples; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        fprintf(stream, "  %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
    if (command->notes) {
        fputc('\n', stream);
        print_wrapped(stream, _(command->notes), 0, 0);
    }
    if (command->option_count > 0) {
        fprintf(stream, _("\nOptions:\n"));
        print_options(stream, command->options, command->option_count);
    }
    fprintf(stream, _("\nOptions of every command:\n"));
    print_options(stream, shared, shared_count);
}
