/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file trust.h
 * The signed directory: who is a member and by which keys, on the regulator's word and not on the
 * broker's. docs/directory.md has the format. Since 1.2.
 *
 * An entry is what the regulator signs of a member; a sheet of mailbox keys is what the member
 * signs itself, each week, with a key that its entry names. Both are signed notes: text files.
 *
 *     relais_trust *trust;
 *     relais_entry *entry;
 *     relais_trust_open("regulator.pub", "seen", &trust, &error);
 *     relais_trust_check_entry(trust, note, now_ms, &entry, &error);  // signed, valid, not older
 *     relais_trust_save(trust, &error);                               // what was seen stays seen
 *
 * A relais_trust belongs to one thread at a time; several processes may share its memory's file.
 * The other calls: any thread.
 */
#ifndef RELAIS_TRUST_H
#define RELAIS_TRUST_H

#include <relais/bytes.h>
#include <relais/client.h>
#include <relais/directory.h>
#include <relais/identity.h>
#include <relais/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RELAIS_NOTE_BYTES = 32768 }; /**< a note is at most so long */

typedef struct relais_entry_client {
    char name[64];
    char key[RELAIS_KEY_CHARACTERS + 1];
} relais_entry_client;

/** Texts that are not there are "". Freed with relais_entry_free(). */
typedef struct relais_entry {
    char member[64];  /**< slug */
    int64_t sequence; /**< from 1; a later entry has a higher one */
    int64_t from_ms;  /**< Unix time in milliseconds; valid from here on */
    int64_t until_ms; /**< and before this */
    char kind[16];
    char siret[15];
    char insee[6];
    char (*signing_keys)[RELAIS_IDENTITY_TEXT_BYTES];
    size_t signing_key_count;
    char (*services)[64]; /**< sorted */
    size_t service_count;
    relais_entry_client *clients; /**< sorted by name */
    size_t client_count;
    char signer[64]; /**< the regulator's key that signed it; "" when nothing was verified */
} relais_entry;

RELAIS_API void relais_entry_free(relais_entry *entry);

typedef struct relais_mailbox_key {
    char place[66];   /**< a service, "~" and a client, or "*": all the others */
    char id[33];      /**< hexadecimal */
    int64_t from_ms;  /**< Unix time in milliseconds */
    int64_t until_ms; /**< that moment is no longer in it */
} relais_mailbox_key;

/** Freed with relais_mailboxes_free(). */
typedef struct relais_mailboxes {
    char member[64];
    int64_t sequence;
    relais_mailbox_key *keys; /**< sorted by place, then by from_ms */
    size_t count;
} relais_mailboxes;

RELAIS_API void relais_mailboxes_free(relais_mailboxes *mailboxes);

/** Of an entry that is to be signed. */
typedef struct relais_entry_terms {
    int64_t sequence;
    int64_t from_ms;
    int64_t until_ms;
} relais_entry_terms;

/**
 * Signs what a member's file says of it: identifiers, services, clients, signing keys. Gives the
 * note in *out_note, freed with free(); it ends with a NUL that is not counted.
 * RELAIS_FIELD_MISSING: the member has no signing key. RELAIS_FIELD_INVALID, RELAIS_NO_MEMORY.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_entry_sign(const relais_member *member,
                                                             const relais_entry_terms *terms,
                                                             const relais_identity *regulator,
                                                             char **out_note, relais_error *error);

/** Reads a note WITHOUT verifying it: to show it. RELAIS_UNTRUSTED: it is none.
 * RELAIS_NO_MEMORY. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_entry_read(relais_bytes note,
                                                             relais_entry **out_entry,
                                                             relais_error *error);
RELAIS_API RELAIS_MUST_CHECK relais_status relais_mailboxes_read(relais_bytes note,
                                                                 relais_mailboxes **out_mailboxes,
                                                                 relais_error *error);

/** What a member renews: see relais_mailboxes_renew(). */
typedef struct relais_renewal {
    const relais_identity *identity; /**< the member's; its name is the slug */
    const char *folder;              /**< of the secret keys, one file each, mode 0600 */
    const char *const *places;       /**< services, "~client", or "*" */
    size_t place_count;
    relais_bytes last;  /**< the sheet before this; no bytes: there is none */
    int64_t now_ms;     /**< Unix time in milliseconds */
    unsigned keep_days; /**< secret keys are destroyed so long after their end */
} relais_renewal;

