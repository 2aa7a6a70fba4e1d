/* SPDX-License-Identifier: EUPL-1.2
 *
 * Text that is signed: C2SP's signed note, which existing tools read too.
 *
 *   TEXT, lines each ended by "\n"
 *   "\n"
 *   "— NAME BASE64\n", one to NOTE_SIGNATURES; BASE64 of the key's id (4 bytes) and the signature
 *
 *   1. What is signed is TEXT, its last "\n" included.
 *
 *   2. Signatures of keys that are not asked for are skipped; one of a key that is asked for and
 *      does not verify makes the note forged, whatever the others say.
 *
 * Source: https://c2sp.org/signed-note. Pure; any thread. Borrows everywhere.
 */
#ifndef RELAIS_TRUST_NOTE_H
#define RELAIS_TRUST_NOTE_H

#include "trust/signing_key.h"

enum {
    NOTE_SIGNATURES = 8,    /* the regulator's two while its key changes, and room for witnesses */
    NOTE_BYTES = 32 * 1024, /* two of them fit a command frame of 64 KiB */
};

struct note {
    struct bytes text;       /* signed */
    struct bytes signatures; /* the lines behind it */
};

/* The keys whose signatures count. */
struct note_keys {
    const struct signing_public *keys;
    size_t count;
};

/* Finds the two parts and checks that every line is one. TRUST_BAD_NOTE, TRUST_TOO_LONG. */
enum trust_status note_split(struct bytes bytes, struct note *out_note) TRUST_MUST_CHECK;

/* TRUST_OK: at least one of `keys` signed it. TRUST_UNSIGNED, TRUST_FORGED. *out_signer (may be
 * NULL) is the index of the first that did. */
enum trust_status note_verify(const struct note *note, const struct note_keys *keys,
                              size_t *out_signer) TRUST_MUST_CHECK;

/* The id and name of signature `index`; false behind the last. For whoever shows a note. */
bool note_signer(const struct note *note, size_t index, char out_name[SIGNING_NAME_BYTES + 1],
                 uint8_t out_id[SIGNING_ID_BYTES]);

/* Writes TEXT and one signature to out (`size` bytes); *out_size is how many. `text` is not empty
 * and ends with "\n". TRUST_TOO_LONG when it does not fit or would be longer than NOTE_BYTES. */
enum trust_status note_sign(struct bytes text, const struct signing_key *key, uint8_t *out,
                            size_t size, size_t *out_size) TRUST_MUST_CHECK;

#endif
