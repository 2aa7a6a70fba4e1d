/* SPDX-License-Identifier: EUPL-1.2
 *
 * What can happen to the core. Everything it knows of the outside comes in as one of these.
 */
#ifndef RELAIS_CORE_EVENT_H
#define RELAIS_CORE_EVENT_H

#include "core/buffer.h"
#include "core/stored.h"

struct directory;

/* Both clocks, read once by the caller. mono_ms never steps: leases and delays inside one run.
 * wall_ms is broker time, Unix milliseconds that never go back (a clock set back does not bring it
 * back): expiry, due times, time stamps. */
struct moment {
    int64_t mono_ms;
    int64_t wall_ms;
};

enum event_kind {
    EVENT_FRAMES,    /* a client said something */
    EVENT_CLOSED,    /* a connection has gone */
    EVENT_STORED,    /* the store answers */
    EVENT_TIME,      /* the time asked for by effects.wake_mono_ms has come */
    EVENT_DIRECTORY, /* members or flows have changed */
    EVENT_DRAIN,     /* stop taking new work, tell everybody */
};

struct event {
    enum event_kind kind;
    union {
        struct {
            uint64_t connection; /* given by net, never used twice in a process */
            const char *key;     /* Z85 of the client's public key, as ZAP says: 40 characters */
            const struct bytes *frames;    /* command first */
            struct buffer *const *buffers; /* the one behind each frame; borrowed, ref to keep */
            size_t frame_count;
        } frames;
        uint64_t closed;             /* connection */
        struct store_result stored;  /* taken over */
        struct directory *directory; /* taken over */
    };
};

#endif
