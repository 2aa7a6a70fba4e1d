/* SPDX-License-Identifier: EUPL-1.2
 *
 * How a value of one field is written: read strictly, printed again.
 *
 * 1. What is read prints to the same characters again, or is refused: no reading changes a file.
 * 2. A kind of plain characters (kind_is_text) keeps them as they are and only checks them.
 */
#ifndef RELAIS_TYPED_KIND_H
#define RELAIS_TYPED_KIND_H

#include "typed/complaint.h"

#include <stddef.h>

enum kind {
    KIND_GROUP,   /* no value: fields of its own */
    KIND_COVERED, /* part of another field's value; has no name of its own in the format */
    KIND_TEXT,    /* may have several lines */
    KIND_LINE,
    KIND_CODE, /* one of the shape's `allowed` */
    KIND_COMMUNE,
    KIND_POSTAL_CODE,
    KIND_COUNTRY,
    KIND_NIR,
    KIND_DIGITS, /* exactly the shape's `width` */
    KIND_EMAIL,
    KIND_PHONE,
    KIND_TIME,         /* 10:00:00 */
    KIND_TIMESTAMP,    /* 2019-03-27T16:22:59, with a fraction or a zone if there is one */
    KIND_DATE_COMPACT, /* 19310223, 00 where unknown */
    KIND_DATE_ISO,     /* 1931-02-23 */
    KIND_DATE_SLASH,   /* 23/02/1931, 00 where unknown */
    KIND_DATE_DASH,    /* 23-02-1931 */
    KIND_COUNT,
    KIND_SEX_DIGIT,
    KIND_SEX_WORD,
    KIND_TITLE_CAPITALS,
    KIND_TITLE_SHORT,
    KIND_TITLE_WORD,
    KIND_ANSWER,
    KIND_INSEE_NAME, /* NAME*FIRST NAMES/ of 80 characters at most */
};

struct date {
    uint32_t year;
    uint32_t month;
    uint32_t day;
};

/* What a kind without plain characters has read. */
struct value {
    struct date date;
    uint32_t number; /* a count, or a number of an enumeration */
};

/* What there is to say about one value. */
struct verdict {
    enum rule error;
    enum rule warning;
    const char *detail; /* static, or the shape's; NULL when there is none */
    size_t at;          /* the byte of the value that is meant */
};

/* What the format says about a field beside its kind. */
struct bounds {
    const char *allowed; /* "A, B, C" */
    size_t width;        /* characters; 0: no limit but VALUE_BYTES */
    bool specimens;
};

enum { KIND_PRINT_BYTES = 32 };

bool kind_is_text(enum kind kind);
bool kind_is_date(enum kind kind);

/* `text` is UTF-8, not empty. *out_value is set for kinds that are no text, when there is no error.
 */
struct verdict kind_read(enum kind kind, const char *text, size_t size, const struct bounds *bounds,
                         struct value *out_value);

/* Prints a value of a kind that is no text; "" for one that the format cannot write. */
const char *kind_print(enum kind kind, const struct value *value, char buffer[KIND_PRINT_BYTES]);

/* True for a text that a spreadsheet may run: = + - @ or a tab in front, and no number. */
bool kind_looks_like_formula(const char *text, size_t size);

#endif
