/* SPDX-License-Identifier: EUPL-1.2
 *
 * Attempts that failed, as the oracle sees them: what is kept of each is true, and the history of a
 * dead letter is whole.
 */
#ifndef RELAIS_TESTS_SIM_HISTORY_H
#define RELAIS_TESTS_SIM_HISTORY_H

#include "oracle.h"

/* An entry goes back or is buried: with the attempt when one was made, else without. */
void oracle_history_kept(const struct oracle *oracle, const struct store_op *op,
                         const struct life *life);

/* A dead letter is told: `read` alone, with its history. */
void oracle_history_told(const struct oracle *oracle, const Relais__V1__DeadLetter *letter,
                         const struct life *life, bool read);

#endif
