/* SPDX-License-Identifier: EUPL-1.2
 *
 * The content key for one recipient: 98 bytes that travel beside the payload, in that recipient's
 * delivery alone.
 *
 *   0  2  suite
 *   2 16  id of the recipient's mailbox key
 *  18 32  HPKE's encapsulated key
 *  50 48  the content key, sealed
 *
 *   1. HPKE's info has the suite, the message's id, its sender, the recipient's address and key id;
 *      its associated data is the payload's header. A wrap opens for nobody else, for no other
 *      message, and beside no other header.
 *
 *   2. Wraps know nothing of each other: one alone is enough, and a message for 34,935 recipients
 *      is sealed once. Who else got one is what the signed envelope says.
 *
 * Any thread; sodium_init() has been called.
 */
#ifndef RELAIS_SEAL_WRAP_H
#define RELAIS_SEAL_WRAP_H

#include "seal/header.h"
#include "seal/hpke.h"
#include "seal/mailbox_key.h"

enum {
    SEAL_WRAP_BYTES =
        2 + MAILBOX_KEY_ID_BYTES + HPKE_ENC_BYTES + SEAL_CONTENT_KEY_BYTES + HPKE_TAG_BYTES,
};

/* What a wrap is bound to. Borrows; the names have been checked. */
struct wrap_terms {
    const struct seal_message *message;
    const char *recipient;
    const uint8_t *header; /* SEAL_HEADER_BYTES */
};

/* SEAL_BAD_PUBLIC_KEY. */
enum seal_status wrap_seal(const struct wrap_terms *terms, const struct mailbox_public *key,
                           const uint8_t content_key[SEAL_CONTENT_KEY_BYTES],
                           uint8_t out_wrap[SEAL_WRAP_BYTES]) SEAL_MUST_CHECK;

/* SEAL_BAD_WRAP, SEAL_UNKNOWN_SUITE, SEAL_OTHER_KEY, SEAL_WRAP_REFUSED. */
enum seal_status wrap_open(const struct wrap_terms *terms, const struct mailbox_key *key,
                           struct seal_bytes wrap,
                           uint8_t out_content_key[SEAL_CONTENT_KEY_BYTES]) SEAL_MUST_CHECK;

/* Which of a mailbox's keys opens this wrap. SEAL_BAD_WRAP, SEAL_UNKNOWN_SUITE. */
enum seal_status wrap_key_id(struct seal_bytes wrap,
                             uint8_t out_id[MAILBOX_KEY_ID_BYTES]) SEAL_MUST_CHECK;

#endif
