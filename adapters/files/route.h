/* SPDX-License-Identifier: EUPL-1.2
 *
 * Where a file goes and under what name it travels: its side-car first, then the first rule whose
 * pattern fits, then what the configuration says for all; and its id.
 *
 * The id is BLAKE2b-160 of: the file's name, mtime, size, flow, recipients in their order, and
 * content; 40 hexadecimal digits. So a file that is submitted again after a crash is the same
 * message (the broker stores it once), and the same file dropped again on purpose is, by its new
 * mtime, another. A side-car's `id` comes before it. Pure; any thread.
 */
#ifndef RELAIS_FILES_ROUTE_H
#define RELAIS_FILES_ROUTE_H

#include "adapters/files/config.h"
#include "adapters/files/sidecar.h"

enum { ROUTE_ID_CHARACTERS = 40 };

struct route {
    const char *const *to;
    size_t to_count;
    const char *flow;
    const char *from;       /* may be NULL */
    const char *media_type; /* never NULL */
    const char *type;       /* never NULL */
    relais_priority priority;
};

/* `sidecar` may be NULL. RELAIS_FIELD_MISSING: neither side-car nor rule says it. Borrows. */
relais_status route_find(const struct config_outbound *config, const char *name,
                         const struct sidecar *sidecar, struct route *out_route,
                         relais_error *error);

void route_make_id(const struct route *route, const char *name, int64_t mtime_ns,
                   relais_bytes payload, char out_id[ROUTE_ID_CHARACTERS + 1]);

/* By the name's ending; "application/octet-stream" when it says nothing. Static. */
const char *route_media_type(const char *name);

#endif
