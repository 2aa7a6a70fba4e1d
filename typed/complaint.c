/* SPDX-License-Identifier: EUPL-1.2
 *
 * Complaints and their texts.
 */
#include "typed/complaint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct rule_texts {
    const char *code;
    bool error;
    const char *wrong;
    const char *right;
};

static const struct rule_texts rules[RULE_COUNT] = {[RULE_NONE] = {"", false, "", ""},
#define RULE_TEXTS(name, code, error, wrong, right) [RULE_##name] = {code, error, wrong, right},
                                                    RULE_LIST(RULE_TEXTS)
#undef RULE_TEXTS
};

const char *complaint_code(enum rule rule)
{
    return rules[rule].code;
}

bool complaint_is_error(enum rule rule)
{
    return rules[rule].error;
}

static const char *translated(const char *text)
{
    return *text != '\0' ? dgettext("relais", text) : text;
}

const char *complaint_wrong(enum rule rule)
{
    return translated(rules[rule].wrong);
}

const char *complaint_right(enum rule rule)
{
    return translated(rules[rule].right);
}

/* How long the character is that begins with this byte. */
static size_t character_bytes(char head)
{
    unsigned char byte = (unsigned char)head;
    if (byte < 0xC0) {
        return 1;
    }
    return byte < 0xE0 ? 2 : (byte < 0xF0 ? 3 : 4);
}

/* Copies what fits, whole characters of UTF-8 alone. */
static void copy(char *out, size_t room, const char *text)
{
    size_t size = strnlen(text, room);
    if (size == room) {
        size--;
        while (size > 0 && ((unsigned char)text[size] & 0xC0U) == 0x80U) {
            size--;
        }
    }
    /* A text that was cut before may end in a character's head. */
    size_t head = size;
    while (head > 0 && ((unsigned char)text[head - 1] & 0xC0U) == 0x80U) {
        head--;
    }
    if (head > 0 && head - 1 + character_bytes(text[head - 1]) > size) {
        size = head - 1;
    }
    memcpy(out, text, size);
    out[size] = '\0';
}

void checker_tell(struct checker *checker, enum rule rule, struct place place, const char *detail)
{
    struct complaint complaint = {
        .rule = rule, .record = checker->record, .line = place.line, .column = place.column};
    copy(complaint.field, sizeof(complaint.field), place.field ? place.field : "");
    copy(complaint.detail, sizeof(complaint.detail), detail ? detail : "");
    if (rules[rule].error) {
        checker->errors++;
    } else {
        checker->warnings++;
    }
    if (checker->hear) {
        checker->hear(checker->context, &complaint);
    }
}

void checker_tell_number(struct checker *checker, enum rule rule, struct place place,
                         uint64_t number)
{
    char detail[DETAIL_BYTES];
    snprintf(detail, sizeof(detail), "%" PRIu64, number);
    checker_tell(checker, rule, place, detail);
}
