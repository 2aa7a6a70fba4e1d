/* SPDX-License-Identifier: EUPL-1.2
 *
 * See envelope_signature.h.
 */
#include "trust/envelope_signature.h"

#include <stdlib.h>
#include <string.h>

static const char LABEL[] = "relais-envelope-1\n";

/* Field 49, length-delimited, 68 bytes: protobuf's encoding, the shortest. */
static const uint8_t HEAD[] = {0x8A, 0x03, ENVELOPE_SIGNATURE_BYTES};

_Static_assert(sizeof HEAD + ENVELOPE_SIGNATURE_BYTES == ENVELOPE_SIGNATURE_FIELD_BYTES,
               "the field has another size");

/* What is signed; NULL without memory. */
static uint8_t *labelled(struct bytes envelope, struct bytes *out_bytes)
{
    const size_t label = sizeof LABEL - 1;
    uint8_t *bytes = malloc(label + envelope.size);

    if (bytes != NULL) {
        memcpy(bytes, LABEL, label);
        memcpy(bytes + label, envelope.data, envelope.size);
        *out_bytes = (struct bytes){bytes, label + envelope.size};
    }
    return bytes;
}

enum trust_status envelope_sign(struct bytes envelope, const struct signing_key *key,
                                uint8_t out_field[ENVELOPE_SIGNATURE_FIELD_BYTES])
{
    struct bytes message = {0};
    uint8_t *bytes = labelled(envelope, &message);

    if (bytes == NULL) {
        return TRUST_NO_MEMORY;
    }
    memcpy(out_field, HEAD, sizeof HEAD);
    memcpy(out_field + sizeof HEAD, signing_key_public(key)->id, SIGNING_ID_BYTES);
    signing_key_sign(key, message, out_field + sizeof HEAD + SIGNING_ID_BYTES);
    free(bytes);
    return TRUST_OK;
}

enum trust_status envelope_verify(struct bytes envelope, const struct note_keys *keys)
{
    enum trust_status status = TRUST_UNSIGNED;
    const uint8_t *field = NULL;
    struct bytes message = {0};
    uint8_t *bytes = NULL;

    if (envelope.size < ENVELOPE_SIGNATURE_FIELD_BYTES) {
        return TRUST_UNSIGNED;
    }
    envelope.size -= ENVELOPE_SIGNATURE_FIELD_BYTES;
    field = envelope.data + envelope.size;
    if (memcmp(field, HEAD, sizeof HEAD) != 0) {
        return TRUST_UNSIGNED;
    }
    bytes = labelled(envelope, &message);
    if (bytes == NULL) {
        return TRUST_NO_MEMORY;
    }
    field += sizeof HEAD;
    for (size_t i = 0; status == TRUST_UNSIGNED && i < keys->count; i++) {
        if (memcmp(keys->keys[i].id, field, SIGNING_ID_BYTES) == 0) {
            status = signing_public_verifies(&keys->keys[i], message, field + SIGNING_ID_BYTES)
                         ? TRUST_OK
                         : TRUST_FORGED;
        }
    }
    free(bytes);
    return status;
}
