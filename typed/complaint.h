/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is wrong with a file: where, in which field, what, and what would be right.
 *
 * 1. A complaint never holds a value of the file: values are personal data, complaints go to logs.
 * 2. `code` never changes meaning: scripts may look at it.
 * 3. An error refuses its record; a warning lets it pass, unchanged.
 */
#ifndef RELAIS_TYPED_COMPLAINT_H
#define RELAIS_TYPED_COMPLAINT_H

#include "typed/limits.h"

#include <libintl.h>
#include <stdbool.h>
#include <stdint.h>

#ifndef N_
#define N_(text) text
#endif

/* X(NAME, code, error, what is wrong, what would be right; its detail follows after a colon) */
#define RULE_LIST(X)                                                                               \
    X(ENCODING, "encoding", true, N_("a byte that this encoding does not have"),                   \
      N_("the encoding that the file is really in"))                                               \
    X(ENCODING_NAME, "encoding.name", true, N_("an encoding that is not read here"), N_("one of")) \
    X(ENCODING_GUESSED, "encoding.guessed", false,                                                 \
      N_("not UTF-8, and nothing says what it is: read as Windows-1252"),                          \
      N_("the encoding, said beforehand"))                                                         \
    X(UNENCODABLE, "encoding.lacks", true,                                                         \
      N_("a character that the encoding of the target does not have"),                             \
      N_("another encoding for the target"))                                                       \
    X(CONTROL, "text.control", true, N_("a control character"), N_("printable characters"))        \
    X(BLANKS, "text.blanks", false, N_("blanks at the beginning or the end"),                      \
      N_("the text alone"))                                                                        \
    X(FORMULA, "text.formula", false, N_("a text that a spreadsheet may take for a formula"),      \
      N_("a text that does not begin with = + - or @"))                                            \
    X(TOO_LONG, "text.too-long", true, N_("too long"), N_("at most so many characters"))           \
    X(REQUIRED, "required", true, N_("nothing is there"), N_("a value"))                           \
    X(DATE, "date", true, N_("not a date of this format"), N_("a date written as"))                \
    X(DATE_MONTH, "date.month", true, N_("a month that does not exist"),                           \
      N_("01 to 12, or 00 where it is unknown and the format allows that"))                        \
    X(DATE_DAY, "date.day", true, N_("a day that this month does not have"),                       \
      N_("a day of that month, or 00 where it is unknown and the format allows that"))             \
    X(DATE_YEAR, "date.year", true, N_("a year that cannot be"), N_("1800 to 2199"))               \
    X(DATE_ORDER, "date.order", true, N_("a date before the one that it follows"),                 \
      N_("the later date"))                                                                        \
    X(SPECIMEN, "specimen", false, N_("a value that marks a fictitious person"),                   \
      N_("nothing of the kind in real files"))                                                     \
    X(TIME, "time", true, N_("not a time of day"), N_("a time written as"))                        \
    X(CODE, "code", true, N_("not one of the values of this field"), N_("one of"))                 \
    X(COMMUNE, "commune", true, N_("not an INSEE code of a commune or country"),                   \
      N_("five characters, such as 01004, 2A004, 97411, and 99 with three digits abroad"))         \
    X(COMMUNE_UNKNOWN, "commune.unknown", false, N_("a department without its commune"),           \
      N_("the code of the commune, where it is known"))                                            \
    X(POSTAL_CODE, "postal-code", true, N_("not a French postal code"), N_("five digits"))         \
    X(COUNTRY, "country", true, N_("not a code of a country"),                                     \
      N_("three capital letters of ISO 3166-1, such as FRA"))                                      \
    X(NIR, "nir", true, N_("not an NIR"),                                                          \
      N_("13 characters (sex, year, month, department, commune, number) and a key of 2 digits"))   \
    X(NIR_KEY, "nir.key", true, N_("the key does not fit the number"),                             \
      N_("97 less the remainder of the number divided by 97"))                                     \
    X(NUMBER, "number", true, N_("not a whole number"), N_("digits without leading zeros"))        \
    X(DIGITS, "digits", true, N_("not only digits, or not so many"), N_("so many digits"))         \
    X(EMAIL, "email", true, N_("not a mail address"), N_("name@domain, without blanks"))           \
    X(PHONE, "phone", true, N_("not a telephone number"),                                          \
      N_("digits, with a + in front and blanks, dots or dashes between them at most"))             \
    X(INSEE_NAME, "insee-name", true, N_("not a name as INSEE writes it"),                         \
      N_("NAME*FIRST NAMES/"))                                                                     \
    X(SPELLING, "spelling", true, N_("a spelling that would not survive the way back"),            \
      N_("the spelling of the format"))                                                            \
    X(LINE_LONG, "line.too-long", true, N_("a line that is too long for this format"),             \
      N_("at most so many bytes"))                                                                 \
    X(BLANK_LINE, "line.blank", true, N_("an empty line between records"), N_("a record"))         \
    X(QUOTE, "csv.quote", true, N_("a quote that is not around a whole cell"),                     \
      N_("a cell in quotes, quotes inside it doubled"))                                            \
    X(QUOTE_OPEN, "csv.quote-open", true, N_("a quote that is never closed"),                      \
      N_("a closing quote"))                                                                       \
    X(CELLS, "csv.cells", true, N_("not as many cells as there are titles"), N_("so many cells"))  \
    X(ROW_LONG, "csv.row", true, N_("a row or a cell that is too large"),                          \
      N_("at most 1 MiB and 1024 cells a row, 64 KiB a cell"))                                     \
    X(TITLE_MISSING, "csv.title-missing", true, N_("this column is missing"),                      \
      N_("its title in the first line"))                                                           \
    X(TITLE_NEAR, "csv.title-near", true,                                                          \
      N_("this column is missing, but one is nearly named so"),                                    \
      N_("this very title in the first line, or a --title for it; see column"))                    \
    X(TITLE_TWICE, "csv.title-twice", true, N_("this column comes twice"), N_("one of them"))      \
    X(TITLE_TARGET, "csv.title-target", true,                                                      \
      N_("this column is to stand for one that the format does not have"),                         \
      N_("a title of the format"))                                                                 \
    X(TITLE_UNKNOWN, "csv.title-unknown", false,                                                   \
      N_("a column that this flow does not know: kept as it is"), N_("a title of the format"))     \
    X(EMPTY, "empty", true, N_("the file is empty"), N_("at least one record"))                    \
    X(XML, "xml", true, N_("not well-formed XML"), N_("well-formed XML"))                          \
    X(XML_DOCTYPE, "xml.doctype", true,                                                            \
      N_("a document type declaration: entities and foreign files are never read"),                \
      N_("a document without <!DOCTYPE"))                                                          \
    X(XML_LARGE, "xml.too-large", true, N_("a document that is too large or too deep"),            \
      N_("at most 4 MiB, 64 levels, 100000 elements, 64 attributes, 64 KiB a text"))               \
    X(XML_ROOT, "xml.root", true, N_("another kind of document"), N_("a root element named"))      \
    X(XML_TWICE, "xml.twice", true, N_("this element comes twice"), N_("one of them"))             \
    X(XML_MIXED, "xml.mixed", true, N_("text between elements, or elements inside a value"),       \
      N_("elements with a text or with elements, not both"))                                       \
    X(XML_ORDER, "xml.order", false,                                                               \
      N_("this element comes after one that follows it: the way back puts it in order"),           \
      N_("the order of the format"))                                                               \
    X(XML_UNKNOWN, "xml.unknown", false,                                                           \
      N_("an element or attribute that this flow does not know: kept as it is"),                   \
      N_("an element of the format"))                                                              \
    X(SIGNED, "xml.signed", false,                                                                 \
      N_("a signed document: its very bytes travel with the reading"),                             \
      N_("nothing to do; the reading must stay unchanged for the way back"))                       \
    X(SIGNED_CHANGED, "xml.signed-changed", true,                                                  \
      N_("a signed document whose reading has been changed"),                                      \
      N_("the reading as it was, or a document without the signature"))                            \
    X(JSON, "json", true, N_("not a JSON object"), N_("one JSON object a line"))                   \
    X(JSON_FIELD, "json.field", true, N_("a field that is not known"),                             \
      N_("a field of relais.flows.v1"))                                                            \
    X(JSON_VALUE, "json.value", true, N_("not a value for this field"),                            \
      N_("the type that proto/flows gives it"))                                                    \
    X(PROTO, "protobuf", true, N_("not an item of relais.flows.v1"),                               \
      N_("items, each preceded by its size as a varint"))                                          \
    X(ITEM_LARGE, "item.too-large", true, N_("an item that is too large"), N_("at most 8 MiB"))    \
    X(NOT_WHOLE, "items.not-whole", true, N_("the end is missing, or counts other records"),       \
      N_("the whole sequence, with its end"))                                                      \
    X(FORM_PLACE, "items.form", true, N_("a form that is not at the beginning, or of no format"),  \
      N_("one form, before the records"))                                                          \
    X(FLOW, "items.flow", true, N_("a record of another flow"), N_("a record of"))                 \
    X(ONE_RECORD, "items.one", true, N_("more than one record, and XML holds one"),                \
      N_("a file for each"))                                                                       \
    X(NO_PLACE, "target.no-place", true, N_("the target has no place for this"),                   \
      N_("a target that has, or the field left empty"))

