/* SPDX-License-Identifier: EUPL-1.2
 *
 * Complaints and their texts.
 */
#include "typed/complaint.h"

#include <inttypes.h>
#include <stdio.h>

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

void checker_tell(struct checker *checker, enum rule rule, struct place place, const char *detail)
{
    struct complaint complaint = {
        .rule = rule, .record = checker->record, .line = place.line, .column = place.column};
    snprintf(complaint.field, sizeof(complaint.field), "%s", place.field ? place.field : "");
    snprintf(complaint.detail, sizeof(complaint.detail), "%s", detail ? detail : "");
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
