/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bytes of somebody who has no key, to each reader of the sealing library. The first byte says
 * which: 0 a mailbox key's file, 1 its public record, 2 header, wrap and chunks of a payload, 3 the
 * same with the id of our key put into the wrap, 4 and 5 chunks alone, 5 framed.
 *
 * What is read as a key or a record must be written as the same again; nothing may ever open.
 */
#include "seal/opener.h"
#include "seal/stream.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

static void read_key_file(struct seal_bytes bytes)
{
    uint8_t text[MAILBOX_KEY_FILE_BYTES];
    struct seal_output out = {.data = text, .size = sizeof text};
    struct mailbox_key *key = NULL;
    struct mailbox_key *again = NULL;

    if (mailbox_key_read(bytes, &key) != SEAL_OK) {
        require(key == NULL);
        return;
    }
    require(mailbox_key_write(key, &out));
    require(mailbox_key_read((struct seal_bytes){text, out.used}, &again) == SEAL_OK);
    require(memcmp(mailbox_key_id(key), mailbox_key_id(again), MAILBOX_KEY_ID_BYTES) == 0);
    mailbox_key_free(key);
    mailbox_key_free(again);
}

static void read_record(struct seal_bytes bytes)
{
    struct mailbox_public key;
    uint8_t record[MAILBOX_PUBLIC_BYTES];

    if (mailbox_public_decode(bytes, &key) == SEAL_OK) {
        mailbox_public_encode(&key, record);
        require(bytes.size == sizeof record && memcmp(record, bytes.data, sizeof record) == 0);
    }
}

static const struct mailbox_key *our_key(void)
{
    static const uint8_t secret[MAILBOX_SECRET_BYTES] = {1, 2, 3, 4};
    static struct mailbox_key *key;

    if (key == NULL) {
        require(mailbox_key_from_secret(secret, 0, MAILBOX_KEY_WEEK_MS, &key) == SEAL_OK);
    }
    return key;
}

static void read_payload(struct seal_bytes bytes, bool ours)
{
    uint8_t wrap[SEAL_WRAP_BYTES];
    struct opener *opener = NULL;
    struct open_request request = {
        .message = {"id", "a/b"},
        .recipient = "c/d",
        .header = bytes.data,
        .key = our_key(),
        .most_bytes = 1 << 20,
    };

    if (bytes.size < SEAL_HEADER_BYTES) {
        return;
    }
    request.wrap =
        (struct seal_bytes){bytes.data + SEAL_HEADER_BYTES, bytes.size - SEAL_HEADER_BYTES};
    if (ours && request.wrap.size >= SEAL_WRAP_BYTES) {
        memcpy(wrap, request.wrap.data, SEAL_WRAP_BYTES);
        memcpy(wrap + 2, mailbox_key_id(our_key()), MAILBOX_KEY_ID_BYTES);
        request.wrap = (struct seal_bytes){wrap, sizeof wrap};
    }
    require(open_begin(&request, &opener) != SEAL_OK && opener == NULL);
}

static void read_chunks(struct seal_bytes bytes, bool framed)
{
    static const uint8_t key[STREAM_KEY_BYTES] = {5, 6, 7};
    static struct stream_reader reader;
    size_t at = 0;
    size_t taken = 1;
    enum seal_status status = SEAL_OK;

    stream_reader_init(&reader, key, framed, 0);
    while (status == SEAL_OK && at < bytes.size) {
        status = stream_reader_put(&reader, (struct seal_bytes){bytes.data + at, bytes.size - at},
                                   &taken);
        require(status != SEAL_OK || taken > 0);
        at += taken;
    }
    require(status != SEAL_OK || stream_reader_finish(&reader) != SEAL_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seal_bytes rest;

    if (size == 0) {
        return 0;
    }
    rest = (struct seal_bytes){data + 1, size - 1};
    switch (data[0]) {
    case 0:
        read_key_file(rest);
        break;
    case 1:
        read_record(rest);
        break;
    case 2:
    case 3:
        read_payload(rest, data[0] == 3);
        break;
    case 4:
    case 5:
        read_chunks(rest, data[0] == 5);
        break;
    default:
        break;
    }
    return 0;
}
