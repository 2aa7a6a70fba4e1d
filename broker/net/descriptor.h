/* SPDX-License-Identifier: EUPL-1.2
 *
 * What we do behind libzmq's back to a TCP socket that it owns: tell it from its successors on the
 * same descriptor, measure it, shut it down.
 *
 * Invariants:
 *   1. A descriptor is only shut down while it still is the socket that the cookie was read from:
 *      the check and the shutdown go through a duplicate, so that a close and reuse by the io
 *      thread in between harms nobody.
 *   2. Nothing here closes libzmq's descriptor; libzmq sees the end of the stream and does it.
 */
#ifndef RELAIS_NET_DESCRIPTOR_H
#define RELAIS_NET_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

/* The kernel's number of this socket, never used again. 0: not an open socket. */
uint64_t descriptor_cookie(int fd);

/* Ends the socket in both directions if it is still the one with this cookie. What the kernel holds
 * for the peer is sent first. */
void descriptor_shutdown(int fd, uint64_t cookie);

/* Whether the peer has acknowledged everything that was written; true when it cannot be told. */
bool descriptor_flushed(int fd, uint64_t cookie);

/* Bytes received from the peer so far; 0 when it cannot be told. */
uint64_t descriptor_received(int fd);

#endif
