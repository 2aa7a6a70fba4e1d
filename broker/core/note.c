/* SPDX-License-Identifier: EUPL-1.2
 *
 * See note.h.
 */
#include "core/note.h"

struct effect *note(struct effects *effects, enum note_level level, const char *event)
{
    struct effect *effect = effects_add(effects, EFFECT_LOG);
    effect->log.level = level;
    effect->log.event = event;
    return effect;
}

static struct log_field *field(struct effect *effect, const char *name)
{
    if (effect->log.field_count == EFFECT_LOG_FIELDS) {
        return NULL;
    }
    struct log_field *next = &effect->log.fields[effect->log.field_count++];
    next->name = name;
    return next;
}

void note_text(struct effects *effects, struct effect *effect, const char *name, const char *text)
{
    struct log_field *next = field(effect, name);
    if (next) {
        next->text = effects_text(effects, text);
    }
}

void note_number(struct effect *effect, const char *name, uint64_t number)
{
    struct log_field *next = field(effect, name);
    if (next) {
        next->number = (int64_t)number;
    }
}
