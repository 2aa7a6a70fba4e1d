/* SPDX-License-Identifier: EUPL-1.2
 *
 * Items of relais.flows.v1 by the names of their fields: what the mappings of all flows share.
 *
 * 1. Everything is allocated as protobuf-c does, so that record_free() frees it however it came
 * about.
 * 2. Names of fields come from tables of ours; a name that is not there is a bug (assert).
 */
#ifndef RELAIS_TYPED_RECORD_H
#define RELAIS_TYPED_RECORD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/* An empty message; NULL: no memory. */
ProtobufCMessage *record_new(const ProtobufCMessageDescriptor *descriptor);
void record_free(ProtobufCMessage *message);

const ProtobufCFieldDescriptor *record_field(const ProtobufCMessage *message, const char *name);

/* How many values a field has: 0 or 1, or those of a repeated one. */
size_t record_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* One message of a field. */
ProtobufCMessage *record_message(const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field, size_t index);

/* One text of a field. */
const char *record_string(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                          size_t index);

/* One number of an enumeration, a bool, a uint32 or uint64. */
uint64_t record_number(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       size_t index);

/* Setting a field that is set, or adding to a repeated one. False: no memory. `child` is taken. */
bool record_put_message(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        ProtobufCMessage *child);
bool record_put_string(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       const char *data, size_t size);
bool record_put_bytes(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                      const void *data, size_t size);
void record_put_number(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       uint64_t number);

const ProtobufCBinaryData *record_bytes(const ProtobufCMessage *message,
                                        const ProtobufCFieldDescriptor *field);

#endif
