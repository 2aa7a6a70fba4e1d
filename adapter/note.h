/* SPDX-License-Identifier: EUPL-1.2
 *
 * Small values that an adapter keeps under a key: its cursors. Each is a node of record.h.
 * Thread: the adapter's.
 */
#ifndef RELAIS_ADAPTER_NOTE_H
#define RELAIS_ADAPTER_NOTE_H

#include "adapter/state.h"

#include <relais/bytes.h>

/* Needs state_begin(). Size 0 forgets. */
relais_status note_put(struct state *state, const char *key, relais_bytes value,
                       relais_error *error);

/* RELAIS_NOT_FOUND, RELAIS_DAMAGED, RELAIS_TOO_LARGE. */
relais_status note_get(struct state *state, const char *key, void *buffer, size_t size,
                       size_t *out_size);

#endif
