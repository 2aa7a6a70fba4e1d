/* SPDX-License-Identifier: EUPL-1.2
 *
 * What ops and results hold, and how it is let go: one place to know it. Pure; any thread.
 */
#ifndef RELAIS_CORE_STORED_MESSAGE_H
#define RELAIS_CORE_STORED_MESSAGE_H

#include "core/stored.h"

#include <stddef.h>

/* The message whose references an op holds; NULL: none. */
static inline struct held_message *stored_message(struct store_op *op)
{
    if (op->kind == STORE_APPEND) {
        return &op->append.message;
    }
    return op->kind == STORE_CHUNK ? &op->chunk.message : NULL;
}

/* Frees what a result holds; what is left of it holds nothing. */
void store_result_drop(struct store_result *result);

#endif
