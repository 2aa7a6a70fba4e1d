/* SPDX-License-Identifier: EUPL-1.2
 *
 * See trust_error.h.
 */
#include "client/trust_error.h"

#include "client/error.h"
#include "program/locale.h"

#include <stddef.h>

struct saying {
    relais_status status;
    const char *wrong;
    const char *right;
};

#define NOTE_RIGHT N_("a signed note of the directory: docs/directory.md")

static const struct saying notes[] = {
    [TRUST_OK] = {RELAIS_OK, NULL, NULL},
    [TRUST_NO_MEMORY] = {RELAIS_NO_MEMORY, NULL, NULL},
    [TRUST_NO_RANDOMNESS] = {RELAIS_SYSTEM, N_("the system gives no random bytes"), NULL},
    [TRUST_BAD_NAME] = {RELAIS_UNTRUSTED, N_("a key with a name that is no slug"), NOTE_RIGHT},
    [TRUST_BAD_KEY] = {RELAIS_UNTRUSTED, N_("a key that cannot be used here"), NOTE_RIGHT},
    [TRUST_BAD_NOTE] = {RELAIS_UNTRUSTED, N_("not a signed note"), NOTE_RIGHT},
    [TRUST_UNSIGNED] = {RELAIS_UNTRUSTED, N_("no signature of a key that is trusted here"),
                        N_("signed by the regulator (of mailbox keys: by the member, with a key of "
                           "its entry)")},
    [TRUST_FORGED] = {RELAIS_UNTRUSTED, N_("the signature is not of this text"),
                      N_("the note as it was signed; whoever gave it altered it")},
    [TRUST_OTHER_KIND] = {RELAIS_UNTRUSTED, N_("a note of another kind"), NOTE_RIGHT},
    [TRUST_BAD_LINE] = {RELAIS_UNTRUSTED,
                        N_("a line is missing, out of order or written otherwise"), NOTE_RIGHT},
    [TRUST_TOO_LONG] = {RELAIS_UNTRUSTED, N_("too long"), N_("at most 32 KiB")},
    [TRUST_NOT_YET] = {RELAIS_NOT_VALID_NOW, N_("not valid yet"),
                       N_("an entry that is valid now, and a clock that is right")},
    [TRUST_EXPIRED] = {RELAIS_NOT_VALID_NOW, N_("expired"),
                       N_("a newer entry from the regulator, and a clock that is right")},
    [TRUST_OLDER] = {RELAIS_ROLLED_BACK, N_("older than one that was seen before"),
                     N_("the newest one; whoever gave this one holds it back")},
    [TRUST_FORKED] = {RELAIS_ROLLED_BACK,
                      N_("another one with the same sequence number was seen before"),
                      N_("one text for each number; ask the regulator which is right")},
};

relais_status trust_error_note(relais_error *error, enum trust_status status, const char *field)
{
    const struct saying *saying = &notes[status];

    if (status == TRUST_OK) {
        return RELAIS_OK;
    }
    return error_fill(error, saying->status, field, saying->wrong != NULL ? _(saying->wrong) : NULL,
                      saying->right != NULL ? _(saying->right) : NULL);
}

relais_status trust_error_key(relais_error *error, enum trust_status status, const char *path)
{
    switch (status) {
    case TRUST_OK:
        return RELAIS_OK;
    case TRUST_NO_MEMORY:
        return error_fill(error, RELAIS_NO_MEMORY, path, NULL, NULL);
    case TRUST_NO_RANDOMNESS:
        return error_fill(error, RELAIS_SYSTEM, path, _("the system gives no random bytes"), NULL);
    default:
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, NULL,
                          _("a signing key as relais key new --signing writes it"));
    }
}
