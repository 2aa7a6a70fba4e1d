/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/inbox.h"

#include "core/stored_message.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made;
}

bool inbox_init(struct inbox *inbox)
{
    memset(inbox, 0, sizeof *inbox);
    if (pthread_mutex_init(&inbox->mutex, NULL) != 0) {
        return false;
    }
    if (!init_condition(&inbox->filled)) {
        pthread_mutex_destroy(&inbox->mutex);
        return false;
    }
    return true;
}

void inbox_fini(struct inbox *inbox)
{
    op_list_fini(&inbox->waiting);
    pthread_cond_destroy(&inbox->filled);
    pthread_mutex_destroy(&inbox->mutex);
}

/* The one block that an op owns, whichever pointer leads to it. */
static void op_drop(struct store_op *op)
{
    switch (op->kind) {
    case STORE_MAILBOX:
        free((void *)op->mailbox.name);
        break;
    case STORE_MAILBOXES:
        free((void *)op->announce.names);
        break;
    case STORE_TRACK:
        free((void *)op->track.sender);
        break;
    case STORE_CANCEL:
        free((void *)op->cancel.sender);
        break;
    case STORE_KNOWN:
        free((void *)op->known.sender);
        break;
    case STORE_APPEND:
        held_message_drop(&op->append.message);
        free((void *)op->append.recipients);
        break;
    case STORE_DEFER:
        free((void *)op->defer.attempt);
        break;
    case STORE_BURY:
        free(op->bury.attempt != NULL ? (void *)op->bury.attempt : (void *)op->bury.reason);
        break;
    case STORE_USAGE:
        free((void *)op->usage.sender);
        break;
    case STORE_BACKUP:
        free((void *)op->backup.name);
        break;
    case STORE_UPLOAD:
        free((void *)op->upload.sender);
        break;
    case STORE_CHUNK:
        held_message_drop(&op->chunk.message);
        free((void *)op->chunk.sender);
        break;
    case STORE_TAKE:
    case STORE_ACK:
    case STORE_RELEASE:
    case STORE_DEAD_LIST:
    case STORE_DEAD_READ:
    case STORE_REPLAY:
    case STORE_DROP:
    case STORE_BACKED_UP:
    case STORE_CHECK:
    case STORE_FETCH:
    case STORE_DUE:
    case STORE_EXPIRE:
        break;
    }
}

void op_list_clear(struct op_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        op_drop(&list->items[i]);
    }
    list->count = 0;
}

void op_list_fini(struct op_list *list)
{
    op_list_clear(list);
    free(list->items);
    memset(list, 0, sizeof *list);
}

/* Both texts in one block that begins with the sender. */
static bool own_name(const char **sender, const char **id)
{
    size_t sender_size = strlen(*sender) + 1;
    size_t id_size = strlen(*id) + 1;
    char *block = malloc(sender_size + id_size);
    if (block == NULL) {
        return false;
    }
    memcpy(block, *sender, sender_size);
    memcpy(block + sender_size, *id, id_size);
    *sender = block;
    *id = block + sender_size;
    return true;
}

/* Recipients, the deadline, sender and id in one block that begins with the recipients. */
static bool own_append(struct store_op *op)
{
    size_t deadline = op->append.deadline != NULL ? sizeof *op->append.deadline : 0;
    size_t recipients = op->append.recipient_count * sizeof *op->append.recipients;
    size_t sender = strlen(op->append.sender) + 1;
    size_t id = strlen(op->append.id) + 1;
    size_t earlier = op->append.supersedes != NULL ? strlen(op->append.supersedes) + 1 : 0;
    char *block = malloc(recipients + deadline + sender + id + earlier);
    if (block == NULL) {
        return false;
    }
    char *texts = block + recipients + deadline;
    if (recipients > 0) {
        memcpy(block, op->append.recipients, recipients);
    }
    if (deadline > 0) {
        memcpy(block + recipients, op->append.deadline, deadline);
        op->append.deadline = (const struct stored_deadline *)(void *)(block + recipients);
    }
    memcpy(texts, op->append.sender, sender);
    memcpy(texts + sender, op->append.id, id);
    if (earlier > 0) {
        memcpy(texts + sender + id, op->append.supersedes, earlier);
        op->append.supersedes = texts + sender + id;
    }
    op->append.recipients = (const struct store_recipient *)(void *)block;
    op->append.sender = texts;
    op->append.id = texts + sender;
    return true;
}

/* The names in one block, their text behind them. */
static bool own_names(struct store_op *op)
{
    size_t list = op->announce.count * sizeof *op->announce.names;
    size_t text = 0;
    for (uint32_t i = 0; i < op->announce.count; i++) {
        text += strlen(op->announce.names[i].name) + 1;
    }
    char *block = malloc(list + text + 1); /* never of nothing */
    if (block == NULL) {
        return false;
    }
    struct store_name *names = (struct store_name *)(void *)block;
    char *at = block + list;
    for (uint32_t i = 0; i < op->announce.count; i++) {
        size_t size = strlen(op->announce.names[i].name) + 1;
        memcpy(at, op->announce.names[i].name, size);
        names[i] = (struct store_name){.id = op->announce.names[i].id, .name = at};
        at += size;
    }
    op->announce.names = names;
    return true;
}

static bool own_defer(struct store_op *op)
{
    if (op->defer.attempt == NULL) {
        return true;
    }
    struct stored_attempt *own = malloc(sizeof *own);
    if (own == NULL) {
        return false;
    }
    *own = *op->defer.attempt;
    op->defer.attempt = own;
    return true;
}

