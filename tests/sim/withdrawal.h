/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages that are withdrawn: who may, and that what is told of it is so. Part of the oracle.
 */
#ifndef RELAIS_TESTS_SIM_WITHDRAWAL_H
#define RELAIS_TESTS_SIM_WITHDRAWAL_H

#include "oracle.h"

void oracle_cancel(struct oracle *oracle, const Relais__V1__Manage *manage);
void oracle_cancel_asked(struct oracle *oracle, const struct store_op *op, struct op_note *note);
void oracle_stored_cancel(struct oracle *oracle, const struct disk_result *result);
void oracle_told_cancel(const struct oracle *oracle, const Relais__V1__Done *done);

#endif
