/* SPDX-License-Identifier: EUPL-1.2
 *
 * Invariant: 1. the batch is handed over before the list is cleared: ops borrow from its memory.
 */
#include "broker/carry.h"

#include "program/log.h"

#include <stdlib.h>

void carry_init(struct carry *carry)
{
    *carry = (struct carry){0};
}

void carry_fini(struct carry *carry)
{
    free(carry->ops);
    *carry = (struct carry){0};
}

static bool make_room(struct carry *carry, size_t count)
{
    if (count <= carry->capacity) {
        return true;
    }
    struct store_op *ops = realloc(carry->ops, count * sizeof *ops);
    if (ops == NULL) {
        return false;
    }
    carry->ops = ops;
    carry->capacity = count;
    return true;
}

static size_t count_stores(const struct effects *effects)
{
    size_t count = 0;

    for (size_t i = 0; i < effects->count; i++) {
        count += effects->items[i].kind == EFFECT_STORE ? 1 : 0;
    }
    return count;
}

static void write_log(const struct effect *effect)
{
    static const enum program_log_level levels[] = {[NOTE_ERROR] = LOG_LEVEL_ERROR,
                                                    [NOTE_WARNING] = LOG_LEVEL_WARNING,
                                                    [NOTE_NOTICE] = LOG_LEVEL_NOTICE,
                                                    [NOTE_DEBUG] = LOG_LEVEL_DEBUG};
    struct log_pair pairs[EFFECT_LOG_FIELDS];

    for (size_t i = 0; i < effect->log.field_count; i++) {
        const struct log_field *field = &effect->log.fields[i];

        pairs[i] =
            (struct log_pair){.name = field->name, .text = field->text, .number = field->number};
    }
    log_event(levels[effect->log.level], effect->log.event, pairs, effect->log.field_count);
}

bool carry_out(struct carry *carry, const struct effects *effects, struct net *net,
               struct store *store)
{
    size_t ops = 0;

    if (!make_room(carry, count_stores(effects))) {
        return false;
    }
    for (size_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];

        switch (effect->kind) {
        case EFFECT_SEND:
            /* A connection that is gone is told to the core by NET_CLOSED. */
            (void)net_send(net, effect->send.connection, effect->send.command,
                           effect->send.messages, effect->send.message_count);
            break;
        case EFFECT_CLOSE:
            net_cut(net, effect->close.connection);
            break;
        case EFFECT_STORE:
            carry->ops[ops++] = effect->store;
            break;
        case EFFECT_LOG:
            write_log(effect);
            break;
        }
    }
    if (ops > 0) {
        store_submit(store, carry->ops, ops);
    }
    return true;
}
