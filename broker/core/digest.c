/* SPDX-License-Identifier: EUPL-1.2
 *
 * See digest.h. Names are those of RFC 7693, section 3: v is the work vector, m a block, h the
 * state, t how many bytes have gone in.
 */
#include "core/digest.h"

#include <stdbool.h>
#include <string.h>

enum { BLOCK_BYTES = 128, WORDS = 8, ROUNDS = 12 };

static const uint64_t IV[WORDS] = {UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b),
                                   UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1),
                                   UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
                                   UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179)};

static const uint8_t SIGMA[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                      {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                      {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                      {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                      {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word >> bits | word << (64 - bits);
}

static uint64_t load(const uint8_t *at)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++) {
        word |= (uint64_t)at[i] << (8 * i);
    }
    return word;
}

static void mix(uint64_t v[16], const unsigned at[4], uint64_t x, uint64_t y)
{
    uint64_t *a = &v[at[0]];
    uint64_t *b = &v[at[1]];
    uint64_t *c = &v[at[2]];
    uint64_t *d = &v[at[3]];
    *a += *b + x;
    *d = rotate(*d ^ *a, 32);
    *c += *d;
    *b = rotate(*b ^ *c, 24);
    *a += *b + y;
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 63);
}

static void compress(uint64_t h[WORDS], const uint8_t *block, uint64_t t, bool last)
{
    static const unsigned lanes[WORDS][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14},
                                             {3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12},
                                             {2, 7, 8, 13},  {3, 4, 9, 14}};
    uint64_t v[16];
    uint64_t m[16];
    for (unsigned i = 0; i < 16; i++) {
        m[i] = load(block + (size_t)8 * i);
        v[i] = i < WORDS ? h[i] : IV[i - WORDS];
    }
    v[12] ^= t;
    v[14] ^= last ? UINT64_MAX : 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const uint8_t *order = SIGMA[round % 10];
        for (unsigned i = 0; i < WORDS; i++) {
            mix(v, lanes[i], m[order[(size_t)2 * i]], m[order[(size_t)2 * i + 1]]);
        }
    }
    for (unsigned i = 0; i < WORDS; i++) {
        h[i] ^= v[i] ^ v[i + WORDS];
    }
}

void digest_of(struct bytes data, uint8_t out_digest[DIGEST_BYTES])
{
    uint64_t h[WORDS];
    uint64_t t = 0;
    memcpy(h, IV, sizeof h);
    h[0] ^= UINT64_C(0x01010000) ^ (uint64_t)DIGEST_BYTES;
    while (data.size - t > BLOCK_BYTES) {
        compress(h, data.data + t, t + BLOCK_BYTES, false);
        t += BLOCK_BYTES;
    }
    uint8_t block[BLOCK_BYTES] = {0};
    if (data.size > t) {
        memcpy(block, data.data + t, data.size - t);
    }
    compress(h, block, data.size, true);
    for (unsigned i = 0; i < DIGEST_BYTES; i++) {
        out_digest[i] = (uint8_t)(h[i / 8] >> (8 * (i % 8)));
    }
}
