/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/outbox.h"

#include "core/stored_message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool outbox_init(struct outbox *outbox)
{
    memset(outbox, 0, sizeof *outbox);
    outbox->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (outbox->event_fd < 0) {
        return false;
    }
    if (pthread_mutex_init(&outbox->mutex, NULL) != 0) {
        close(outbox->event_fd);
        outbox->event_fd = -1;
        return false;
    }
    return true;
}

static void drop_waiting(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        store_result_drop(&outbox->items[outbox->first + i]);
    }
    outbox->first = 0;
    outbox->count = 0;
}

void outbox_fini(struct outbox *outbox)
{
    drop_waiting(outbox);
    free(outbox->items);
    close(outbox->event_fd);
    pthread_mutex_destroy(&outbox->mutex);
}

static void raise_event(struct outbox *outbox)
{
    /* The counter cannot overflow in a lifetime, and a full one is readable all the same. */
    ssize_t written = write(outbox->event_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)written;
}

static void clear_event(struct outbox *outbox)
{
    uint64_t value = 0;
    ssize_t got = read(outbox->event_fd, &value, sizeof value);
    (void)got;
}

static void fail_locked(struct outbox *outbox, const struct store_problem *problem)
{
    if (!outbox->failed) {
        outbox->failed = true;
        outbox->problem = *problem;
        drop_waiting(outbox);
    }
    raise_event(outbox);
}

/* Room for `more` results behind those that wait. */
static bool make_room(struct outbox *outbox, size_t more)
{
    if (outbox->first > 0 && outbox->count > 0) {
        memmove(outbox->items, outbox->items + outbox->first,
                outbox->count * sizeof *outbox->items);
    }
    outbox->first = 0;
    if (outbox->count + more <= outbox->capacity) {
        return true;
    }
    size_t capacity = (outbox->count + more) * 2;
    struct store_result *items = realloc(outbox->items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    outbox->items = items;
    outbox->capacity = capacity;
    return true;
}

void outbox_put(struct outbox *outbox, struct store_result *results, size_t count)
{
    if (count == 0) {
        return;
    }
    pthread_mutex_lock(&outbox->mutex);
    bool kept = !outbox->failed && make_room(outbox, count);
    if (kept) {
        memcpy(outbox->items + outbox->count, results, count * sizeof *results);
        outbox->count += count;
        raise_event(outbox);
    } else if (!outbox->failed) {
        fail_locked(outbox, &(struct store_problem){.kind = STORE_PROBLEM_MEMORY,
                                                    .detail = "no memory for results"});
    }
    pthread_mutex_unlock(&outbox->mutex);
    for (size_t i = 0; i < count && !kept; i++) {
        store_result_drop(&results[i]);
    }
}

void outbox_fail(struct outbox *outbox, const struct store_problem *problem)
{
    assert(problem->kind != STORE_PROBLEM_NONE);
    pthread_mutex_lock(&outbox->mutex);
    fail_locked(outbox, problem);
    pthread_mutex_unlock(&outbox->mutex);
}

size_t outbox_collect(struct outbox *outbox, struct store_result *out_results, size_t max)
{
    pthread_mutex_lock(&outbox->mutex);
    size_t moved = outbox->count < max ? outbox->count : max;
    if (moved > 0) {
        memcpy(out_results, outbox->items + outbox->first, moved * sizeof *out_results);
        outbox->first += moved;
        outbox->count -= moved;
    }
    if (outbox->count == 0 && !outbox->failed) {
        clear_event(outbox);
    }
    pthread_mutex_unlock(&outbox->mutex);
    return moved;
}

bool outbox_failed(struct outbox *outbox, struct store_problem *out_problem)
{
    pthread_mutex_lock(&outbox->mutex);
    bool failed = outbox->failed;
    if (failed && out_problem != NULL) {
        *out_problem = outbox->problem;
    }
    pthread_mutex_unlock(&outbox->mutex);
    return failed;
}
