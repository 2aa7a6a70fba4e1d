/* SPDX-License-Identifier: EUPL-1.2
 *
 * Sheets of mailbox keys: read, and given to callers. trust_renew.c makes them.
 */
#include "client/trust_error.h"
#include "client/trust_note.h"

#include <relais/trust.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void relais_mailboxes_free(relais_mailboxes *mailboxes)
{
    if (mailboxes != NULL) {
        free(mailboxes->keys);
        free(mailboxes);
    }
}

relais_mailboxes *trust_mailboxes_give(const struct mailboxes *mailboxes)
{
    relais_mailboxes *given = calloc(1, sizeof *given);

    if (given == NULL) {
        return NULL;
    }
    given->keys = calloc(mailboxes->count + 1, sizeof *given->keys);
    if (given->keys == NULL) {
        relais_mailboxes_free(given);
        return NULL;
    }
    (void)snprintf(given->member, sizeof given->member, "%s", mailboxes->member);
    given->sequence = mailboxes->sequence;
    given->count = mailboxes->count;
    for (size_t i = 0; i < mailboxes->count; i++) {
        const struct mailboxes_key *from = &mailboxes->keys[i];
        relais_mailbox_key *key = &given->keys[i];
        uint8_t id[MAILBOX_KEY_ID_BYTES];

        (void)snprintf(key->place, sizeof key->place, "%s", from->place);
        key->from_ms = from->key.not_before_ms;
        key->until_ms = from->key.not_after_ms;
        mailbox_public_id(&from->key, id);
        (void)sodium_bin2hex(key->id, sizeof key->id, id, sizeof id);
    }
    return given;
}

relais_status relais_mailboxes_read(relais_bytes note, relais_mailboxes **out_mailboxes,
                                    relais_error *error)
{
    struct mailboxes *mailboxes = malloc(sizeof *mailboxes);
    struct note parts = {0};
    enum trust_status status = TRUST_NO_MEMORY;

    if (mailboxes != NULL) {
        status = note_split((struct bytes){note.data, note.size}, &parts);
    }
    if (status == TRUST_OK) {
        status = mailboxes_decode(parts.text, mailboxes);
    }
    if (status == TRUST_OK) {
        *out_mailboxes = trust_mailboxes_give(mailboxes);
        status = *out_mailboxes != NULL ? TRUST_OK : TRUST_NO_MEMORY;
    }
    free(mailboxes);
    return trust_error_note(error, status, "mailboxes");
}
