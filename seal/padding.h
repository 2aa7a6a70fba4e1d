/* SPDX-License-Identifier: EUPL-1.2
 *
 * How long a padded payload is. PADME (Nikitin and others, "Reducing Metadata Leakage from
 * Encrypted Files and Communication with PURBs", PETS 2019): a length keeps as many leading bits as
 * its exponent has, so that of a length up to L only O(log log L) bits show, for at most 12 % more;
 * powers of two would show as few and cost up to 100 %. Below PADDING_LEAST_BYTES everything looks
 * alike: the short answers of an administration, "granted" and "refused", differ by a few bytes.
 *
 * Pure; any thread.
 */
#ifndef RELAIS_SEAL_PADDING_H
#define RELAIS_SEAL_PADDING_H

#include <stdint.h>

enum { PADDING_LEAST_BYTES = 1024 };

/* `bytes` below 2^56. Never less than `bytes`. */
uint64_t padding_length(uint64_t bytes);

#endif
