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

/* {"status", "number", "field", "wrong", "right", "text"} */
json_t *error_json(const relais_error *error);

#endif
