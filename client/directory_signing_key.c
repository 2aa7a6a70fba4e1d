/* SPDX-License-Identifier: EUPL-1.2
 *
 * The signing keys in a member's file: what the regulator will sign of it.
 */
#include "client/directory_state.h"

#include "program/locale.h"

#include <relais/identity.h>
#include <string.h>

relais_status directory_check_signing_keys(const relais_member *member, relais_error *error)
{
    if (member->signing_key_count > DIRECTORY_SIGNING_KEYS) {
        return directory_blame(error, "signing_keys", DIRECTORY_SIGNING_KEYS, "",
                               _("at most 4 keys"), NULL);
    }
    for (size_t i = 0; i < member->signing_key_count; i++) {
        if (!relais_identity_is_public(member->signing_keys[i], member->slug)) {
            return directory_blame(error, "signing_keys", i, "",
                                   _("the line of the .pub file that relais key new --signing made "
                                     "for this member"),
                                   member->signing_keys[i]);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(member->signing_keys[i], member->signing_keys[k]) == 0) {
                return directory_blame(error, "signing_keys", i, "", _("each key once"),
                                       member->signing_keys[i]);
            }
        }
    }
    return RELAIS_OK;
}
