/* SPDX-License-Identifier: EUPL-1.2
 *
 * The text of "<name>.error.json": status, code, field, wrong, right, time, and a sentence in
 * French and in English, whatever the locale: who finds the file is not who started the adapter.
 * Pure; thread: that of the program (it changes the thread's locale for the time of the call).
 */
#ifndef RELAIS_FILES_REASON_H
#define RELAIS_FILES_REASON_H

#include <relais/status.h>
#include <stdint.h>

/* NULL: out of memory. Freed with free(). */
char *reason_text(const relais_error *error, int64_t now_ms);

/* The status in a French sentence. Static. */
const char *reason_in_french(relais_status status);

#endif
