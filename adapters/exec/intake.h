/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bytes of a command become lines, lines become messages of the outbox, and words go back to the
 * command about each. See source.h for the promises.
 * Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_INTAKE_H
#define RELAIS_EXEC_INTAKE_H

#include "adapters/exec/line.h"

enum { INTAKE_WORDS_BYTES = 256 * 1024 /* confirmations that the command has not read */ };

enum intake_result {
    INTAKE_MORE,    /* there may be more */
    INTAKE_NOTHING, /* not now */
    INTAKE_END,     /* never again */
};

struct intake {
    relais_adapter *adapter;
    const struct settings_defaults *defaults;
    bool confirms;
    int folder; /* of files that lines name */
    char *buffer;
    size_t size;
    size_t capacity;
    bool skipping;   /* the rest of a line that is too long */
    uint64_t number; /* of the line, from 1 */
    char *words;
    size_t words_size;
    size_t words_capacity;
};

relais_status intake_open(struct intake *intake, relais_adapter *adapter,
                          const struct settings_defaults *defaults, const char *folder,
                          bool confirms);
void intake_close(struct intake *intake);

/* Reads what is there. */
enum intake_result intake_read(struct intake *intake, int fd);

/* True while more may be read. */
bool intake_has_room(const struct intake *intake);

/* The command has ended. `whole`: what is left is a line. */
void intake_end(struct intake *intake, bool whole);

/* True while a whole line waits. */
bool intake_has_lines(const struct intake *intake);

/* Takes whole lines. RELAIS_STORE_FULL, RELAIS_NO_MEMORY: the rest stays for later. Others: the
 * disk failed. */
relais_status intake_take(struct intake *intake, relais_error *error);

/* Writes words. False: nobody reads them any more. */
bool intake_say(struct intake *intake, int fd);
bool intake_has_words(const struct intake *intake);
void intake_forget_words(struct intake *intake);

#endif
