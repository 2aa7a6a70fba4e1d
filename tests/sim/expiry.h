/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the oracle knows of messages that nobody takes in time.
 */
#ifndef RELAIS_TESTS_SIM_EXPIRY_H
#define RELAIS_TESTS_SIM_EXPIRY_H

#include "oracle.h"

void oracle_expire_asked(struct oracle *oracle, const struct store_op *op);
void oracle_stored_expiry(struct oracle *oracle, const struct disk_result *result);

/* A broker has been up for long, with a disk that works: nothing has expired long ago that nobody
 * has taken. */
void oracle_check_late(const struct oracle *oracle, int64_t wall_ms);

#endif
