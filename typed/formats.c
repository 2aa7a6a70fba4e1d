/* SPDX-License-Identifier: EUPL-1.2
 *
 * The one table of formats.
 */
#include "typed/shape.h"

#include <string.h>

const struct format format_jsonl = {
    .name = "jsonl",
    .summary = N_("typed payload as JSON, one item a line"),
    .notation = NOTATION_JSON,
    .encoding = ENCODING_UTF_8,
};

const struct format format_protobuf = {
    .name = "protobuf",
    .summary = N_("typed payload as protobuf, each item after its size"),
    .notation = NOTATION_PROTOBUF,
};

static const struct format *const table[] = {
    &format_insee_deces,     &format_insee_deces_csv, &format_caf_contact_csv,
    &format_certdc_xml,      &format_coordonnees_xml, &format_etatcivil_xml,
    &format_recensement_xml,

    &format_jsonl,           &format_protobuf,        NULL,
};

const struct format *const *formats_all(void)
{
    return table;
}

const struct format *format_named(const char *name)
{
    for (size_t i = 0; table[i]; i++) {
        if (strcmp(table[i]->name, name) == 0) {
            return table[i];
        }
    }
    return NULL;
}

const struct document *format_document(const struct format *format, const char *record)
{
    for (size_t i = 0; i < format->document_count; i++) {
        if (strcmp(format->documents[i].record, record) == 0) {
            return &format->documents[i];
        }
    }
    return NULL;
}

const struct document *document_of_record(const char *record)
{
    for (size_t i = 0; table[i]; i++) {
        const struct document *document = format_document(table[i], record);
        if (document) {
            return document;
        }
    }
    return NULL;
}
