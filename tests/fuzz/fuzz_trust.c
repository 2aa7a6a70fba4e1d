/* SPDX-License-Identifier: EUPL-1.2
 *
 * Foreign bytes to each reader of the signed directory. The first byte says which: 0 a note, 1 the
 * text of an entry, 2 of a sheet of mailbox keys, 3 a memory, 4 a public key, 5 a secret one, 6 a
 * signed envelope.
 *
 * What is read must be written as the same bytes again; no note may verify.
 */
#include "trust/entry.h"
#include "trust/envelope_signature.h"
#include "trust/mailboxes.h"
#include "trust/memory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[NOTE_BYTES];

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

static void require_same(struct bytes bytes, const void *data, size_t size)
{
    require(bytes.size == size && memcmp(bytes.data, data, size) == 0);
}

static void read_note(struct bytes bytes)
{
    static const uint8_t seed[SIGNING_SEED_BYTES] = {9, 9, 9};
    static struct signing_key *key;
    char name[SIGNING_NAME_BYTES + 1];
    uint8_t id[SIGNING_ID_BYTES];
    struct note note;

    if (key == NULL) {
        require(signing_key_from_seed("nobody", seed, &key) == TRUST_OK);
    }
    if (note_split(bytes, &note) == TRUST_OK) {
        const struct note_keys keys = {signing_key_public(key), 1};

        require(note.text.size > 0 && note.text.data[note.text.size - 1] == '\n');
        require(note_signer(&note, 0, name, id) && !note_signer(&note, NOTE_SIGNATURES, name, id));
        require(note_verify(&note, &keys, NULL) != TRUST_OK);
    }
}

static void read_entry(struct bytes bytes)
{
    static struct trust_entry entry;
    size_t size = 0;

    if (entry_decode(bytes, &entry) == TRUST_OK) {
        require(bytes.size > sizeof again || entry_encode(&entry, again, &size) == TRUST_OK);
        require_same(bytes, again, size);
    }
}

static void read_mailboxes(struct bytes bytes)
{
    static struct mailboxes mailboxes;
    size_t size = 0;

    if (mailboxes_decode(bytes, &mailboxes) == TRUST_OK) {
        require(mailboxes_encode(&mailboxes, again, &size) == TRUST_OK);
        require_same(bytes, again, size);
        (void)mailboxes_find(&mailboxes, "accueil", 1795392000000);
    }
}

static void read_memory(struct bytes bytes)
{
    struct memory memory;
    char *text = NULL;
    size_t size = 0;

    memory_init(&memory);
    if (memory_decode(bytes, &memory) == TRUST_OK) {
        require(memory_encode(&memory, &text, &size) == TRUST_OK);
        require_same(bytes, text, size);
        free(text);
    }
    memory_fini(&memory);
}

static void read_key(struct bytes bytes, bool secret)
{
    char text[SIGNING_SECRET_TEXT_BYTES];
    struct signing_public half;
    struct signing_key *key = NULL;

    if (secret && signing_key_decode(bytes, &key) == TRUST_OK) {
        signing_key_encode(key, text);
        require_same(bytes, text, strlen(text));
        signing_key_free(key);
    }
    if (!secret && signing_public_decode(bytes, &half) == TRUST_OK) {
        signing_public_encode(&half, text);
        require_same(bytes, text, strlen(text));
    }
}

static void read_envelope(struct bytes bytes)
{
    static const uint8_t seed[SIGNING_SEED_BYTES] = {9, 9, 9};
    static struct signing_key *key;

    if (key == NULL) {
        require(signing_key_from_seed("nobody", seed, &key) == TRUST_OK);
    }
    const struct note_keys keys = {signing_key_public(key), 1};
    require(envelope_verify(bytes, &keys) != TRUST_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest;

    if (size == 0 || sodium_init() < 0) {
        return 0;
    }
    rest = (struct bytes){data + 1, size - 1};
    switch (data[0]) {
    case 0:
        read_note(rest);
        break;
    case 1:
        read_entry(rest);
        break;
    case 2:
        read_mailboxes(rest);
        break;
    case 3:
        read_memory(rest);
        break;
    case 4:
    case 5:
        read_key(rest, data[0] == 5);
        break;
    case 6:
        read_envelope(rest);
        break;
    default:
        break;
    }
    return 0;
}
