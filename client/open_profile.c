/* SPDX-License-Identifier: EUPL-1.2
 *
 * A client from a profile file and the key file that it names. Any thread.
 */
#include <relais/client.h>
#include <relais/sealing.h>

#include <stdlib.h>

#include "client/client_state.h"
#include "client/error.h"

relais_status relais_client_open_profile(const char *path, relais_client **out_client,
                                         relais_error *error)
{
    relais_profile *profile = malloc(sizeof *profile); /* too large for the stack of a thread */
    relais_key key = {.public_key = ""};
    relais_status status = RELAIS_NO_MEMORY;
    if (profile == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    status = relais_profile_load(path, profile, error);
    if (status == RELAIS_OK) {
        status = relais_key_load(profile->key_path, &key, error);
    }
    if (status == RELAIS_OK) {
        relais_client_options options = {
            .endpoint = profile->endpoint, .broker_key = profile->broker_key, .key = &key};
        status = relais_client_open(&options, out_client, error);
    }
    if (status == RELAIS_OK) {
        error_copy_text((*out_client)->member, sizeof(*out_client)->member, profile->member);
        error_copy_text((*out_client)->name, sizeof(*out_client)->name, profile->client);
    }
    if (status == RELAIS_OK) {
        status = relais_client_seal_profile(*out_client, profile, error);
        if (status != RELAIS_OK) {
            relais_client_close(*out_client);
        }
    }
    relais_key_wipe(&key);
    free(profile);
    return status;
}
