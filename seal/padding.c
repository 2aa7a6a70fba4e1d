/* SPDX-License-Identifier: EUPL-1.2
 *
 * PADME, see padding.h.
 */
#include "seal/padding.h"

/* floor(log2(value)), for value > 0 */
static unsigned log2_floor(uint64_t value)
{
    unsigned log = 0;

    while (value > 1) {
        value >>= 1;
        log++;
    }
    return log;
}

uint64_t padding_length(uint64_t bytes)
{
    unsigned exponent = 0;
    unsigned kept = 0;
    uint64_t low = 0;

    if (bytes <= PADDING_LEAST_BYTES) {
        return PADDING_LEAST_BYTES;
    }
    exponent = log2_floor(bytes);
    kept = log2_floor(exponent) + 1;
    low = (UINT64_C(1) << (exponent - kept)) - 1;
    return (bytes + low) & ~low;
}
