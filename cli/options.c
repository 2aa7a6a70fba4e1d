/* SPDX-License-Identifier: EUPL-1.2
 *
 * Options by getopt_long(3) from our own tables. getopt keeps its state in globals of libc; only
 * options_parse() touches them, on the main thread.
 */
#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* More than any command has; asserted. */
enum { TABLE_MAX = 32 };

/* getopt returns this plus the index of a long option. */
enum { LONG_BASE = 256 };

const struct option_spec *option_table_at(const struct option_table *table, size_t index)
{
    if (index < table->spec_count) {
        return &table->specs[index];
    }
    index -= table->spec_count;
    return index < table->shared_count ? &table->shared[index] : NULL;
}

static void build_getopt(const struct option_table *table, struct option *longs, char *shorts,
                         bool stop)
{
    size_t used = 0;
    if (stop) {
        shorts[used++] = '+';
    }
    shorts[used++] = ':';
    size_t i = 0;
    for (const struct option_spec *spec; (spec = option_table_at(table, i)) != NULL; i++) {
        assert(i < TABLE_MAX);
        longs[i] = (struct option){spec->name, spec->argument ? required_argument : no_argument,
                                   NULL, LONG_BASE + (int)i};
        if (spec->letter != 0) {
            shorts[used++] = spec->letter;
            if (spec->argument) {
                shorts[used++] = ':';
            }
        }
    }
    longs[i] = (struct option){NULL, 0, NULL, 0};
    shorts[used] = '\0';
}

static const struct option_spec *find_spec(const struct option_table *table, int code)
{
    if (code >= LONG_BASE) {
        return option_table_at(table, (size_t)(code - LONG_BASE));
    }
    const struct option_spec *spec;
    for (size_t i = 0; (spec = option_table_at(table, i)) != NULL; i++) {
        if (spec->letter == code) {
            return spec;
        }
    }
    return NULL;
}

static size_t count_words(char **argv)
{
    size_t count = 0;
    while (argv[count] != NULL) {
        count++;
    }
    return count;
}

enum options_problem options_parse(struct options *options, const struct option_table *table,
                                   char **argv, bool stop, const char **out_word)
{
    struct option longs[TABLE_MAX + 1];
    char shorts[2 * TABLE_MAX + 3];
    size_t count = count_words(argv);
    struct option_use *uses =
        realloc(options->uses, (options->use_count + count + 1) * sizeof(struct option_use));
    if (!uses) {
        return OPTIONS_NO_MEMORY;
    }
    options->uses = uses;
    build_getopt(table, longs, shorts, stop);
    optind = 0;
    opterr = 0;
    int code;
    while ((code = getopt_long((int)count, argv, shorts, longs, NULL)) != -1) {
        if (code == '?' || code == ':') {
            *out_word = argv[optind - 1];
            return code == ':' ? OPTIONS_NO_VALUE : OPTIONS_UNKNOWN;
        }
        const struct option_spec *spec = find_spec(table, code);
        assert(spec);
        options->uses[options->use_count++] = (struct option_use){spec, optarg};
    }
    options->arguments = argv + optind;
    options->argument_count = count - (size_t)optind;
    return OPTIONS_FINE;
}

void options_fini(struct options *options)
{
    free(options->uses);
    *options = (struct options){0};
}

const char *options_text(const struct options *options, const char *name)
{
    for (size_t i = options->use_count; i-- > 0;) {
        if (strcmp(options->uses[i].spec->name, name) == 0) {
            return options->uses[i].value;
        }
    }
    return NULL;
}

bool options_has(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->use_count; i++) {
        if (strcmp(options->uses[i].spec->name, name) == 0) {
            return true;
        }
    }
    return false;
}

const char **options_values(const struct options *options, const char *name, size_t *out_count)
{
    *out_count = 0;
    if (!options_has(options, name)) {
        return NULL;
    }
    const char **values = calloc(options->use_count, sizeof(char *));
    if (!values) {
        return NULL;
    }
    size_t count = 0;
    for (size_t i = 0; i < options->use_count; i++) {
        if (strcmp(options->uses[i].spec->name, name) == 0) {
            values[count++] = options->uses[i].value;
        }
    }
    *out_count = count;
    return values;
}

bool options_parse_number(const char *text, uint64_t minimum, uint64_t maximum,
                          uint64_t *out_number)
{
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || number < minimum || number > maximum) {
        return false;
    }
    *out_number = number;
    return true;
}
