/* SPDX-License-Identifier: EUPL-1.2
 *
 * The reading of an XML document: the record that its elements make, and what is kept beside it.
 *
 * 1. What a shape does not know, and an element without a value, is kept with its parent's path and
 * its place among the parent's children. Blanks between elements are not.
 */
#ifndef RELAIS_TYPED_XML_READING_H
#define RELAIS_TYPED_XML_READING_H

#include "typed/source.h"

struct xml_reading {
    Relais__Flows__V1__Item *item;
    enum encoding encoding;
    bool byte_order_mark;
    bool is_signed;
};

/*
 * Reads a whole document of the format. RELAIS_FIELD_INVALID: it cannot be read, and why has been
 * told; RELAIS_NO_MEMORY. On success out_reading->item is for item_free(), and what is wrong with
 * its values has been told.
 */
relais_status xml_reading_make(const struct format *format, const char *data, size_t size,
                               struct checker *checker, struct xml_reading *out_reading);

#endif
