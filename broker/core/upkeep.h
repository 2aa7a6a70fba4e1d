/* SPDX-License-Identifier: EUPL-1.2
 *
 * Upkeep of the store while it is in use: backups and checks that an operator asks for, and the
 * slow check that goes on all the time. docs/protocol.md, "Backup and check".
 *
 * Each is a job with a number: one command begins it, the same command with the number asks how it
 * stands, on any connection. Beginning what is running gives the job that runs, so that a command
 * may be said again on a new connection.
 *
 * Invariants: 1. the role operate, and nobody else; 2. at most one backup and one check at a time,
 * and one step of a check with the store; 3. a step reads so little that what waits behind it waits
 * for milliseconds; 4. a finding is told with table, address and sequence, never with content.
 * One thread.
 */
#ifndef RELAIS_CORE_UPKEEP_H
#define RELAIS_CORE_UPKEEP_H

#include "core/state.h"
#include "relais/v1/command.pb-c.h"

/* manage->what is backup or check. */
void upkeep_manage(struct step *step, struct session *session,
                   const struct directory_client *client, const Relais__V1__Manage *manage);

/* The store has answered one of these. */
void upkeep_stored(struct step *step, const struct ticket *ticket,
                   const struct store_result *result);

/* What is due now; and when something is, mono: 0 when nothing is. */
void upkeep_time(struct step *step);
int64_t upkeep_first_ms(const struct core *core);

/* With the first event. */
void upkeep_start(struct step *step);

#endif
