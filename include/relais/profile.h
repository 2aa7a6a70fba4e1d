/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file profile.h
 * Where the broker is and who we are to it: the one small YAML file that a client needs.
 *
 *     broker: tcp://bus.example.fr:5770
 *     broker_key: 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7'
 *     key: client.key            # secret key, relative to this file
 *     member: commune-76540      # for people; the broker goes by the key
 *     client: files
 *
 * and, for sealed messages, what relais/sealing.h says.
 */
#ifndef RELAIS_PROFILE_H
#define RELAIS_PROFILE_H

#include <relais/key.h>
#include <relais/status.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RELAIS_PROFILE_FLOWS = 32 };

typedef struct relais_profile {
    char endpoint[256];
    char broker_key[RELAIS_KEY_CHARACTERS + 1];
    char key_path[4096]; /**< absolute after load */
    char member[64];
    char client[64];
    /* Of relais/sealing.h; "" where nothing is said. Paths are absolute after load. Since 1.2. */
    char regulator_path[4096];
    char memory_path[4096];
    char identity_path[4096];
    char mailbox_keys_path[4096];
    char sealed_flows[RELAIS_PROFILE_FLOWS][65]; /**< none: every flow */
    size_t sealed_flow_count;
} relais_profile;

/**
 * Reads a profile. RELAIS_CONFIG_INVALID: error.field is "file:line" or "file: key", wrong and
 * right say what was found and what would do. RELAIS_NOT_FOUND: no such file. Any thread.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_profile_load(const char *path,
                                                               relais_profile *out_profile,
                                                               relais_error *error);

/** Writes a profile (mode 0644, atomically, over an existing one). key_path is written as given. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_profile_save(const relais_profile *profile,
                                                               const char *path,
                                                               relais_error *error);

#ifdef __cplusplus
}
#endif
#endif
