/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file sealing.h
 * Sealed and signed messages: nobody between sender and recipient reads or alters them, the broker
 * and its host least of all. docs/sealing.md has the format, docs/directory.md whose keys count.
 * Since 1.2.
 *
 * A client that was given its keys seals and signs what it sends and opens and verifies what it
 * receives, by the same calls as before. A profile that names them is enough:
 *
 *     regulator: regulator.key.pub   # whose word counts: relais/trust.h
 *     memory: seen                   # what was seen of the directory; made when absent
 *     identity: member.key           # the member's signing key; without it nothing is sent sealed
 *     mailbox_keys: mailbox-keys     # folder of relais key mailboxes; without it nothing is opened
 *     sealed_flows: [ETATCIVIL]      # without it: every flow
 *
 * Paths are relative to the profile. Thread rule: that of the client.
 */
#ifndef RELAIS_SEALING_H
#define RELAIS_SEALING_H

#include <relais/client.h>
#include <relais/profile.h>
#include <relais/receive.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Borrowed for the call. */
typedef struct relais_sealing {
    const char *regulators;   /**< file: relais_trust_open() */
    const char *memory;       /**< file: the same; NULL: none, and older entries pass */
    const char *identity;     /**< file: relais_identity_load(); NULL: sends nothing sealed */
    const char *mailbox_keys; /**< folder: relais_mailboxes_renew(); NULL: opens nothing */
    const char *const *flows; /**< codes of flows that are sealed */
    size_t flow_count;        /**< 0: every flow is */
} relais_sealing;

/**
 * From now on messages of these flows are sealed for each of `to`, and signed, before they are
 * queued: relais_submit(), relais_send() and what stands on them. The first message for a member,
 * and one each ten minutes, asks the broker for its entry and waits for that, up to 30 s; so it
 * cannot be sent from a callback (RELAIS_USAGE). `from` is NULL: the private address of this
 * client. What cannot be sealed is not sent: RELAIS_UNTRUSTED, RELAIS_NOT_VALID_NOW,
 * RELAIS_ROLLED_BACK (relais/trust.h); RELAIS_NOT_SEALED: a recipient has published no key for now,
 * there are no named recipients (but for a message without a payload, which is then signed), we
 * have no identity, or the payload goes in chunks (relais/payload.h).
 *
 * What is received in these flows must be signed by the member of `from` and sealed for us, in
 * other flows it may be. What was altered or forged is refused by the library with its reason, as a
 * payload with a wrong digest is, and not shown; what cannot be opened or verified now (no entry of
 * the sender, a mailbox key that is not here) goes back for a minute.
 *
 * RELAIS_USAGE: called twice, or a flow that is none. RELAIS_KEY_UNREADABLE, RELAIS_CONFIG_INVALID,
 * RELAIS_SYSTEM, RELAIS_NO_MEMORY as of relais_trust_open() and relais_identity_load().
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_client_seal(relais_client *client,
                                                              const relais_sealing *sealing,
                                                              relais_error *error);

/** The same with what a profile names; nothing when it names no regulator.
 * relais_client_open_profile() does it. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_client_seal_profile(relais_client *client,
                                                                      const relais_profile *profile,
                                                                      relais_error *error);

/** True when it was signed by the member of relais_delivery_sender() and, unless it has no payload,
 * sealed for us; both have been verified. */
RELAIS_API bool relais_delivery_is_sealed(const relais_delivery *delivery);

#ifdef __cplusplus
}
#endif
#endif
