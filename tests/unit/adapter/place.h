/* SPDX-License-Identifier: EUPL-1.2
 *
 * A state in a temporary folder, and a message to put there. Aborts the test on failure.
 */
#ifndef RELAIS_TESTS_ADAPTER_PLACE_H
#define RELAIS_TESTS_ADAPTER_PLACE_H

#include "adapter/outbox.h"
#include "tests/unit/adapters/folders.h"

enum { PLACE_MAP_BYTES = 64 * 1024 * 1024 };

struct place_of_test {
    char folder[FOLDERS_PATH_BYTES];
    char path[FOLDERS_PATH_BYTES + 8]; /* of the state, within */
    struct state *state;
    struct outbox outbox;
};

void place_make(struct place_of_test *place, size_t map_bytes);
void place_remove(struct place_of_test *place);

/* Closes and opens it again, as after a crash between two turns. */
void place_reopen(struct place_of_test *place);

/* A message with this id and payload, to dila/dossiers. */
relais_message place_message(const char *id, const void *payload, size_t size);

/* Adds it to the outbox, in a transaction of its own. */
void place_add(struct place_of_test *place, const relais_message *message);

#endif
