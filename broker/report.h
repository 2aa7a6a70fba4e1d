/* SPDX-License-Identifier: EUPL-1.2
 *
 * Problems of start and reload as lines of the log or, for --check, as lines for people.
 */
#ifndef RELAIS_BROKER_REPORT_H
#define RELAIS_BROKER_REPORT_H

#include "store/store.h"

#include <relais/status.h>

/* event=config.invalid, with where, what was found and what would do. `context` is not used: the
 * shape is that of a directory_listener. */
void report_log(void *context, const relais_error *error);

/* One line on stderr in the language of the locale; counts it in the size_t behind `context`. */
void report_print(void *context, const relais_error *error);

void report_store_problem(const char *event, const struct store_problem *problem);

/* What would put it right, for people; "" when nothing is wrong. */
const char *report_store_remedy(enum store_problem_kind kind);

/* The exit code of a process that this ends. */
int report_store_code(enum store_problem_kind kind);

/* "locked", "damaged", ... : stable, for the log. */
const char *report_store_kind(enum store_problem_kind kind);

#endif
