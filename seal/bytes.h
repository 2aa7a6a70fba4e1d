/* SPDX-License-Identifier: EUPL-1.2
 *
 * A borrowed run of bytes, and the two ends of a step that reads some and writes some.
 * Nothing here owns; a run of no bytes may have no address.
 */
#ifndef RELAIS_SEAL_BYTES_H
#define RELAIS_SEAL_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct seal_bytes {
    const uint8_t *data;
    size_t size;
};

/* What a caller gives to be read: the step moves `used` forward. */
struct seal_input {
    const uint8_t *data;
    size_t size;
    size_t used;
};

/* Where a caller wants what comes out: the step moves `used` forward. */
struct seal_output {
    uint8_t *data;
    size_t size;
    size_t used;
};

/* Copies as much as fits, says how much that was. */
size_t seal_output_put(struct seal_output *out, struct seal_bytes bytes);

/* Whole numbers as the format has them: most significant byte first. */
void seal_put_u16(uint8_t *at, uint16_t value);
void seal_put_u32(uint8_t *at, uint32_t value);
void seal_put_u64(uint8_t *at, uint64_t value);
uint16_t seal_get_u16(const uint8_t *at);
uint32_t seal_get_u32(const uint8_t *at);
uint64_t seal_get_u64(const uint8_t *at);

#endif
