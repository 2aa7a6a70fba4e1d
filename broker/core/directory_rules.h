/* SPDX-License-Identifier: EUPL-1.2
 *
 * Who may send or receive in a flow: everybody, kinds of members, single members. What no rule
 * allows is refused. One bit a member, so that a look-up costs the same for a flow that names 3
 * members and one that names 30,000. One thread.
 */
#ifndef RELAIS_CORE_DIRECTORY_RULES_H
#define RELAIS_CORE_DIRECTORY_RULES_H

#include "core/directory.h"

struct directory_rules {
    bool everybody;
    unsigned kinds; /* bit k: enum member_kind k */
    uint64_t *members;
    size_t words; /* of members */
};

/* "*" or "kind:..."; false when `rule` is neither, and nothing has changed. */
bool directory_rules_add_class(struct directory_rules *rules, const char *rule);

/* False without memory. */
bool directory_rules_add_member(struct directory_rules *rules, size_t member);

bool directory_rules_allow(const struct directory_rules *rules, size_t member,
                           enum member_kind kind);
void directory_rules_fini(struct directory_rules *rules);

#endif
