/* SPDX-License-Identifier: EUPL-1.2
 *
 * Makes a file name that is safe to use out of what a stranger wrote in `filename`.
 *
 * 1. The name is one path component: no "/", not "." nor "..", no leading dot or dash.
 * 2. It is valid UTF-8 of 1 to SAFE_NAME_BYTES bytes, without control, line or direction
 * characters.
 * 3. Windows takes it too: none of \ : * ? " < > |, no dot or space at the end, no device name.
 *
 * What breaks a rule becomes "_"; a name that is not UTF-8, or of which nothing is left, gives way
 * to one made of the message's id. Pure; any thread.
 */
#ifndef RELAIS_FILES_SAFE_NAME_H
#define RELAIS_FILES_SAFE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* NAME_MAX is 255: leaves room for "-123", a side-car's ending, and bytes that other systems add */
enum { SAFE_NAME_BYTES = 200 };

/* `filename` may be NULL. */
void safe_name(const char *filename, const char *id, char out_name[SAFE_NAME_BYTES + 1]);

/* Bytes of the UTF-8 character that begins at `text` (NUL-terminated), 0 when it is not valid;
 * *out_point is its code point. */
size_t safe_name_character(const char *text, unsigned *out_point);

/* The longest prefix of `text`, at most `bytes` long, that ends with a whole character. */
size_t safe_name_cut(const char *text, size_t bytes);

/* Where the extension (".xml", at most 16 bytes) begins; the end of the name when it has none. */
size_t safe_name_stem(const char *name);

#endif
