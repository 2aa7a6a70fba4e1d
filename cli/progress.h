/* SPDX-License-Identifier: EUPL-1.2
 *
 * How far long work is: one line on stderr, rewritten in place. Shown only on a terminal, only for
 * work of a second or more, at most ten times a second.
 */
#ifndef RELAIS_CLI_PROGRESS_H
#define RELAIS_CLI_PROGRESS_H

#include "cli/output.h"

struct progress {
    bool wanted;
    bool shown;
    int64_t start_ms;
    int64_t last_ms;
    uint64_t total_bytes; /* 0: not known */
    uint64_t done_bytes;
    uint64_t done_messages;
};

void progress_init(struct progress *progress, const struct output *output, uint64_t total_bytes);

/* Counts one message that is done. */
void progress_add(struct progress *progress, uint64_t bytes);

/* Shows where the work is, if it is time to. */
void progress_show(struct progress *progress);

/* Removes the line, before other text is printed and at the end. */
void progress_clear(struct progress *progress);

#endif
