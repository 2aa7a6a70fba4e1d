/* SPDX-License-Identifier: EUPL-1.2
 *
 * A key file that the user has named.
 */
#ifndef RELAIS_CLI_KEY_FILE_H
#define RELAIS_CLI_KEY_FILE_H

#include <relais/key.h>

/* Reads its public half. As relais_key_load_public(), and RELAIS_NOT_FOUND: a file that is not
 * there is the command line's fault, not the key's. */
relais_status key_file_read_public(const char *path, relais_key *out_key, relais_error *error);

#endif
