/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bytes cut into lines, whatever the pieces they come in: LF, CRLF or a lone CR.
 */
#ifndef RELAIS_TYPED_LINES_H
#define RELAIS_TYPED_LINES_H

#include "flows/item.pb-c.h"
#include "typed/text.h"

#include <relais/status.h>

/* A line without its end; `line_end` is LINE_END_UNSPECIFIED for the last one if it has none. */
typedef relais_status line_receiver(void *context, const char *data, size_t size,
                                    Relais__Flows__V1__LineEnd line_end);

struct lines {
    struct text pending;
    bool after_cr;
    uint64_t line; /* number of the line that is given, from 1 */
    line_receiver *receive;
    void *context;
};

void lines_init(struct lines *lines, size_t max, line_receiver *receive, void *context);
void lines_fini(struct lines *lines);

/* RELAIS_TOO_LARGE: a line longer than the maximum. RELAIS_NO_MEMORY, and what the receiver
 * returns. */
relais_status lines_feed(struct lines *lines, const char *data, size_t size);
relais_status lines_end(struct lines *lines);

#endif
