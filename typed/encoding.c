/* SPDX-License-Identifier: EUPL-1.2
 *
 * UTF-8 and three alphabets of one byte. The alphabets are tables of their own, rather than
 * iconv's, so that a bad byte has a place and nothing is ever transliterated.
 */
#include "typed/encoding.h"

#include <string.h>
#include <strings.h>

struct alias {
    const char *name;
    enum encoding encoding;
};

static const struct alias aliases[] = {
    {"UTF-8", ENCODING_UTF_8},
    {"UTF8", ENCODING_UTF_8},
    {"US-ASCII", ENCODING_UTF_8},
    {"ASCII", ENCODING_UTF_8},
    {"ISO-8859-1", ENCODING_ISO_8859_1},
    {"ISO8859-1", ENCODING_ISO_8859_1},
    {"latin1", ENCODING_ISO_8859_1},
    {"ISO-8859-15", ENCODING_ISO_8859_15},
    {"ISO8859-15", ENCODING_ISO_8859_15},
    {"latin9", ENCODING_ISO_8859_15},
    {"Windows-1252", ENCODING_WINDOWS_1252},
    {"CP1252", ENCODING_WINDOWS_1252},
};

/* 0x80 to 0x9F of windows-1252; 0: undefined. */
static const uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

struct swap {
    unsigned char byte;
    uint16_t code_point;
};

/* Where ISO-8859-15 is not ISO-8859-1. */
static const struct swap iso_8859_15[] = {{0xA4, 0x20AC}, {0xA6, 0x0160}, {0xA8, 0x0161},
                                          {0xB4, 0x017D}, {0xB8, 0x017E}, {0xBC, 0x0152},
                                          {0xBD, 0x0153}, {0xBE, 0x0178}};

enum { SWAP_COUNT = sizeof(iso_8859_15) / sizeof(iso_8859_15[0]), LONGEST = 4 };

static const uint32_t NOT_THERE = 0xFFFFFFFF;

const char *encoding_name(enum encoding encoding)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (aliases[i].encoding == encoding) {
            return aliases[i].name;
        }
    }
    return "";
}

enum encoding encoding_named(const char *name)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcasecmp(aliases[i].name, name) == 0) {
            return aliases[i].encoding;
        }
    }
    return ENCODING_UNKNOWN;
}

static uint32_t code_point_of(enum encoding encoding, unsigned char byte)
{
    if (encoding == ENCODING_WINDOWS_1252 && byte >= 0x80 && byte < 0xA0) {
        uint32_t found = windows_1252[byte - 0x80];
        return found != 0 ? found : NOT_THERE;
    }
    for (size_t i = 0; encoding == ENCODING_ISO_8859_15 && i < SWAP_COUNT; i++) {
        if (iso_8859_15[i].byte == byte) {
            return iso_8859_15[i].code_point;
        }
    }
    return byte;
}

/* The byte of a code point, or NOT_THERE. */
static uint32_t byte_of(enum encoding encoding, uint32_t code_point)
{
    if (code_point < 0x100) {
        unsigned char byte = (unsigned char)code_point;
        return code_point_of(encoding, byte) == code_point ? byte : NOT_THERE;
    }
    for (uint32_t byte = 0x80; byte < 0x100; byte++) {
        if (code_point_of(encoding, (unsigned char)byte) == code_point) {
            return byte;
        }
    }
    return NOT_THERE;
}

/* How long the character is that begins with this byte; 0: none does. */
static size_t length_of(unsigned char byte)
{
    if (byte < 0x80) {
        return 1;
    }
    if (byte < 0xC2) {
        return 0;
    }
    if (byte < 0xE0) {
        return 2;
    }
    return byte < 0xF0 ? 3 : (byte < 0xF5 ? LONGEST : 0);
}

size_t encoding_code_point(const char *text, size_t size, uint32_t *out_code_point)
{
    static const unsigned char heads[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = size > 0 ? length_of((unsigned char)text[0]) : 0;
    if (length == 0 || length > size) {
        return 0;
    }
    uint32_t code_point = (unsigned char)text[0] & heads[length];
    for (size_t i = 1; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte & 0xC0U) != 0x80U) {
            return 0;
        }
        code_point = (code_point << 6U) | (byte & 0x3FU);
    }
    if (code_point < least[length] || code_point > 0x10FFFF ||
        (code_point >= 0xD800 && code_point < 0xE000)) {
        return 0;
    }
    *out_code_point = code_point;
    return length;
}

/* The place of the first byte that is no UTF-8, or `size`. */
static size_t first_bad(const char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size) {
        uint32_t code_point = 0;
        size_t length = (unsigned char)bytes[at] < 0x80
                            ? 1
                            : encoding_code_point(bytes + at, size - at, &code_point);
        if (length == 0) {
            return at;
        }
        at += length;
    }
    return size;
}

bool encoding_decode(enum encoding encoding, const char *bytes, size_t size, struct text *out,
                     size_t *out_bad)
{
    if (encoding == ENCODING_UTF_8) {
        size_t bad = first_bad(bytes, size);
        if (bad < size) {
            *out_bad = bad;
            return false;
        }
        text_append(out, bytes, size);
        return true;
    }
    for (size_t i = 0; i < size; i++) {
        uint32_t code_point = code_point_of(encoding, (unsigned char)bytes[i]);
        if (code_point == NOT_THERE) {
            *out_bad = i;
            return false;
        }
        text_code_point(out, code_point);
    }
    return true;
}

bool encoding_encode(enum encoding encoding, const char *text, size_t size, struct text *out,
                     size_t *out_bad)
{
    if (encoding == ENCODING_UTF_8) {
        return encoding_decode(encoding, text, size, out, out_bad);
    }
    size_t at = 0;
    while (at < size) {
        uint32_t code_point = 0;
        size_t length = encoding_code_point(text + at, size - at, &code_point);
        uint32_t byte = length > 0 ? byte_of(encoding, code_point) : NOT_THERE;
        if (byte == NOT_THERE) {
            *out_bad = at;
            return false;
        }
        text_char(out, (char)byte);
        at += length;
    }
    return true;
}

/* True when all bytes go on with a character that begins with the first. */
static bool is_cut(const char *bytes, size_t size)
{
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)bytes[i] & 0xC0U) != 0x80U) {
            return false;
        }
    }
    return size > 0 && length_of((unsigned char)bytes[0]) > size;
}

enum encoding encoding_detect(const char *bytes, size_t size, bool more, bool *out_guessed)
{
    size_t bad = first_bad(bytes, size);
    *out_guessed = bad < size && !(more && is_cut(bytes + bad, size - bad));
    return *out_guessed ? ENCODING_WINDOWS_1252 : ENCODING_UTF_8;
}
