/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a command is told of its message: a JSON object, and the same as variables RELAIS_*.
 * Names: docs/adapters/exec.md. Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_METADATA_H
#define RELAIS_EXEC_METADATA_H

#include "adapters/exec/environment.h"

#include <relais/adapter.h>

/* Where the command finds things. */
struct metadata_places {
    const char *payload;  /* the file */
    const char *metadata; /* the file with the JSON text */
    const char *folder;   /* its own, removed after it */
};

/* Freed with free(). NULL: no memory, or a text that is not UTF-8. */
char *metadata_text(const relais_adapter_item *item, const struct metadata_places *places);

void metadata_variables(const relais_adapter_item *item, const struct metadata_places *places,
                        struct environment *environment);

#endif
