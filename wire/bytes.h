/* SPDX-License-Identifier: EUPL-1.2
 *
 * A borrowed run of bytes: the one value type that every layer hands around. Never owns.
 */
#ifndef RELAIS_WIRE_BYTES_H
#define RELAIS_WIRE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data;
    size_t size;
};

#endif
