/* SPDX-License-Identifier: EUPL-1.2
 *
 * Headers and what is derived for them, see header.h.
 */
#include "seal/header.h"

#include <sodium.h>
#include <string.h>

#include "seal/hkdf.h"
#include "seal/suite.h"

enum { MAGIC_BYTES = 6, FIXED_BYTES = MAGIC_BYTES + 2 + 2 };

static const uint8_t MAGIC[MAGIC_BYTES] = {'R', 'L', 'S', 'E', 'A', 'L'};

static struct seal_bytes text(const char *label)
{
    return (struct seal_bytes){(const uint8_t *)label, strlen(label)};
}

static enum seal_status check_length(const char *name, size_t most)
{
    const size_t length = name != NULL ? strnlen(name, most + 1) : 0;

    return length > 0 && length <= most ? SEAL_OK : SEAL_BAD_NAME;
}

enum seal_status seal_address_check(const char *address)
{
    return check_length(address, SEAL_ADDRESS_BYTES);
}

enum seal_status seal_message_check(const struct seal_message *message)
{
    const enum seal_status status = check_length(message->id, SEAL_ID_BYTES);

    return status == SEAL_OK ? seal_address_check(message->sender) : status;
}

static void put_fixed(uint16_t flags, uint8_t out[FIXED_BYTES])
{
    memcpy(out, MAGIC, MAGIC_BYTES);
    seal_put_u16(out + MAGIC_BYTES, SEAL_SUITE_X25519);
    seal_put_u16(out + MAGIC_BYTES + 2, flags);
}

void seal_header_encode(const struct seal_header *header, uint8_t out[SEAL_HEADER_BYTES])
{
    put_fixed(header->flags, out);
    memcpy(out + FIXED_BYTES, header->commitment, SEAL_COMMITMENT_BYTES);
}

enum seal_status seal_header_decode(const uint8_t bytes[SEAL_HEADER_BYTES],
                                    struct seal_header *out_header)
{
    if (memcmp(bytes, MAGIC, MAGIC_BYTES) != 0) {
        return SEAL_NOT_SEALED;
    }
    if (seal_get_u16(bytes + MAGIC_BYTES) != SEAL_SUITE_X25519) {
        return SEAL_UNKNOWN_SUITE;
    }
    if ((seal_get_u16(bytes + MAGIC_BYTES + 2) & ~SEAL_FLAGS) != 0) {
        return SEAL_UNKNOWN_FLAG;
    }
    out_header->flags = seal_get_u16(bytes + MAGIC_BYTES + 2);
    memcpy(out_header->commitment, bytes + FIXED_BYTES, SEAL_COMMITMENT_BYTES);
    return SEAL_OK;
}

void seal_header_derive(const uint8_t content_key[SEAL_CONTENT_KEY_BYTES], uint16_t flags,
                        const struct seal_message *message,
                        uint8_t out_commitment[SEAL_COMMITMENT_BYTES],
                        uint8_t out_stream_key[SEAL_STREAM_KEY_BYTES])
{
    const struct seal_bytes key = {content_key, SEAL_CONTENT_KEY_BYTES};
    const struct seal_bytes id = text(message->id);
    const struct seal_bytes sender = text(message->sender);
    uint8_t prk[HKDF_KEY_BYTES];
    uint8_t fixed[FIXED_BYTES];
    uint8_t id_length[2];
    uint8_t sender_length[2];
    const struct seal_bytes committed[] = {
        text("commitment"),
        {fixed, sizeof fixed},
        {id_length, sizeof id_length},
        id,
        {sender_length, sizeof sender_length},
        sender,
    };
    const struct seal_bytes streamed[] = {text("stream"), {out_commitment, SEAL_COMMITMENT_BYTES}};

    put_fixed(flags, fixed);
    seal_put_u16(id_length, (uint16_t)id.size);
    seal_put_u16(sender_length, (uint16_t)sender.size);
    hkdf_extract(text("relais-seal-1"), &key, 1, prk);
    hkdf_expand(prk, committed, sizeof committed / sizeof *committed, out_commitment,
                SEAL_COMMITMENT_BYTES);
    hkdf_expand(prk, streamed, sizeof streamed / sizeof *streamed, out_stream_key,
                SEAL_STREAM_KEY_BYTES);
    sodium_memzero(prk, sizeof prk);
}
