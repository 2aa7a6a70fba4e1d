/* SPDX-License-Identifier: EUPL-1.2
 *
 * The subscribers of a flow: a bit for each service of the directory, by its number, so that 2,048
 * flows with a mailbox of every commune take 10 MB and not 300. One thread while it is built; then
 * it is only read.
 */
#ifndef RELAIS_CORE_DIRECTORY_SUBSCRIBERS_H
#define RELAIS_CORE_DIRECTORY_SUBSCRIBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: none. */
struct directory_subscribers {
    uint64_t *words;
    size_t word_count;
    size_t count;
};

void directory_subscribers_fini(struct directory_subscribers *subscribers);

bool directory_subscribers_has(const struct directory_subscribers *subscribers, size_t service);

/* One that is not there yet. False without memory. */
bool directory_subscribers_add(struct directory_subscribers *subscribers, size_t service);

/* The first from *cursor on, which moves behind it. False behind the last. */
bool directory_subscribers_next(const struct directory_subscribers *subscribers, size_t *cursor,
                                size_t *out_service);

#endif
