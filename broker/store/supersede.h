/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that takes the place of an earlier one, as every engine sees it. Pure.
 */
#ifndef RELAIS_STORE_SUPERSEDE_H
#define RELAIS_STORE_SUPERSEDE_H

#include "core/stored.h"

/* A recipient of the earlier message. */
struct store_past {
    struct entry_key place; /* where its copy waits, if it does */
    bool waits;
    bool added; /* the later message does not name it */
};

/* Exchanges the op's recipients for a list to be freed, which it gives: its own, then those of the
 * past that it does not name. NULL without memory, and nothing is exchanged. */
struct store_recipient *supersede_widen(struct store_op *op, struct store_past *past,
                                        uint32_t count);

#endif
