/* SPDX-License-Identifier: EUPL-1.2
 *
 * A received message as a file.
 *
 *   1. The name comes from the wire: it cannot leave the folder, hide, or hold control characters.
 *   2. No file is ever overwritten: "name-2.xml" and so on.
 *   3. When received_file_save() has returned RELAIS_OK the file is whole and on disk.
 */
#ifndef RELAIS_CLI_RECEIVED_FILE_H
#define RELAIS_CLI_RECEIVED_FILE_H

#include <relais/message.h>
#include <stddef.h>

enum { RECEIVED_NAME_BYTES = 201 };

/* Can this folder take files? RELAIS_NOT_FOUND, RELAIS_SYSTEM. */
relais_status received_folder_check(const char *folder, relais_error *error);

/* The name for a message: its `filename` made harmless, or its id. */
void received_file_name(const relais_message *message, char out_name[RECEIVED_NAME_BYTES]);

/* Writes the payload into the folder; out_path is where. */
relais_status received_file_save(const relais_message *message, const char *folder, char *out_path,
                                 size_t path_size, relais_error *error);

/* Gives a whole file of that folder, which is on disk, the message's name instead of `partial`. */
relais_status received_file_keep(const relais_message *message, const char *folder,
                                 const char *partial, char *out_path, size_t path_size,
                                 relais_error *error);

#endif
