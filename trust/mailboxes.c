/* SPDX-License-Identifier: EUPL-1.2
 *
 * See mailboxes.h.
 */
#include "trust/mailboxes.h"

#include "trust/lines.h"
#include "wire/name.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_BASE64_BYTES = 68 }; /* of 50 bytes */

static const char FIRST_LINE[] = "relais mailbox keys 1";

static int by_place(const void *left, const void *right)
{
    const struct mailboxes_key *one = left;
    const struct mailboxes_key *other = right;
    const int order = strcmp(one->place, other->place);

    if (order != 0) {
        return order;
    }
    return (one->key.not_before_ms > other->key.not_before_ms) -
           (one->key.not_before_ms < other->key.not_before_ms);
}

static bool is_place(const char *text)
{
    return strcmp(text, "*") == 0 || name_is_slug(text[0] == '~' ? text + 1 : text);
}

static bool read_record(struct bytes value, struct mailbox_public *out_key)
{
    uint8_t record[MAILBOX_PUBLIC_BYTES];
    char again[RECORD_BASE64_BYTES + 1];
    size_t size = 0;

    if (value.size != RECORD_BASE64_BYTES ||
        sodium_base642bin(record, sizeof record, (const char *)value.data, value.size, NULL, &size,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        size != sizeof record) {
        return false;
    }
    (void)sodium_bin2base64(again, sizeof again, record, sizeof record,
                            sodium_base64_VARIANT_ORIGINAL);
    return memcmp(again, value.data, value.size) == 0 &&
           mailbox_public_decode((struct seal_bytes){record, sizeof record}, out_key) == SEAL_OK;
}

static enum trust_status read_keys(struct bytes *rest, struct mailboxes *mailboxes)
{
    struct bytes value;

    mailboxes->count = 0;
    while (lines_value(rest, "mailbox", &value)) {
        struct mailboxes_key *key = &mailboxes->keys[mailboxes->count];
        struct bytes place;

        if (mailboxes->count == MAILBOXES_KEYS) {
            return TRUST_TOO_LONG;
        }
        if (!lines_word(&value, &place) || !lines_copy(place, key->place, sizeof key->place) ||
            !is_place(key->place)) {
            return TRUST_BAD_LINE;
        }
        if (!read_record(value, &key->key)) {
            return TRUST_BAD_KEY;
        }
        if (mailboxes->count > 0 && by_place(key - 1, key) >= 0) {
            return TRUST_BAD_LINE;
        }
        mailboxes->count++;
    }
    return TRUST_OK;
}

enum trust_status mailboxes_decode(struct bytes text, struct mailboxes *out_mailboxes)
{
    struct bytes rest = text;
    enum trust_status status = TRUST_OK;

    if (!lines_begin(&rest, FIRST_LINE)) {
        return TRUST_OTHER_KIND;
    }
    if (!lines_text(&rest, "member", out_mailboxes->member, sizeof out_mailboxes->member) ||
        !name_is_slug(out_mailboxes->member) ||
        !lines_number(&rest, "sequence", &out_mailboxes->sequence) ||
        out_mailboxes->sequence == 0) {
        return TRUST_BAD_LINE;
    }
    status = read_keys(&rest, out_mailboxes);
    return status == TRUST_OK && rest.size > 0 ? TRUST_BAD_LINE : status;
}

enum trust_status mailboxes_encode(struct mailboxes *mailboxes, uint8_t *out, size_t *out_size)
{
    struct lines lines = {.data = (char *)out, .size = NOTE_BYTES};
    struct mailboxes *again = NULL;
    enum trust_status status = TRUST_NO_MEMORY;

    qsort(mailboxes->keys, mailboxes->count, sizeof mailboxes->keys[0], by_place);
    lines_put(&lines, "%s\nmember: %s\nsequence: %" PRId64 "\n", FIRST_LINE, mailboxes->member,
              mailboxes->sequence);
    for (size_t i = 0; i < mailboxes->count; i++) {
        uint8_t record[MAILBOX_PUBLIC_BYTES];
        char base64[RECORD_BASE64_BYTES + 1];

        mailbox_public_encode(&mailboxes->keys[i].key, record);
        (void)sodium_bin2base64(base64, sizeof base64, record, sizeof record,
                                sodium_base64_VARIANT_ORIGINAL);
        lines_put(&lines, "mailbox: %s %s\n", mailboxes->keys[i].place, base64);
    }
    if (lines.failed) {
        return TRUST_TOO_LONG;
    }
    again = malloc(sizeof *again);
    if (again != NULL) {
        status = mailboxes_decode((struct bytes){out, lines.used}, again);
    }
    free(again);
    *out_size = lines.used;
    return status;
}

static const struct mailbox_public *find_valid(const struct mailboxes *mailboxes, const char *place,
                                               int64_t now_ms)
{
    const struct mailbox_public *found = NULL;

    for (size_t i = 0; i < mailboxes->count; i++) {
        const struct mailboxes_key *key = &mailboxes->keys[i];

        if (strcmp(key->place, place) == 0 && mailbox_public_is_valid_at(&key->key, now_ms)) {
            found = &key->key; /* sorted: a later one began later */
        }
    }
    return found;
}

static bool has_place(const struct mailboxes *mailboxes, const char *place)
{
    for (size_t i = 0; i < mailboxes->count; i++) {
        if (strcmp(mailboxes->keys[i].place, place) == 0) {
            return true;
        }
    }
    return false;
}

const struct mailbox_public *mailboxes_find(const struct mailboxes *mailboxes, const char *place,
                                            int64_t now_ms)
{
    /* A place whose own keys have expired does not fall back on a key that others hold. */
    return find_valid(mailboxes, has_place(mailboxes, place) ? place : "*", now_ms);
}
