/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the room trust says, as the API's errors. Any thread.
 */
#ifndef RELAIS_CLIENT_TRUST_ERROR_H
#define RELAIS_CLIENT_TRUST_ERROR_H

#include "trust/status.h"

#include <relais/status.h>

/* Of a note: an entry, or a sheet of mailbox keys. Returns the status; TRUST_OK leaves *error. */
relais_status trust_error_note(relais_error *error, enum trust_status status, const char *field);

/* Of a key's file. */
relais_status trust_error_key(relais_error *error, enum trust_status status, const char *path);

#endif
