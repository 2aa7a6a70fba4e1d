/* SPDX-License-Identifier: EUPL-1.2
 *
 * The side-car `<name>.json` that says where a file goes and what it is:
 *     {"to": ["commune-76540/etat-civil"], "flow": "ETATCIVIL", "id": "...", "subject": "...",
 *      "type": "...", "media_type": "...", "from": "...", "expires_at": "2026-12-31T23:59:59Z",
 *      "priority": "high", "extensions": {"name": "text", "number": 1, "flag": true}}
 * Every key may be absent; `to` may be one text. A key that is not listed is an error: a misspelled
 * recipient must not go unnoticed. Pure; any thread.
 */
#ifndef RELAIS_FILES_SIDECAR_H
#define RELAIS_FILES_SIDECAR_H

#include <relais/message.h>
#include <relais/status.h>

enum {
    SIDECAR_BYTES = 65536,
    /* the adapter adds filename and filetime */
    SIDECAR_EXTENSIONS = RELAIS_EXTENSIONS_MAX - 2,
};

/* Texts point into `document` and live as long. Texts may be NULL. */
struct sidecar {
    void *document;
    const char *to[RELAIS_RECIPIENTS_MAX];
    size_t to_count;
    const char *flow;
    const char *id;
    const char *subject;
    const char *type;
    const char *media_type;
    const char *from;
    bool has_priority;
    relais_priority priority;
    int64_t expires_at_ms;
    relais_extension extensions[SIDECAR_EXTENSIONS];
    size_t extension_count;
};

/* Reads `text`; free with sidecar_fini() on success. RELAIS_FIELD_INVALID: error.field is the key.
 */
relais_status sidecar_read(const char *text, size_t size, struct sidecar *out_sidecar,
                           relais_error *error);
void sidecar_fini(struct sidecar *sidecar);

/* True for a JSON object that is not empty and has only keys of a side-car: a file of which one
 * cannot tell by its name whether it is data or a side-car that waits for its file. */
bool sidecar_looks_like(const char *text, size_t size);

/* RFC 3339 ("2026-12-31T23:59:59Z", "...T23:59:59.5+01:00") to Unix milliseconds. */
bool sidecar_parse_time(const char *text, int64_t *out_ms);

#endif
