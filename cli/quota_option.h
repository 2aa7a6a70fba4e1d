/* SPDX-License-Identifier: EUPL-1.2
 *
 * --quota NAME=NUMBER, as often as there are quotas.
 */
#ifndef RELAIS_CLI_QUOTA_OPTION_H
#define RELAIS_CLI_QUOTA_OPTION_H

#include "cli/options.h"

#include <relais/directory.h>

/* The numbers live as long as this does. */
struct quota_option {
    uint64_t numbers[5];
    relais_quota quota;
};

/* False: *out_wrong is the value that will not do. How high a quota may be is not judged here. */
bool quota_option_read(const struct options *options, struct quota_option *out_quota,
                       const char **out_wrong);

#endif
