/* SPDX-License-Identifier: EUPL-1.2
 *
 * See order.h. The upper 32 bits come from the member alone, whose slug the operator gives:
 * whatever key somebody thinks of, it cannot be made to fall on another member's and hold its
 * messages up. Two keys of one member that fall together are delivered in one order, which breaks
 * no promise.
 */
#include "core/order.h"

#include "core/table.h"

#include <string.h>

uint64_t order_of(const char *member, const char *key)
{
    if (key[0] == '\0') {
        return 0;
    }
    uint64_t upper = table_hash_text(member, strlen(member)) >> 32;
    uint64_t lower = table_hash_text(key, strlen(key)) >> 32;
    uint64_t order = upper << 32 | lower;
    return order != 0 ? order : 1;
}
