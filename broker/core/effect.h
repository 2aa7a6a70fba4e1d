/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the core wants done. core_step() fills a list; the caller carries it out in order, then
 * clears it. Values only, but for the list's own housekeeping.
 *
 * Invariant: bytes pointed to by an effect live in the list's own memory or in a buffer that the
 * effect holds a reference on, until effects_clear().
 */
#ifndef RELAIS_CORE_EFFECT_H
#define RELAIS_CORE_EFFECT_H

#include "core/buffer.h"
#include "core/region.h"
#include "core/stored.h"

#include <stdbool.h>

enum effect_kind {
    EFFECT_SEND,  /* frames to a connection: the command, then the pieces as the body */
    EFFECT_CLOSE, /* cut a connection, after what was sent to it in this list */
    EFFECT_STORE, /* hand an op to the store */
    EFFECT_LOG,
};

enum note_level { NOTE_ERROR, NOTE_WARNING, NOTE_NOTICE, NOTE_DEBUG };

enum { EFFECT_LOG_FIELDS = 6 };

/* A number when text is NULL. Text is never payload, subject or anything a person wrote. */
struct log_field {
    const char *name;
    const char *text;
    int64_t number;
};

struct effect {
    enum effect_kind kind;
    union {
        struct {
            uint64_t connection;
            struct bytes command;
            struct held_message *messages; /* references taken over by the list */
            size_t message_count;
        } send;
        struct {
            uint64_t connection;
        } close;
        struct store_op store;
        struct {
            enum note_level level;
            const char *event; /* stable name, e.g. "client.refused" */
            struct log_field fields[EFFECT_LOG_FIELDS];
            size_t field_count;
        } log;
    };
};

struct effects {
    struct effect *items;
    size_t count;
    size_t capacity;
    struct region memory;  /* for commands, names and arrays of this list */
    bool failed;           /* memory ran out: the list is incomplete, nothing of it may be carried
                              out and the process must stop. Stays set. */
    int64_t wake_mono_ms;  /* send EVENT_TIME then; 0: never. As of the latest step or flush. */
    struct effect scratch; /* what effects_add() gives without memory */
};

void effects_init(struct effects *effects);
void effects_fini(struct effects *effects);

/* Drops the references that SEND effects hold (STORE effects' were taken over by the store when the
 * caller carried them out; of a failed list they are dropped too) and empties the list, keeping its
 * memory for the next step. */
void effects_clear(struct effects *effects);

/* A new zeroed effect of this kind at the end of the list. Never NULL: without memory a scratch
 * effect is returned and effects->failed is set. */
struct effect *effects_add(struct effects *effects, enum effect_kind kind);

/* `size` bytes, aligned to 16, that live until effects_clear(). NULL without memory (and failed).
 */
void *effects_alloc(struct effects *effects, size_t size);

/* A copy of text in the list's memory; "" without memory. */
const char *effects_text(struct effects *effects, const char *text);

#endif
