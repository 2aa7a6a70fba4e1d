/* SPDX-License-Identifier: EUPL-1.2
 *
 * What became of messages: who may ask, and that what is said is what the disk has. Part of the
 * oracle.
 */
#ifndef RELAIS_TESTS_SIM_TRACKING_H
#define RELAIS_TESTS_SIM_TRACKING_H

#include "oracle.h"

void oracle_track_query(struct oracle *oracle, const Relais__V1__Query *query);
void oracle_track_asked(struct oracle *oracle, const struct store_op *op, struct op_note *note);
void oracle_stored_track(struct oracle *oracle, const struct disk_result *result);
void oracle_told_track(const struct oracle *oracle, const Relais__V1__Track *track);

#endif
