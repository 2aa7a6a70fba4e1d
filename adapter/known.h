/* SPDX-License-Identifier: EUPL-1.2
 *
 * Ids that are dealt with: messages of mailboxes that were done (the ledger), messages that were
 * handed over with an id of the adapter's own. Twins are told by it.
 *
 *   known   key: 16 bytes of BLAKE2b; value: when (8 bytes, big endian, Unix milliseconds)
 *   age     key: when, then the 16 bytes; no value
 *
 *   1. An id is remembered KNOWN_MS, and the KNOWN_MAX latest of them; the oldest go first, a few
 *      with each new one.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_ADAPTER_KNOWN_H
#define RELAIS_ADAPTER_KNOWN_H

#include "adapter/state.h"

enum {
    KNOWN_KEY_BYTES = 16,
    KNOWN_MAX = 1000000, /* some 150 MB on disk: a week at 100,000 messages a day, and more */
};

/* 35 days: longer than a message waits in a mailbox. */
#define KNOWN_MS INT64_C(3024000000)

/* The key of `count` texts, of which none runs into the next; NULL is "". The first says what the
 * key is of. */
void known_key(const char *const *texts, size_t count, unsigned char out_key[KNOWN_KEY_BYTES]);

/* Also sees what the transaction that writes has added. */
bool known_has(struct state *state, const unsigned char key[KNOWN_KEY_BYTES]);

/* Needs state_begin(). One that is known keeps its age. */
relais_status known_add(struct state *state, const unsigned char key[KNOWN_KEY_BYTES],
                        int64_t now_ms, relais_error *error);

#endif
