/* SPDX-License-Identifier: EUPL-1.2
 *
 * From what the room trust reads to what the API gives. Any thread.
 */
#ifndef RELAIS_CLIENT_TRUST_NOTE_H
#define RELAIS_CLIENT_TRUST_NOTE_H

#include "trust/entry.h"
#include "trust/mailboxes.h"

#include <relais/trust.h>

/* NULL: no memory. */
relais_entry *trust_entry_give(const struct trust_entry *entry, const char *signer);
relais_mailboxes *trust_mailboxes_give(const struct mailboxes *mailboxes);

/* Signs a text and gives the note with a NUL behind it. */
relais_status trust_note_sign(struct bytes text, const relais_identity *identity, char **out_note,
                              relais_error *error);

#endif
