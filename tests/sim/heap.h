/* SPDX-License-Identifier: EUPL-1.2
 *
 * How many bytes the core has allocated: malloc and its like are wrapped by the linker, and each
 * block remembers whether it was asked for inside the core.
 */
#ifndef RELAIS_TESTS_SIM_HEAP_H
#define RELAIS_TESTS_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* What is allocated from now on is the core's, or is not. */
void heap_inside(bool is_core);

/* A block that the core has handed over: it is not the core's any more. NULL is fine. */
void heap_hand_over(void *data);

size_t heap_core_bytes(void);

#endif
