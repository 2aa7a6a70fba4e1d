/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais directory verify|show: are these entries and mailbox keys signed, valid, and not older
 * than what was seen? Offline.
 */
#include "cli/command.h"
#include "cli/message_json.h"
#include "cli/note_file.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/trust.h>
#include <stdlib.h>
#include <string.h>

static const struct column verify_columns[] = {
    {"file", N_("File"), COLUMN_TEXT},         {"member", N_("Member"), COLUMN_TEXT},
    {"sequence", N_("Number"), COLUMN_NUMBER}, {"until", N_("Valid until"), COLUMN_TEXT},
    {"signer", N_("Signed by"), COLUMN_TEXT},
};

struct verifying {
    relais_trust *trust;
    struct note_file *files;
    char *const *paths;
    size_t count;
    relais_status *statuses; /* of each file */
    json_t *rows;
    int64_t now_ms;
    enum exit_code worst;
};

static void tell(struct verifying *verifying, size_t index, const relais_error *error)
{
    relais_error named = *error;

    verifying->statuses[index] = error->status;
    /* Whose it claims to be is said by the file's name as well as it is needed. */
    (void)snprintf(named.field, sizeof(named.field), "%s", verifying->paths[index]);
    verifying->worst = talk_error(&named);
}

static void verify_entry(struct verifying *verifying, size_t index)
{
    const struct note_file *file = &verifying->files[index];
    relais_entry *entry = NULL;
    relais_error error;

    if (relais_trust_check_entry(verifying->trust, (relais_bytes){file->data, file->size},
                                 verifying->now_ms, &entry, &error) != RELAIS_OK) {
        tell(verifying, index, &error);
        return;
    }
    json_array_append_new(verifying->rows,
                          json_pack("{s:s, s:s, s:s, s:I, s:o, s:s}", "file",
                                    verifying->paths[index], "what", "entry", "member",
                                    entry->member, "sequence", (json_int_t)entry->sequence, "until",
                                    time_json(entry->until_ms), "signer", entry->signer));
    relais_entry_free(entry);
}

/* The verified entry of this member among the files, or NULL. */
static const relais_entry *find_entry(const struct verifying *verifying, const char *member)
{
    for (size_t i = 0; i < verifying->count; i++) {
        const relais_entry *entry = verifying->files[i].entry;

        if (entry && verifying->statuses[i] == RELAIS_OK && strcmp(entry->member, member) == 0) {
            return entry;
        }
    }
    return NULL;
}

static void verify_mailboxes(struct verifying *verifying, size_t index)
{
    const struct note_file *file = &verifying->files[index];
    const relais_entry *entry = find_entry(verifying, file->mailboxes->member);
    relais_error error;

    if (!entry) {
        talk_fill(&error, RELAIS_UNTRUSTED, NULL, file->mailboxes->member,
                  _("the member's entry among the files, which says who may sign for it"));
        tell(verifying, index, &error);
        return;
    }
    if (relais_trust_check_mailboxes(verifying->trust, entry,
                                     (relais_bytes){file->data, file->size}, NULL,
                                     &error) != RELAIS_OK) {
        tell(verifying, index, &error);
        return;
    }
    json_array_append_new(verifying->rows, json_pack("{s:s, s:s, s:s, s:I, s:n, s:s}", "file",
                                                     verifying->paths[index], "what", "mailboxes",
                                                     "member", entry->member, "sequence",
                                                     (json_int_t)file->mailboxes->sequence, "until",
                                                     "signer", entry->member));
}

/* Entries first: they say who may sign mailbox keys. */
static void verify_all(struct verifying *verifying)
{
    relais_error error;

    for (size_t i = 0; i < verifying->count; i++) {
        if (note_file_read(verifying->paths[i], &verifying->files[i], &error) != RELAIS_OK) {
            tell(verifying, i, &error);
        } else if (verifying->files[i].entry) {
            verify_entry(verifying, i);
        }
    }
    for (size_t i = 0; i < verifying->count; i++) {
        if (verifying->files[i].mailboxes) {
            verify_mailboxes(verifying, i);
        }
    }
    if (relais_trust_save(verifying->trust, &error) != RELAIS_OK) {
        verifying->worst = talk_error(&error);
    }
}

static enum exit_code run_verify(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    const char *regulator = options_text(options, "regulator");
    struct verifying verifying = {.paths = options->arguments,
                                  .count = options->argument_count,
                                  .now_ms = note_file_now_ms(),
                                  .rows = json_array()};
    relais_error error;

    if (!regulator) {
        json_decref(verifying.rows);
        return talk_usage(invocation->command,
                          _("--regulator is missing: the file with the regulator's public key"));
    }
    if (relais_trust_open(regulator, options_text(options, "memory"), &verifying.trust, &error) !=
        RELAIS_OK) {
        json_decref(verifying.rows);
        return talk_error(&error);
    }
    verifying.files = calloc(verifying.count, sizeof(*verifying.files));
    verifying.statuses = calloc(verifying.count, sizeof(*verifying.statuses));
    if (!verifying.files || !verifying.statuses) {
        verifying.worst = talk_no_memory();
        json_decref(verifying.rows);
    } else {
        verify_all(&verifying);
        if (!output_list(&invocation->output, verify_columns, OPTION_COUNT(verify_columns),
                         verifying.rows)) {
            verifying.worst = talk_no_memory();
        }
        for (size_t i = 0; i < verifying.count; i++) {
            note_file_free(&verifying.files[i]);
        }
    }
    free(verifying.files);
    free(verifying.statuses);
    relais_trust_close(verifying.trust);
    return verifying.worst;
}

static enum exit_code run_show(struct invocation *invocation)
{
    struct note_file file;
    relais_error error;
    size_t count = 0;

    if (note_file_read(invocation->options.arguments[0], &file, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    talk_note(&invocation->output, _("Not verified: relais directory verify does that."));
    const struct column *columns = note_file_columns(&file, &count);
    bool printed = output_object(&invocation->output, columns, count, note_file_json(&file));
    note_file_free(&file);
    return talk_end(printed);
}

static const struct option_spec verify_options[] = {
    {"regulator", 'r', WORDS_FILE, "FILE", N_("the regulator's public keys, one a line")},
    {"memory", 'm', WORDS_FILE, "FILE",
     N_("where it is remembered what was seen; made when absent (default: nothing is remembered)")},
};

const struct command command_directory_verify = {
    .words = "directory verify",
    .summary = N_("verify signed entries and mailbox keys"),
    .arguments = "FILE...",
    .examples = "relais directory verify entries/* --regulator regulator.key.pub --memory seen\n",
    .notes = N_("Needs no broker and no network. With --memory an entry is refused that is older "
                "than one that was seen, whatever its signature."),
    .options = verify_options,
    .option_count = OPTION_COUNT(verify_options),
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_words = WORDS_FILE,
    .run = run_verify,
};

const struct command command_directory_show = {
    .words = "directory show",
    .summary = N_("show what a signed entry or sheet of mailbox keys says"),
    .arguments = "FILE",
    .examples = "relais directory show entries/commune-76540.entry\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_words = WORDS_FILE,
    .run = run_show,
};
