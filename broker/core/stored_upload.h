/* SPDX-License-Identifier: EUPL-1.2
 *
 * The words of stored.h that are about large payloads.
 *
 * A large payload is not in its message: it is *uploaded* before, chunk by chunk, as a *content*
 * with a number of its own. The message that refers to it is appended when it is whole, and takes
 * it along when it goes. Its bytes are read from any offset.
 */
#ifndef RELAIS_CORE_STORED_UPLOAD_H
#define RELAIS_CORE_STORED_UPLOAD_H

#include "core/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Pointers are borrowed as those of every op. */
struct upload_op {
    const char *sender;
    const char *id;
    uint64_t bytes; /* of the whole; an upload of another length is erased */
    uint32_t most;  /* unfinished ones of this sender */
    uint64_t quota; /* bytes it may have, those of its unfinished uploads too; 0: no end */
};

struct chunk_op {
    const char *sender;
    const char *id;
    uint64_t offset;
    /* The bytes are `payload`: STORED_SEGMENT_BYTES times a number, but for the end. */
    struct held_message message;
};

struct fetch_op {
    uint64_t content;
    uint64_t offset;
    uint32_t bytes;
};

/* A chunk elsewhere than at durable_bytes changes nothing. */
struct upload_result {
    uint64_t durable_bytes;
    bool accepted; /* the message of this (sender, id) was: nothing to upload */
};

#endif
