/* SPDX-License-Identifier: EUPL-1.2
 *
 * Items: the record inside, what is kept beside it, forms and ends.
 */
#ifndef RELAIS_TYPED_ITEM_H
#define RELAIS_TYPED_ITEM_H

#include "flows/item.pb-c.h"
#include "typed/shape.h"

/* An item with an empty record of the document, which *out_record borrows; NULL: no memory. */
Relais__Flows__V1__Item *item_new(const struct document *document, ProtobufCMessage **out_record);

/* An item with a form of the format, or with an end. NULL: no memory. */
Relais__Flows__V1__Item *item_new_form(const struct format *format);
Relais__Flows__V1__Item *item_new_end(uint64_t records);

void item_free(Relais__Flows__V1__Item *item);

/* The record of an item and the name of its field; NULL for a form, an end, or nothing. */
const ProtobufCMessage *item_record(const Relais__Flows__V1__Item *item, const char **out_name);

/* Keeps a value that the mapping does not know. False: no memory, or more than KEPT_MAX. */
bool item_keep(Relais__Flows__V1__Item *item, const char *name, uint32_t position,
               const char *value, size_t size);

/* The item's spelling, made when there is none; NULL: no memory. */
Relais__Flows__V1__Spelling *item_spelling(Relais__Flows__V1__Item *item);

/* A bit of a bit field, the lowest of the first byte first. */
bool item_bit(const ProtobufCBinaryData *bits, size_t index);

/* The encoding that a form says, or `otherwise`. */
enum encoding item_encoding(const Relais__Flows__V1__Form *form, enum encoding otherwise);

/* Line ends as they are in items and in files; LF for one that is not said. */
const char *item_line_end(Relais__Flows__V1__LineEnd line_end);

#endif
