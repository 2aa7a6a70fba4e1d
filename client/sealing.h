/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a client seals and opens with, and a message that has been sealed.
 *
 *   1. In a sealed flow nothing leaves unsealed or unsigned: what cannot be sealed is not sent.
 *
 *   2. A key to seal for comes from a verified sheet of a verified entry that are valid now.
 *
 *   3. Secret keys are in locked memory and wiped with the client.
 *
 * Thread: the client's.
 */
#ifndef RELAIS_CLIENT_SEALING_H
#define RELAIS_CLIENT_SEALING_H

#include "client/client_state.h"
#include "client/envelope.h"
#include "client/trust.h"
#include "seal/mailbox_key.h"
#include "seal/wrap.h"

#include <relais/sealing.h>

enum { SEALING_FETCH_MS = 30000 };

struct sealing {
    relais_trust *trust;
    relais_identity *identity;    /* NULL: sends nothing sealed */
    char *mailbox_keys;           /* folder; NULL: opens nothing */
    struct mailbox_key *last_key; /* that opened something; NULL: none yet */
    char (*flows)[RELAIS_FLOW_BYTES + 1];
    size_t flow_count; /* 0: every flow */
};

void sealing_free(struct sealing *sealing);

/* Is this flow a sealed one? NULL: nothing is. */
bool sealing_covers(const struct sealing *sealing, const char *flow);

/* A message that has been sealed; sealed_fini() frees what it holds. */
struct sealed_message {
    relais_message message; /* as it was, with a sender, an id and the sealed payload */
    struct envelope_seal seal;
    char from[RELAIS_ADDRESS_BYTES + 1];
    uint8_t *payload;
    uint8_t wraps[RELAIS_RECIPIENTS_MAX * SEAL_WRAP_BYTES];
};

/* Seals a checked message that has an id. Errors of relais_client_seal(). */
relais_status sealing_seal(relais_client *client, const relais_message *message,
                           struct sealed_message *out_sealed, relais_error *error);
void sealed_fini(struct sealed_message *sealed);

/* sealing_key.c. The secret key that a wrap is for; NULL: it is not here. Borrowed until the next
 * call. */
const struct mailbox_key *sealing_find_key(struct sealing *sealing, struct seal_bytes wrap);

/* letter.c: what came in. */
enum letter_end {
    LETTER_PLAIN,   /* neither sealed nor signed, and need not be */
    LETTER_OPENED,  /* verified; the payload is the opened one */
    LETTER_REFUSED, /* altered, forged, or not what the flow takes */
    LETTER_LATER,   /* it cannot be verified or opened now */
};

/* Verifies and opens a delivery that nobody has seen yet; may wait for the directory.
 * *out_reason is static, for LETTER_REFUSED and LETTER_LATER. */
enum letter_end letter_open(relais_client *client, relais_delivery *delivery,
                            const char **out_reason);

/* The same for a delivery in the caller's hands. True: it may be shown. Else its answer is given,
 * and it is gone. */
bool letter_show(relais_client *client, relais_delivery *delivery);

#endif
