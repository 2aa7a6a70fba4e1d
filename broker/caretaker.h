/* SPDX-License-Identifier: EUPL-1.2
 *
 * What relaisd does with a store while no broker runs on it, for people: --check-store,
 * --compact-store, --restore. Findings and what was done go to stdout, problems to stderr; each
 * returns an exit code of process.h, EXIT_FINDINGS when something is damaged.
 */
#ifndef RELAIS_BROKER_CARETAKER_H
#define RELAIS_BROKER_CARETAKER_H

#include <stdbool.h>

int caretaker_check(const char *config_path);
int caretaker_compact(const char *config_path);

/* `force`: a store that is there is put aside, a damaged backup is restored all the same. */
int caretaker_restore(const char *config_path, const char *file, bool force);

#endif
