/* SPDX-License-Identifier: EUPL-1.2
 *
 * The declaration of an XML document, and the encoding that it names, undone: what libxml2 gets is
 * UTF-8, has no declaration any more, and its lines where they were.
 */
#ifndef RELAIS_TYPED_XML_DECLARATION_H
#define RELAIS_TYPED_XML_DECLARATION_H

#include "typed/xml_tree.h"

/*
 * Appends the document as UTF-8, and sets its encoding and byte_order_mark. RELAIS_FIELD_INVALID:
 * it cannot be read, and why has been told; RELAIS_NO_MEMORY.
 */
relais_status xml_declaration_undo(const char *data, size_t size, struct checker *checker,
                                   struct xml_document *document, struct text *out_utf8);

#endif
