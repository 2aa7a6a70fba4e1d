/* SPDX-License-Identifier: EUPL-1.2
 *
 * The one list of statuses as names and sentences, and the version that goes with it.
 */
#include "program/locale.h"

#include <relais/status.h>
#include <relais/version.h>
#include <stddef.h>

struct status_row {
    relais_status status;
    bool transient;
    const char *name;
    const char *text;
};

static const struct status_row rows[] = {
#define STATUS_ROW(name, number, retry, text) {RELAIS_##name, retry, "RELAIS_" #name, N_(text)},
    RELAIS_STATUS_LIST(STATUS_ROW)
#undef STATUS_ROW
};

static const struct status_row *find(relais_status status)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *relais_status_name(relais_status status)
{
    const struct status_row *row = find(status);
    return row != NULL ? row->name : "RELAIS_UNKNOWN";
}

const char *relais_status_text(relais_status status)
{
    const struct status_row *row = find(status);
    return row != NULL ? _(row->text) : _("a status that this version does not know");
}

bool relais_status_is_transient(relais_status status)
{
    const struct status_row *row = find(status);
    return row != NULL && row->transient;
}

const char *relais_version(void)
{
    return RELAIS_VERSION;
}
