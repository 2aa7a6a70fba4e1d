/* SPDX-License-Identifier: EUPL-1.2
 *
 * Acknowledgements that were given on one connection, and when the broker has said that they are on
 * its disk. What the connection took with it is not noted: those messages come again.
 */
#ifndef RELAIS_TESTS_CHAOS_KILLS_SETTLING_H
#define RELAIS_TESTS_CHAOS_KILLS_SETTLING_H

#include <relais/relais.h>
#include <signal.h>

enum { SETTLING_MOST = 24, SETTLING_ID_BYTES = 64 };

struct settling {
    relais_client *client;
    relais_consumer *consumer;
    uint64_t connection; /* the last one noted */
    size_t count;
    char ids[SETTLING_MOST][SETTLING_ID_BYTES];
};

/* Before a delivery is noted: notes its connection when it is a new one. */
void settling_note_connection(struct settling *settling);

/* Of a message that was acknowledged; there must be room. */
void settling_add(struct settling *settling, const char *id);

/* Waits for the settlement of all, or for the end of the connection, or until *ending. */
void settling_wait(struct settling *settling, const volatile sig_atomic_t *ending);

#endif
