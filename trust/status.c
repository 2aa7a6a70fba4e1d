/* SPDX-License-Identifier: EUPL-1.2
 *
 * The list of statuses as names and texts.
 */
#include "trust/status.h"

#include <stddef.h>

static const struct {
    const char *name;
    const char *text;
} rows[] = {
#define STATUS_ROW(name, text) {"TRUST_" #name, text},
    TRUST_STATUS_LIST(STATUS_ROW)
#undef STATUS_ROW
};

const char *trust_status_text(enum trust_status status)
{
    return (size_t)status < sizeof rows / sizeof rows[0] ? rows[status].text : "";
}

const char *trust_status_name(enum trust_status status)
{
    return (size_t)status < sizeof rows / sizeof rows[0] ? rows[status].name : "";
}
