/* SPDX-License-Identifier: EUPL-1.2
 *
 * The number that stands for an ordering key on disk (stored.h). Pure; any thread.
 */
#ifndef RELAIS_CORE_ORDER_H
#define RELAIS_CORE_ORDER_H

#include <stdint.h>

/* Of the member that sends and its key; 0: no key. On disk for good: it may never change. */
uint64_t order_of(const char *member, const char *key);

#endif
