/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a client knows, a line an event, in a file that outlives it:
 *     CLOCK_MONOTONIC in ns, space, event, and what belongs to it
 * A line is written before what it tells of can have an effect elsewhere (submit), or after it has
 * happened (all others). The kernel has it when the call returns: a kill of the client loses none.
 */
#ifndef RELAIS_TESTS_CHAOS_KILLS_HISTORY_H
#define RELAIS_TESTS_CHAOS_KILLS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

enum { HISTORY_MESSAGES = 1000000 }; /* of one sender */

/* What a sender knows of its messages; their numbers begin at 0. */
struct knowledge {
    unsigned char *states; /* HISTORY_MESSAGES of enum known */
    unsigned long next;    /* number never used */
};

enum known { KNOWN_NOTHING, KNOWN_SUBMITTED, KNOWN_ACCEPTED };

/* Opens the file to append to it; ends the program when that fails. */
void history_open(const char *path);

/* `format` is for the text behind the time, without an end of line. */
void history_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads what earlier lives of this sender have written. False: no memory, or no such file. */
bool history_read(const char *path, struct knowledge *out_known);

#endif
