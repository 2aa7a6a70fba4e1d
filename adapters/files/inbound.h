/* SPDX-License-Identifier: EUPL-1.2
 *
 * The inbound side: takes deliveries out of mailboxes, has inbox.h make files of them, answers.
 * Thread: that of the program.
 */
#ifndef RELAIS_FILES_INBOUND_H
#define RELAIS_FILES_INBOUND_H

#include "adapters/files/config.h"

#include <relais/client.h>

struct inbound;

/* Opens the folders and makes good what a crash left. Borrows config and client. */
relais_status inbound_open(const struct config_inbound *config, relais_client *client,
                           struct inbound **out_inbound, relais_error *error);

/* Before the client is closed. */
void inbound_close(struct inbound *inbound);

/* Takes what has been delivered. *out_wait_ms: call again in so many milliseconds at the latest.
 * Not RELAIS_OK: the state of a disk is not known, the program must end. */
/* A large payload is left where it is when this is readable. */
void inbound_heed(struct inbound *inbound, int signals);

relais_status inbound_step(struct inbound *inbound, int64_t now_ms, int64_t *out_wait_ms,
                           relais_error *error);

/* Takes no more deliveries. */
void inbound_stop(struct inbound *inbound);

/* Answers that are not yet on the broker's disk. */
size_t inbound_unsettled(const struct inbound *inbound);

#endif
