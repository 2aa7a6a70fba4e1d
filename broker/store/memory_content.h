/* SPDX-License-Identifier: EUPL-1.2
 *
 * Stored payloads of the memory engine, and those on their way in. All contents are in one list;
 * one that has a sender is an upload, the others are owned by their message.
 */
#ifndef RELAIS_STORE_MEMORY_CONTENT_H
#define RELAIS_STORE_MEMORY_CONTENT_H

#include "core/stored.h"

#include <stddef.h>

struct memory_contents;

struct memory_chunk {
    uint64_t offset;
    struct bytes bytes;
    struct buffer *buffer;
};

struct memory_content {
    uint64_t number;
    uint64_t bytes; /* of the whole */
    uint64_t durable_bytes;
    int64_t touched_ms;
    char *sender; /* of an upload; NULL: a message has it */
    char *id;
    struct memory_chunk *chunks;
    size_t chunk_count;
    size_t chunk_capacity;
    struct memory_contents *list;
    struct memory_content *next;
};

struct memory_contents {
    struct memory_content *first;
};

/* What may be stored, and what the sender of an upload has in messages. */
struct memory_room {
    uint64_t bytes;
    uint64_t used_bytes;
};

/* Out of its list, and freed. NULL is fine. */
void memory_content_free(struct memory_content *content);
void memory_contents_fini(struct memory_contents *contents);

/* Erases uploads that were last touched before; gives how many bytes they held. */
uint64_t memory_contents_prune(struct memory_contents *contents, int64_t before_ms);

/* Bytes of the unfinished uploads of a sender, whole. */
uint64_t memory_contents_begun(const struct memory_contents *contents, const char *sender);

/* UPLOAD. A new one takes the next number; *out_freed bytes were
 * erased. False without memory. */
bool memory_contents_open(struct memory_contents *contents, const struct store_op *op,
                          const struct memory_room *room, uint64_t *next_number,
                          uint64_t *out_freed, struct store_result *result);

/* CHUNK: takes its message over when it is kept; gives how many bytes were. */
uint64_t memory_contents_chunk(struct memory_contents *contents, struct store_op *op, uint64_t room,
                               struct store_result *result);

/* The whole upload, for its message. NULL: not there, or not whole. */
struct memory_content *memory_contents_claim(struct memory_contents *contents, const char *sender,
                                             const char *id, uint64_t bytes);

/* FETCH. False without memory. */
bool memory_contents_fetch(const struct memory_contents *contents, const struct store_op *op,
                           struct store_result *result);

#endif
