/* SPDX-License-Identifier: EUPL-1.2
 *
 * Talks: a ROUTER socket over CURVE, its ZAP handler and its monitor, seen as connections with a
 * number, a key and frames. Knows nothing of members, flows or messages.
 *
 * Promises:
 *   1. A key that the gatekeeper does not admit is cut in the handshake, before a byte of its is
 * read.
 *   2. `key` in an event is what ZAP says of the connection, never what a frame says; a frame
 * without it is dropped and its connection cut.
 *   3. A routing id that is not 16 bytes long (a name, which others can squat) or begins with 0x00
 *      (made by the broker, guessable) is cut. So is who says nothing, or never ends a message.
 *   4. A connection that cannot be written to is cut, never waited for.
 *   5. Every limit of the socket is set before it is bound.
 *   6. No key holds more descriptors than its share, whatever it says on them.
 * One thread. Never calls srand(): the caller seeds rand() from getrandom() before net_open().
 */
#ifndef RELAIS_NET_NET_H
#define RELAIS_NET_NET_H

#include "core/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net;

enum { NET_KEY_CHARACTERS = 40, NET_ENDPOINT_BYTES = 256 };

struct net_settings {
    const char *endpoint;   /* "tcp://127.0.0.1:5770"; port "*" takes a free one */
    const char *public_key; /* Z85 */
    const char *secret_key; /* Z85; not kept by net beyond net_open() */
    uint64_t frame_bytes;   /* ZMQ_MAXMSGSIZE */
    uint32_t backlog;
    uint32_t handshake_ms;
    uint32_t connections_per_key; /* that have said something; one more is cut. 0: any number */
    uint64_t sending_bytes;       /* unsent, of all connections together; 0: no end */
    /* May this key enter? Called in the thread of net_next(). */
    bool (*admit)(void *context, const char *key);
    void *admit_context;
};

struct net_problem {
    int system_errno;
    char detail[256]; /* English, with the endpoint; says what to do */
};

enum net_event_kind {
    NET_NOTHING,
    NET_FRAMES,
    NET_CLOSED,
    NET_REFUSED, /* a handshake failed or a peer broke the rules: for the log and the counters */
};

enum { NET_FRAMES_MAX = 1 + 2 * 1024 };

struct net_event {
    enum net_event_kind kind;
    uint64_t connection;
    char key[NET_KEY_CHARACTERS + 1];
    const char *reason; /* NET_REFUSED: static text */
    /* NET_FRAMES; borrowed until the next call of net_next() */
    const struct bytes *frames;
    struct buffer *const *buffers;
    size_t frame_count;
};

bool net_open(const struct net_settings *settings, struct net **out_net,
              struct net_problem *out_problem);

/* Sends what is queued for up to linger_ms, then closes; takes 100 ms at least when connections are
 * open and linger_ms allows. NULL is fine. */
void net_close(struct net *net, int linger_ms);

/* The endpoint really bound. */
const char *net_endpoint(const struct net *net);

/* Waits until the network has something, one of `fds` (count at most 8) is readable, or timeout_ms
 * (-1: for ever) has passed. out_ready[i] says which fds. Returns false when a signal came. */
bool net_wait(struct net *net, const int *fds, size_t count, bool *out_ready, int timeout_ms);

/* The next event without waiting. */
void net_next(struct net *net, struct net_event *out_event);

/* Sends a command and, as its body, the messages. Small pieces are packed into one frame, large
 * ones travel without a copy (a reference on their buffer is taken). False: the connection is gone
 * or was cut because it takes nothing any more; NET_CLOSED follows. */
bool net_send(struct net *net, uint64_t connection, struct bytes command,
              const struct held_message *messages, size_t count);

/* Bytes handed to net_send() that no peer has been sent yet. */
uint64_t net_unsent(const struct net *net);

/* Cuts a connection after what was sent to it (in the background, within a second); what it still
 * says is ignored. NET_CLOSED follows at once. Unknown: nothing. */
void net_cut(struct net *net, uint64_t connection);

#endif
