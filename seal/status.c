/* SPDX-License-Identifier: EUPL-1.2
 *
 * Names and texts of status.h. Pure; any thread.
 */
#include "seal/status.h"

#include <stddef.h>

static const struct {
    const char *name;
    const char *text;
} TABLE[] = {
#define SEAL_STATUS_ROW(name, text) {"SEAL_" #name, text},
    SEAL_STATUS_LIST(SEAL_STATUS_ROW)
#undef SEAL_STATUS_ROW
};

const char *seal_status_text(enum seal_status status)
{
    return (size_t)status < sizeof TABLE / sizeof *TABLE ? TABLE[status].text : "unknown";
}

const char *seal_status_name(enum seal_status status)
{
    return (size_t)status < sizeof TABLE / sizeof *TABLE ? TABLE[status].name : "SEAL_UNKNOWN";
}
