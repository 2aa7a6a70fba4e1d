/* SPDX-License-Identifier: EUPL-1.2
 *
 * A conversion whole in memory, in pieces of any size, with what was complained of: what most tests
 * do, and the fuzz targets too.
 */
#ifndef RELAIS_TESTS_UNIT_TYPED_CONVERSION_H
#define RELAIS_TESTS_UNIT_TYPED_CONVERSION_H

#include "typed/convert.h"
#include "typed/text.h"

enum { COMPLAINTS_HEARD_MAX = 32 };

struct conversion {
    relais_status status;
    struct text out;
    struct convert_counts counts;
    struct complaint complaints[COMPLAINTS_HEARD_MAX];
    size_t complaint_count;
};

/* Converts, `piece` bytes at a time; 0: all at once. */
void conversion_run(struct conversion *conversion, const struct convert_options *options,
                    const char *data, size_t size, size_t piece);
void conversion_fini(struct conversion *conversion);

/* The first complaint of this code; NULL: none. */
const struct complaint *conversion_complaint(const struct conversion *conversion, const char *code);

/*
 * To `through` and back. True: it was refused (with an error), or came back as it was, to the byte.
 * *out_refused tells which.
 */
bool conversion_survives(const struct convert_options *options, const char *through,
                         const char *data, size_t size, size_t piece, bool *out_refused);

#endif
