/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais key mailboxes: a member's sealing keys for this week and the next, and the signed sheet
 * that publishes them.
 */
#include "cli/command.h"
#include "cli/note_file.h"
#include "cli/talk.h"
#include "program/file.h"
#include "program/locale.h"

#include <relais/trust.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_DAYS_DEFAULT = 35, /* a message lives 30 days at most where nothing else is said */
    KEEP_DAYS_MOST = 3660,
    FOLDER_MODE = 0700,
    SHEET_MODE = 0644,
};

static enum exit_code give(const struct invocation *invocation, const char *path, const char *note)
{
    struct note_file file;
    relais_error error;
    size_t count = 0;

    if (note && file_replace(path, note, strlen(note), SHEET_MODE, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    if (!note) {
        talk_note(&invocation->output, _("Every key is there: nothing was changed."));
    }
    if (note_file_read(path, &file, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    const struct column *columns = note_file_columns(&file, &count);
    bool printed = output_object(&invocation->output, columns, count, note_file_json(&file));
    note_file_free(&file);
    return talk_end(printed);
}

/* Makes what is missing of `renewal`, whose identity and last sheet are not there yet. */
static relais_status renew(relais_renewal *renewal, const char *identity_path, const char *path,
                           char **out_note, relais_error *error)
{
    relais_identity *identity = NULL;
    char *last = NULL;
    size_t size = 0;
    relais_status status = relais_identity_load(identity_path, &identity, error);

    if (status == RELAIS_OK) {
        status = note_file_load(path, &last, &size, error);
    }
    if (status == RELAIS_OK) {
        status = file_make_folder(renewal->folder, FOLDER_MODE, error);
    }
    if (status == RELAIS_OK) {
        renewal->identity = identity;
        renewal->last = (relais_bytes){last, size};
        status = relais_mailboxes_renew(renewal, out_note, error);
    }
    relais_identity_free(identity);
    free(last);
    return status;
}

static enum exit_code run(struct invocation *invocation)
{
    static const char *const everything[] = {"*"};
    const struct options *options = &invocation->options;
    const char *path = options->arguments[0];
    const char *identity_path = options_text(options, "identity");
    const char *keep = options_text(options, "keep-days");
    uint64_t keep_days = KEEP_DAYS_DEFAULT;
    relais_renewal renewal = {.folder = options_text(options, "folder"),
                              .now_ms = note_file_now_ms()};
    char *note = NULL;
    relais_error error;

    if (!identity_path || !renewal.folder) {
        return talk_usage(invocation->command, _("--identity and --folder are needed: the member's "
                                                 "signing key, and where secret keys go"));
    }
    if (keep && !options_parse_number(keep, 0, KEEP_DAYS_MOST, &keep_days)) {
        return talk_usage(invocation->command,
                          _("--keep-days: \"%s\" is not a number from 0 to %d"), keep,
                          KEEP_DAYS_MOST);
    }
    renewal.keep_days = (unsigned)keep_days;
    const char **places = options_values(options, "place", &renewal.place_count);
    renewal.places = places ? places : everything;
    renewal.place_count = places ? renewal.place_count : 1;
    relais_status status = renew(&renewal, identity_path, path, &note, &error);
    enum exit_code code =
        status == RELAIS_OK ? give(invocation, path, note) : talk_argument_error(&error);
    free(note);
    free(places);
    return code;
}

static const struct option_spec options[] = {
    {"identity", 'i', WORDS_FILE, "FILE", N_("the member's secret signing key")},
    {"folder", 'd', WORDS_FOLDER, "FOLDER",
     N_("where the secret mailbox keys are; made when absent")},
    {"place", 0, WORDS_NONE, "PLACE",
     N_("a service with keys of its own, or ~ and a client; again for more (default: *, one key "
        "for "
        "all)")},
    {"keep-days", 0, WORDS_NONE, "N",
     N_("secret keys are destroyed so many days after their end (default: 35)")},
};

const struct command command_key_mailboxes = {
    .words = "key mailboxes",
    .summary = N_("renew a member's sealing keys and sign the sheet that publishes them"),
    .arguments = "FILE",
    .examples = "relais key mailboxes commune-76540.mailboxes --identity member.key \\\n"
                "    --folder mailbox-keys\n",
    .notes = N_("FILE is the sheet: made when absent, else renewed. There is a key for this week "
                "and for the next; run it every day, by a timer. Nothing changes when nothing is "
                "due."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_words = WORDS_FILE,
    .run = run,
};
