/* SPDX-License-Identifier: EUPL-1.2
 *
 * Vectors from tests/unit/seal/vectors: "name: value" lines, read in order.
 */
#ifndef RELAIS_TESTS_UNIT_SEAL_VECTORS_H
#define RELAIS_TESTS_UNIT_SEAL_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { VECTOR_BYTES = 256 };

struct vector {
    uint8_t data[VECTOR_BYTES];
    size_t size;
};

FILE *vectors_open(const char *file);

/* The next line's value, which must have this name; false at the end of the file. */
bool vectors_text(FILE *file, const char *name, char out[2 * VECTOR_BYTES + 1]);

/* The same in hexadecimal; the line must be there. */
struct vector vectors_bytes(FILE *file, const char *name);

#endif
