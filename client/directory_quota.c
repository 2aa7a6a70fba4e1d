/* SPDX-License-Identifier: EUPL-1.2
 *
 * The quotas of a member's file: how they are read and written, and how high they may be.
 */
#include "client/directory_quota.h"

#include "client/directory_state.h"
#include "program/error.h"
#include "program/locale.h"

#include <stdio.h>
#include <stdlib.h>

/* The broker's own bounds: docs/operations.md, the keys below `quota`. */
static const uint64_t MESSAGES_MOST = UINT64_C(1000000000);
static const uint64_t BYTES_MOST = UINT64_C(1) << 50;
static const uint64_t RATE_MOST = UINT64_C(1000000);
static const uint64_t CONNECTIONS_MOST = UINT64_C(100000);

#define NUMBER(name)                                                                               \
    CYAML_FIELD_UINT_PTR(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, relais_quota, name)

const cyaml_schema_field_t directory_quota_fields[] = {NUMBER(messages),    NUMBER(bytes),
                                                       NUMBER(rate),        NUMBER(burst),
                                                       NUMBER(connections), CYAML_FIELD_END};

void directory_quota_free(relais_quota *quota)
{
    if (quota != NULL) {
        free(quota->messages);
        free(quota->bytes);
        free(quota->rate);
        free(quota->burst);
        free(quota->connections);
        free(quota);
    }
}

static relais_status check(const uint64_t *number, const char *field, uint64_t most,
                           relais_error *error)
{
    char right[64];

    if (number == NULL || *number <= most) {
        return RELAIS_OK;
    }
    (void)snprintf(right, sizeof right, _("a whole number, %llu to %llu"), 0ULL,
                   (unsigned long long)most);
    return error_set(error, RELAIS_FIELD_INVALID, field, right, "%llu",
                     (unsigned long long)*number);
}

relais_status directory_quota_check(const relais_quota *quota, relais_error *error)
{
    relais_status status = RELAIS_OK;

    if (quota == NULL) {
        return RELAIS_OK;
    }
    const struct {
        const uint64_t *number;
        const char *field;
        uint64_t most;
    } rules[] = {
        {quota->messages, "quota.messages", MESSAGES_MOST},
        {quota->bytes, "quota.bytes", BYTES_MOST},
        {quota->rate, "quota.rate", RATE_MOST},
        {quota->burst, "quota.burst", MESSAGES_MOST},
        {quota->connections, "quota.connections", CONNECTIONS_MOST},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && status == RELAIS_OK; i++) {
        status = check(rules[i].number, rules[i].field, rules[i].most, error);
    }
    return status;
}
