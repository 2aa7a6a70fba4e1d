/* SPDX-License-Identifier: EUPL-1.2
 *
 * Codes of the State: communes and countries (INSEE, code officiel géographique), persons (NIR).
 */
#ifndef RELAIS_TYPED_IDENTIFIER_H
#define RELAIS_TYPED_IDENTIFIER_H

#include "typed/kind.h"

/*
 * A commune of today or of any year since 1943, or a country: checked by its form, since historic
 * codes are as right as those in force. Corsica is 2A and 2B, 20 before 1976; 91 to 96 stood for
 * Algeria, Morocco and Tunisia; 97 and 98 are overseas; 99 abroad.
 */
struct verdict identifier_check_commune(const char *text, size_t size);

/* 13 characters and the key of 2 digits (décret n° 82-103). 2A and 2B count as 19 and 18 for the
 * key. A specimen has zeros alone, or a key that does not fit. */
struct verdict identifier_check_nir(const char *text, size_t size, bool specimens);

/* Digits alone. */
bool identifier_is_digits(const char *text, size_t size);

#endif
