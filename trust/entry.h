/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the regulator says of a member: who it is, and the keys by which it signs and connects. The
 * text of a signed note (docs/directory.md).
 *
 *   1. The same entry is the same bytes: lines have one order and numbers one form; services and
 *      clients are sorted and there once. What is read is written as the same bytes again.
 *
 *   2. Every signing key has the member's slug as its name.
 *
 * Pure; any thread.
 */
#ifndef RELAIS_TRUST_ENTRY_H
#define RELAIS_TRUST_ENTRY_H

#include "trust/note.h"

#include <stdint.h>

enum {
    ENTRY_SERVICES = 256, /* as in a member's file */
    ENTRY_CLIENTS = 64,
    ENTRY_SIGNING_KEYS = 4, /* the one in use, the next, and who still has old letters */
    ENTRY_KEY_CHARACTERS = 40,
    ENTRY_NAME_BYTES = 63,
    ENTRY_KIND_BYTES = 15,
    ENTRY_SIRET_DIGITS = 14,
    ENTRY_INSEE_CHARACTERS = 5,
};

struct entry_client {
    char name[ENTRY_NAME_BYTES + 1];
    char key[ENTRY_KEY_CHARACTERS + 1]; /* CURVE, Z85 */
};

/* Some 24 KiB: not for the stack of a thread that has little. Texts that are not there are "". */
struct trust_entry {
    char slug[ENTRY_NAME_BYTES + 1];
    int64_t sequence; /* from 1; a later entry of the same member has a higher one */
    int64_t from_ms;  /* Unix time; valid from here on */
    int64_t until_ms; /* and before this */
    char kind[ENTRY_KIND_BYTES + 1];
    char siret[ENTRY_SIRET_DIGITS + 1];
    char insee[ENTRY_INSEE_CHARACTERS + 1];
    struct signing_public signing_keys[ENTRY_SIGNING_KEYS];
    size_t signing_key_count;
    char services[ENTRY_SERVICES][ENTRY_NAME_BYTES + 1];
    size_t service_count;
    struct entry_client clients[ENTRY_CLIENTS];
    size_t client_count;
};

/* Reads the text of a note. TRUST_OTHER_KIND, TRUST_BAD_LINE, TRUST_TOO_LONG, TRUST_BAD_KEY,
 * TRUST_BAD_NAME; *out_entry is then of no use. */
enum trust_status entry_decode(struct bytes text, struct trust_entry *out_entry) TRUST_MUST_CHECK;

/* Sorts services and clients, checks, and writes the text to out[NOTE_BYTES]; *out_size is how many
 * bytes. As entry_decode(). */
enum trust_status entry_encode(struct trust_entry *entry, uint8_t *out,
                               size_t *out_size) TRUST_MUST_CHECK;

/* TRUST_NOT_YET, TRUST_EXPIRED. */
enum trust_status entry_check_time(const struct trust_entry *entry,
                                   int64_t now_ms) TRUST_MUST_CHECK;

bool entry_has_service(const struct trust_entry *entry, const char *service);

#endif
