/* SPDX-License-Identifier: EUPL-1.2
 *
 * The options of one command line. A table of option_spec drives the parser (getopt_long), the help
 * and the shell completion, so the three cannot disagree.
 *
 * Values borrow from argv.
 */
#ifndef RELAIS_CLI_OPTIONS_H
#define RELAIS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a shell may offer in this place. */
enum word_kind {
    WORDS_NONE,
    WORDS_FILE,
    WORDS_FOLDER,
    WORDS_MEMBER,
    WORDS_ADDRESS,
    WORDS_FLOW,
    WORDS_RULE,
    WORDS_KIND,
    WORDS_ROLE,
    WORDS_FORMAT,
    WORDS_COLOR,
    WORDS_PAYLOAD_FORMAT,
    WORDS_ENCODING,
};

struct option_spec {
    const char *name; /* long name, without the dashes */
    char letter;      /* short name, or 0 */
    enum word_kind words;
    const char *argument; /* name of the value for the help; NULL: the option takes none */
    const char *help;     /* N_() text */
};

/* One table: `specs` are the command's own, `shared` those of every command. */
struct option_table {
    const struct option_spec *specs;
    size_t spec_count;
    const struct option_spec *shared;
    size_t shared_count;
};

struct option_use {
    const struct option_spec *spec;
    const char *value; /* NULL for one without a value */
};

struct options {
    struct option_use *uses;
    size_t use_count;
    char **arguments; /* what is not an option */
    size_t argument_count;
};

enum options_problem { OPTIONS_FINE, OPTIONS_UNKNOWN, OPTIONS_NO_VALUE, OPTIONS_NO_MEMORY };

/* The option at an index over both halves of the table, or NULL behind the last. */
const struct option_spec *option_table_at(const struct option_table *table, size_t index);

/*
 * Adds the options of argv[1..] to *options; the words that are none become its arguments. With
 * `stop` parsing ends at the first such word. On a problem *out_word is the word that is wrong.
 */
enum options_problem options_parse(struct options *options, const struct option_table *table,
                                   char **argv, bool stop, const char **out_word);

void options_fini(struct options *options);

/* The last value given, or NULL. */
const char *options_text(const struct options *options, const char *name);

bool options_has(const struct options *options, const char *name);

/* All values given, in order: an array to free(), NULL when there is none (or no memory). */
const char **options_values(const struct options *options, const char *name, size_t *out_count);

/* A decimal number within [minimum, maximum]; false when `text` is something else. */
bool options_parse_number(const char *text, uint64_t minimum, uint64_t maximum,
                          uint64_t *out_number);

#endif
