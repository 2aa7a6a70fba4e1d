/* SPDX-License-Identifier: EUPL-1.2
 *
 * Prints the test vectors of docs/sealing.md, as they stand there. Random bytes are fixed
 * (fixed_random.h) and printed: whoever implements the page can make every byte again.
 * check_page.py compares, and writes them into the page.
 */
#include "fixed_random.h"
#include "seal/opener.h"
#include "seal/sealer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES = 48,
    SHOWN_BYTES = 1200, /* longer ones are shown by their digest */
    ROOM_BYTES = 300000,
};

#define FROM_MS INT64_C(1795392000000)

struct letter {
    const char *title;
    const char *id;
    const char *text; /* NULL: `size` bytes, of which number i is i modulo 251 */
    size_t size;
    bool compress;
    bool pad;
};

static const struct letter LETTERS[] = {
    {"A short letter", "0197a2b4-0001", "Bonjour.\n", 9, false, false},
    {"An empty letter", "0197a2b4-0002", "", 0, false, false},
    {"A padded letter", "0197a2b4-0003", "Accord\xc3\xa9.\n", 10, false, true},
    {"A compressed letter", "0197a2b4-0004", NULL, 3000, true, false},
    {"A letter of two chunks", "0197a2b4-0005", NULL, 65537, false, false},
    {"A padded letter of two chunks", "0197a2b4-0006", NULL, 65533, false, true},
    {"A compressed and padded letter", "0197a2b4-0007", NULL, 3000, true, true},
};

static void require(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "%s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void print_hex(const char *name, const uint8_t *bytes, size_t size)
{
    char hex[2 * LINE_BYTES + 1];

    (void)printf("%s:%s", name, size == 0 ? "\n" : "");
    for (size_t at = 0; at < size; at += LINE_BYTES) {
        const size_t part = size - at < LINE_BYTES ? size - at : LINE_BYTES;

        (void)printf("%s%s\n",
                     size > LINE_BYTES && at > 0 ? "  "
                     : size > LINE_BYTES         ? "\n  "
                                                 : " ",
                     sodium_bin2hex(hex, sizeof hex, bytes + at, part));
    }
}

static void print_bytes(const char *name, const uint8_t *bytes, size_t size)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    char line[64];

    if (size <= SHOWN_BYTES) {
        print_hex(name, bytes, size);
        return;
    }
    (void)printf("%s bytes: %zu\n", name, size);
    (void)crypto_hash_sha256(digest, bytes, size);
    (void)snprintf(line, sizeof line, "%s sha256", name);
    print_hex(line, digest, sizeof digest);
}

static struct mailbox_key *print_key(void)
{
    struct mailbox_key *key = NULL;
    uint8_t record[MAILBOX_PUBLIC_BYTES];
    uint8_t secret[MAILBOX_SECRET_BYTES];

    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)(i + 1);
    }
    require(mailbox_key_from_secret(secret, FROM_MS, FROM_MS + MAILBOX_KEY_WEEK_MS, &key) ==
                SEAL_OK,
            "no key");
    mailbox_public_encode(mailbox_key_public(key), record);
    (void)printf("### A mailbox key\n\n```\n");
    print_hex("secret", mailbox_key_secret(key), MAILBOX_SECRET_BYTES);
    (void)printf("not before: %lld\n", (long long)mailbox_key_public(key)->not_before_ms);
    (void)printf("not after: %lld\n", (long long)mailbox_key_public(key)->not_after_ms);
    print_hex("public", mailbox_key_public(key)->point, MAILBOX_POINT_BYTES);
    print_hex("record", record, sizeof record);
    print_hex("key id", mailbox_key_id(key), MAILBOX_KEY_ID_BYTES);
    (void)printf("```\n");
    return key;
}

static void print_letter(const struct letter *letter, const struct mailbox_key *key)
{
    static uint8_t payload[ROOM_BYTES];
    static uint8_t sealed[ROOM_BYTES];
    const struct seal_request request = {
        .message = {letter->id, "dila/notices"}, .compress = letter->compress, .pad = letter->pad};
    const struct seal_recipient recipient = {"commune-76540/etat-civil", mailbox_key_public(key),
                                             FROM_MS};
    struct seal_input in = {.data = payload, .size = letter->size};
    struct seal_output out = {.data = sealed, .size = sizeof sealed};
    struct sealer *sealer = NULL;
    uint8_t wrap[SEAL_WRAP_BYTES];
    bool done = false;

    for (size_t i = 0; i < letter->size; i++) {
        payload[i] = letter->text != NULL ? (uint8_t)letter->text[i] : (uint8_t)(i % 251);
    }
    (void)printf("\n### %s\n\n```\nid: %s\nsender: %s\nrecipient: %s\n", letter->title, letter->id,
                 request.message.sender, recipient.address);
    if (letter->text != NULL) {
        print_hex("payload", payload, letter->size);
    } else {
        (void)printf("payload bytes: %zu\n", letter->size);
    }
    require(seal_begin(&request, &sealer) == SEAL_OK, "seal_begin");
    print_hex("content key", fixed_random_last(), SEAL_CONTENT_KEY_BYTES);
    require(seal_wrap(sealer, &recipient, wrap) == SEAL_OK, "seal_wrap");
    print_hex("ephemeral secret", fixed_random_last(), HPKE_SECRET_BYTES);
    print_hex("wrap", wrap, sizeof wrap);
    (void)seal_output_put(&out, (struct seal_bytes){seal_header(sealer), SEAL_HEADER_BYTES});
    require(seal_update(sealer, &in, &out) == SEAL_OK && seal_end(sealer, &out, &done) == SEAL_OK &&
                done,
            "seal_end");
    print_bytes("sealed", sealed, out.used);
    (void)printf("```\n");
    seal_free(sealer);
}

int main(void)
{
    struct mailbox_key *key = NULL;

    fixed_random_start();
    key = print_key();
    for (size_t i = 0; i < sizeof LETTERS / sizeof *LETTERS; i++) {
        print_letter(&LETTERS[i], key);
    }
    mailbox_key_free(key);
    return EXIT_SUCCESS;
}
