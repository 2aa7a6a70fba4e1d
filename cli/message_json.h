/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages and errors as JSON. Names are those of CloudEvents where it has one. NULL: out of
 * memory.
 */
#ifndef RELAIS_CLI_MESSAGE_JSON_H
#define RELAIS_CLI_MESSAGE_JSON_H

#include <jansson.h>
#include <relais/receive.h>

/* All that is known about a delivery; the payload in base64, or instead the path it was saved to.
 */
json_t *delivery_json(const relais_delivery *delivery, const char *path);

/* RFC 3339, UTC, milliseconds: "2026-11-24T12:00:00.000Z". */
json_t *time_json(int64_t ms);

/* {"status", "number", "field", "wrong", "right", "text"} */
json_t *error_json(const relais_error *error);

#endif
