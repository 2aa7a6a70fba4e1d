/* SPDX-License-Identifier: EUPL-1.2
 *
 * Base64, strict: no blanks, no missing padding, no stray bits.
 */
#include "typed/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append(struct text *out, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at += 3) {
        size_t left = size - at;
        uint32_t bits = (uint32_t)data[at] << 16U;
        bits |= left > 1 ? (uint32_t)data[at + 1] << 8U : 0;
        bits |= left > 2 ? data[at + 2] : 0;
        char group[] = {digits[bits >> 18U], digits[bits >> 12U & 63U], digits[bits >> 6U & 63U],
                        digits[bits & 63U]};
        if (left < 3) {
            group[3] = '=';
        }
        if (left < 2) {
            group[2] = '=';
        }
        text_append(out, group, sizeof(group));
    }
}

static bool read_group(const char *group, bool last, struct text *out)
{
    uint32_t bits = 0;
    size_t padding = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *digit = group[i] != '\0' ? strchr(digits, group[i]) : NULL;
        if (group[i] == '=' && last && i >= 2) {
            padding++;
        } else if (!digit || padding > 0) {
            return false;
        }
        bits = bits << 6U | (digit && group[i] != '=' ? (uint32_t)(digit - digits) : 0);
    }
    if ((padding > 0 && (bits & 0xFFU) != 0) || (padding > 1 && (bits & 0xFFFFU) != 0)) {
        return false;
    }
    const char bytes[] = {(char)(bits >> 16U), (char)(bits >> 8U & 0xFFU), (char)(bits & 0xFFU)};
    text_append(out, bytes, 3 - padding);
    return true;
}

bool base64_read(const char *text, size_t size, struct text *out)
{
    if (size % 4 != 0) {
        return false;
    }
    for (size_t at = 0; at < size; at += 4) {
        if (!read_group(text + at, at + 4 == size, out)) {
            return false;
        }
    }
    return true;
}
