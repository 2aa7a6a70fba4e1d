/* SPDX-License-Identifier: EUPL-1.2
 *
 * Follows a job of the broker's upkeep to its end, and shows what it came to.
 */
#ifndef RELAIS_CLI_UPKEEP_H
#define RELAIS_CLI_UPKEEP_H

#include "cli/command.h"
#include "cli/output.h"

#include <relais/operate.h>

/* Begins (job 0) or asks how it stands. `name` may be NULL. */
typedef relais_status upkeep_fn(relais_client *client, const char *name, uint32_t job,
                                int timeout_ms, relais_upkeep *out_upkeep, relais_error *error);

/* Begins and asks until it has ended. CODE_DONE: *out_upkeep says what it came to; otherwise the
 * failure has been told. */
enum exit_code upkeep_follow(struct invocation *invocation, upkeep_fn *ask, const char *name,
                             relais_upkeep *out_upkeep);

/* The findings as lines for people, or as an array of objects. */
void upkeep_print_findings(const relais_upkeep *upkeep);
json_t *upkeep_findings_json(const relais_upkeep *upkeep);

#endif
