/* SPDX-License-Identifier: EUPL-1.2
 *
 * See environment.h.
 */
#include "adapters/exec/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const always[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ"};

static size_t find(const struct environment *environment, const char *name, size_t length)
{
    size_t i = 0;
    while (i < environment->count && (strncmp(environment->list[i], name, length) != 0 ||
                                      environment->list[i][length] != '=')) {
        i++;
    }
    return i;
}

/* Takes `text`. */
static void put(struct environment *environment, char *text, size_t name_length)
{
    size_t at = text ? find(environment, text, name_length) : 0;
    if (text && at < environment->count) {
        free(environment->list[at]);
        environment->list[at] = text;
        return;
    }
    char **list = text ? realloc(environment->list, (environment->count + 2) * sizeof *list) : NULL;
    if (!list) {
        free(text);
        environment->failed = true;
        return;
    }
    environment->list = list;
    list[environment->count++] = text;
    list[environment->count] = NULL;
}

void environment_set(struct environment *environment, const char *name, const char *value)
{
    char *text = NULL;
    if (value) {
        put(environment, asprintf(&text, "%s=%s", name, value) >= 0 ? text : NULL, strlen(name));
    }
}

void environment_begin(struct environment *environment, char *const *named, size_t count)
{
    *environment = (struct environment){0};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        environment_set(environment, always[i],
                        getenv(always[i])); /* NOLINT(concurrency-mt-unsafe) */
    }
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(named[i], '=');
        if (equals) {
            put(environment, strdup(named[i]), (size_t)(equals - named[i]));
        } else {
            environment_set(environment, named[i],
                            getenv(named[i])); /* NOLINT(concurrency-mt-unsafe) */
        }
    }
}

void environment_fini(struct environment *environment)
{
    for (size_t i = 0; i < environment->count; i++) {
        free(environment->list[i]);
    }
    free(environment->list);
    *environment = (struct environment){0};
}
