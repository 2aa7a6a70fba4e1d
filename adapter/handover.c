/* SPDX-License-Identifier: EUPL-1.2
 *
 * See handover.h.
 */
#include "adapter/handover.h"

#include "adapter/moment.h"
#include "adapter/note.h"
#include "program/error.h"
#include "program/locale.h"

#include <relais/adapter.h>
#include <stdlib.h>
#include <string.h>

struct staged {
    struct staged *next;
    unsigned char *run; /* of a message; NULL: a note */
    size_t size;
    bool has_own_id;
    unsigned char key[KNOWN_KEY_BYTES]; /* of the id */
    char name[RELAIS_ADAPTER_NOTE_KEY_BYTES + 1];
    unsigned char value[]; /* of a note */
};

void handover_init(struct handover *handover, struct state *state, struct outbox *outbox)
{
    *handover = (struct handover){.state = state, .outbox = outbox};
    handover->last = &handover->first;
}

void handover_clear(struct handover *handover)
{
    while (handover->first) {
        struct staged *staged = handover->first;
        handover->first = staged->next;
        free(staged->run);
        free(staged);
    }
    handover->last = &handover->first;
    handover->messages = 0;
    handover->bytes = 0;
}

void handover_fini(struct handover *handover)
{
    if (handover->last) {
        handover_clear(handover);
    }
}

static void append(struct handover *handover, struct staged *staged)
{
    *handover->last = staged;
    handover->last = &staged->next;
}

static relais_status missing(relais_error *error, const char *field, const char *right)
{
    return error_set(error, RELAIS_FIELD_MISSING, field, right, "%s", "");
}

/* What no broker would take; the rest is said when it is sent. */
static relais_status check(const relais_message *message, relais_error *error)
{
    if (!message->type) {
        return missing(error, "type", _("what kind of content this is"));
    }
    if (!message->flow) {
        return missing(error, "flow", _("the code of a flow of the directory"));
    }
    if (message->to_count == 0 && !message->to_subscribers && !message->supersedes) {
        return missing(error, "to", _("one address or more, as member/service"));
    }
    if (message->to_count > RELAIS_RECIPIENTS_MAX) {
        return error_set(error, RELAIS_FIELD_INVALID, "to", _("at most 64 addresses"), "%zu",
                         message->to_count);
    }
    if (message->extension_count > RELAIS_EXTENSIONS_MAX) {
        return error_set(error, RELAIS_FIELD_INVALID, "extensions", _("at most 32"), "%zu",
                         message->extension_count);
    }
    if (message->id && (message->id[0] == '\0' || strlen(message->id) > RELAIS_ID_BYTES)) {
        return error_set(error, RELAIS_FIELD_INVALID, "id", _("1 to 128 bytes"), "%zu",
                         strlen(message->id));
    }
    return RELAIS_OK;
}

static relais_status check_room(const struct handover *handover, const relais_message *message,
                                relais_error *error)
{
    if (handover->messages >= HANDOVER_MESSAGES ||
        (handover->messages > 0 && handover->bytes + message->payload.size > HANDOVER_BYTES) ||
        !outbox_has_room(handover->outbox, handover->messages + 1,
                         handover->bytes + message->payload.size)) {
        return error_set(error, RELAIS_STORE_FULL, "outbox",
                         _("wait until something of it has been sent"), "%s",
                         _("the outbox is full"));
    }
    return RELAIS_OK;
}

relais_status handover_message(struct handover *handover, const relais_message *message,
                               relais_error *error)
{
    char id[33];
    relais_message whole = *message;
    relais_status status = check(message, error);
    if (status == RELAIS_OK) {
        status = check_room(handover, message, error);
    }
    if (status != RELAIS_OK) {
        return status;
    }
    if (!whole.id) {
        relais_message_new_id(id);
        whole.id = id;
    }
    if (whole.time_ms == 0) {
        whole.time_ms = moment_unix_ms(); /* not when the line is back */
    }
    size_t size = 0;
    struct staged *staged = calloc(1, sizeof *staged);
    unsigned char *run = staged ? record_write_message(&whole, &size) : NULL;
    if (!run) {
        free(staged);
        return !staged || size > 0 ? error_set(error, RELAIS_NO_MEMORY, NULL, NULL, "%s", "")
                                   : error_set(error, RELAIS_TOO_LARGE, "payload",
                                               _("at most 16 MiB"), "%zu", message->payload.size);
    }
    const char *const texts[] = {"handed over", whole.id};
    known_key(texts, sizeof texts / sizeof texts[0], staged->key);
    staged->has_own_id = message->id != NULL;
    staged->run = run;
    staged->size = size;
    append(handover, staged);
    handover->messages++;
    handover->bytes += size;
    return RELAIS_OK;
}

relais_status handover_note(struct handover *handover, const char *key, relais_bytes value,
                            relais_error *error)
{
    size_t length = strlen(key);
    if (length == 0 || length > RELAIS_ADAPTER_NOTE_KEY_BYTES ||
        value.size > RELAIS_ADAPTER_NOTE_BYTES) {
        return error_set(error, RELAIS_TOO_LARGE, "note",
                         _("a key of 1 to 64 bytes, a value of at most 1024"), "%zu, %zu", length,
                         value.size);
    }
    struct staged *staged = calloc(1, sizeof *staged + value.size);
    if (!staged) {
        return error_set(error, RELAIS_NO_MEMORY, NULL, NULL, "%s", "");
    }
    memcpy(staged->name, key, length + 1);
    staged->size = value.size;
    if (value.size > 0) {
        memcpy(staged->value, value.data, value.size);
    }
    append(handover, staged);
    return RELAIS_OK;
}

bool handover_is_empty(const struct handover *handover)
{
    return handover->first == NULL;
}

static relais_status write_message(struct handover *handover, const struct staged *staged,
                                   int64_t now_ms, size_t *new_messages, relais_error *error)
{
    if (staged->has_own_id) {
        if (known_has(handover->state, staged->key)) {
            return RELAIS_OK;
        }
        relais_status status = known_add(handover->state, staged->key, now_ms, error);
        if (status != RELAIS_OK) {
            return status;
        }
    }
    (*new_messages)++;
    return outbox_add(handover->outbox, (relais_bytes){staged->run, staged->size}, now_ms, error);
}

relais_status handover_flush(struct handover *handover, int64_t now_ms, size_t *out_new,
                             relais_error *error)
{
    size_t new_messages = 0;
    relais_status status = RELAIS_OK;
    if (handover_is_empty(handover)) {
        return RELAIS_OK;
    }
    status = state_begin(handover->state, error);
    for (struct staged *staged = handover->first; status == RELAIS_OK && staged;
         staged = staged->next) {
        status = staged->run ? write_message(handover, staged, now_ms, &new_messages, error)
                             : note_put(handover->state, staged->name,
                                        (relais_bytes){staged->value, staged->size}, error);
    }
    if (status == RELAIS_OK) {
        status = state_commit(handover->state, error);
    } else {
        state_abort(handover->state);
    }
    outbox_settle(handover->outbox, status == RELAIS_OK);
    if (status == RELAIS_OK) {
        handover_clear(handover);
        if (out_new) {
            *out_new = new_messages;
        }
    }
    return status;
}
