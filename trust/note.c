/* SPDX-License-Identifier: EUPL-1.2
 *
 * See note.h.
 */
#include "trust/note.h"

#include "wire/name.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    DASH_BYTES = 4, /* the dash in UTF-8, and a space */
    BLOB_BYTES = SIGNING_ID_BYTES + SIGNATURE_BYTES,
    BLOB_BASE64_BYTES = 92, /* of 68 bytes, "=" included */
    LINE_BYTES = DASH_BYTES + SIGNING_NAME_BYTES + 1 + BLOB_BASE64_BYTES + 1,
};

static const char DASH[DASH_BYTES + 1] = "\xe2\x80\x94 ";

struct signature {
    char name[SIGNING_NAME_BYTES + 1];
    uint8_t blob[BLOB_BYTES];
};

/* Reads the line at the begin of *rest and steps behind it. */
static bool next_signature(struct bytes *rest, struct signature *out_signature)
{
    const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
    const char *line = (const char *)rest->data;
    char again[BLOB_BASE64_BYTES + 1];
    size_t line_size = 0;
    size_t name_size = 0;
    size_t size = 0;

    if (end == NULL) {
        return false;
    }
    line_size = (size_t)(end - rest->data);
    if (line_size <= DASH_BYTES + 1 + BLOB_BASE64_BYTES || memcmp(line, DASH, DASH_BYTES) != 0) {
        return false;
    }
    name_size = line_size - DASH_BYTES - 1 - BLOB_BASE64_BYTES;
    if (name_size > SIGNING_NAME_BYTES || line[DASH_BYTES + name_size] != ' ') {
        return false;
    }
    memcpy(out_signature->name, line + DASH_BYTES, name_size);
    out_signature->name[name_size] = '\0';
    line += DASH_BYTES + name_size + 1;
    if (strlen(out_signature->name) != name_size || !name_is_slug(out_signature->name) ||
        sodium_base642bin(out_signature->blob, BLOB_BYTES, line, BLOB_BASE64_BYTES, NULL, &size,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        size != BLOB_BYTES) {
        return false;
    }
    (void)sodium_bin2base64(again, sizeof again, out_signature->blob, BLOB_BYTES,
                            sodium_base64_VARIANT_ORIGINAL);
    if (memcmp(again, line, BLOB_BASE64_BYTES) != 0) {
        return false;
    }
    *rest = (struct bytes){end + 1, rest->size - line_size - 1};
    return true;
}

/* The last empty line: signatures have none, and the text may. */
static const uint8_t *find_gap(struct bytes bytes)
{
    for (size_t at = bytes.size; at >= 2; at--) {
        if (bytes.data[at - 1] == '\n' && bytes.data[at - 2] == '\n') {
            return bytes.data + at - 1;
        }
    }
    return NULL;
}

enum trust_status note_split(struct bytes bytes, struct note *out_note)
{
    const uint8_t *gap = NULL;
    struct signature signature;
    struct bytes rest;
    size_t count = 0;

    if (bytes.size > NOTE_BYTES) {
        return TRUST_TOO_LONG;
    }
    gap = find_gap(bytes);
    if (gap == NULL || gap == bytes.data + 1) { /* no text before it but an end of line */
        return TRUST_BAD_NOTE;
    }
    out_note->text = (struct bytes){bytes.data, (size_t)(gap - bytes.data)};
    out_note->signatures = (struct bytes){gap + 1, bytes.size - (size_t)(gap - bytes.data) - 1};
    rest = out_note->signatures;
    while (rest.size > 0) {
        if (!next_signature(&rest, &signature)) {
            return TRUST_BAD_NOTE;
        }
        count++;
        if (count > NOTE_SIGNATURES) {
            return TRUST_TOO_LONG;
        }
    }
    return count > 0 ? TRUST_OK : TRUST_UNSIGNED;
}

/* The index of the key that this signature says to be of; `count` when there is none. */
static size_t find_key(const struct note_keys *keys, const struct signature *signature)
{
    size_t i = 0;

    while (i < keys->count && (strcmp(keys->keys[i].name, signature->name) != 0 ||
                               memcmp(keys->keys[i].id, signature->blob, SIGNING_ID_BYTES) != 0)) {
        i++;
    }
    return i;
}

enum trust_status note_verify(const struct note *note, const struct note_keys *keys,
                              size_t *out_signer)
{
    struct bytes rest = note->signatures;
    struct signature signature;
    size_t signer = keys->count;

    while (next_signature(&rest, &signature)) {
        const size_t index = find_key(keys, &signature);

        if (index == keys->count) {
            continue;
        }
        if (!signing_public_verifies(&keys->keys[index], note->text,
                                     signature.blob + SIGNING_ID_BYTES)) {
            return TRUST_FORGED;
        }
        signer = signer == keys->count ? index : signer;
    }
    if (signer == keys->count) {
        return TRUST_UNSIGNED;
    }
    if (out_signer != NULL) {
        *out_signer = signer;
    }
    return TRUST_OK;
}

bool note_signer(const struct note *note, size_t index, char out_name[SIGNING_NAME_BYTES + 1],
                 uint8_t out_id[SIGNING_ID_BYTES])
{
    struct bytes rest = note->signatures;
    struct signature signature;

    for (size_t i = 0; next_signature(&rest, &signature); i++) {
        if (i == index) {
            memcpy(out_name, signature.name, sizeof signature.name);
            memcpy(out_id, signature.blob, SIGNING_ID_BYTES);
            return true;
        }
    }
    return false;
}

enum trust_status note_sign(struct bytes text, const struct signing_key *key, uint8_t *out,
                            size_t size, size_t *out_size)
{
    const struct signing_public *half = signing_key_public(key);
    char base64[BLOB_BASE64_BYTES + 1];
    uint8_t blob[BLOB_BYTES];
    char line[LINE_BYTES + 1];
    size_t line_size = 0;

    memcpy(blob, half->id, SIGNING_ID_BYTES);
    signing_key_sign(key, text, blob + SIGNING_ID_BYTES);
    (void)sodium_bin2base64(base64, sizeof base64, blob, sizeof blob,
                            sodium_base64_VARIANT_ORIGINAL);
    line_size = (size_t)snprintf(line, sizeof line, "%s%s %s\n", DASH, half->name, base64);
    if (text.size + 1 + line_size > size || text.size + 1 + line_size > NOTE_BYTES) {
        return TRUST_TOO_LONG;
    }
    memcpy(out, text.data, text.size);
    out[text.size] = '\n';
    memcpy(out + text.size + 1, line, line_size);
    *out_size = text.size + 1 + line_size;
    return TRUST_OK;
}
