/* SPDX-License-Identifier: EUPL-1.2
 *
 * Log effects. Ids, slugs, sizes and codes only. One thread.
 */
#ifndef RELAIS_CORE_NOTE_H
#define RELAIS_CORE_NOTE_H

#include "core/effect.h"

/* A new note; `event` is static text. */
struct effect *note(struct effects *effects, enum note_level level, const char *event);

/* A further field; beyond EFFECT_LOG_FIELDS nothing. Text is copied. */
void note_text(struct effects *effects, struct effect *effect, const char *name, const char *text);
void note_number(struct effect *effect, const char *name, uint64_t number);

#endif
