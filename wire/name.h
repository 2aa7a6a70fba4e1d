/* SPDX-License-Identifier: EUPL-1.2
 *
 * The grammar of names on the bus, once for both ends.
 *
 * slug: [a-z0-9], then [a-z0-9-], no "-" at the end, no "--"; 1 to 63 bytes (member, service,
 * client)
 *
 * address: slug "/" slug, or of a client's private mailbox slug "/~" slug; 3 to 127 bytes
 *
 * flow: [A-Za-z0-9], then [A-Za-z0-9-]; 1 to 64 bytes
 *
 * id: 1 to 128 bytes of printable ASCII without space (0x21..0x7e)
 *
 * Pure; any thread.
 */
#ifndef RELAIS_WIRE_NAME_H
#define RELAIS_WIRE_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
    NAME_SLUG_BYTES = 63,
    NAME_ADDRESS_BYTES = 127,
    NAME_FLOW_BYTES = 64,
    NAME_ID_BYTES = 128,
};

bool name_is_slug(const char *text);
bool name_is_flow(const char *text);
bool name_is_id(const char *text);

/* True when `text` is an address; then *out_member_bytes is the length of the part before "/". */
bool name_is_address(const char *text, size_t *out_member_bytes);

/* Of an address: does it name a client's private mailbox? */
bool name_is_private(const char *address, size_t member_bytes);

#endif
