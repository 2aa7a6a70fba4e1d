/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages that supersede earlier ones, as the oracle sees them: what the store is told, what it
 * may and must have taken away, who must have the later one.
 */
#ifndef RELAIS_TESTS_SIM_SUCCESSION_H
#define RELAIS_TESTS_SIM_SUCCESSION_H

#include "oracle.h"

/* Whether the rules let it in, but for its store: that it names a recipient does not matter. */
bool oracle_succession_may(const struct oracle *oracle, const struct message *message);

/* It goes to the store: which copies of the earlier one are free now. */
void oracle_succession_append(const struct oracle *oracle, const struct message *message,
                              const struct store_op *op);
void oracle_succession_note(const struct oracle *oracle, const struct message *message,
                            struct op_note *note);

/* It is on disk. */
void oracle_succession_stored(struct oracle *oracle, const struct disk_result *result);
void oracle_succession_accepted(const struct oracle *oracle, struct message *message);

/* A new broker begins: who took the place of a copy that is gone. */
void oracle_succession_restart(const struct oracle *oracle, const struct message *message,
                               uint32_t place_index);

#endif
