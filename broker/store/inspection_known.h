/* SPDX-License-Identifier: EUPL-1.2
 *
 * The inspection of what is remembered: each (sender, id) has its age, and the other way round.
 * Part of inspection.c, whose functions these are like.
 */
#ifndef RELAIS_STORE_INSPECTION_KNOWN_H
#define RELAIS_STORE_INSPECTION_KNOWN_H

#include "store/inspection.h"

bool inspect_duplicate(struct inspection *inspection, struct bytes key, struct bytes record,
                       struct store_finding *finding);
bool inspect_duplicate_age(struct inspection *inspection, struct bytes key, struct bytes record,
                           struct store_finding *finding);
bool inspect_name_expiry(struct bytes key, struct store_finding *finding);
bool inspect_expiry(struct inspection *inspection, struct bytes key, struct bytes record,
                    struct store_finding *finding);

/* Of `deadline`. */
bool inspect_name_deadline(struct bytes key, struct store_finding *finding);
bool inspect_deadline(struct inspection *inspection, struct bytes key, struct bytes record,
                      struct store_finding *finding);

#endif
