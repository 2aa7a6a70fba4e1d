/* SPDX-License-Identifier: EUPL-1.2
 *
 * Random bytes that are the same each time, put under libsodium before sodium_init(): a sealing
 * whose every byte can be foretold. For tests and the vectors of docs/sealing.md alone.
 */
#ifndef RELAIS_TESTS_UNIT_SEAL_FIXED_RANDOM_H
#define RELAIS_TESTS_UNIT_SEAL_FIXED_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* From now on each request of 32 bytes gets the digest of its number, from 1; and sodium_init(). */
void fixed_random_start(void);

/* The next requests get these bytes instead, one after the other. NULL ends that. */
void fixed_random_give(const uint8_t *bytes, size_t size);

/* What the last request of 32 bytes got. */
const uint8_t *fixed_random_last(void);

#endif
