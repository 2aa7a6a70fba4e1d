/* SPDX-License-Identifier: EUPL-1.2
 *
 * Small rules that members and flows share.
 */
#include "client/directory_state.h"

#include "program/error.h"
#include "program/locale.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_names[DIRECTORY_KINDS] = {
    [RELAIS_KIND_COMMUNE] = "commune",
    [RELAIS_KIND_EPCI] = "epci",
    [RELAIS_KIND_DEPARTEMENT] = "departement",
    [RELAIS_KIND_REGION] = "region",
    [RELAIS_KIND_STATE] = "state",
    [RELAIS_KIND_OPERATOR] = "operator",
};

const char *relais_member_kind_name(relais_member_kind kind)
{
    return (unsigned)kind < DIRECTORY_KINDS ? kind_names[kind] : "";
}

bool relais_member_kind_parse(const char *name, relais_member_kind *out_kind)
{
    for (unsigned i = 0; name != NULL && i < DIRECTORY_KINDS; i++) {
        if (strcmp(name, kind_names[i]) == 0) {
            *out_kind = (relais_member_kind)i;
            return true;
        }
    }
    return false;
}

relais_status directory_blame(relais_error *error, const char *list, size_t index, const char *part,
                              const char *right, const char *wrong)
{
    relais_status status =
        error_set(error, RELAIS_FIELD_INVALID, NULL, right, "%s", wrong == NULL ? "" : wrong);

    error_set_field(error, "%s[%zu]%s", list, index, part);
    return status;
}

relais_status directory_require(const char *text, const char *field, relais_error *error)
{
    char right[64];

    (void)snprintf(right, sizeof right, _("text of %u to %u bytes"), 1, (int)DIRECTORY_TEXT_BYTES);
    if (text == NULL || text[0] == '\0') {
        return error_set(error, RELAIS_FIELD_MISSING, field, right, "%s", _("missing"));
    }
    if (strlen(text) > DIRECTORY_TEXT_BYTES) {
        return error_set(error, RELAIS_FIELD_INVALID, field, right, _("%zu bytes"), strlen(text));
    }
    return RELAIS_OK;
}
