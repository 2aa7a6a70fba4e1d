/* SPDX-License-Identifier: EUPL-1.2
 *
 * Descriptors of the adapter's own, behind one that relais_wait() can take: there is an epoll
 * instance, and who is told is kept in slots.
 *
 *   1. Nobody is told of a descriptor after watches_remove(), not even of what had happened to it
 *      before: a slot has a generation.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_ADAPTER_WATCHES_H
#define RELAIS_ADAPTER_WATCHES_H

#include <relais/adapter.h>
#include <stdint.h>

struct watch {
    int fd; /* -1: free */
    uint32_t generation;
    relais_adapter_event_fn told;
    void *context;
};

struct watches {
    int epoll;
    struct watch *slots;
    size_t count;
};

relais_status watches_open(struct watches *watches, relais_error *error);
void watches_close(struct watches *watches);

relais_status watches_set(struct watches *watches, int fd, short events,
                          relais_adapter_event_fn told, void *context);
void watches_remove(struct watches *watches, int fd);

/* Tells of what has happened. */
void watches_tell(struct watches *watches);

#endif
