/* SPDX-License-Identifier: EUPL-1.2
 *
 * Which acks are on the broker's disk. The library tells how many answers are not; when that is
 * none, on a connection that has not been lost since, all that were given are. What cannot be known
 * so stays DELIVERED in the ledger, which only keeps it longer. Thread: that of its owner.
 */
#ifndef RELAIS_FILES_SETTLING_H
#define RELAIS_FILES_SETTLING_H

#include "adapters/files/inbox.h"

enum { SETTLING_MAX = 8192 };

struct settling {
    unsigned char keys[SETTLING_MAX][LEDGER_KEY_BYTES];
    struct inbox *inboxes[SETTLING_MAX];
    size_t count;
    uint64_t reconnects;
};

/* An ack was given on the connection `reconnects`. */
void settling_add(struct settling *settling, struct inbox *inbox,
                  const unsigned char key[LEDGER_KEY_BYTES], uint64_t reconnects);

/* `unsettled` answers are not on disk, as the connection `reconnects` says. */
void settling_look(struct settling *settling, size_t unsettled, uint64_t reconnects,
                   int64_t now_ms);

#endif
