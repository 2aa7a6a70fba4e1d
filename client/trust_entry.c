/* SPDX-License-Identifier: EUPL-1.2
 *
 * Entries of the directory: signed from a member's file, read, and given to callers.
 */
#include "client/error.h"
#include "client/identity.h"
#include "client/trust_error.h"
#include "client/trust_note.h"
#include "program/locale.h"

#include <relais/trust.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)RELAIS_NOTE_BYTES == (int)NOTE_BYTES, "the header says another size");

relais_status trust_note_sign(struct bytes text, const relais_identity *identity, char **out_note,
                              relais_error *error)
{
    char *note = malloc(NOTE_BYTES + 1);
    size_t size = 0;
    enum trust_status status = TRUST_NO_MEMORY;

    if (note != NULL) {
        status = note_sign(text, identity_key(identity), (uint8_t *)note, NOTE_BYTES, &size);
    }
    if (status != TRUST_OK) {
        free(note);
        return trust_error_note(error, status, "note");
    }
    note[size] = '\0';
    *out_note = note;
    return RELAIS_OK;
}

static void copy(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text != NULL ? text : "");
}

static relais_status take_signing_keys(const relais_member *member, struct trust_entry *entry,
                                       relais_error *error)
{
    if (member->signing_key_count == 0) {
        return error_fill(error, RELAIS_FIELD_MISSING, "signing_keys", _("missing"),
                          _("the member's public signing key (relais key new --signing)"));
    }
    for (size_t i = 0; i < member->signing_key_count; i++) {
        const char *text = member->signing_keys[i];
        enum trust_status status = signing_public_decode(
            (struct bytes){(const uint8_t *)text, strlen(text)}, &entry->signing_keys[i]);

        if (status != TRUST_OK) {
            return error_fill(error, RELAIS_FIELD_INVALID, "signing_keys", text,
                              _("the line of a .pub file"));
        }
    }
    entry->signing_key_count = member->signing_key_count;
    return RELAIS_OK;
}

/* The member has been checked: everything fits. */
static void take_member(const relais_member *member, struct trust_entry *entry)
{
    copy(entry->slug, sizeof entry->slug, member->slug);
    copy(entry->kind, sizeof entry->kind, relais_member_kind_name(member->kind));
    copy(entry->siret, sizeof entry->siret, member->siret);
    copy(entry->insee, sizeof entry->insee, member->insee);
    entry->service_count = member->service_count;
    for (size_t i = 0; i < member->service_count; i++) {
        copy(entry->services[i], sizeof entry->services[i], member->services[i]);
    }
    entry->client_count = member->client_count;
    for (size_t i = 0; i < member->client_count; i++) {
        copy(entry->clients[i].name, sizeof entry->clients[i].name, member->clients[i].name);
        copy(entry->clients[i].key, sizeof entry->clients[i].key, member->clients[i].key);
    }
}

static relais_status check_terms(const relais_entry_terms *terms, relais_error *error)
{
    if (terms->sequence < 1) {
        return error_fill(error, RELAIS_FIELD_INVALID, "sequence", NULL, _("1 or more"));
    }
    if (terms->from_ms < 0 || terms->from_ms >= terms->until_ms) {
        return error_fill(error, RELAIS_FIELD_INVALID, "until_ms", NULL,
                          _("later than the begin of validity"));
    }
    return RELAIS_OK;
}

relais_status relais_entry_sign(const relais_member *member, const relais_entry_terms *terms,
                                const relais_identity *regulator, char **out_note,
                                relais_error *error)
{
    struct trust_entry *entry = NULL;
    uint8_t *text = NULL;
    size_t size = 0;
    relais_status status = relais_member_check(member, error);

    if (status == RELAIS_OK) {
        status = check_terms(terms, error);
    }
    if (status != RELAIS_OK) {
        return status;
    }
    entry = calloc(1, sizeof *entry);
    text = malloc(NOTE_BYTES);
    if (entry == NULL || text == NULL) {
        status = error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
        goto done;
    }
    take_member(member, entry);
    entry->sequence = terms->sequence;
    entry->from_ms = terms->from_ms;
    entry->until_ms = terms->until_ms;
    status = take_signing_keys(member, entry, error);
    if (status == RELAIS_OK) {
        status = trust_error_note(error, entry_encode(entry, text, &size), member->slug);
    }
    if (status == RELAIS_OK) {
        status = trust_note_sign((struct bytes){text, size}, regulator, out_note, error);
    }
done:
    free(entry);
    free(text);
    return status;
}

void relais_entry_free(relais_entry *entry)
{
    if (entry != NULL) {
        free(entry->signing_keys);
        free(entry->services);
        free(entry->clients);
        free(entry);
    }
}

relais_entry *trust_entry_give(const struct trust_entry *entry, const char *signer)
{
    relais_entry *given = calloc(1, sizeof *given);

    if (given == NULL) {
        return NULL;
    }
    given->signing_keys = calloc(entry->signing_key_count + 1, sizeof *given->signing_keys);
    given->services = calloc(entry->service_count + 1, sizeof *given->services);
    given->clients = calloc(entry->client_count + 1, sizeof *given->clients);
    if (given->signing_keys == NULL || given->services == NULL || given->clients == NULL) {
        relais_entry_free(given);
        return NULL;
    }
    copy(given->member, sizeof given->member, entry->slug);
    copy(given->kind, sizeof given->kind, entry->kind);
    copy(given->siret, sizeof given->siret, entry->siret);
    copy(given->insee, sizeof given->insee, entry->insee);
    copy(given->signer, sizeof given->signer, signer);
    given->sequence = entry->sequence;
    given->from_ms = entry->from_ms;
    given->until_ms = entry->until_ms;
    given->signing_key_count = entry->signing_key_count;
    for (size_t i = 0; i < entry->signing_key_count; i++) {
        signing_public_encode(&entry->signing_keys[i], given->signing_keys[i]);
    }
    given->service_count = entry->service_count;
    for (size_t i = 0; i < entry->service_count; i++) {
        copy(given->services[i], sizeof given->services[i], entry->services[i]);
    }
    given->client_count = entry->client_count;
    for (size_t i = 0; i < entry->client_count; i++) {
        copy(given->clients[i].name, sizeof given->clients[i].name, entry->clients[i].name);
        copy(given->clients[i].key, sizeof given->clients[i].key, entry->clients[i].key);
    }
    return given;
}

relais_status relais_entry_read(relais_bytes note, relais_entry **out_entry, relais_error *error)
{
    struct trust_entry *entry = malloc(sizeof *entry);
    struct note parts = {0};
    enum trust_status status = TRUST_NO_MEMORY;

    if (entry != NULL) {
        status = note_split((struct bytes){note.data, note.size}, &parts);
    }
    if (status == TRUST_OK) {
        status = entry_decode(parts.text, entry);
    }
    if (status == TRUST_OK) {
        *out_entry = trust_entry_give(entry, NULL);
        status = *out_entry != NULL ? TRUST_OK : TRUST_NO_MEMORY;
    }
    free(entry);
    return trust_error_note(error, status, "entry");
}
