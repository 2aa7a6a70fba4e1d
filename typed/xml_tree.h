/* SPDX-License-Identifier: EUPL-1.2
 *
 * An XML document as a tree, parsed safely by libxml2.
 *
 * 1. A document type declaration ends the parsing before anything of it is read: there are no
 * entities but the five of XML, no foreign files, no expansion.
 * 2. The encoding is the declared one, decoded here; depth, elements, attributes and sizes are
 * bounded.
 * 3. Names and attributes are as the document has them, prefixes and xmlns included; comments and
 *    processing instructions are nodes.
 */
#ifndef RELAIS_TYPED_XML_TREE_H
#define RELAIS_TYPED_XML_TREE_H

#include "typed/encoding.h"
#include "typed/source.h"

enum node_kind { NODE_DOCUMENT, NODE_ELEMENT, NODE_TEXT, NODE_COMMENT, NODE_INSTRUCTION };

struct xml_attribute {
    char *name;
    char *value;
};

struct xml_node {
    enum node_kind kind;
    char *name; /* of an element or instruction */
    struct text text;
    struct xml_attribute *attributes;
    size_t attribute_count;
    struct xml_node **children;
    size_t child_count;
    struct xml_node *parent; /* borrowed */
    uint64_t line;
    uint64_t column; /* bytes, behind the start tag's name and attributes */
};

struct xml_document {
    struct xml_node *root; /* NODE_DOCUMENT: the root element, and what stands beside it */
    enum encoding encoding;
    bool byte_order_mark;
    bool is_signed; /* it has an element Signature */
};

/*
 * Parses a whole document. RELAIS_FIELD_INVALID: it cannot be read, and why has been told.
 * RELAIS_NO_MEMORY. On success *out_document is for xml_document_fini().
 */
relais_status xml_document_parse(const char *data, size_t size, struct checker *checker,
                                 struct xml_document *out_document);
void xml_document_fini(struct xml_document *document);

/* The root element. */
const struct xml_node *xml_document_element(const struct xml_document *document);

/* True for text of blanks alone. */
bool xml_node_is_blank(const struct xml_node *node);

/* Appends a node as XML for a document in this encoding: in texts and attributes, characters that
 * it does not have become references. */
void xml_node_write(const struct xml_node *node, enum encoding encoding, struct text *out);

/* Appends a text in the same way, with what is special in it escaped; `attribute`: for the inside
 * of
 * "...". */
void xml_escape(const char *data, size_t size, bool attribute, enum encoding encoding,
                struct text *out);

#endif
