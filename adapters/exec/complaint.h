/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a command says on its standard error: the beginning is kept as the reason of a refusal, the
 * rest is read and thrown away, so that the command never waits.
 *
 *   1. None of it reaches the log: it may be about a person.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_COMPLAINT_H
#define RELAIS_EXEC_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>

enum { COMPLAINT_BYTES = 256 /* what the bus keeps of a reason */ };

struct complaint {
    char text[COMPLAINT_BYTES + 1];
    size_t size;
};

/* Reads what is there. False: the end, or an error. `copy` (-1: none) gets all of it. */
bool complaint_read(struct complaint *complaint, int fd, int copy);

/* One line for people: control characters become spaces, what is not UTF-8 becomes '?', spaces at
 * both ends go. */
const char *complaint_text(struct complaint *complaint);

#endif
