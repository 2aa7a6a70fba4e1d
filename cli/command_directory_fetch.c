/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais directory fetch: what the broker has of members, verified, and kept as files.
 */
#include "cli/command.h"
#include "cli/message_json.h"
#include "cli/note_file.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/file.h"
#include "program/locale.h"

#include <relais/trust.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_TIMEOUT_S = 10, NOTE_MODE = 0644, PATH_BYTES = 4096 };

static const struct column columns[] = {
    {"member", N_("Member"), COLUMN_TEXT},
    {"sequence", N_("Number"), COLUMN_NUMBER},
    {"until", N_("Valid until"), COLUMN_TEXT},
    {"signer", N_("Signed by"), COLUMN_TEXT},
    {"mailbox_keys", N_("Mailbox keys"), COLUMN_NUMBER},
};

struct fetching {
    const struct invocation *invocation;
    relais_trust *trust;
    const char *folder; /* NULL: nothing is kept */
    json_t *rows;
    enum exit_code worst;
};

static relais_status keep(const struct fetching *fetching, const char *member, const char *suffix,
                          relais_bytes note, relais_error *error)
{
    char path[PATH_BYTES];
    const int size = snprintf(path, sizeof(path), "%s/%s%s", fetching->folder, member, suffix);

    if (size < 0 || (size_t)size >= sizeof(path)) {
        return talk_fill(error, RELAIS_SYSTEM, fetching->folder, _("a path is too long"), NULL);
    }
    return file_replace(path, note.data, note.size, NOTE_MODE, error);
}

static relais_status keep_both(const struct fetching *fetching, const relais_signed_member *row,
                               relais_error *error)
{
    relais_status status =
        keep(fetching, row->member, ".entry", (relais_bytes){row->entry, row->entry_bytes}, error);
    if (status == RELAIS_OK && row->mailboxes) {
        status = keep(fetching, row->member, ".mailboxes",
                      (relais_bytes){row->mailboxes, row->mailboxes_bytes}, error);
    }
    return status;
}

static relais_status check(struct fetching *fetching, const relais_signed_member *row,
                           relais_error *error)
{
    relais_entry *entry = NULL;
    relais_mailboxes *sheet = NULL;

    if (!row->entry) {
        return talk_fill(error, RELAIS_UNTRUSTED, row->member,
                         _("the broker has no signed entry of this member"),
                         _("an entry that the regulator signed: relais directory sign"));
    }
    relais_status status =
        relais_trust_check_entry(fetching->trust, (relais_bytes){row->entry, row->entry_bytes},
                                 note_file_now_ms(), &entry, error);
    if (status == RELAIS_OK && row->mailboxes) {
        status = relais_trust_check_mailboxes(fetching->trust, entry,
                                              (relais_bytes){row->mailboxes, row->mailboxes_bytes},
                                              &sheet, error);
    }
    if (status == RELAIS_OK) {
        status = relais_trust_save(fetching->trust, error);
    }
    if (status == RELAIS_OK && fetching->folder) {
        status = keep_both(fetching, row, error);
    }
    if (status == RELAIS_OK) {
        json_array_append_new(fetching->rows,
                              json_pack("{s:s, s:I, s:o, s:s, s:I}", "member", entry->member,
                                        "sequence", (json_int_t)entry->sequence, "until",
                                        time_json(entry->until_ms), "signer", entry->signer,
                                        "mailbox_keys", (json_int_t)(sheet ? sheet->count : 0)));
    }
    relais_entry_free(entry);
    relais_mailboxes_free(sheet);
    return status;
}

/* Asks for one page of members. */
static void fetch_page(struct fetching *fetching, const struct session *session,
                       const char *const *members, size_t count)
{
    relais_signed_member rows[RELAIS_DIRECTORY_PAGE];
    relais_error error;

    if (relais_query_directory(session->client, members, count, session->timeout_ms, rows,
                               &error) != RELAIS_OK) {
        fetching->worst = talk_error(&error);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (check(fetching, &rows[i], &error) != RELAIS_OK) {
            fetching->worst = talk_error(&error);
        }
    }
    relais_signed_members_free(rows, count);
}

static enum exit_code run(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    const char *const *members = (const char *const *)options->arguments;
    const char *regulator = options_text(options, "regulator");
    struct fetching fetching = {.invocation = invocation,
                                .folder = options_text(options, "to-folder")};
    struct session session;
    relais_error error;

    if (!regulator) {
        return talk_usage(invocation->command,
                          _("--regulator is missing: the file with the regulator's public key"));
    }
    if (relais_trust_open(regulator, options_text(options, "memory"), &fetching.trust, &error) !=
        RELAIS_OK) {
        return talk_error(&error);
    }
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        relais_trust_close(fetching.trust);
        return code;
    }
    fetching.rows = json_array();
    for (size_t at = 0; at < options->argument_count; at += RELAIS_DIRECTORY_PAGE) {
        const size_t left = options->argument_count - at;

        fetch_page(&fetching, &session, members + at,
                   left < RELAIS_DIRECTORY_PAGE ? left : RELAIS_DIRECTORY_PAGE);
    }
    session_close(&session);
    relais_trust_close(fetching.trust);
    if (!output_list(&invocation->output, columns, OPTION_COUNT(columns), fetching.rows)) {
        return talk_no_memory();
    }
    return fetching.worst;
}

static const struct option_spec options[] = {
    {"regulator", 'r', WORDS_FILE, "FILE", N_("the regulator's public keys, one a line")},
    {"memory", 'm', WORDS_FILE, "FILE",
     N_("where it is remembered what was seen; made when absent (default: nothing is remembered)")},
    {"to-folder", 'd', WORDS_FOLDER, "FOLDER", N_("keep what was verified in this folder")},
    OPTION_TIMEOUT(N_("how long to wait for the broker (default: 10)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_directory_fetch = {
    .words = "directory fetch",
    .summary = N_("get signed entries and mailbox keys from the broker and verify them"),
    .arguments = "MEMBER...",
    .examples =
        "relais directory fetch commune-76540 --regulator regulator.key.pub --memory seen\n",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_words = WORDS_MEMBER,
    .run = run,
};
