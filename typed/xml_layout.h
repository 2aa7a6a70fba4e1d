/* SPDX-License-Identifier: EUPL-1.2
 *
 * A record as an XML document: elements in the order of the format, what is kept in its place, a
 * tab a level.
 */
#ifndef RELAIS_TYPED_XML_LAYOUT_H
#define RELAIS_TYPED_XML_LAYOUT_H

#include "flows/item.pb-c.h"
#include "typed/shape.h"

/*
 * Appends the document in UTF-8, its declaration with the name of `encoding`; characters that the
 * encoding lacks become references. *out_kept counts what of item->kept found a place. Memory:
 * out->state.
 */
void xml_layout_write(const struct document *document, const ProtobufCMessage *record,
                      const Relais__Flows__V1__Item *item, enum encoding encoding, struct text *out,
                      size_t *out_kept);

#endif
