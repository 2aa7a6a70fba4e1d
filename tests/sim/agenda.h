/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is going to happen, in the order of virtual time: a binary heap. What is for the same
 * millisecond happens in the order in which it was put down.
 */
#ifndef RELAIS_TESTS_SIM_AGENDA_H
#define RELAIS_TESTS_SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum agenda_kind {
    AGENDA_TO_BROKER, /* a packet arrives; who: connection */
    AGENDA_TO_CLIENT,
    AGENDA_CLOSED_AT_BROKER, /* one end learns that the connection has gone */
    AGENDA_CLOSED_AT_CLIENT,
    AGENDA_CLIENT, /* a client looks around; who: its number */
    AGENDA_WRITE,  /* the disk writes, syncs; who: incarnation of the broker */
    AGENDA_SYNC,
    AGENDA_TURN, /* of the broker's loop */
    AGENDA_START,
    AGENDA_FAULT,
};

struct agenda_item {
    int64_t at_ms;
    uint64_t order;
    uint64_t who;
    enum agenda_kind kind;
};

struct agenda {
    struct agenda_item *items;
    size_t count, capacity;
    uint64_t next_order;
};

void agenda_add(struct agenda *agenda, int64_t at_ms, enum agenda_kind kind, uint64_t who);

/* False: nothing will ever happen again. */
bool agenda_next(struct agenda *agenda, struct agenda_item *out_item);
void agenda_fini(struct agenda *agenda);

/* Room for one more item of `size` bytes; for every list of the simulator. Aborts without memory.
 */
void *agenda_grown(void *items, size_t count, size_t *capacity, size_t size);

#endif
