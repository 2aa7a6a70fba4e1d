/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages of relais.flows.v1 as JSON objects, in protobuf's own mapping with the names of
 * proto/flows: values of enumerations by name, bytes in base64, what is empty left out.
 */
#ifndef RELAIS_TYPED_JSON_FIELDS_H
#define RELAIS_TYPED_JSON_FIELDS_H

#include "typed/complaint.h"

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

/* A new reference; NULL: no memory, or a text that is not UTF-8. */
json_t *json_fields_write(const ProtobufCMessage *message);

/*
 * Fills an empty message; tells of each field that is not known or has another type, and leaves it.
 * False: no memory.
 */
bool json_fields_read(const json_t *object, ProtobufCMessage *message, struct checker *checker,
                      const char *path);

#endif
