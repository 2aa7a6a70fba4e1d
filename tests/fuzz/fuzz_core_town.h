/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the fuzzer of the core draws from a byte: another directory, and what a store says about
 * deadlines.
 */
#ifndef RELAIS_TESTS_FUZZ_FUZZ_CORE_TOWN_H
#define RELAIS_TESTS_FUZZ_FUZZ_CORE_TOWN_H

#include "core/directory.h"
#include "shelf.h"

/* One that may lack something, or have a deadline. Takes the place of world_directory(). */
struct directory *fuzz_town(uint8_t shape);

/* What the store answers when it is asked which deadline is next: one step of the last one, or
 * none. */
void fuzz_town_due(struct shelf *shelf, uint8_t shape);

#endif
