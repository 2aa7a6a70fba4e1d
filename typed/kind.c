/* SPDX-License-Identifier: EUPL-1.2
 *
 * Kinds of values.
 */
#include "typed/kind.h"

#include "typed/date.h"
#include "typed/encoding.h"
#include "typed/identifier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The words of an enumeration, by its numbers; the first stands for "not said" and is never
 * written. */
struct words {
    enum kind kind;
    const char *list; /* for people */
    const char *words[4];
};

static const struct words word_lists[] = {
    {KIND_SEX_DIGIT, "1, 2", {NULL, "1", "2", NULL}},
    {KIND_SEX_WORD, "Masculin, Feminin, Indetermine", {NULL, "Masculin", "Feminin", "Indetermine"}},
    {KIND_TITLE_CAPITALS,
     "MONSIEUR, MADAME, MADEMOISELLE",
     {NULL, "MONSIEUR", "MADAME", "MADEMOISELLE"}},
    {KIND_TITLE_SHORT, "M, MME, MLLE", {NULL, "M", "MME", "MLLE"}},
    {KIND_TITLE_WORD,
     "Monsieur, Madame, Mademoiselle",
     {NULL, "Monsieur", "Madame", "Mademoiselle"}},
    {KIND_ANSWER, "false, true", {NULL, "false", "true", NULL}},
};

enum { WORD_COUNT = 4, COUNT_DIGITS_MAX = 9 };

static const struct words *words_of(enum kind kind)
{
    for (size_t i = 0; i < sizeof(word_lists) / sizeof(word_lists[0]); i++) {
        if (word_lists[i].kind == kind) {
            return &word_lists[i];
        }
    }
    return NULL;
}

bool kind_is_text(enum kind kind)
{
    return kind >= KIND_TEXT && kind <= KIND_TIMESTAMP;
}

bool kind_is_date(enum kind kind)
{
    return kind >= KIND_DATE_COMPACT && kind <= KIND_DATE_DASH;
}

/* The place of the first control character, or `size`. */
static size_t first_control(const char *text, size_t size, bool lines)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool layout = lines && (byte == '\n' || byte == '\t' || byte == '\r');
        bool c1 = byte == 0xC2 && i + 1 < size && (unsigned char)text[i + 1] < 0xA0;
        if ((byte < ' ' && !layout) || byte == 0x7F || c1) {
            return i;
        }
    }
    return size;
}

static struct verdict read_characters(const char *text, size_t size, bool lines)
{
    size_t control = first_control(text, size, lines);
    if (control < size) {
        return (struct verdict){.error = RULE_CONTROL, .at = control};
    }
    bool blanks = text[0] == ' ' || text[size - 1] == ' ';
    return (struct verdict){.warning = blanks ? RULE_BLANKS : RULE_NONE};
}

/* True when `text` is one of the words of "A, B, C". */
static bool is_listed(const char *list, const char *text, size_t size)
{
    while (list && *list != '\0') {
        size_t length = strcspn(list, ",");
        if (length == size && memcmp(list, text, size) == 0) {
            return true;
        }
        list += length;
        list += strspn(list, ", ");
    }
    return false;
}

static bool is_email(const char *text, size_t size)
{
    const char *at = memchr(text, '@', size);
    if (!at || at == text || at == text + size - 1) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte <= ' ' || byte == 0x7F || strchr("<>()[]\\,;:\"", byte)) {
            return false;
        }
    }
    size_t rest = size - (size_t)(at + 1 - text);
    return !memchr(at + 1, '@', rest) && at[1] != '.' && text[size - 1] != '.';
}

static bool is_phone(const char *text, size_t size)
{
    size_t digits = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            digits++;
        } else if (!(text[i] == '+' && i == 0) && !strchr(" .-", text[i])) {
            return false;
        }
    }
    return digits >= 4 && digits <= 15 && size <= 24;
}

static bool is_country(const char *text, size_t size)
{
    return size == 3 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z' &&
           text[2] >= 'A' && text[2] <= 'Z';
}

static struct verdict unless(bool fine, enum rule rule, const char *detail)
{
    return (struct verdict){.error = fine ? RULE_NONE : rule, .detail = fine ? NULL : detail};
}

