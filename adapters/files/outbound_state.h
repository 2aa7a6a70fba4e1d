/* SPDX-License-Identifier: EUPL-1.2
 *
 * What outbound.c (finding) and shipment.c (sending) share.
 */
#ifndef RELAIS_FILES_OUTBOUND_STATE_H
#define RELAIS_FILES_OUTBOUND_STATE_H

#include "adapters/files/candidates.h"
#include "adapters/files/config.h"

#include <relais/client.h>

enum {
    OUTBOUND_WINDOW_MESSAGES = 512,
    /* what the library holds for us; a single file may be larger */
    OUTBOUND_WINDOW_BYTES = 16 * 1024 * 1024,
    /* a file that cannot be read now, an answer that asks to wait */
    OUTBOUND_RETRY_MS = 2000,
    /* refused for a fault of ours (role, key): no file can pass, and none is to blame */
    OUTBOUND_HOLD_MS = 60000,
};

struct outbound {
    const struct config_outbound *config;
    relais_client *client;
    int signals; /* readable when the program is to stop */
    int folder;
    int sent;
    int failed;
    int watch;
    struct candidates candidates;
    uint32_t scan;
    int64_t scan_due_ms;
    int64_t hold_until_ms;
    char *buffer; /* one file; grows to the largest that was read */
    size_t buffer_bytes;
    bool unreadable; /* the folder: has been said */
    bool stuck;      /* a file cannot be read or put away: has been said */
    bool stopped;
};

/* Looks at one name of the folder; a new file becomes a candidate. (outbound.c) */
void outbound_see(struct outbound *outbound, const char *name);

/* True when `name` belongs to a file rather than being one. (outbound.c) */
bool outbound_is_sidecar(struct outbound *outbound, const char *name);

/* When a file that could not be dealt with now is looked at again. (outbound.c) */
int64_t outbound_later_ms(const struct outbound *outbound);

/* Sends one READY candidate. False: the window is full, the candidate stays READY. (shipment.c) */
bool shipment_send(struct outbound *outbound, struct candidate *candidate,
                   size_t payload_bytes_max);

/* Puts away a file that was accepted but could not be moved then. (shipment.c) */
void shipment_put_away(struct outbound *outbound, struct candidate *candidate);

#endif
