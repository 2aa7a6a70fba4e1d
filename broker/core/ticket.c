/* SPDX-License-Identifier: EUPL-1.2
 *
 * The ring of open tickets. See ticket.h.
 */
#include "core/ticket.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 64 };

void tickets_init(struct tickets *tickets)
{
    *tickets = (struct tickets){.first = 1, .next = 1};
}

static struct ticket *at(const struct tickets *tickets, uint64_t id)
{
    return &tickets->ring[id & (tickets->capacity - 1)];
}

void tickets_fini(struct tickets *tickets)
{
    for (uint64_t id = tickets->first; id < tickets->next; id++) {
        free(at(tickets, id)->mailboxes);
        free(at(tickets, id)->tracking);
        free(at(tickets, id)->refusal);
    }
    free(tickets->ring);
    tickets_init(tickets);
}

bool tickets_reserve(struct tickets *tickets)
{
    if (tickets->next - tickets->first < tickets->capacity) {
        return true;
    }
    struct tickets bigger = *tickets;
    bigger.capacity = tickets->capacity ? tickets->capacity * 2 : CAPACITY_FIRST;
    bigger.ring = calloc(bigger.capacity, sizeof *bigger.ring);
    if (!bigger.ring) {
        return false;
    }
    for (uint64_t id = tickets->first; id < tickets->next; id++) {
        *at(&bigger, id) = *at(tickets, id);
    }
    free(tickets->ring);
    *tickets = bigger;
    return true;
}

struct ticket *ticket_new(struct tickets *tickets, enum store_op_kind kind)
{
    if (!tickets_reserve(tickets)) {
        return NULL;
    }
    struct ticket *ticket = at(tickets, tickets->next);
    *ticket = (struct ticket){.id = tickets->next++, .kind = kind};
    return ticket;
}

bool ticket_done(struct tickets *tickets, uint64_t id, enum store_op_kind kind,
                 struct ticket *out_ticket)
{
    if (id < tickets->first || id >= tickets->next) {
        return false;
    }
    struct ticket *ticket = at(tickets, id);
    if (ticket->id != id || ticket->kind != kind) {
        return false;
    }
    *out_ticket = *ticket;
    *ticket = (struct ticket){0};
    while (tickets->first < tickets->next && at(tickets, tickets->first)->id == 0) {
        tickets->first++;
    }
    return true;
}
