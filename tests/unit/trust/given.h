/* SPDX-License-Identifier: EUPL-1.2
 *
 * Keys, an entry and a sheet that the tests of this folder begin with.
 */
#ifndef RELAIS_TESTS_TRUST_GIVEN_H
#define RELAIS_TESTS_TRUST_GIVEN_H

#include "trust/entry.h"
#include "trust/mailboxes.h"

/* Monday, 23 November 2026, 00:00 UTC. */
#define GIVEN_MONDAY_MS INT64_C(1795392000000)

/* A key whose seed is 32 times `byte`; free it. */
struct signing_key *given_key(const char *name, uint8_t byte);

/* Of commune-76540, with the key given_key("commune-76540", 2). Not for two threads. */
struct trust_entry *given_entry(void);
struct mailboxes *given_mailboxes(void);

/* A note of this text in static memory, which the next call uses again. */
struct bytes given_note(struct bytes text, const struct signing_key *key);

/* A text as bytes. */
struct bytes given_bytes(const char *text);

#endif
