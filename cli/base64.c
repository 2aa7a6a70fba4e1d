/* SPDX-License-Identifier: EUPL-1.2
 *
 * Base64 with padding.
 */
#include "cli/base64.h"

#include <stdlib.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { IN = 3, OUT = 4, DIGIT_BITS = 6, DIGIT_MASK = 0x3F };

char *base64_new(relais_bytes bytes)
{
    const unsigned char *data = bytes.data;
    char *text = malloc((bytes.size + IN - 1) / IN * OUT + 1);
    if (!text) {
        return NULL;
    }
    char *at = text;
    for (size_t i = 0; i < bytes.size; i += IN) {
        size_t left = bytes.size - i;
        unsigned group = (unsigned)data[i] << 16U;
        group |= left > 1 ? (unsigned)data[i + 1] << 8U : 0;
        group |= left > 2 ? (unsigned)data[i + 2] : 0;
        for (size_t digit = 0; digit < OUT; digit++) {
            unsigned shift = (unsigned)(OUT - 1 - digit) * DIGIT_BITS;
            if (digit > left) {
                *at++ = '=';
            } else {
                *at++ = alphabet[(group >> shift) & DIGIT_MASK];
            }
        }
    }
    *at = '\0';
    return text;
}
