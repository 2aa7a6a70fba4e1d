/* SPDX-License-Identifier: EUPL-1.2
 *
 * A refusal: what was wrong, in which field, what would be right. And the small pieces of text that
 * such a thing is made of, all in the memory of a list of effects.
 *
 * Invariant: what came from outside is in `wrong` only, at most REFUSAL_WRONG_BYTES of it, without
 * control characters. One thread.
 */
#ifndef RELAIS_CORE_REFUSAL_H
#define RELAIS_CORE_REFUSAL_H

#include "core/effect.h"
#include "relais/v1/command.pb-c.h"

enum { REFUSAL_WRONG_BYTES = 200 };

/* Marks what would be right for the catalogues: it is sent in English, and clients show it to
 * people in their language. */
#define N_(text) text

struct refusal {
    Relais__V1__Code code;
    const char *field;
    const char *wrong;
    const char *right;
    uint32_t retry_after_ms;
};

/* A copy of foreign text, cut at a character's start and cleaned. Never NULL. */
const char *refusal_wrong(struct effects *effects, const char *text);

/* The same for text of any length that is to be kept whole up to `most` bytes. */
const char *refusal_clean(struct effects *effects, const char *text, size_t most);

/* Decimal. Never NULL. */
const char *refusal_number(struct effects *effects, uint64_t number);

/* a, b and c in one. Never NULL. */
const char *refusal_join(struct effects *effects, const char *a, const char *b, const char *c);

/* Lays it into a message to be packed; borrows the texts. */
void refusal_to_error(const struct refusal *refusal, Relais__V1__Error *out_error);

/* Bytes that it takes in a packed command, at the most. */
size_t refusal_packed_bytes(const struct refusal *refusal);

/* "CODE_BUSY", for logs. */
const char *refusal_code_name(Relais__V1__Code code);

#endif
