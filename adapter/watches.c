/* SPDX-License-Identifier: EUPL-1.2
 *
 * See watches.h.
 */
#include "adapter/watches.h"

#include "program/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_AT_A_TIME = 64 };

relais_status watches_open(struct watches *watches, relais_error *error)
{
    *watches = (struct watches){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    return watches->epoll >= 0 ? RELAIS_OK : error_set_errno(error, "epoll", errno);
}

void watches_close(struct watches *watches)
{
    if (watches->epoll >= 0) {
        (void)close(watches->epoll);
    }
    free(watches->slots);
    *watches = (struct watches){.epoll = -1};
}

/* The slot of `fd` (-1: a free one); count when there is none. */
static size_t find(const struct watches *watches, int fd)
{
    size_t i = 0;
    while (i < watches->count && watches->slots[i].fd != fd) {
        i++;
    }
    return i;
}

static bool grow(struct watches *watches)
{
    size_t count = watches->count == 0 ? 16 : watches->count * 2;
    struct watch *slots =
        count > RELAIS_ADAPTER_WATCHES ? NULL : realloc(watches->slots, count * sizeof *slots);
    if (!slots) {
        return false;
    }
    for (size_t i = watches->count; i < count; i++) {
        slots[i] = (struct watch){.fd = -1};
    }
    watches->slots = slots;
    watches->count = count;
    return true;
}

static uint32_t epoll_events(short events)
{
    uint32_t wanted = (events & POLLIN) != 0 ? (uint32_t)EPOLLIN : 0;
    return wanted | ((events & POLLOUT) != 0 ? (uint32_t)EPOLLOUT : 0);
}

relais_status watches_set(struct watches *watches, int fd, short events,
                          relais_adapter_event_fn told, void *context)
{
    size_t slot = find(watches, fd);
    bool is_new = slot == watches->count;
    if (is_new) {
        slot = find(watches, -1);
        if (slot == watches->count && !grow(watches)) {
            return RELAIS_LIMIT_EXCEEDED;
        }
    }
    struct watch *watch = &watches->slots[slot];
    struct epoll_event event = {.events = epoll_events(events)};
    event.data.u64 = (uint64_t)watch->generation << 32 | slot;
    if (epoll_ctl(watches->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0) {
        return RELAIS_SYSTEM;
    }
    watch->fd = fd;
    watch->told = told;
    watch->context = context;
    return RELAIS_OK;
}

void watches_remove(struct watches *watches, int fd)
{
    size_t slot = fd >= 0 ? find(watches, fd) : watches->count;
    if (slot < watches->count) {
        (void)epoll_ctl(watches->epoll, EPOLL_CTL_DEL, fd, NULL);
        watches->slots[slot].fd = -1;
        watches->slots[slot].generation++;
    }
}

static short poll_events(uint32_t events)
{
    unsigned found = (events & EPOLLIN) != 0 ? POLLIN : 0;
    found |= (events & EPOLLOUT) != 0 ? POLLOUT : 0;
    found |= (events & EPOLLERR) != 0 ? POLLERR : 0;
    found |= (events & EPOLLHUP) != 0 ? POLLHUP : 0;
    return (short)found;
}

void watches_tell(struct watches *watches)
{
    struct epoll_event events[EVENTS_AT_A_TIME];
    int count = epoll_wait(watches->epoll, events, EVENTS_AT_A_TIME, 0);
    for (int i = 0; i < count; i++) {
        size_t slot = (size_t)(events[i].data.u64 & UINT32_MAX);
        const struct watch *watch = &watches->slots[slot];
        if (watch->fd >= 0 && watch->generation == (uint32_t)(events[i].data.u64 >> 32)) {
            watch->told(watch->context, watch->fd, poll_events(events[i].events));
        }
    }
}
