/* SPDX-License-Identifier: EUPL-1.2
 *
 * Wraps, see wrap.h.
 */
#include "seal/wrap.h"

#include <sodium.h>
#include <string.h>

#include "seal/suite.h"

static const char LABEL[] = "relais-seal-1 wrap";

enum {
    KEY_ID_AT = 2,
    ENC_AT = KEY_ID_AT + MAILBOX_KEY_ID_BYTES,
    SEALED_AT = ENC_AT + HPKE_ENC_BYTES,
    SEALED_BYTES = SEAL_CONTENT_KEY_BYTES + HPKE_TAG_BYTES,
    LABEL_BYTES = sizeof LABEL - 1,
    INFO_BYTES =
        LABEL_BYTES + 2 + 2 + SEAL_ID_BYTES + 2 * (2 + SEAL_ADDRESS_BYTES) + MAILBOX_KEY_ID_BYTES,
};

_Static_assert(SEAL_WRAP_BYTES == SEALED_AT + SEALED_BYTES, "the layout");

struct info {
    uint8_t bytes[INFO_BYTES];
    size_t size;
};

static void put(struct info *info, const void *data, size_t size)
{
    memcpy(info->bytes + info->size, data, size);
    info->size += size;
}

static void put_name(struct info *info, const char *name)
{
    const size_t length = strlen(name);

    seal_put_u16(info->bytes + info->size, (uint16_t)length);
    info->size += 2;
    put(info, name, length);
}

static struct seal_bytes make_info(struct info *info, const struct wrap_terms *terms,
                                   const uint8_t key_id[MAILBOX_KEY_ID_BYTES])
{
    info->size = 0;
    put(info, LABEL, LABEL_BYTES);
    seal_put_u16(info->bytes + info->size, SEAL_SUITE_X25519);
    info->size += 2;
    put_name(info, terms->message->id);
    put_name(info, terms->message->sender);
    put_name(info, terms->recipient);
    put(info, key_id, MAILBOX_KEY_ID_BYTES);
    return (struct seal_bytes){info->bytes, info->size};
}

enum seal_status wrap_seal(const struct wrap_terms *terms, const struct mailbox_public *key,
                           const uint8_t content_key[SEAL_CONTENT_KEY_BYTES],
                           uint8_t out_wrap[SEAL_WRAP_BYTES])
{
    struct hpke_context context;
    struct info info;
    uint8_t wrap[SEAL_WRAP_BYTES];
    enum seal_status status = SEAL_OK;

    seal_put_u16(wrap, SEAL_SUITE_X25519);
    mailbox_public_id(key, wrap + KEY_ID_AT);
    status = hpke_setup_sender(key->point, make_info(&info, terms, wrap + KEY_ID_AT), wrap + ENC_AT,
                               &context);
    if (status != SEAL_OK) {
        return status;
    }
    hpke_seal(&context, (struct seal_bytes){terms->header, SEAL_HEADER_BYTES},
              (struct seal_bytes){content_key, SEAL_CONTENT_KEY_BYTES}, wrap + SEALED_AT);
    hpke_wipe(&context);
    memcpy(out_wrap, wrap, SEAL_WRAP_BYTES);
    return SEAL_OK;
}

enum seal_status wrap_key_id(struct seal_bytes wrap, uint8_t out_id[MAILBOX_KEY_ID_BYTES])
{
    if (wrap.size < 2) {
        return SEAL_BAD_WRAP;
    }
    if (seal_get_u16(wrap.data) != SEAL_SUITE_X25519) {
        return SEAL_UNKNOWN_SUITE; /* whatever its size: that is the other suite's matter */
    }
    if (wrap.size != SEAL_WRAP_BYTES) {
        return SEAL_BAD_WRAP;
    }
    memcpy(out_id, wrap.data + KEY_ID_AT, MAILBOX_KEY_ID_BYTES);
    return SEAL_OK;
}

enum seal_status wrap_open(const struct wrap_terms *terms, const struct mailbox_key *key,
                           struct seal_bytes wrap, uint8_t out_content_key[SEAL_CONTENT_KEY_BYTES])
{
    const struct hpke_pair pair = {mailbox_key_public(key)->point, mailbox_key_secret(key)};
    struct hpke_context context;
    struct info info;
    uint8_t key_id[MAILBOX_KEY_ID_BYTES];
    enum seal_status status = wrap_key_id(wrap, key_id);

    if (status != SEAL_OK) {
        return status;
    }
    if (sodium_memcmp(key_id, mailbox_key_id(key), sizeof key_id) != 0) {
        return SEAL_OTHER_KEY;
    }
    status =
        hpke_setup_recipient(wrap.data + ENC_AT, pair, make_info(&info, terms, key_id), &context);
    if (status != SEAL_OK) {
        return SEAL_WRAP_REFUSED; /* a point of low order: altered, like any other flipped bit */
    }
    status = hpke_open(&context, (struct seal_bytes){terms->header, SEAL_HEADER_BYTES},
                       (struct seal_bytes){wrap.data + SEALED_AT, SEALED_BYTES}, out_content_key);
    hpke_wipe(&context);
    return status;
}
