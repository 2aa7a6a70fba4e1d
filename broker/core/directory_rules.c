/* SPDX-License-Identifier: EUPL-1.2
 *
 * The rules of a flow. See directory_rules.h.
 */
#include "core/directory_rules.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64 };

static const char *const KIND_RULES[KIND_COUNT] = {
    [KIND_COMMUNE] = "kind:commune",
    [KIND_EPCI] = "kind:epci",
    [KIND_DEPARTEMENT] = "kind:departement",
    [KIND_REGION] = "kind:region",
    [KIND_STATE] = "kind:state",
    [KIND_OPERATOR] = "kind:operator",
};

bool directory_rules_add_class(struct directory_rules *rules, const char *rule)
{
    if (strcmp(rule, "*") == 0) {
        rules->everybody = true;
        return true;
    }
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        if (strcmp(rule, KIND_RULES[kind]) == 0) {
            rules->kinds |= 1U << kind;
            return true;
        }
    }
    return false;
}

bool directory_rules_add_member(struct directory_rules *rules, size_t member)
{
    size_t word = member / WORD_BITS;
    if (word >= rules->words) {
        size_t words = word + 1 > rules->words * 2 ? word + 1 : rules->words * 2;
        uint64_t *members = realloc(rules->members, words * sizeof *members);
        if (!members) {
            return false;
        }
        memset(members + rules->words, 0, (words - rules->words) * sizeof *members);
        rules->members = members;
        rules->words = words;
    }
    rules->members[word] |= UINT64_C(1) << (member % WORD_BITS);
    return true;
}

bool directory_rules_allow(const struct directory_rules *rules, size_t member,
                           enum member_kind kind)
{
    if (rules->everybody || (rules->kinds & (1U << (unsigned)kind)) != 0) {
        return true;
    }
    size_t word = member / WORD_BITS;
    return word < rules->words && ((rules->members[word] >> (member % WORD_BITS)) & 1U) != 0;
}

void directory_rules_fini(struct directory_rules *rules)
{
    free(rules->members);
    *rules = (struct directory_rules){0};
}
