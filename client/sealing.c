/* SPDX-License-Identifier: EUPL-1.2
 *
 * Sealing what goes out. See sealing.h.
 */
#include "client/sealing.h"

#include "client/clock.h"
#include "client/error.h"
#include "client/identity.h"
#include "program/locale.h"
#include "seal/sealer.h"
#include "seal/stream.h"
#include "wire/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sealing_free(struct sealing *sealing)
{
    if (sealing != NULL) {
        relais_trust_close(sealing->trust);
        relais_identity_free(sealing->identity);
        mailbox_key_free(sealing->last_key);
        free(sealing->mailbox_keys);
        free(sealing->flows);
        free(sealing);
    }
}

bool sealing_covers(const struct sealing *sealing, const char *flow)
{
    bool covered = sealing != NULL && sealing->flow_count == 0;

    for (size_t i = 0; sealing != NULL && !covered && i < sealing->flow_count; i++) {
        covered = flow != NULL && strcmp(sealing->flows[i], flow) == 0;
    }
    return covered;
}

static relais_status take_flows(struct sealing *own, const relais_sealing *sealing,
                                relais_error *error)
{
    own->flows = calloc(sealing->flow_count + 1, sizeof *own->flows);
    if (own->flows == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    for (size_t i = 0; i < sealing->flow_count; i++) {
        if (!name_is_flow(sealing->flows[i])) {
            return error_fill(error, RELAIS_USAGE, "flows", sealing->flows[i], _("codes of flows"));
        }
        (void)snprintf(own->flows[i], sizeof own->flows[i], "%s", sealing->flows[i]);
    }
    own->flow_count = sealing->flow_count;
    return RELAIS_OK;
}

relais_status relais_client_seal(relais_client *client, const relais_sealing *sealing,
                                 relais_error *error)
{
    struct sealing *own = NULL;
    relais_status status = RELAIS_OK;

    if (client == NULL || client->sealing != NULL || sealing == NULL ||
        sealing->regulators == NULL) {
        return error_fill(error, RELAIS_USAGE, "sealing", NULL, NULL);
    }
    own = calloc(1, sizeof *own);
    if (own == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    status = relais_trust_open(sealing->regulators, sealing->memory, &own->trust, error);
    if (status == RELAIS_OK && sealing->identity != NULL) {
        status = relais_identity_load(sealing->identity, &own->identity, error);
    }
    if (status == RELAIS_OK) {
        status = take_flows(own, sealing, error);
    }
    if (status == RELAIS_OK && sealing->mailbox_keys != NULL) {
        own->mailbox_keys = strdup(sealing->mailbox_keys);
        if (own->mailbox_keys == NULL) {
            status = error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
        }
    }
    if (status != RELAIS_OK) {
        sealing_free(own);
        return status;
    }
    client->sealing = own;
    return RELAIS_OK;
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

relais_status relais_client_seal_profile(relais_client *client, const relais_profile *profile,
                                         relais_error *error)
{
    const char *flows[RELAIS_PROFILE_FLOWS];
    const relais_sealing sealing = {
        .regulators = or_null(profile->regulator_path),
        .memory = or_null(profile->memory_path),
        .identity = or_null(profile->identity_path),
        .mailbox_keys = or_null(profile->mailbox_keys_path),
        .flows = flows,
        .flow_count = profile->sealed_flow_count,
    };

    if (sealing.regulators == NULL) {
        return RELAIS_OK;
    }
    for (size_t i = 0; i < profile->sealed_flow_count; i++) {
        flows[i] = profile->sealed_flows[i];
    }
    return relais_client_seal(client, &sealing, error);
}

/* The part of an address before "/". */
static void member_of(const char *address, char out_member[NAME_SLUG_BYTES + 1])
{
    const size_t size = strcspn(address, "/");

    (void)snprintf(out_member, NAME_SLUG_BYTES + 1, "%.*s", (int)size, address);
}

/* Our own address: the message's, or the private one of this client. */
static relais_status take_sender(const relais_client *client, const relais_message *message,
                                 struct sealed_message *sealed, relais_error *error)
{
    char member[NAME_SLUG_BYTES + 1];
    char own[sizeof client->member + sizeof client->name + 2];
    size_t member_bytes = 0;
    const char *name = signing_key_public(identity_key(client->sealing->identity))->name;

    if (message->from != NULL && message->from[0] != '\0') {
        (void)snprintf(own, sizeof own, "%s", message->from);
    } else {
        (void)snprintf(own, sizeof own, "%s/~%s", client->member, client->name);
    }
    if (!name_is_address(own, &member_bytes)) {
        return error_fill(error, RELAIS_FIELD_MISSING, "from", NULL,
                          _("our own address: a sealed message says who sealed it"));
    }
    error_copy_text(sealed->from, sizeof sealed->from, own);
    member_of(sealed->from, member);
    if (strcmp(member, name) != 0) {
        return error_fill(error, RELAIS_FIELD_INVALID, "from", sealed->from,
                          _("an address of the member whose signing key we have"));
    }
    sealed->message.from = sealed->from;
    return RELAIS_OK;
}

/* Entries of all recipients, verified. */
static relais_status fetch(relais_client *client, const relais_message *message,
                           relais_error *error)
{
    char members[RELAIS_RECIPIENTS_MAX][NAME_SLUG_BYTES + 1];
    const char *missing[RELAIS_RECIPIENTS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < message->to_count; i++) {
        bool known = false;

        member_of(message->to[i], members[i]);
        for (size_t k = 0; k < count && !known; k++) {
            known = strcmp(missing[k], members[i]) == 0;
        }
        if (!known && trust_find(client->sealing->trust, members[i]) == NULL) {
            missing[count++] = members[i];
        }
    }
    if (count == 0) {
        return RELAIS_OK;
    }
    return relais_trust_fetch(client->sealing->trust, client, missing, count, SEALING_FETCH_MS,
                              error);
}

static relais_status wrap_one(const relais_client *client, const struct sealer *sealer,
                              const char *address, uint8_t *out_wrap, relais_error *error)
{
    char member[NAME_SLUG_BYTES + 1];
    const int64_t now_ms = clock_wall_ms();
    const struct mailbox_public *key = NULL;
    const struct trust_cached *cached = NULL;

    member_of(address, member);
    cached = trust_find(client->sealing->trust, member);
    if (cached != NULL) {
        key = mailboxes_find(&cached->mailboxes, strchr(address, '/') + 1, now_ms);
    }
    if (key == NULL) {
        return error_fill(error, RELAIS_NOT_SEALED, "to", address,
                          _("a recipient that has published a mailbox key for now: relais key "
                            "mailboxes"));
    }
    const struct seal_recipient recipient = {.address = address, .key = key, .now_ms = now_ms};
    if (seal_wrap(sealer, &recipient, out_wrap) != SEAL_OK) {
        return error_fill(error, RELAIS_NOT_SEALED, "to", address,
                          _("a recipient whose mailbox key can be used"));
    }
    return RELAIS_OK;
}

/* Header, chunks, a tag each. */
static size_t sealed_bytes(size_t payload)
{
    const size_t chunks =
        payload == 0 ? 1 : (payload + STREAM_CHUNK_BYTES - 1) / STREAM_CHUNK_BYTES;

    return SEAL_HEADER_BYTES + payload + chunks * STREAM_TAG_BYTES;
}

static enum seal_status seal_payload(struct sealer *sealer, relais_bytes payload,
                                     struct seal_output *out)
{
    struct seal_input in = {.data = payload.data, .size = payload.size};
    enum seal_status status = SEAL_OK;
    bool done = false;

    (void)seal_output_put(out, (struct seal_bytes){seal_header(sealer), SEAL_HEADER_BYTES});
    while (status == SEAL_OK && in.used < in.size && out->used < out->size) {
        status = seal_update(sealer, &in, out);
    }
    if (status == SEAL_OK) {
        status = seal_end(sealer, out, &done);
    }
    return status == SEAL_OK && !done ? SEAL_TOO_LONG : status;
}

static relais_status seal_for_all(relais_client *client, const relais_message *message,
                                  struct sealed_message *sealed, relais_error *error)
{
    const struct seal_request request = {.message = {message->id, sealed->from}};
    struct seal_output out = {.size = sealed_bytes(message->payload.size)};
    struct sealer *sealer = NULL;
    relais_status status = RELAIS_OK;

    sealed->payload = malloc(out.size);
    out.data = sealed->payload;
    if (sealed->payload == NULL || seal_begin(&request, &sealer) != SEAL_OK) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    for (size_t i = 0; status == RELAIS_OK && i < message->to_count; i++) {
        status =
            wrap_one(client, sealer, message->to[i], sealed->wraps + i * SEAL_WRAP_BYTES, error);
    }
    if (status == RELAIS_OK && seal_payload(sealer, message->payload, &out) != SEAL_OK) {
        status = error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    seal_free(sealer);
    sealed->message.payload = (relais_bytes){sealed->payload, out.used};
    sealed->seal.wrap_count = message->to_count;
    return status;
}

relais_status sealing_seal(relais_client *client, const relais_message *message,
                           struct sealed_message *out_sealed, relais_error *error)
{
    const struct sealing *sealing = client->sealing;
    relais_status status = RELAIS_OK;

    memset(out_sealed, 0, sizeof *out_sealed);
    out_sealed->message = *message;
    if (sealing->identity == NULL) {
        return error_fill(error, RELAIS_NOT_SEALED, "identity", _("missing"),
                          _("the member's signing key: relais key new --signing"));
    }
    status = take_sender(client, message, out_sealed, error);
    if (status != RELAIS_OK) {
        return status;
    }
    out_sealed->seal.key = identity_key(sealing->identity);
    out_sealed->seal.wraps = out_sealed->wraps;
    if (message->to_count == 0 && message->payload.size == 0) {
        return RELAIS_OK; /* a recall, for instance: signed */
    }
    if (message->to_count == 0) {
        return error_fill(error, RELAIS_NOT_SEALED, "to", _("missing"),
                          _("named recipients: a payload is sealed for each of them"));
    }
    status = fetch(client, message, error);
    return status == RELAIS_OK ? seal_for_all(client, message, out_sealed, error) : status;
}

void sealed_fini(struct sealed_message *sealed)
{
    free(sealed->payload); /* sealed: nothing to wipe */
    sealed->payload = NULL;
}
