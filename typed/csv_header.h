/* SPDX-License-Identifier: EUPL-1.2
 *
 * The titles of a CSV, and which shape each column has.
 */
#ifndef RELAIS_TYPED_CSV_HEADER_H
#define RELAIS_TYPED_CSV_HEADER_H

#include "typed/shape.h"

struct csv_column {
    char *title;
    const struct shape *shape; /* NULL: not known, kept */
    bool renamed;              /* the shape has another title */
};

struct csv_header {
    struct csv_column *columns;
    size_t count;
};

void csv_header_fini(struct csv_header *header);

/* Adds a column, which stands for the document's column `known_as` ("": for the one of its title).
 * False: no memory. */
bool csv_header_add(struct csv_header *header, const struct document *document, const char *title,
                    size_t size, const char *known_as);

/* The document's title for a title of the file, by "THEIRS=OURS" of `renames`, or "". */
const char *csv_header_known_as(const char *const *renames, size_t count, const char *title,
                                size_t size);

/* Adds the titles of a document, for a file without a form; false: no memory. */
bool csv_header_add_all(struct csv_header *header, const struct document *document);

/* Tells what is missing, comes twice or is not known. False: the rows cannot be read. */
bool csv_header_check(const struct csv_header *header, const struct document *document,
                      struct checker *checker);

/* The separator that the first line shows most often outside quotes: ; , tab or |. */
char csv_header_separator(const char *data, size_t size, char otherwise);

/* True when a cell cannot be written without quotes. */
bool csv_header_needs_quotes(const char *data, size_t size, char separator);

#endif
