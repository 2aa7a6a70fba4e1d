/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the core has taken and nobody holds yet: by a take, or by the append that stores it. Part of
 * the oracle: the core takes no more than it may, keeps nothing that can be given, nor for long.
 */
#ifndef RELAIS_TESTS_SIM_AHEAD_H
#define RELAIS_TESTS_SIM_AHEAD_H

#include "oracle.h"

/* An entry is the core's now; it is its consumer's, or the store's again. */
void oracle_takes(struct oracle *oracle, struct life *life, unsigned place);
void oracle_taken_ends(struct oracle *oracle, const struct life *life, unsigned place);

/* An append goes to the store, and is answered: whether it takes its entry. */
void oracle_claims(struct oracle *oracle, const struct store_op *op, struct op_note *note);
void oracle_claimed(struct oracle *oracle, const struct disk_result *result);

/* How many more may be taken of a mailbox. */
uint64_t oracle_room(const struct oracle *oracle, unsigned place);

/* A turn is over. */
void oracle_turn_ahead(const struct oracle *oracle, unsigned place, bool can_take);

#endif
