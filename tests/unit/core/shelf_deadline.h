/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the shelf does about deadlines: what a test has laid out. For shelf.c.
 */
#ifndef RELAIS_TESTS_CORE_SHELF_DEADLINE_H
#define RELAIS_TESTS_CORE_SHELF_DEADLINE_H

#include "shelf.h"

/* What a step says is kept for the test; nobody is given it. */
void shelf_pass(struct shelf *shelf, const struct shelf_op *op, struct store_result *result);

void shelf_due(const struct shelf *shelf, struct store_result *result);

#endif
