/* SPDX-License-Identifier: EUPL-1.2
 *
 * The relais command: finds the command that the words name, parses its options, runs it.
 * One thread.
 */
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool parse_format(const char *text, enum output_format *out_format)
{
    static const char *const names[] = {
        [OUTPUT_TABLE] = "table", [OUTPUT_JSON] = "json", [OUTPUT_JSONL] = "jsonl"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out_format = (enum output_format)i;
            return true;
        }
    }
    return false;
}

static bool wants_color(const char *when, bool *out_color)
{
    if (!when || strcmp(when, "auto") == 0) {
        const char *no_color = getenv("NO_COLOR");
        const char *terminal = getenv("TERM");
        *out_color = isatty(STDOUT_FILENO) && (!no_color || *no_color == '\0') &&
                     (!terminal || strcmp(terminal, "dumb") != 0);
        return true;
    }
    *out_color = strcmp(when, "always") == 0;
    return *out_color || strcmp(when, "never") == 0;
}

static enum exit_code parse_shared(struct invocation *invocation)
{
    const char *format = options_text(&invocation->options, "output");
    const char *color = options_text(&invocation->options, "color");
    if (format && !parse_format(format, &invocation->output.format)) {
        return talk_usage(invocation->command,
                          _("--output: \"%s\" is not a format; table, json or jsonl"), format);
    }
    if (!wants_color(color, &invocation->output.color)) {
        return talk_usage(invocation->command,
                          _("--color: \"%s\" will not do; auto, always or never"), color);
    }
    invocation->output.quiet = options_has(&invocation->options, "quiet");
    return CODE_DONE;
}

static enum exit_code parse(struct invocation *invocation, char **argv, bool stop)
{
    struct option_table table = command_option_table(invocation->command);
    const char *word = "";
    switch (options_parse(&invocation->options, &table, argv, stop, &word)) {
    case OPTIONS_FINE:
        return CODE_DONE;
    case OPTIONS_UNKNOWN:
        return talk_usage(invocation->command, _("%s: no such option"), word);
    case OPTIONS_NO_VALUE:
        return talk_usage(invocation->command, _("%s: a value is missing"), word);
    case OPTIONS_NO_MEMORY:
        break;
    }
    return talk_no_memory();
}

static enum exit_code check_arguments(const struct invocation *invocation)
{
    const struct command *command = invocation->command;
    const struct options *options = &invocation->options;
    if (options->argument_count < command->arguments_min) {
        return talk_usage(command, _("%s needs: %s"), command->words, command->arguments);
    }
    if (options->argument_count > command->arguments_max) {
        return talk_usage(command, _("%s: one word too many"),
                          options->arguments[command->arguments_max]);
    }
    return CODE_DONE;
}

/* Data that could not be written was not given to the user. */
static enum exit_code check_stdout(enum exit_code code)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        relais_error error;
        talk_fill(&error, RELAIS_SYSTEM, "stdout", _("cannot be written"), NULL);
        talk_error(&error);
        return code == CODE_DONE ? CODE_FAILED : code;
    }
    return code;
}

/* argv[0] is the word in front of the command's own words. */
static enum exit_code run_command(struct invocation *invocation, char **argv)
{
    enum exit_code code = parse(invocation, argv, false);
    if (code != CODE_DONE) {
        return code;
    }
    if (options_has(&invocation->options, "help")) {
        help_command(stdout, invocation->command);
        return check_stdout(CODE_DONE);
    }
    code = parse_shared(invocation);
    if (code == CODE_DONE) {
        code = check_arguments(invocation);
    }
    if (code == CODE_DONE) {
        code = check_stdout(invocation->command->run(invocation));
    }
    return code;
}

static enum exit_code no_command(const char *word, bool help)
{
    if (!word && help) {
        help_overview(stdout);
        return check_stdout(CODE_DONE);
    }
    if (!word) {
        help_overview(stderr);
        return CODE_USAGE;
    }
    if (help_group(help ? stdout : stderr, word)) {
        return help ? CODE_DONE : CODE_USAGE;
    }
    return talk_usage(NULL, _("%s: no such command"), word);
}

static enum exit_code run(struct invocation *invocation, char **argv)
{
    enum exit_code code = parse(invocation, argv, true);
    if (code != CODE_DONE) {
        return code;
    }
    if (options_has(&invocation->options, "version")) {
        printf("relais %s\n", relais_version());
        return check_stdout(CODE_DONE);
    }
    char **words = invocation->options.arguments;
    size_t count = invocation->options.argument_count;
    if (count > 0 && strcmp(words[0], "__complete") == 0) {
        return completion_run(words + 1, count - 1);
    }
    size_t used = 0;
    invocation->command = commands_find(words, count, &used);
    if (invocation->command) {
        return run_command(invocation, words + used - 1);
    }
    bool help = options_has(&invocation->options, "help") ||
                (count > 1 && strcmp(words[count - 1], "--help") == 0);
    return no_command(count > 0 ? words[0] : NULL, help);
}

int main(int argc, char **argv)
{
    (void)argc;
    locale_start();
    struct invocation invocation = {0};
    enum exit_code code = run(&invocation, argv);
    options_fini(&invocation.options);
    return (int)code;
}