enum rule {
    RULE_NONE,
#define RULE_ENUM(name, code, error, wrong, right) RULE_##name,
    RULE_LIST(RULE_ENUM)
#undef RULE_ENUM
        RULE_COUNT
};

struct complaint {
    enum rule rule;
    uint64_t record;        /* from 1; 0: the file */
    uint64_t line;          /* from 1; 0: not known */
    uint64_t column;        /* characters from 1 (XML: bytes); 0: not known */
    char field[PATH_BYTES]; /* in the words of the format: a title, a path; "" when there is none */
    char detail[DETAIL_BYTES]; /* of what would be right; never out of the file */
};

const char *complaint_code(enum rule rule);
bool complaint_is_error(enum rule rule);

/* What was wrong, and what would be right without its detail: in the language of the locale.
 * Static. */
const char *complaint_wrong(enum rule rule);
const char *complaint_right(enum rule rule);

/* Who hears complaints, and how strict to be. */
struct checker {
    void (*hear)(void *context, const struct complaint *complaint);
    void *context;
    bool specimens; /* 30 and 31 February, an NIR of zeros or with a wrong key: fictitious, and
                       passes */
    uint64_t record;
    uint64_t line; /* of the record */
    uint64_t errors;
    uint64_t warnings;
};

struct place {
    uint64_t line;
    uint64_t column;
    const char *field;
};

/* Tells one; `detail` may be NULL. */
void checker_tell(struct checker *checker, enum rule rule, struct place place, const char *detail);

/* The same with a number for detail. */
void checker_tell_number(struct checker *checker, enum rule rule, struct place place,
                         uint64_t number);

#endif
