/* SPDX-License-Identifier: EUPL-1.2
 *
 * Prints the notes of docs/directory.md.
 */
#include "tests/unit/trust/given.h"

#include <stdio.h>
#include <stdlib.h>

static void print_note(const char *title, struct bytes text, const struct signing_key *key)
{
    const struct bytes note = given_note(text, key);

    (void)printf("\n### %s\n\n```\n%.*s```\n", title, (int)note.size, (const char *)note.data);
}

static void print_key(const char *title, const struct signing_key *key)
{
    char secret[SIGNING_SECRET_TEXT_BYTES];
    char half[SIGNING_PUBLIC_TEXT_BYTES];

    signing_key_encode(key, secret);
    signing_public_encode(signing_key_public(key), half);
    (void)printf("\n### %s\n\n```\n%s\n%s\n```\n", title, secret, half);
}

int main(void)
{
    static uint8_t text[NOTE_BYTES];
    struct signing_key *regulator = given_key("relais-france", 1);
    struct signing_key *member = given_key("commune-76540", 2);
    size_t size = 0;

    print_key("The regulator's key", regulator);
    print_key("The member's key", member);
    if (entry_encode(given_entry(), text, &size) != TRUST_OK) {
        return EXIT_FAILURE;
    }
    print_note("An entry", (struct bytes){text, size}, regulator);
    if (mailboxes_encode(given_mailboxes(), text, &size) != TRUST_OK) {
        return EXIT_FAILURE;
    }
    print_note("A sheet of mailbox keys", (struct bytes){text, size}, member);
    signing_key_free(regulator);
    signing_key_free(member);
    return EXIT_SUCCESS;
}
