/* SPDX-License-Identifier: EUPL-1.2
 *
 * Reading a key file that the user has named.
 */
#include "cli/key_file.h"

#include "cli/talk.h"

#include <errno.h>
#include <unistd.h>

relais_status key_file_read_public(const char *path, relais_key *out_key, relais_error *error)
{
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return talk_fill_errno(error, ENOENT, path);
    }
    return relais_key_load_public(path, out_key, error);
}
