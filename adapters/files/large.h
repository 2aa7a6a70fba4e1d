/* SPDX-License-Identifier: EUPL-1.2
 *
 * Payloads that do not travel whole: sent from a file and fetched into one, chunk by chunk, while
 * everything else of the client goes on. Both come back early when the program is to stop; what is
 * on the other side's disk by then is not sent again.
 */
#ifndef RELAIS_FILES_LARGE_H
#define RELAIS_FILES_LARGE_H

#include "adapters/files/folder.h"

#include <relais/payload.h>

/* Sends the open file; a change of it ends the try with RELAIS_SYSTEM. As relais_send_payload(). */
relais_status large_send(relais_client *client, int signals, int fd, const struct file_mark *mark,
                         const relais_message *message, relais_error *error);

/* Fetches into an open file, going on with what is there. As relais_fetch_payload(). */
relais_status large_fetch(relais_delivery *delivery, int signals, int fd, relais_error *error);

#endif
