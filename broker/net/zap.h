/* SPDX-License-Identifier: EUPL-1.2
 *
 * The gatekeeper's desk of RFC 27 (ZAP 1.0), inside the process: libzmq asks whether a CURVE key
 * may enter, we answer. An admitted connection gets two properties that libzmq then attaches to
 * every frame it receives on it, and that a peer cannot override: User-Id (the key in Z85) and the
 * number that we gave the connection.
 *
 * Invariant: whatever is not a well-formed CURVE request is refused.
 * Source: https://rfc.zeromq.org/spec/27/. Thread: the one of net.
 */
#ifndef RELAIS_NET_ZAP_H
#define RELAIS_NET_ZAP_H

#include "net/net.h"

/* The property's name. X- is what ZMTP leaves to applications. */
#define ZAP_CONNECTION_PROPERTY "X-Relais-Connection"

/* Any text does; it must not be empty, else libzmq asks nobody. */
#define ZAP_DOMAIN "relais"

enum { ZAP_REQUEST_ID_BYTES = 32 }; /* libzmq sends "1" */

struct zap_request {
    bool valid; /* false: refuse it */
    char id[ZAP_REQUEST_ID_BYTES];
    size_t id_size;
    char key[NET_KEY_CHARACTERS + 1]; /* Z85 */
};

/* Must come before the first bind of the context. NULL with errno set. */
void *zap_open(void *context);

/* The next request, if there is one. Each must be answered before the next is asked for. */
bool zap_receive(void *socket, struct zap_request *out_request);

void zap_admit(void *socket, const struct zap_request *request, uint64_t connection);
void zap_refuse(void *socket, const struct zap_request *request);

#endif