static struct verdict read_text(enum kind kind, const char *text, size_t size,
                                const struct bounds *bounds)
{
    struct verdict verdict = read_characters(text, size, kind == KIND_TEXT);
    if (verdict.error != RULE_NONE) {
        return verdict;
    }
    switch (kind) {
    case KIND_CODE:
        return unless(is_listed(bounds->allowed, text, size), RULE_CODE, bounds->allowed);
    case KIND_COMMUNE:
        return identifier_check_commune(text, size);
    case KIND_POSTAL_CODE:
        return unless(size == 5 && identifier_is_digits(text, size), RULE_POSTAL_CODE, NULL);
    case KIND_COUNTRY:
        return unless(is_country(text, size), RULE_COUNTRY, NULL);
    case KIND_NIR:
        return identifier_check_nir(text, size, bounds->specimens);
    case KIND_DIGITS:
        return unless(size == bounds->width && identifier_is_digits(text, size), RULE_DIGITS, NULL);
    case KIND_EMAIL:
        return unless(is_email(text, size), RULE_EMAIL, NULL);
    case KIND_PHONE:
        return unless(is_phone(text, size), RULE_PHONE, NULL);
    case KIND_TIME:
        return unless(date_is_time(text, size), RULE_TIME, "16:22:59");
    case KIND_TIMESTAMP:
        return date_check_timestamp(text, size, bounds->specimens);
    default:
        return verdict;
    }
}

static struct verdict read_word(const struct words *words, const char *text, size_t size,
                                uint32_t *out_number)
{
    for (uint32_t i = 1; i < WORD_COUNT; i++) {
        const char *word = words->words[i];
        if (word && strlen(word) == size && memcmp(word, text, size) == 0) {
            *out_number = i;
            return (struct verdict){0};
        }
    }
    return (struct verdict){.error = RULE_CODE, .detail = words->list};
}

static struct verdict read_count(const char *text, size_t size, uint32_t *out_number)
{
    if (size > COUNT_DIGITS_MAX || !identifier_is_digits(text, size) ||
        (text[0] == '0' && size > 1)) {
        return (struct verdict){.error = RULE_NUMBER};
    }
    uint32_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number * 10 + (uint32_t)(text[i] - '0');
    }
    *out_number = number;
    return (struct verdict){0};
}

/* NAME*FIRST NAMES/ with the slash left out when all characters are taken. */
static struct verdict read_insee_name(const char *text, size_t size, size_t width)
{
    struct verdict verdict = read_characters(text, size, false);
    if (verdict.error != RULE_NONE) {
        return verdict;
    }
    const char *star = memchr(text, '*', size);
    const char *slash = memchr(text, '/', size);
    bool whole = slash == text + size - 1 && star && star < slash;
    bool cut = !slash && text_characters(text, size) == width;
    bool one = star && !memchr(star + 1, '*', size - (size_t)(star + 1 - text));
    return unless((whole && one) || (cut && (one || !star)), RULE_INSEE_NAME, NULL);
}

struct verdict kind_read(enum kind kind, const char *text, size_t size, const struct bounds *bounds,
                         struct value *out_value)
{
    size_t width = bounds->width > 0 ? bounds->width : VALUE_BYTES;
    if (size > VALUE_BYTES || text_characters(text, size) > width) {
        return (struct verdict){.error = RULE_TOO_LONG};
    }
    if (kind_is_text(kind)) {
        return read_text(kind, text, size, bounds);
    }
    if (kind_is_date(kind)) {
        return date_read(kind, text, size, bounds->specimens, &out_value->date);
    }
    if (kind == KIND_COUNT) {
        return read_count(text, size, &out_value->number);
    }
    if (kind == KIND_INSEE_NAME) {
        return read_insee_name(text, size, bounds->width);
    }
    const struct words *words = words_of(kind);
    return words ? read_word(words, text, size, &out_value->number)
                 : (struct verdict){.error = RULE_NO_PLACE};
}

const char *kind_print(enum kind kind, const struct value *value, char buffer[KIND_PRINT_BYTES])
{
    buffer[0] = '\0';
    if (kind_is_date(kind)) {
        date_print(kind, &value->date, buffer);
        return buffer;
    }
    if (kind == KIND_COUNT) {
        snprintf(buffer, KIND_PRINT_BYTES, "%" PRIu32, value->number);
        return buffer;
    }
    const struct words *words = words_of(kind);
    if (words && value->number < WORD_COUNT && words->words[value->number]) {
        snprintf(buffer, KIND_PRINT_BYTES, "%s", words->words[value->number]);
    }
    return buffer;
}

bool kind_looks_like_formula(const char *text, size_t size)
{
    if (size < 2 || text[0] == '\0' || !strchr("=+-@\t\r", text[0])) {
        return false;
    }
    for (size_t i = 1; i < size; i++) {
        if (!identifier_is_digits(text + i, 1) && !strchr(" .,-", text[i])) {
            return true;
        }
    }
    return text[0] == '=' || text[0] == '@';
}