/**
 * Sees to it that every place has a key for this week and the next, destroys secret keys that have
 * ended long ago, and signs the sheet that says so. *out_note as relais_entry_sign() gives it; NULL
 * when the last sheet says all that already. New secrets are on disk before they are published.
 * RELAIS_UNTRUSTED: the last sheet is none of this identity. RELAIS_FIELD_INVALID: a place.
 * RELAIS_SYSTEM, RELAIS_NO_MEMORY.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_mailboxes_renew(const relais_renewal *renewal,
                                                                  char **out_note,
                                                                  relais_error *error);

/** The regulator's keys that are trusted, and the newest notes that were seen. */
typedef struct relais_trust relais_trust;

/**
 * `regulators`: a file with one public key a line ("#" begins a comment), at most 8: two while the
 * regulator changes its key. `memory`: the file where it is remembered what was seen; made when
 * absent; NULL: nothing is remembered, and an older entry passes for a new one.
 * RELAIS_KEY_UNREADABLE, RELAIS_CONFIG_INVALID: the memory was damaged, RELAIS_SYSTEM,
 * RELAIS_NO_MEMORY.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_trust_open(const char *regulators,
                                                             const char *memory,
                                                             relais_trust **out_trust,
                                                             relais_error *error);
/** Saves nothing. NULL is fine. */
RELAIS_API void relais_trust_close(relais_trust *trust);

/**
 * Verifies an entry and remembers it. Gives *out_entry (NULL: not asked for).
 * RELAIS_UNTRUSTED: none of the regulator's keys signed it, or it was altered.
 * RELAIS_NOT_VALID_NOW: expired, or not valid yet. RELAIS_ROLLED_BACK: older than one that was
 * seen, or another one with the same number. RELAIS_NO_MEMORY. error->field says whose it claims to
 * be.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_trust_check_entry(relais_trust *trust,
                                                                    relais_bytes note,
                                                                    int64_t now_ms,
                                                                    relais_entry **out_entry,
                                                                    relais_error *error);

/** Verifies a sheet of mailbox keys by an entry that has been checked, and remembers it.
 * As relais_trust_check_entry(); whether a key is valid is said by the key. */
RELAIS_API RELAIS_MUST_CHECK relais_status
relais_trust_check_mailboxes(relais_trust *trust, const relais_entry *entry, relais_bytes note,
                             relais_mailboxes **out_mailboxes, relais_error *error);

enum { RELAIS_DIRECTORY_PAGE = 64 }; /**< members in one question */

/** What the broker has of a member: notes that nobody has verified. */
typedef struct relais_signed_member {
    char member[64];
    void *entry; /**< NULL: it has none */
    size_t entry_bytes;
    void *mailboxes; /**< NULL: it has none */
    size_t mailboxes_bytes;
} relais_signed_member;

/**
 * Asks the broker for the notes of `count` members (1 to RELAIS_DIRECTORY_PAGE), as often as it
 * takes. Fills out_members[count] in their order; freed with relais_signed_members_free(). Waits up
 * to timeout_ms for each answer. Thread rule: that of the client. RELAIS_USAGE,
 * RELAIS_FIELD_INVALID, RELAIS_NO_MEMORY; RELAIS_UNKNOWN_COMMAND: the broker is older than protocol
 * 1.2; what relais_wait() returns.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_query_directory(relais_client *client,
                                                                  const char *const *members,
                                                                  size_t count, int timeout_ms,
                                                                  relais_signed_member *out_members,
                                                                  relais_error *error);
RELAIS_API void relais_signed_members_free(relais_signed_member *members, size_t count);

/**
 * Sees to it that `trust` holds verified, current entries and mailbox keys of these members: asks
 * the broker for those that it does not hold or that are older than 10 minutes, verifies, remembers
 * and saves. Up to RELAIS_DIRECTORY_PAGE members. A broker that holds back what it had before is
 * found out by the memory; one that shows nothing at all gives RELAIS_UNTRUSTED.
 * As relais_query_directory(), relais_trust_check_entry() and relais_trust_save(); error->field is
 * the member.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_trust_fetch(relais_trust *trust,
                                                              relais_client *client,
                                                              const char *const *members,
                                                              size_t count, int timeout_ms,
                                                              relais_error *error);

/**
 * Writes what was seen to the memory's file, together with what other processes saw; nothing when
 * there is nothing new. To be called before what was checked is acted on.
 * RELAIS_ROLLED_BACK: another process saw another note with the same number. RELAIS_SYSTEM,
 * RELAIS_CONFIG_INVALID, RELAIS_NO_MEMORY.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_trust_save(relais_trust *trust,
                                                             relais_error *error);

#ifdef __cplusplus
}
#endif
#endif
