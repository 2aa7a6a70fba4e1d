/* SPDX-License-Identifier: EUPL-1.2
 *
 * The variables of a command: a list that grows, "NAME=value" each.
 *
 *   1. Nothing of the adapter's own environment is in it but what is always harmless and needed
 *      (PATH, HOME, LANG, LC_ALL, TZ) and what the configuration names.
 *   2. A name is once in it: the latest counts.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_ENVIRONMENT_H
#define RELAIS_EXEC_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

struct environment {
    char **list; /* ended by NULL; NULL when empty */
    size_t count;
    bool failed; /* without memory */
};

/* `named`: "NAME" is passed on, "NAME=value" is set. */
void environment_begin(struct environment *environment, char *const *named, size_t count);

/* Sets a variable; a NULL value sets none. */
void environment_set(struct environment *environment, const char *name, const char *value);
void environment_fini(struct environment *environment);

#endif
