/* SPDX-License-Identifier: EUPL-1.2
 *
 * Completion from the same tables as the parser, and from the home's files. Says nothing on stderr:
 * the user is in the middle of a line.
 */
#include "cli/completion.h"

#include "cli/command.h"
#include "cli/home.h"
#include "typed/convert.h"

#include <relais/directory.h>
#include <stdio.h>
#include <string.h>

enum { WORD_BYTES = 256 };

static void offer(const char *candidate, const char *prefix)
{
    if (strncmp(candidate, prefix, strlen(prefix)) == 0) {
        printf("%s\n", candidate);
    }
}

static void offer_list(const char *const *candidates, const char *prefix)
{
    for (size_t i = 0; candidates[i]; i++) {
        offer(candidates[i], prefix);
    }
}

static void offer_files(const char *folder, const char *prefix)
{
    char **names = NULL;
    size_t count = 0;
    relais_error error;
    if (home_names(folder, &names, &count, &error) != RELAIS_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        offer(names[i], prefix);
    }
    home_names_free(names, count);
}

static void offer_addresses(const struct home *home, const char *prefix)
{
    char **names = NULL;
    size_t count = 0;
    relais_error error;
    if (home_names(home->members, &names, &count, &error) != RELAIS_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        relais_member *member = NULL;
        if (home_member(home, names[i], &member, &error) != RELAIS_OK) {
            continue;
        }
        for (size_t k = 0; k < member->service_count; k++) {
            char address[WORD_BYTES];
            snprintf(address, sizeof(address), "%s/%s", member->slug, member->services[k]);
            offer(address, prefix);
        }
        relais_member_free(member);
    }
    home_names_free(names, count);
}

static void offer_from_home(enum word_kind kind, const char *prefix)
{
    const struct options none = {0};
    struct home home;
    relais_error error;
    if (home_find(&none, &home, &error) != RELAIS_OK) {
        return;
    }
    if (kind == WORDS_ADDRESS) {
        offer_addresses(&home, prefix);
    } else {
        offer_files(kind == WORDS_FLOW ? home.flows : home.members, prefix);
    }
}

static void offer_payload_formats(const char *prefix)
{
    for (size_t i = 0; convert_format_name(i); i++) {
        offer(convert_format_name(i), prefix);
    }
}

static void offer_words(enum word_kind kind, const char *prefix)
{
    static const char *const kinds[] = {"commune", "epci",     "departement", "region",
                                        "state",   "operator", NULL};
    static const char *const rules[] = {
        "*",           "kind:commune", "kind:epci",     "kind:departement",
        "kind:region", "kind:state",   "kind:operator", NULL};
    static const char *const roles[] = {"send", "receive", "operate", NULL};
    static const char *const formats[] = {"table", "json", "jsonl", NULL};
    static const char *const encodings[] = {"UTF-8", "ISO-8859-1", "ISO-8859-15", "Windows-1252",
                                            NULL};
    static const char *const colors[] = {"auto", "always", "never", NULL};
    switch (kind) {
    case WORDS_FILE:
        puts(":file");
        break;
    case WORDS_FOLDER:
        puts(":folder");
        break;
    case WORDS_KIND:
        offer_list(kinds, prefix);
        break;
    case WORDS_ROLE:
        offer_list(roles, prefix);
        break;
    case WORDS_FORMAT:
        offer_list(formats, prefix);
        break;
    case WORDS_COLOR:
        offer_list(colors, prefix);
        break;
    case WORDS_PAYLOAD_FORMAT:
        offer_payload_formats(prefix);
        break;
    case WORDS_ENCODING:
        offer_list(encodings, prefix);
        break;
    case WORDS_RULE:
        offer_list(rules, prefix);
        offer_from_home(WORDS_MEMBER, prefix);
        break;
    case WORDS_MEMBER:
    case WORDS_ADDRESS:
    case WORDS_FLOW:
        offer_from_home(kind, prefix);
        break;
    case WORDS_NONE:
        break;
    }
}

/* The option that this word spells, when it wants a value in the next word. */
static const struct option_spec *waiting_option(const struct option_table *table, const char *word)
{
    const struct option_spec *spec;
    for (size_t i = 0; (spec = option_table_at(table, i)) != NULL; i++) {
        bool is_long = strncmp(word, "--", 2) == 0 && strcmp(word + 2, spec->name) == 0;
        bool is_short =
            spec->letter != 0 && word[0] == '-' && word[1] == spec->letter && word[2] == '\0';
        if ((is_long || is_short) && spec->argument) {
            return spec;
        }
    }
    return NULL;
}

static void offer_options(const struct option_table *table, const char *prefix)
{
    const struct option_spec *spec;
    for (size_t i = 0; (spec = option_table_at(table, i)) != NULL; i++) {
        char word[WORD_BYTES];
        snprintf(word, sizeof(word), "--%s", spec->name);
        offer(word, prefix);
    }
}

/* The next word of each command that begins with the words so far; each once, since the table has
 * the commands of a group side by side. */
static void offer_commands(char *const *words, size_t count, const char *prefix)
{
    char last[WORD_BYTES] = "";
    for (const struct command *const *command = commands_all(); *command; command++) {
        const char *rest = (*command)->words;
        bool fits = true;
        for (size_t i = 0; fits && i < count; i++) {
            size_t length = strcspn(rest, " ");
            fits = strlen(words[i]) == length && strncmp(rest, words[i], length) == 0 &&
                   rest[length] == ' ';
            rest += fits ? length + 1 : 0;
        }
        char word[WORD_BYTES];
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(rest, " "), rest);
        if (fits && strcmp(word, last) != 0) {
            offer(word, prefix);
            snprintf(last, sizeof(last), "%s", word);
        }
    }
}

enum exit_code completion_run(char *const *words, size_t count)
{
    if (count == 0) {
        return CODE_USAGE;
    }
    const char *prefix = words[count - 1];
    size_t first = 0;
    const struct option_table shared = command_option_table(NULL);
    /* Options in front of the command. */
    while (first + 1 < count && words[first][0] == '-') {
        first += waiting_option(&shared, words[first]) ? 2 : 1;
    }
    if (first > count - 1) {
        first = count - 1;
    }
    size_t used = 0;
    const struct command *command = commands_find(words + first, count - 1 - first, &used);
    const struct option_table table = command_option_table(command);
    const struct option_spec *waiting = count > 1 ? waiting_option(&table, words[count - 2]) : NULL;
    if (waiting) {
        offer_words(waiting->words, prefix);
    } else if (prefix[0] == '-') {
        offer_options(&table, prefix);
    } else if (command) {
        offer_words(command->argument_words, prefix);
    } else {
        offer_commands(words + first, count - 1 - first, prefix);
    }
    return CODE_DONE;
}
