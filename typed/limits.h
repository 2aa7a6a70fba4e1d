/* SPDX-License-Identifier: EUPL-1.2
 *
 * Every limit of a conversion, with its reason. A file is as long as it likes; what is in memory of
 * it at one time is not.
 */
#ifndef RELAIS_TYPED_LIMITS_H
#define RELAIS_TYPED_LIMITS_H

enum {
    /* Looked at before anything is read, to tell encoding and separator: a header and some rows. */
    PRELUDE_BYTES = 64 * 1024,
    /* One line of fixed width has 176 characters, 198 in some vintages; more is another file. */
    FIXED_LINE_BYTES = 4096,
    BLANK_LINES_MAX = 1000, /* at the end of a file: some editors leave a few */
    /* One row: the widest known export has 27 columns of names and addresses. An open quote
     * swallows no more than this. */
    CSV_ROW_BYTES = 1024 * 1024,
    CSV_CELLS_MAX = 1024,
    /* Any one value: a comment of a form may be long. */
    VALUE_BYTES = 64 * 1024,
    /* One XML document is one person's request; the largest sample has 7 KiB. */
    XML_BYTES = 4 * 1024 * 1024,
    XML_DEPTH_MAX = 64, /* the deepest flow has 5 levels, a signature some 12 */
    XML_NODES_MAX = 100 * 1000,
    XML_ATTRIBUTES_MAX = 64,
    /* One item as JSON or protobuf: a signed XML document in base64, and its reading. */
    ITEM_BYTES = 8 * 1024 * 1024,
    /* Of one message inside an item, and elements of one list: what is kept, and a file's columns.
     */
    ITEM_FIELDS_MAX = 4000,
    ITEM_DEPTH_MAX = 8,          /* the deepest flow has 5 levels */
    JSON_SIGNS_MAX = 100 * 1000, /* brackets, commas and colons: what JSON is allocated by */
    REPEATED_MAX = 1000,         /* elements of one name beside each other, e.g. places of birth */
    KEPT_MAX = 2000,             /* one document has some 40 empty elements */
    PATH_BYTES = 256,
    DETAIL_BYTES = 96,
};

#endif
