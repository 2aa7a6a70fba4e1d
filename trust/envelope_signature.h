/* SPDX-License-Identifier: EUPL-1.2
 *
 * The sender's signature over an envelope: its last field (envelope.proto, 49), over all bytes
 * before it. What is signed is what travels, is stored and is delivered: nobody packs it again.
 *
 *   1. Signed is "relais-envelope-1\n" and the bytes: no note and no envelope passes for the other.
 *
 *   2. A signature that is not the last field, or has another form, is none.
 *
 * Pure; any thread.
 */
#ifndef RELAIS_TRUST_ENVELOPE_SIGNATURE_H
#define RELAIS_TRUST_ENVELOPE_SIGNATURE_H

#include "trust/note.h"

enum {
    ENVELOPE_SIGNATURE_BYTES = SIGNING_ID_BYTES + SIGNATURE_BYTES,
    ENVELOPE_SIGNATURE_FIELD_BYTES = 2 + 1 + ENVELOPE_SIGNATURE_BYTES, /* tag, length, value */
};

/* Writes the field that goes behind `envelope`. TRUST_NO_MEMORY. */
enum trust_status envelope_sign(struct bytes envelope, const struct signing_key *key,
                                uint8_t out_field[ENVELOPE_SIGNATURE_FIELD_BYTES]) TRUST_MUST_CHECK;

/* TRUST_OK: one of `keys` signed it. TRUST_UNSIGNED: there is no signature, or of none of them;
 * TRUST_FORGED, TRUST_NO_MEMORY. */
enum trust_status envelope_verify(struct bytes envelope,
                                  const struct note_keys *keys) TRUST_MUST_CHECK;

#endif
