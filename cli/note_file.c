/* SPDX-License-Identifier: EUPL-1.2
 *
 * See note_file.h.
 */
#include "cli/note_file.h"

#include "cli/command.h"
#include "cli/message_json.h"
#include "cli/talk.h"
#include "program/file.h"
#include "program/locale.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct column entry_columns[] = {
    {"member", N_("Member"), COLUMN_TEXT},     {"sequence", N_("Number"), COLUMN_NUMBER},
    {"from", N_("Valid from"), COLUMN_TEXT},   {"until", N_("Valid until"), COLUMN_TEXT},
    {"kind", N_("Kind"), COLUMN_TEXT},         {"siret", N_("SIRET"), COLUMN_TEXT},
    {"insee", N_("INSEE code"), COLUMN_TEXT},  {"signing_keys", N_("Signing keys"), COLUMN_TEXT},
    {"services", N_("Services"), COLUMN_TEXT}, {"client_names", N_("Clients"), COLUMN_TEXT},
    {"signer", N_("Signed by"), COLUMN_TEXT},
};

static const struct column mailboxes_columns[] = {
    {"member", N_("Member"), COLUMN_TEXT},
    {"sequence", N_("Number"), COLUMN_NUMBER},
    {"key_texts", N_("Mailbox keys"), COLUMN_TEXT},
};

int64_t note_file_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

relais_status note_file_load(const char *path, char **out_data, size_t *out_size,
                             relais_error *error)
{
    *out_data = NULL;
    *out_size = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return RELAIS_OK;
    }
    return file_read(path, RELAIS_NOTE_BYTES, out_data, out_size, error);
}

relais_status note_file_read(const char *path, struct note_file *out_file, relais_error *error)
{
    struct note_file file = {0};
    relais_status status = note_file_load(path, &file.data, &file.size, error);

    if (status == RELAIS_OK && !file.data) {
        status = talk_fill_errno(error, ENOENT, path);
    }
    if (status == RELAIS_OK) {
        const relais_bytes note = {file.data, file.size};

        status = relais_entry_read(note, &file.entry, error);
        if (status == RELAIS_UNTRUSTED) {
            relais_error other;
            relais_status again = relais_mailboxes_read(note, &file.mailboxes, &other);

            status = again == RELAIS_OK ? RELAIS_OK : status;
        }
        if (status != RELAIS_OK) {
            (void)snprintf(error->field, sizeof(error->field), "%s", path);
        }
    }
    if (status != RELAIS_OK) {
        note_file_free(&file);
        return status;
    }
    *out_file = file;
    return RELAIS_OK;
}

void note_file_free(struct note_file *file)
{
    free(file->data);
    relais_entry_free(file->entry);
    relais_mailboxes_free(file->mailboxes);
    *file = (struct note_file){0};
}

static json_t *text_or_null(const char *text)
{
    return *text != '\0' ? json_string(text) : json_null();
}

static json_t *entry_json(const relais_entry *entry)
{
    json_t *keys = json_array();
    json_t *services = json_array();
    json_t *clients = json_array();
    json_t *names = json_array();

    for (size_t i = 0; i < entry->signing_key_count; i++) {
        json_array_append_new(keys, json_string(entry->signing_keys[i]));
    }
    for (size_t i = 0; i < entry->service_count; i++) {
        json_array_append_new(services, json_string(entry->services[i]));
    }
    for (size_t i = 0; i < entry->client_count; i++) {
        json_array_append_new(names, json_string(entry->clients[i].name));
        json_array_append_new(clients, json_pack("{s:s, s:s}", "name", entry->clients[i].name,
                                                 "key", entry->clients[i].key));
    }
    return json_pack("{s:s, s:s, s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "what",
                     "entry", "member", entry->member, "sequence", (json_int_t)entry->sequence,
                     "from", time_json(entry->from_ms), "until", time_json(entry->until_ms), "kind",
                     entry->kind, "siret", text_or_null(entry->siret), "insee",
                     text_or_null(entry->insee), "signing_keys", keys, "services", services,
                     "clients", clients, "client_names", names, "signer",
                     text_or_null(entry->signer));
}

static json_t *mailboxes_json(const relais_mailboxes *mailboxes)
{
    json_t *keys = json_array();
    json_t *texts = json_array();

    for (size_t i = 0; i < mailboxes->count; i++) {
        const relais_mailbox_key *key = &mailboxes->keys[i];

        json_array_append_new(keys, json_pack("{s:s, s:s, s:o, s:o}", "place", key->place, "id",
                                              key->id, "from", time_json(key->from_ms), "until",
                                              time_json(key->until_ms)));
        json_array_append_new(texts, json_sprintf("%s %.8s", key->place, key->id));
    }
    return json_pack("{s:s, s:s, s:I, s:o, s:o}", "what", "mailboxes", "member", mailboxes->member,
                     "sequence", (json_int_t)mailboxes->sequence, "keys", keys, "key_texts", texts);
}

json_t *note_file_json(const struct note_file *file)
{
    return file->entry ? entry_json(file->entry) : mailboxes_json(file->mailboxes);
}

const struct column *note_file_columns(const struct note_file *file, size_t *out_count)
{
    *out_count = file->entry ? OPTION_COUNT(entry_columns) : OPTION_COUNT(mailboxes_columns);
    return file->entry ? entry_columns : mailboxes_columns;
}