/* The attempt, where there is one, and the reason behind it. */
static bool own_bury(struct store_op *op)
{
    const char *reason = op->bury.reason != NULL ? op->bury.reason : "";
    size_t attempt = op->bury.attempt != NULL ? sizeof *op->bury.attempt : 0;
    size_t text = strlen(reason) + 1;
    char *block = malloc(attempt + text);
    if (block == NULL) {
        return false;
    }
    memcpy(block + attempt, reason, text);
    if (attempt > 0) {
        memcpy(block, op->bury.attempt, attempt);
        op->bury.attempt = (const struct stored_attempt *)(void *)block;
    }
    op->bury.reason = block + attempt;
    return true;
}

/* Sender and id in one block that begins with the sender. */
static bool own_pair(const char **sender, const char **id)
{
    size_t sender_bytes = strlen(*sender) + 1;
    size_t id_bytes = strlen(*id) + 1;
    char *block = malloc(sender_bytes + id_bytes);
    if (block == NULL) {
        return false;
    }
    memcpy(block, *sender, sender_bytes);
    memcpy(block + sender_bytes, *id, id_bytes);
    *sender = block;
    *id = block + sender_bytes;
    return true;
}

/* Exchanges borrowed pointers for copies; the message references are the op's already. */
static bool op_own(struct store_op *op)
{
    switch (op->kind) {
    case STORE_MAILBOX:
        op->mailbox.name = strdup(op->mailbox.name);
        return op->mailbox.name != NULL;
    case STORE_MAILBOXES:
        return own_names(op);
    case STORE_DEFER:
        return own_defer(op);
    case STORE_TRACK:
        return own_pair(&op->track.sender, &op->track.id);
    case STORE_CANCEL:
        return own_pair(&op->cancel.sender, &op->cancel.id);
    case STORE_KNOWN:
        return own_pair(&op->known.sender, &op->known.id);
    case STORE_BURY:
        return own_bury(op);
    case STORE_APPEND:
        return own_append(op);
    case STORE_USAGE:
        op->usage.sender = strdup(op->usage.sender);
        return op->usage.sender != NULL;
    case STORE_BACKUP:
        op->backup.name = strdup(op->backup.name);
        return op->backup.name != NULL;
    case STORE_UPLOAD:
        return own_name(&op->upload.sender, &op->upload.id);
    case STORE_CHUNK:
        return own_name(&op->chunk.sender, &op->chunk.id);
    case STORE_TAKE:
    case STORE_ACK:
    case STORE_RELEASE:
    case STORE_DEAD_LIST:
    case STORE_DEAD_READ:
    case STORE_REPLAY:
    case STORE_DROP:
    case STORE_BACKED_UP:
    case STORE_CHECK:
    case STORE_FETCH:
    case STORE_DUE:
    case STORE_EXPIRE:
        break;
    }
    return true;
}

static bool list_reserve(struct op_list *list, size_t more)
{
    if (list->count + more <= list->capacity) {
        return true;
    }
    size_t capacity = (list->count + more) * 2;
    struct store_op *items = realloc(list->items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->capacity = capacity;
    return true;
}

static void drop_borrowed(struct store_op *op)
{
    struct held_message *message = stored_message(op);
    if (message != NULL) {
        held_message_drop(message);
    }
}

bool inbox_put(struct inbox *inbox, struct store_op *ops, size_t count)
{
    pthread_mutex_lock(&inbox->mutex);
    bool open = !inbox->stopped;
    bool fits = open && list_reserve(&inbox->waiting, count);
    for (size_t i = 0; i < count; i++) {
        struct store_op copy = ops[i];
        fits = fits && op_own(&copy);
        if (!fits) {
            drop_borrowed(&ops[i]);
            continue;
        }
        inbox->waiting.items[inbox->waiting.count++] = copy;
        struct held_message *message = stored_message(&ops[i]);
        if (message != NULL) {
            memset(message, 0, sizeof *message);
        }
    }
    pthread_cond_signal(&inbox->filled);
    pthread_mutex_unlock(&inbox->mutex);
    return fits || !open;
}

static struct timespec moment_in(int64_t ms)
{
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    moment.tv_sec += (time_t)(ms / 1000);
    moment.tv_nsec += (long)(ms % 1000) * 1000000;
    if (moment.tv_nsec >= 1000000000) {
        moment.tv_sec++;
        moment.tv_nsec -= 1000000000;
    }
    return moment;
}

/* False: the time is over. */
static bool wait_until(struct inbox *inbox, const struct timespec *moment)
{
    int rc = moment != NULL ? pthread_cond_timedwait(&inbox->filled, &inbox->mutex, moment)
                            : pthread_cond_wait(&inbox->filled, &inbox->mutex);
    return rc == 0;
}

bool inbox_wait(struct inbox *inbox, int64_t longest_ms, struct op_list *list)
{
    struct timespec moment = moment_in(longest_ms == INT64_MAX ? 0 : longest_ms);
    const struct timespec *until = longest_ms == INT64_MAX ? NULL : &moment;
    bool wait = longest_ms > 0;
    pthread_mutex_lock(&inbox->mutex);
    while (wait && inbox->waiting.count == 0 && !inbox->closing) {
        wait = wait_until(inbox, until);
    }
    struct op_list empty = *list;
    *list = inbox->waiting;
    inbox->waiting = empty;
    bool open = !inbox->closing;
    pthread_mutex_unlock(&inbox->mutex);
    return list->count > 0 || open;
}

void inbox_close(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    inbox->closing = true;
    pthread_cond_signal(&inbox->filled);
    pthread_mutex_unlock(&inbox->mutex);
}

void inbox_stop(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    inbox->stopped = true;
    struct op_list dropped = inbox->waiting;
    memset(&inbox->waiting, 0, sizeof inbox->waiting);
    pthread_mutex_unlock(&inbox->mutex);
    op_list_fini(&dropped);
}
