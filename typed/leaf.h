/* SPDX-License-Identifier: EUPL-1.2
 *
 * One value between a format and a record.
 */
#ifndef RELAIS_TYPED_LEAF_H
#define RELAIS_TYPED_LEAF_H

#include "typed/shape.h"

/*
 * Reads a value that is not empty, UTF-8, into its field; tells what is wrong with it. False: no
 * memory; a refused value is not put, and that is no failure.
 */
bool leaf_put(ProtobufCMessage *record, const struct shape *shape, const char *text, size_t size,
              struct checker *checker, struct place place);

/* Appends value `index` as the format writes it, nothing when there is none. Unchecked. */
void leaf_print(const ProtobufCMessage *record, const struct shape *shape, size_t index,
                struct text *out);

/* Checks a value as a reader of the format would; tells. */
void leaf_check(const struct shape *shape, const char *text, size_t size, struct checker *checker,
                struct place place);

/* How many values the record has for a shape. */
size_t leaf_count(const ProtobufCMessage *record, const struct shape *shape);

/* Checks every value of a record, what is required and what the document's own rules say. `scratch`
 * is written over. False: no memory. */
bool leaf_check_record(const struct document *document, const ProtobufCMessage *record,
                       struct checker *checker, struct text *scratch);

/* Tells of each value of the record that the shapes have no place for. */
void leaf_check_places(const struct shape *shapes, size_t count, const ProtobufCMessage *record,
                       struct checker *checker);

#endif
