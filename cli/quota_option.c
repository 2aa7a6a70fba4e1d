/* SPDX-License-Identifier: EUPL-1.2
 *
 * See quota_option.h.
 */
#include "cli/quota_option.h"

#include <stdlib.h>
#include <string.h>

static bool read_one(const char *text, struct quota_option *option)
{
    const struct {
        const char *name;
        uint64_t **place;
    } quotas[] = {
        {"messages", &option->quota.messages},
        {"bytes", &option->quota.bytes},
        {"rate", &option->quota.rate},
        {"burst", &option->quota.burst},
        {"connections", &option->quota.connections},
    };
    const char *equals = strchr(text, '=');
    size_t size = equals ? (size_t)(equals - text) : 0;
    for (size_t i = 0; size > 0 && i < sizeof(quotas) / sizeof(quotas[0]); i++) {
        if (strlen(quotas[i].name) == size && strncmp(quotas[i].name, text, size) == 0) {
            *quotas[i].place = &option->numbers[i];
            return options_parse_number(equals + 1, 0, INT64_MAX, &option->numbers[i]);
        }
    }
    return false;
}

bool quota_option_read(const struct options *options, struct quota_option *out_quota,
                       const char **out_wrong)
{
    size_t count = 0;
    const char **values = options_values(options, "quota", &count);
    bool fine = true;
    *out_quota = (struct quota_option){0};
    for (size_t i = 0; i < count && fine; i++) {
        fine = read_one(values[i], out_quota);
        *out_wrong = fine ? *out_wrong : values[i];
    }
    free(values);
    return fine;
}
