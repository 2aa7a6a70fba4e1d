/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the files of the directory share: limits of their lists and the small rules.
 */
#ifndef RELAIS_CLIENT_DIRECTORY_STATE_H
#define RELAIS_CLIENT_DIRECTORY_STATE_H

#include <relais/directory.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    DIRECTORY_TEXT_BYTES = 1024,    /* name, title, purpose, legal basis: a paragraph */
    DIRECTORY_NAME_BYTES = 64,      /* slugs and codes: docs/protocol.md, "Names" */
    DIRECTORY_RULE_BYTES = 80,      /* "kind:" and a kind, or a slug */
    DIRECTORY_SERVICES = 256,       /* of one member: the largest authorities have some dozens */
    DIRECTORY_CLIENTS = 64,         /* of one member */
    DIRECTORY_SIGNING_KEYS = 4,     /* of one member: as many as an entry has (trust/entry.h) */
    DIRECTORY_RULES = 50000,        /* of one flow: every member by name, at most */
    DIRECTORY_SUBSCRIPTIONS = 4096, /* of one member: each flow of a bus, twice */
};

/* "commune", ... : the text of the schema's enum. */
enum { DIRECTORY_KINDS = 6 };

/* 5 characters that are the code of a French commune in form: metropolitan (01001), Corsican
 * (2A004), overseas department (97105) or collectivity (98735). Source: INSEE, "Code officiel
 * géographique". */
bool directory_is_insee(const char *text);

/* RELAIS_FIELD_INVALID for "list[index]part". */
relais_status directory_blame(relais_error *error, const char *list, size_t index, const char *part,
                              const char *right, const char *wrong);

/* directory_quota.c */
relais_status directory_quota_check(const relais_quota *quota, relais_error *error);
void directory_quota_free(relais_quota *quota);

/* At most DIRECTORY_SIGNING_KEYS, each the member's own by its name, each once. */
relais_status directory_check_signing_keys(const relais_member *member, relais_error *error);

/* Each service is the member's, each pair is there once. */
relais_status directory_check_subscriptions(const relais_member *member, relais_error *error);

/* A text that must be there: RELAIS_FIELD_MISSING, RELAIS_FIELD_INVALID when too long. */
relais_status directory_require(const char *text, const char *field, relais_error *error);

#endif
