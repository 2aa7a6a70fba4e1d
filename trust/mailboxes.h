/* SPDX-License-Identifier: EUPL-1.2
 *
 * The mailbox keys that a member publishes, a week at a time: the text of a note that it signs
 * itself, with a key that the regulator's entry names. The regulator, whose key is offline, has no
 * part in it (docs/directory.md).
 *
 *   1. The same sheet is the same bytes: lines are sorted by place, then by the begin of validity.
 *
 *   2. A place is a service of the member, "~" and a client of it, or "*": all that have no line of
 *      their own.
 *
 * Pure; any thread.
 */
#ifndef RELAIS_TRUST_MAILBOXES_H
#define RELAIS_TRUST_MAILBOXES_H

#include "seal/mailbox_key.h"
#include "trust/note.h"

enum {
    MAILBOXES_KEYS = 208,       /* fit a note of NOTE_BYTES with the longest names */
    MAILBOXES_PLACE_BYTES = 64, /* "~" and a client's name */
};

struct mailboxes_key {
    char place[MAILBOXES_PLACE_BYTES + 1];
    struct mailbox_public key;
};

/* Some 27 KiB. */
struct mailboxes {
    char member[SIGNING_NAME_BYTES + 1];
    int64_t sequence; /* from 1 */
    struct mailboxes_key keys[MAILBOXES_KEYS];
    size_t count;
};

/* TRUST_OTHER_KIND, TRUST_BAD_LINE, TRUST_TOO_LONG, TRUST_BAD_KEY. */
enum trust_status mailboxes_decode(struct bytes text,
                                   struct mailboxes *out_mailboxes) TRUST_MUST_CHECK;

/* Sorts, checks, writes to out[NOTE_BYTES]. As mailboxes_decode(). */
enum trust_status mailboxes_encode(struct mailboxes *mailboxes, uint8_t *out,
                                   size_t *out_size) TRUST_MUST_CHECK;

/* The key to seal with for a place now: its own, else that of "*"; of several the one that began
 * last. NULL: there is none. Borrowed. */
const struct mailbox_public *mailboxes_find(const struct mailboxes *mailboxes, const char *place,
                                            int64_t now_ms);

#endif
