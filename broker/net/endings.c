/* SPDX-License-Identifier: EUPL-1.2
 *
 * The queues of endings.h.
 */
#include "net/endings.h"

#include "net/descriptor.h"

#include <stddef.h>

static void push(struct ended_queue *queue, struct connection *connection)
{
    connection->next_ended = NULL;
    if (queue->last != NULL) {
        queue->last->next_ended = connection;
    } else {
        queue->first = connection;
    }
    queue->last = connection;
}

static struct connection *pop(struct ended_queue *queue)
{
    struct connection *connection = queue->first;
    if (connection != NULL) {
        queue->first = connection->next_ended;
        queue->last = queue->first != NULL ? queue->last : NULL;
    }
    return connection;
}

static void end(struct ended_queue *queue, struct connection *connection)
{
    if (connection->ended || !connection->announced) {
        return;
    }
    connection->ended = true;
    connection->holds |= HOLD_REPORT;
    push(queue, connection);
}

void endings_gone(struct endings *endings, struct connection_table *table,
                  struct connection *connection, uint64_t reads)
{
    connection->ended_at = reads;
    end(&endings->waiting, connection);
    connection_table_drop(table, connection, HOLD_DESCRIPTOR);
}

void endings_cut(struct endings *endings, struct connection *connection, int64_t now_ms)
{
    if (connection->cut) {
        return;
    }
    connection->cut = true;
    end(&endings->ready, connection);
    if ((connection->holds & HOLD_DESCRIPTOR) != 0) {
        connection->holds |= HOLD_CUT;
        connection->cut_at_ms = now_ms;
        connection->unflushed_ms = now_ms;
        connection->next_cut = endings->cutting;
        endings->cutting = connection;
    }
}

void endings_cut_at_once(struct endings *endings, struct connection *connection)
{
    connection->cut = true;
    end(&endings->ready, connection);
    if ((connection->holds & HOLD_DESCRIPTOR) != 0) {
        descriptor_shutdown(connection->descriptor, connection->cookie);
    }
}

void endings_drained(struct endings *endings)
{
    struct connection *connection = NULL;
    while ((connection = pop(&endings->waiting)) != NULL) {
        push(&endings->ready, connection);
    }
}

struct connection *endings_next(struct endings *endings, uint64_t reads)
{
    const struct connection *oldest = endings->waiting.first;
    if (oldest != NULL && reads - oldest->ended_at > ENDINGS_READS_MAX) {
        push(&endings->ready, pop(&endings->waiting));
    }
    return pop(&endings->ready);
}

/* Whether a connection that is being cut needs no more waiting. */
static bool due(struct connection *connection, int64_t now_ms)
{
    if ((connection->holds & HOLD_DESCRIPTOR) == 0 ||
        now_ms - connection->cut_at_ms >= CUT_MAX_MS) {
        return true;
    }
    if (atomic_load_explicit(&connection->outflow->bytes, memory_order_relaxed) > 0 ||
        !descriptor_flushed(connection->descriptor, connection->cookie)) {
        connection->unflushed_ms = now_ms;
    }
    return now_ms - connection->unflushed_ms >= CUT_GRACE_MS;
}

void endings_tick(struct endings *endings, struct connection_table *table, int64_t now_ms)
{
    if (endings->cutting == NULL || now_ms < endings->next_tick_ms) {
        return;
    }
    endings->next_tick_ms = now_ms + CUT_TICK_MS;
    struct connection **link = &endings->cutting;
    while (*link != NULL) {
        struct connection *connection = *link;
        if (!due(connection, now_ms)) {
            link = &connection->next_cut;
            continue;
        }
        *link = connection->next_cut;
        if ((connection->holds & HOLD_DESCRIPTOR) != 0) {
            descriptor_shutdown(connection->descriptor, connection->cookie);
        }
        connection_table_drop(table, connection, HOLD_CUT);
    }
}
