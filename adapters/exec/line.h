/* SPDX-License-Identifier: EUPL-1.2
 *
 * One message as a command or a spooled file says it: a JSON object of the keys of
 * docs/adapters/exec.md. A key that is not listed is an error: a misspelled recipient must not go
 * unnoticed. Pure; any thread.
 */
#ifndef RELAIS_EXEC_LINE_H
#define RELAIS_EXEC_LINE_H

#include "adapters/exec/settings.h"

#include <stdbool.h>

enum {
    LINE_PAYLOAD_BYTES = 16 * 1024 * 1024, /* what an outbox takes */
    /* The same as base64, and the rest of the object. */
    LINE_BYTES = LINE_PAYLOAD_BYTES / 3 * 4 + 1024 * 1024,
};

/* Texts point into `document`, `defaults` or `decoded`, and live as long. */
struct line {
    void *document;
    unsigned char *decoded; /* of base64 */
    relais_message message;
    const char *to[RELAIS_RECIPIENTS_MAX];
    relais_extension extensions[RELAIS_EXTENSIONS_MAX];
    const char *file; /* that holds the payload; NULL: it is in the message */
};

/* Reads one object; free with line_fini() on success. RELAIS_FIELD_INVALID: error->field is the
 * key; RELAIS_NO_MEMORY. */
relais_status line_read(const char *text, size_t size, const struct settings_defaults *defaults,
                        int64_t now_ms, struct line *out_line, relais_error *error);
void line_fini(struct line *line);

#endif
