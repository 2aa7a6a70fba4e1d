/* SPDX-License-Identifier: EUPL-1.2
 *
 * Makes allocations fail: linked with --wrap=malloc, calloc, realloc. Not armed, it only passes on.
 */
#ifndef RELAIS_TESTS_CORE_ALLOCATION_H
#define RELAIS_TESTS_CORE_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>

void allocation_arm(bool armed);

/* The n-th armed allocation from now on fails (from 0), and when `all` every later one too. */
void allocation_fail(size_t n, bool all);

/* Has one failed since? */
bool allocation_has_failed(void);

#endif
