/* SPDX-License-Identifier: EUPL-1.2
 *
 * How fast payloads are sealed and opened on this machine, beside what libsodium needs for the bare
 * cipher, and how long the wraps of a notice to all communes take. Not a test; prints a table.
 */
#include "seal/opener.h"
#include "seal/sealer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    COMMUNES = 34935,
    LARGE_BYTES = 64 << 20,
    ROUND_MS = 600, /* a measurement is repeated until it took that long */
};

static struct mailbox_key *key;
static uint8_t *payload;
static uint8_t *sealed;
static uint8_t *opened;
static size_t sealed_bytes;
static uint8_t wrap[SEAL_WRAP_BYTES];

struct variant {
    const char *name;
    bool compress;
    bool pad;
};

static void require(bool good)
{
    if (!good) {
        (void)fputs("seal_speed: a call failed\n", stderr);
        exit(EXIT_FAILURE);
    }
}

static double now_s(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void seal_once(const struct variant *variant, size_t size)
{
    const struct seal_request request = {
        .message = {"0197a2b4-0001", "dila/notices"},
        .compress = variant->compress,
        .pad = variant->pad,
    };
    const struct seal_recipient recipient = {"commune-76540/etat-civil", mailbox_key_public(key),
                                             0};
    struct seal_input in = {.data = payload, .size = size};
    struct seal_output out = {.data = sealed, .size = LARGE_BYTES + LARGE_BYTES / 4};
    struct sealer *sealer = NULL;
    bool done = false;

    require(seal_begin(&request, &sealer) == SEAL_OK);
    require(seal_wrap(sealer, &recipient, wrap) == SEAL_OK);
    (void)seal_output_put(&out, (struct seal_bytes){seal_header(sealer), SEAL_HEADER_BYTES});
    require(seal_update(sealer, &in, &out) == SEAL_OK);
    require(seal_end(sealer, &out, &done) == SEAL_OK && done);
    sealed_bytes = out.used;
    seal_free(sealer);
}

static void open_once(const struct variant *variant, size_t size)
{
    const struct open_request request = {
        .message = {"0197a2b4-0001", "dila/notices"},
        .recipient = "commune-76540/etat-civil",
        .header = sealed,
        .wrap = {wrap, sizeof wrap},
        .key = key,
        .most_bytes = LARGE_BYTES,
    };
    struct seal_input in = {.data = sealed + SEAL_HEADER_BYTES,
                            .size = sealed_bytes - SEAL_HEADER_BYTES};
    struct seal_output out = {.data = opened, .size = LARGE_BYTES};
    struct opener *opener = NULL;
    bool done = false;

    (void)variant;
    require(open_begin(&request, &opener) == SEAL_OK);
    require(open_update(opener, &in, &out) == SEAL_OK);
    require(open_end(opener, &out, &done) == SEAL_OK && done && out.used == size);
    open_free(opener);
}

/* What no format can be faster than: the cipher over one buffer. */
static void cipher_once(const struct variant *variant, size_t size)
{
    static const uint8_t nonce[12];
    static const uint8_t bare[32];

    (void)variant;
    require(crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, payload, size, NULL, 0, NULL,
                                                      nonce, bare) == 0);
}

static double seconds_of(void (*work)(const struct variant *, size_t),
                         const struct variant *variant, size_t size)
{
    const double begin = now_s();
    int rounds = 0;

    do {
        work(variant, size);
        rounds++;
    } while (now_s() - begin < ROUND_MS / 1000.0);
    return (now_s() - begin) / rounds;
}

static void print_line(const struct variant *variant, size_t size)
{
    const double bare = seconds_of(cipher_once, variant, size);
    const double seal = seconds_of(seal_once, variant, size);
    const double open = seconds_of(open_once, variant, size);

    (void)printf("| %s, %zu bytes | %.1f µs, %.0f MB/s | %.1f µs, %.0f MB/s | %.1f µs |\n",
                 variant->name, size, seal * 1e6, (double)size / seal / 1e6, open * 1e6,
                 (double)size / open / 1e6, bare * 1e6);
}

static void print_wraps(void)
{
    const struct seal_request request = {.message = {"0197a2b4-0001", "dila/notices"}};
    const struct seal_recipient recipient = {"commune-76540/etat-civil", mailbox_key_public(key),
                                             0};
    struct sealer *sealer = NULL;
    double begin = 0;
    double took = 0;

    require(seal_begin(&request, &sealer) == SEAL_OK);
    begin = now_s();
    for (int i = 0; i < COMMUNES; i++) {
        require(seal_wrap(sealer, &recipient, wrap) == SEAL_OK);
    }
    took = now_s() - begin;
    seal_free(sealer);
    (void)printf("\n%d wraps: %.2f s of one core, %.0f a second\n", COMMUNES, took,
                 COMMUNES / took);
}

int main(void)
{
    static const struct variant variants[] = {
        {"plain", false, false}, {"padded", false, true}, {"compressed", true, false}};
    static const size_t sizes[] = {1024, 64 * 1024, LARGE_BYTES};

    require(mailbox_key_generate(0, MAILBOX_KEY_WEEK_MS, &key) == SEAL_OK);
    payload = malloc(LARGE_BYTES);
    sealed = malloc(LARGE_BYTES + LARGE_BYTES / 4);
    opened = malloc(LARGE_BYTES);
    require(payload != NULL && sealed != NULL && opened != NULL);
    for (size_t i = 0; i < LARGE_BYTES; i++) { /* text, more or less */
        payload[i] = (uint8_t)(' ' + (i * i / 97 + i / 1000) % 60);
    }
    (void)puts("| | sealed, with one wrap | opened, with its wrap | cipher alone |");
    (void)puts("| --- | --- | --- | --- |");
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            print_line(&variants[i], sizes[j]);
        }
    }
    print_wraps();
    mailbox_key_free(key);
    free(payload);
    free(sealed);
    free(opened);
    return EXIT_SUCCESS;
}
