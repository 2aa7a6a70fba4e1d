/* SPDX-License-Identifier: EUPL-1.2
 *
 * The list of what is to be done. See effect.h. One thread.
 */
#include "core/effect.h"

#include "core/stored_message.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 32 };

void effects_init(struct effects *effects)
{
    *effects = (struct effects){0};
}

static void drop_send(struct effect *effect)
{
    for (size_t i = 0; i < effect->send.message_count; i++) {
        held_message_drop(&effect->send.messages[i]);
    }
    effect->send.message_count = 0;
}

/* `carried_out`: the store has taken over the references of what was handed to it. */
static void drop(struct effect *effect, bool carried_out)
{
    if (effect->kind == EFFECT_SEND) {
        drop_send(effect);
    } else if (effect->kind == EFFECT_STORE && !carried_out) {
        struct held_message *message = stored_message(&effect->store);
        if (message) {
            held_message_drop(message);
        }
    }
}

void effects_clear(struct effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        drop(&effects->items[i], !effects->failed);
    }
    drop(&effects->scratch, false);
    effects->scratch = (struct effect){.kind = EFFECT_LOG};
    effects->count = 0;
    region_reset(&effects->memory);
}

void effects_fini(struct effects *effects)
{
    effects_clear(effects);
    region_fini(&effects->memory);
    free(effects->items);
    effects_init(effects);
}

static bool grow(struct effects *effects)
{
    size_t capacity = effects->capacity ? effects->capacity * 2 : CAPACITY_FIRST;
    struct effect *items = realloc(effects->items, capacity * sizeof *items);
    if (!items) {
        return false;
    }
    effects->items = items;
    effects->capacity = capacity;
    return true;
}

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
    struct effect *effect = &effects->scratch;
    if (effects->count < effects->capacity || grow(effects)) {
        effect = &effects->items[effects->count++];
    } else {
        effects->failed = true;
        drop(effect, false);
    }
    *effect = (struct effect){.kind = kind};
    return effect;
}

void *effects_alloc(struct effects *effects, size_t size)
{
    void *piece = region_alloc(&effects->memory, size);
    if (!piece) {
        effects->failed = true;
    }
    return piece;
}

const char *effects_text(struct effects *effects, const char *text)
{
    const char *copy = region_text(&effects->memory, text, strlen(text));
    effects->failed = effects->failed || !copy;
    return copy ? copy : "";
}
