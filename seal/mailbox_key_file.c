/* SPDX-License-Identifier: EUPL-1.2
 *
 * A mailbox key as text: "name: value" lines in one order, numbers in decimal, keys in hexadecimal.
 *
 *   suite: 1
 *   from-ms: 1795392000000
 *   until-ms: 1795996800000
 *   public: 64 digits
 *   secret: 64 digits
 *
 * The public half is in it so that a file can be named and a mix-up found; it must be the one that
 * belongs to the secret. Every buffer that held the secret is wiped, whatever the outcome.
 */
#include "seal/mailbox_key.h"

#include <sodium.h>
#include <string.h>

#include "seal/suite.h"

enum {
    HEX_CHARACTERS = 2 * MAILBOX_SECRET_BYTES,
    NUMBER_CHARACTERS = 20, /* of 2^64 */
};

static const char WARNING[] =
    "# The secret half of a mailbox key: who reads this file reads what is "
    "sealed for it.\n";

static bool put(struct seal_output *out, const char *text, size_t size)
{
    return seal_output_put(out, (struct seal_bytes){(const uint8_t *)text, size}) == size;
}

static bool put_line(struct seal_output *out, const char *name, const char *value, size_t size)
{
    return put(out, name, strlen(name)) && put(out, value, size) && put(out, "\n", 1);
}

static bool put_number(struct seal_output *out, const char *name, uint64_t value)
{
    char digits[NUMBER_CHARACTERS];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return put_line(out, name, digits + at, sizeof digits - at);
}

static bool put_key(struct seal_output *out, const char *name, const uint8_t *key)
{
    char hex[HEX_CHARACTERS + 1];
    bool done = false;

    (void)sodium_bin2hex(hex, sizeof hex, key, MAILBOX_SECRET_BYTES);
    done = put_line(out, name, hex, HEX_CHARACTERS);
    sodium_memzero(hex, sizeof hex);
    return done;
}

bool mailbox_key_write(const struct mailbox_key *key, struct seal_output *out)
{
    const struct mailbox_public *half = mailbox_key_public(key);

    return put(out, WARNING, sizeof WARNING - 1) && put_number(out, "suite: ", SEAL_SUITE_X25519) &&
           put_number(out, "from-ms: ", (uint64_t)half->not_before_ms) &&
           put_number(out, "until-ms: ", (uint64_t)half->not_after_ms) &&
           put_key(out, "public: ", half->point) &&
           put_key(out, "secret: ", mailbox_key_secret(key));
}

/* The next line that is no comment, without its end; false when there is none. */
static bool next_line(struct seal_bytes *rest, struct seal_bytes *out_line)
{
    while (rest->size > 0) {
        const uint8_t *end = memchr(rest->data, '\n', rest->size);
        const size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
        const size_t step = end != NULL ? size + 1 : size;

        *out_line = (struct seal_bytes){rest->data, size};
        rest->data += step;
        rest->size -= step;
        if (size > 0 && out_line->data[0] != '#') {
            return true;
        }
    }
    return false;
}

/* The value of the next line, which must have this name. */
static bool read_value(struct seal_bytes *rest, const char *name, struct seal_bytes *out_value)
{
    const size_t length = strlen(name);
    struct seal_bytes line = {0};

    if (!next_line(rest, &line) || line.size < length || memcmp(line.data, name, length) != 0) {
        return false;
    }
    *out_value = (struct seal_bytes){line.data + length, line.size - length};
    return true;
}

static bool read_number(struct seal_bytes *rest, const char *name, int64_t *out_number)
{
    struct seal_bytes value = {0};
    uint64_t number = 0;

    if (!read_value(rest, name, &value) || value.size == 0 || value.size > 18) {
        return false; /* 18 digits fit an int64_t, and reach further than any clock */
    }
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
        number = 10 * number + (uint64_t)(value.data[i] - '0');
    }
    *out_number = (int64_t)number;
    return true;
}

static bool read_key(struct seal_bytes *rest, const char *name, uint8_t out_key[32])
{
    struct seal_bytes value = {0};
    size_t size = 0;

    return read_value(rest, name, &value) && value.size == HEX_CHARACTERS &&
           sodium_hex2bin(out_key, 32, (const char *)value.data, value.size, NULL, &size, NULL) ==
               0 &&
           size == 32;
}

enum seal_status mailbox_key_read(struct seal_bytes file, struct mailbox_key **out_key)
{
    uint8_t secret[MAILBOX_SECRET_BYTES] = {0};
    uint8_t point[MAILBOX_POINT_BYTES] = {0};
    struct seal_bytes rest = file;
    struct mailbox_key *key = NULL;
    int64_t suite = 0;
    int64_t not_before_ms = 0;
    int64_t not_after_ms = 0;
    enum seal_status status = SEAL_BAD_KEY_FILE;

    if (file.size > MAILBOX_KEY_FILE_BYTES || !read_number(&rest, "suite: ", &suite)) {
        return SEAL_BAD_KEY_FILE;
    }
    if (suite != SEAL_SUITE_X25519) {
        return SEAL_UNKNOWN_SUITE;
    }
    if (read_number(&rest, "from-ms: ", &not_before_ms) &&
        read_number(&rest, "until-ms: ", &not_after_ms) && read_key(&rest, "public: ", point) &&
        read_key(&rest, "secret: ", secret) && !next_line(&rest, &(struct seal_bytes){0})) {
        status = mailbox_key_from_secret(secret, not_before_ms, not_after_ms, &key);
    }
    if (status == SEAL_OK &&
        sodium_memcmp(point, mailbox_key_public(key)->point, sizeof point) != 0) {
        mailbox_key_free(key);
        status = SEAL_BAD_KEY_FILE;
    }
    if (status == SEAL_OK) {
        *out_key = key;
    }
    sodium_memzero(secret, sizeof secret);
    return status;
}
