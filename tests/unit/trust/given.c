/* SPDX-License-Identifier: EUPL-1.2
 *
 * See given.h.
 */
#include "tests/unit/trust/given.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

struct signing_key *given_key(const char *name, uint8_t byte)
{
    uint8_t seed[SIGNING_SEED_BYTES];
    struct signing_key *key = NULL;

    must(sodium_init() >= 0);
    memset(seed, byte, sizeof seed);
    must(signing_key_from_seed(name, seed, &key) == TRUST_OK);
    return key;
}

struct trust_entry *given_entry(void)
{
    static struct trust_entry entry;
    struct signing_key *key = given_key("commune-76540", 2);

    memset(&entry, 0, sizeof entry);
    (void)snprintf(entry.slug, sizeof entry.slug, "commune-76540");
    entry.sequence = 7;
    entry.from_ms = GIVEN_MONDAY_MS;
    entry.until_ms = GIVEN_MONDAY_MS + INT64_C(400) * 86400000;
    (void)snprintf(entry.kind, sizeof entry.kind, "commune");
    (void)snprintf(entry.siret, sizeof entry.siret, "21760540300013");
    (void)snprintf(entry.insee, sizeof entry.insee, "76540");
    entry.signing_keys[0] = *signing_key_public(key);
    entry.signing_key_count = 1;
    (void)snprintf(entry.services[0], sizeof entry.services[0], "etat-civil");
    (void)snprintf(entry.services[1], sizeof entry.services[1], "accueil");
    entry.service_count = 2;
    (void)snprintf(entry.clients[0].name, sizeof entry.clients[0].name, "files");
    (void)snprintf(entry.clients[0].key, sizeof entry.clients[0].key,
                   "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID");
    entry.client_count = 1;
    signing_key_free(key);
    return &entry;
}

static void add_mailbox(struct mailboxes *mailboxes, const char *place, int64_t from_ms,
                        uint8_t byte)
{
    struct mailboxes_key *key = &mailboxes->keys[mailboxes->count++];

    (void)snprintf(key->place, sizeof key->place, "%s", place);
    key->key.not_before_ms = from_ms;
    key->key.not_after_ms = from_ms + MAILBOX_KEY_WEEK_MS;
    memset(key->key.point, byte, sizeof key->key.point);
}

struct mailboxes *given_mailboxes(void)
{
    static struct mailboxes mailboxes;

    memset(&mailboxes, 0, sizeof mailboxes);
    (void)snprintf(mailboxes.member, sizeof mailboxes.member, "commune-76540");
    mailboxes.sequence = 12;
    add_mailbox(&mailboxes, "etat-civil", GIVEN_MONDAY_MS + MAILBOX_KEY_WEEK_MS, 4);
    add_mailbox(&mailboxes, "etat-civil", GIVEN_MONDAY_MS, 3);
    add_mailbox(&mailboxes, "*", GIVEN_MONDAY_MS, 5);
    return &mailboxes;
}

struct bytes given_note(struct bytes text, const struct signing_key *key)
{
    static uint8_t note[NOTE_BYTES];
    size_t size = 0;

    must(note_sign(text, key, note, sizeof note, &size) == TRUST_OK);
    return (struct bytes){note, size};
}

struct bytes given_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}
