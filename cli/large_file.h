/* SPDX-License-Identifier: EUPL-1.2
 *
 * Files whose payload does not travel whole: sent and received in chunks, in constant memory.
 *
 *   1. A file that is being received has a hidden name of its own, which the message's id gives:
 * the next try goes on with it.
 *   2. It gets its own name once its digest is right and it is on disk.
 */
#ifndef RELAIS_CLI_LARGE_FILE_H
#define RELAIS_CLI_LARGE_FILE_H

#include <relais/payload.h>

/* Whose work it is, and who is told of it. */
struct large_file {
    relais_client *client;
    int timeout_ms; /* of silence */
    relais_payload_progress_fn progress;
    void *context;
};

/* Sends the file `path` of that size; the message's payload is empty. As relais_send_payload(). */
relais_status large_file_send(const struct large_file *large, const char *path, uint64_t size,
                              const relais_message *message, relais_error *error);

/* Fetches the payload into a file of the folder; out_path is where. As relais_fetch_payload(), and
 * RELAIS_SYSTEM. */
relais_status large_file_save(const struct large_file *large, relais_delivery *delivery,
                              const char *folder, char *out_path, size_t path_size,
                              relais_error *error);

/* Fetches it into a file without a name, and writes it to stdout once it is whole. */
relais_status large_file_print(const struct large_file *large, relais_delivery *delivery,
                               relais_error *error);

/* What comes on stdin, as a file without a name: how long it is must be known before it is sent.
 * The descriptor in *out_fd is to be closed. RELAIS_TOO_LARGE: more than `max` bytes. */
relais_status large_file_spool(uint64_t max, int *out_fd, uint64_t *out_size, relais_error *error);

#endif
