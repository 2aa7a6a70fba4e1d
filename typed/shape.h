/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a format looks like: tables that tie a place in it (a column, a position, an element) to a
 * field of proto/flows. One table serves reading, writing and checking.
 */
#ifndef RELAIS_TYPED_SHAPE_H
#define RELAIS_TYPED_SHAPE_H

#include "typed/encoding.h"
#include "typed/kind.h"

#include <protobuf-c/protobuf-c.h>

struct shape {
    const char *name;  /* element, "@attribute", title of a column; NULL: KIND_COVERED */
    const char *field; /* of the message */
    enum kind kind;
    bool required;
    uint16_t width; /* fixed width: its characters; elsewhere the most there may be, 0: no limit */
    const char *allowed;          /* KIND_CODE: "A, B" */
    const struct shape *children; /* KIND_GROUP */
    size_t child_count;
};

#define SHAPE_COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define SHAPE_GROUP(element, member, table)                                                        \
    {                                                                                              \
        .name = (element), .field = (member), .kind = KIND_GROUP, .children = (table),             \
        .child_count = SHAPE_COUNT(table)                                                          \
    }

enum notation { NOTATION_FIXED, NOTATION_CSV, NOTATION_XML, NOTATION_JSON, NOTATION_PROTOBUF };

/* One kind of record in one format. */
struct document {
    const char *root;   /* XML: the root element */
    const char *record; /* the field of Item that holds it */
    const ProtobufCMessageDescriptor *descriptor;
    const struct shape *shapes;
    size_t shape_count;
    /* Rules between fields; NULL: none. */
    void (*check)(const ProtobufCMessage *record, struct checker *checker);
};

struct format {
    const char *name;
    const char *summary; /* N_() text */
    enum notation notation;
    const struct document *documents; /* none: JSON lines and protobuf hold any record */
    size_t document_count;
    /* What a file has that is written without a form. */
    enum encoding encoding;
    char separator;
};

extern const struct format format_insee_deces;
extern const struct format format_insee_deces_csv;
extern const struct format format_caf_contact_csv;
extern const struct format format_certdc_xml;
extern const struct format format_etatcivil_xml;
extern const struct format format_recensement_xml;
extern const struct format format_coordonnees_xml;
extern const struct format format_jsonl;
extern const struct format format_protobuf;

/* All formats, ended by NULL. */
const struct format *const *formats_all(void);

/* NULL: there is none of this name. */
const struct format *format_named(const char *name);

/* The document of a format for a record named so ("death_record"), or NULL. */
const struct document *format_document(const struct format *format, const char *record);

/* The first document of any format for this record: what its values are checked by. */
const struct document *document_of_record(const char *record);

#endif
