/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/chaos/kills/content.h"

#include <stdint.h>
#include <string.h>

enum { SMALL_BYTES = 400, MIDDLE_BYTES = 20000, MIDDLE_EVERY = 16, LARGE_EVERY = 64 };

static unsigned char content[CONTENT_BYTES_MOST];

static uint64_t mix(uint64_t value)
{
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdULL;
    value ^= value >> 33;
    return value;
}

relais_bytes content_of(const char *id)
{
    uint64_t seed = 1469598103934665603ULL; /* FNV-1a */
    for (const char *at = id; *at != '\0'; at++) {
        seed = (seed ^ (unsigned char)*at) * 1099511628211ULL;
    }
    seed = mix(seed);
    uint64_t most = seed % LARGE_EVERY == 0    ? CONTENT_BYTES_MOST
                    : seed % MIDDLE_EVERY == 1 ? MIDDLE_BYTES
                                               : SMALL_BYTES;
    size_t size = (size_t)(mix(seed + 1) % most);
    for (size_t i = 0; i < size; i += sizeof seed) {
        uint64_t word = mix(seed + i);
        size_t some = size - i < sizeof word ? size - i : sizeof word;
        memcpy(content + i, &word, some);
    }
    return (relais_bytes){content, size};
}

bool content_is(const char *id, relais_bytes payload)
{
    relais_bytes wanted = content_of(id);
    return payload.size == wanted.size &&
           (wanted.size == 0 || memcmp(payload.data, wanted.data, wanted.size) == 0);
}
