/* SPDX-License-Identifier: EUPL-1.2
 *
 * The newest note that was seen of each member, so that nobody can serve an older one again: its
 * sequence number and a digest of its text.
 *
 *   relais memory 1
 *   entry commune-76540 7 SHA-256 in hexadecimal
 *   mailboxes commune-76540 12 ...
 *   end 2
 *
 *   1. A number never goes down; with the same number only the same text will do.
 *
 *   2. The last line counts the others: a file that was cut is no memory.
 *
 * Pure; one thread at a time.
 */
#ifndef RELAIS_TRUST_MEMORY_H
#define RELAIS_TRUST_MEMORY_H

#include "trust/signing_key.h"

#include <stdint.h>

enum {
    MEMORY_ROWS = 200000, /* 34,935 communes and everybody else, two notes each */
    MEMORY_DIGEST_BYTES = 32,
    MEMORY_ROW_BYTES = 160, /* of one line, at most */
};

enum memory_kind { MEMORY_ENTRY, MEMORY_MAILBOXES };

struct memory_row {
    enum memory_kind kind;
    char member[SIGNING_NAME_BYTES + 1];
    int64_t sequence;
    uint8_t digest[MEMORY_DIGEST_BYTES];
};

struct memory {
    struct memory_row *rows; /* sorted by kind, then by member */
    size_t count;
    size_t capacity;
};

void memory_init(struct memory *memory);
void memory_fini(struct memory *memory);

/* The row of a note that says to be this. */
struct memory_row memory_row_of(enum memory_kind kind, const char *member, int64_t sequence,
                                struct bytes text);

/* TRUST_OLDER, TRUST_FORKED; TRUST_OK also for what is as new as what was seen. */
enum trust_status memory_check(const struct memory *memory,
                               const struct memory_row *row) TRUST_MUST_CHECK;

/* Checks and remembers; *out_new (may be NULL): there was nothing, or something older. As
 * memory_check(), TRUST_NO_MEMORY, TRUST_TOO_LONG. */
enum trust_status memory_note(struct memory *memory, const struct memory_row *row,
                              bool *out_new) TRUST_MUST_CHECK;

/* Reads a file's bytes into an empty memory. TRUST_BAD_LINE, TRUST_TOO_LONG, TRUST_NO_MEMORY. */
enum trust_status memory_decode(struct bytes bytes, struct memory *memory) TRUST_MUST_CHECK;

/* Gives the file's bytes, freed with free(). TRUST_NO_MEMORY. */
enum trust_status memory_encode(const struct memory *memory, char **out_bytes,
                                size_t *out_size) TRUST_MUST_CHECK;

#endif
