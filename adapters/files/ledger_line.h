/* SPDX-License-Identifier: EUPL-1.2
 *
 * One line of the ledger of received messages: text, so that a person can read it, with a checksum,
 * so that a torn write is seen:
 *     I 0123456789abcdef0123456789abcdef 1794000000000 89abcdef 01234567
 *     mark, key, time (Unix ms), number of the temporary file, checksum of all before it
 * Every line has the same length. Pure; any thread.
 */
#ifndef RELAIS_FILES_LEDGER_LINE_H
#define RELAIS_FILES_LEDGER_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEDGER_KEY_BYTES = 16,
    LEDGER_LINE_BYTES = 2 + 33 + 14 + 9 + 8 + 1,
    LEDGER_TEMP_BYTES = 32 + 1 + 8, /* "<key>-<number>" */
};

enum ledger_mark {
    LEDGER_NONE = 0,
    LEDGER_INTENDED = 'I',  /* the temporary file is on disk and will be renamed */
    LEDGER_VOID = 'V',      /* it will not */
    LEDGER_DELIVERED = 'D', /* renamed */
    LEDGER_SETTLED = 'S',   /* and the broker has our ack on its disk */
};

struct ledger_entry {
    unsigned char key[LEDGER_KEY_BYTES];
    int64_t time_ms;
    uint32_t number;
    uint32_t mark; /* enum ledger_mark */
};

/* Writes exactly LEDGER_LINE_BYTES, the last of them a line feed; no NUL. */
void ledger_line_write(const struct ledger_entry *entry, char *out_line);

/* Reads a line of exactly LEDGER_LINE_BYTES. False: not such a line. */
bool ledger_line_read(const char *line, struct ledger_entry *out_entry);

/* The name of the temporary file of an entry. */
void ledger_temp_name(const struct ledger_entry *entry, char out_name[LEDGER_TEMP_BYTES + 1]);

#endif
