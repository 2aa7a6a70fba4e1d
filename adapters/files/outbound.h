/* SPDX-License-Identifier: EUPL-1.2
 *
 * The outbound folder: finds files that are complete, sends each, and puts it away when the broker
 * has answered. Thread: that of the program.
 */
#ifndef RELAIS_FILES_OUTBOUND_H
#define RELAIS_FILES_OUTBOUND_H

#include "adapters/files/config.h"

#include <relais/client.h>

struct outbound;

/* Opens the folders. `error` says what is wrong and what to do. Borrows config and client. */
relais_status outbound_open(const struct config_outbound *config, relais_client *client,
                            struct outbound **out_outbound, relais_error *error);

/* A large file is left where it is when this is readable. */
void outbound_heed(struct outbound *outbound, int signals);

/* Close the client first: it tells the outcome of what is still on its way. */
void outbound_close(struct outbound *outbound);

/* The descriptor whose readiness makes a step worth while, or -1. */
int outbound_descriptor(const struct outbound *outbound);

/* Does what is due now: hints, scan, submits. Returns in how many milliseconds it wants to be
 * called again at the latest. */
int64_t outbound_step(struct outbound *outbound, int64_t now_ms);

/* Nothing new is sent from now on. */
void outbound_stop(struct outbound *outbound);

/* Submitted and without an outcome. */
size_t outbound_unanswered(const struct outbound *outbound);

#endif
