/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bytes of a declared encoding to UTF-8 and back.
 *
 * 1. What decodes encodes to the same bytes again; everything else is refused with its place.
 * 2. All encodings here hold ASCII as it is, and no ASCII byte inside a longer character:
 * separators, quotes and line ends can be looked for in the bytes. Source: RFC 3629; WHATWG
 * Encoding for windows-1252, without its five undefined bytes.
 */
#ifndef RELAIS_TYPED_ENCODING_H
#define RELAIS_TYPED_ENCODING_H

#include "typed/text.h"

enum encoding {
    ENCODING_UNKNOWN,
    ENCODING_UTF_8,
    ENCODING_ISO_8859_1,
    ENCODING_ISO_8859_15,
    ENCODING_WINDOWS_1252,
    ENCODING_COUNT,
};

/* The names of the encodings, for people. */
#define ENCODING_NAMES "UTF-8, ISO-8859-1, ISO-8859-15, Windows-1252"

/* "ISO-8859-15"; "" for ENCODING_UNKNOWN. */
const char *encoding_name(enum encoding encoding);

/* By name or a usual alias, in any case; US-ASCII counts as UTF-8. ENCODING_UNKNOWN: none of ours.
 */
enum encoding encoding_named(const char *name);

/* Appends the text as UTF-8. False: the byte at *out_bad is not of this encoding. Memory:
 * out->state. */
bool encoding_decode(enum encoding encoding, const char *bytes, size_t size, struct text *out,
                     size_t *out_bad);

/* Appends the bytes of a text in UTF-8. False: the character at *out_bad is not in this encoding.
 */
bool encoding_encode(enum encoding encoding, const char *text, size_t size, struct text *out,
                     size_t *out_bad);

/* The code point at the head of UTF-8, and its size; 0 when it is none. */
size_t encoding_code_point(const char *text, size_t size, uint32_t *out_code_point);

/*
 * What a file is in by its first bytes: UTF-8 when they are, else Windows-1252, in which ISO-8859-1
 * text reads the same; *out_guessed tells that it is so. With `more` bytes to come, a character cut
 * by the end is not a bad one.
 */
enum encoding encoding_detect(const char *bytes, size_t size, bool more, bool *out_guessed);

#endif
