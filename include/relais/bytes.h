/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file bytes.h
 * A borrowed run of bytes.
 */
#ifndef RELAIS_BYTES_H
#define RELAIS_BYTES_H

#include <stddef.h>

/** Never owns: valid as long as what it points into. */
typedef struct relais_bytes {
    const void *data;
    size_t size;
} relais_bytes;

#endif
