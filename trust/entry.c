/* SPDX-License-Identifier: EUPL-1.2
 *
 * See entry.h. What is written is read again before it is given out, so that both have one set of
 * rules.
 */
#include "trust/entry.h"

#include "trust/lines.h"
#include "wire/name.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char FIRST_LINE[] = "relais directory entry 1";

static bool is_kind(const char *text)
{
    static const char *const kinds[] = {"commune", "epci",  "departement",
                                        "region",  "state", "operator"};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(text, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool only(const char *text, const char *characters, size_t size)
{
    return strlen(text) == size && strspn(text, characters) == size;
}

/* A line that may be missing; false when it is there and wrong. */
static bool read_optional(struct bytes *rest, const char *name, char *out, size_t size)
{
    struct bytes value;

    out[0] = '\0';
    return !lines_value(rest, name, &value) || lines_copy(value, out, size);
}

static bool read_identifiers(struct bytes *rest, struct trust_entry *entry)
{
    return read_optional(rest, "siret", entry->siret, sizeof entry->siret) &&
           read_optional(rest, "insee", entry->insee, sizeof entry->insee) &&
           (entry->siret[0] == '\0' || only(entry->siret, "0123456789", ENTRY_SIRET_DIGITS)) &&
           (entry->insee[0] == '\0' || only(entry->insee, "0123456789AB", ENTRY_INSEE_CHARACTERS));
}

static bool read_head(struct bytes *rest, struct trust_entry *entry)
{
    return lines_text(rest, "slug", entry->slug, sizeof entry->slug) && name_is_slug(entry->slug) &&
           lines_number(rest, "sequence", &entry->sequence) && entry->sequence > 0 &&
           lines_number(rest, "from-ms", &entry->from_ms) &&
           lines_number(rest, "until-ms", &entry->until_ms) && entry->from_ms < entry->until_ms &&
           lines_text(rest, "kind", entry->kind, sizeof entry->kind) && is_kind(entry->kind) &&
           read_identifiers(rest, entry);
}

static bool has_key(const struct trust_entry *entry, const struct signing_public *key)
{
    for (size_t i = 0; i < entry->signing_key_count; i++) {
        if (signing_public_equal(&entry->signing_keys[i], key)) {
            return true;
        }
    }
    return false;
}

static enum trust_status read_signing_keys(struct bytes *rest, struct trust_entry *entry)
{
    struct bytes value;

    entry->signing_key_count = 0;
    while (lines_value(rest, "signing-key", &value)) {
        struct signing_public key;
        enum trust_status status = signing_public_decode(value, &key);

        if (status != TRUST_OK) {
            return status;
        }
        if (entry->signing_key_count == ENTRY_SIGNING_KEYS) {
            return TRUST_TOO_LONG;
        }
        if (strcmp(key.name, entry->slug) != 0 || has_key(entry, &key)) {
            return TRUST_BAD_KEY;
        }
        entry->signing_keys[entry->signing_key_count++] = key;
    }
    return entry->signing_key_count > 0 ? TRUST_OK : TRUST_BAD_LINE;
}

static enum trust_status read_services(struct bytes *rest, struct trust_entry *entry)
{
    struct bytes value;

    entry->service_count = 0;
    while (lines_value(rest, "service", &value)) {
        const size_t at = entry->service_count;

        if (at == ENTRY_SERVICES) {
            return TRUST_TOO_LONG;
        }
        if (!lines_copy(value, entry->services[at], sizeof entry->services[at]) ||
            !name_is_slug(entry->services[at]) ||
            (at > 0 && strcmp(entry->services[at - 1], entry->services[at]) >= 0)) {
            return TRUST_BAD_LINE;
        }
        entry->service_count++;
    }
    return TRUST_OK;
}

/* The 85 characters of ZeroMQ's RFC 32; that 40 of them are a key is the transport's to see. */
static bool is_z85(const char *text)
{
    return only(text,
                "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}"
                "@%$#",
                ENTRY_KEY_CHARACTERS);
}

static enum trust_status read_clients(struct bytes *rest, struct trust_entry *entry)
{
    struct bytes value;

    entry->client_count = 0;
    while (lines_value(rest, "client", &value)) {
        struct entry_client *client = &entry->clients[entry->client_count];
        struct bytes name;

        if (entry->client_count == ENTRY_CLIENTS) {
            return TRUST_TOO_LONG;
        }
        if (!lines_word(&value, &name) || !lines_copy(name, client->name, sizeof client->name) ||
            !name_is_slug(client->name) || !lines_copy(value, client->key, sizeof client->key) ||
            !is_z85(client->key) ||
            (entry->client_count > 0 && strcmp(client[-1].name, client->name) >= 0)) {
            return TRUST_BAD_LINE;
        }
        entry->client_count++;
    }
    return TRUST_OK;
}

enum trust_status entry_decode(struct bytes text, struct trust_entry *out_entry)
{
    struct bytes rest = text;
    enum trust_status status = TRUST_OK;

    if (!lines_begin(&rest, FIRST_LINE)) {
        return TRUST_OTHER_KIND;
    }
    if (!read_head(&rest, out_entry)) {
        return TRUST_BAD_LINE;
    }
    status = read_signing_keys(&rest, out_entry);
    if (status == TRUST_OK) {
        status = read_services(&rest, out_entry);
    }
    if (status == TRUST_OK) {
        status = read_clients(&rest, out_entry);
    }
    return status == TRUST_OK && rest.size > 0 ? TRUST_BAD_LINE : status;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void write_lists(const struct trust_entry *entry, struct lines *lines)
{
    char key[SIGNING_PUBLIC_TEXT_BYTES];

    for (size_t i = 0; i < entry->signing_key_count; i++) {
        signing_public_encode(&entry->signing_keys[i], key);
        lines_put(lines, "signing-key: %s\n", key);
    }
    for (size_t i = 0; i < entry->service_count; i++) {
        lines_put(lines, "service: %s\n", entry->services[i]);
    }
    for (size_t i = 0; i < entry->client_count; i++) {
        lines_put(lines, "client: %s %s\n", entry->clients[i].name, entry->clients[i].key);
    }
}

/* Is it an entry, as whoever gets it will read it? */
static enum trust_status read_again(struct bytes text)
{
    struct trust_entry *again = malloc(sizeof *again);
    enum trust_status status = again != NULL ? entry_decode(text, again) : TRUST_NO_MEMORY;

    free(again);
    return status;
}

enum trust_status entry_encode(struct trust_entry *entry, uint8_t *out, size_t *out_size)
{
    struct lines lines = {.data = (char *)out, .size = NOTE_BYTES};

    qsort(entry->services, entry->service_count, sizeof entry->services[0], by_text);
    qsort(entry->clients, entry->client_count, sizeof entry->clients[0], by_text);
    lines_put(&lines, "%s\nslug: %s\nsequence: %" PRId64 "\n", FIRST_LINE, entry->slug,
              entry->sequence);
    lines_put(&lines, "from-ms: %" PRId64 "\nuntil-ms: %" PRId64 "\nkind: %s\n", entry->from_ms,
              entry->until_ms, entry->kind);
    if (entry->siret[0] != '\0') {
        lines_put(&lines, "siret: %s\n", entry->siret);
    }
    if (entry->insee[0] != '\0') {
        lines_put(&lines, "insee: %s\n", entry->insee);
    }
    write_lists(entry, &lines);
    if (lines.failed) {
        return TRUST_TOO_LONG;
    }
    *out_size = lines.used;
    return read_again((struct bytes){out, lines.used});
}

enum trust_status entry_check_time(const struct trust_entry *entry, int64_t now_ms)
{
    if (now_ms < entry->from_ms) {
        return TRUST_NOT_YET;
    }
    return now_ms < entry->until_ms ? TRUST_OK : TRUST_EXPIRED;
}

bool entry_has_service(const struct trust_entry *entry, const char *service)
{
    return bsearch(service, entry->services, entry->service_count, sizeof entry->services[0],
                   by_text) != NULL;
}
