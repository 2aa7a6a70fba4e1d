/* SPDX-License-Identifier: EUPL-1.2
 *
 * Whose turn it is among the lanes of a mailbox: HIGH before NORMAL before LOW, but every 8th pick
 * looks into a lower lane first, NORMAL and LOW in turn, so that a lane which never empties cannot
 * starve those below it. Same rule in every engine. Pure.
 */
#ifndef RELAIS_STORE_TURN_H
#define RELAIS_STORE_TURN_H

#include "core/stored.h"

enum { TURN_LOWER_EVERY = 8 };

/* The lanes in the order in which pick number `pick` (from 0) looks into them. */
const enum lane *turn_order(uint32_t pick);

#endif
