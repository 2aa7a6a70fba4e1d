/* SPDX-License-Identifier: EUPL-1.2
 *
 * The rules for an envelope: docs/protocol.md, "Envelope", in the order in which they are told
 * there. The first rule that is broken is the refusal. One thread.
 */
#ifndef RELAIS_CORE_ENVELOPE_RULES_H
#define RELAIS_CORE_ENVELOPE_RULES_H

#include "core/refusal.h"
#include "core/state.h"
#include "relais/v1/envelope.pb-c.h"

struct envelope_subject {
    struct step *step;
    const struct directory_client *client; /* the sender */
    size_t part;
    uint64_t payload_bytes; /* the part's, or its upload's */
    bool stored;            /* it was uploaded */
    const Relais__V1__Envelope *envelope;
};

/* False: *out_refusal says why. */
bool envelope_check(const struct envelope_subject *subject, struct refusal *out_refusal);

/* "submit.parts[part]" + tail. */
const char *envelope_part_field(struct effects *effects, size_t part, const char *tail);

#endif
