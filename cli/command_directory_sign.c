/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais directory sign: the regulator's word on a member, made where its key is: no broker and no
 * network has a part in it.
 */
#include "cli/command.h"
#include "cli/note_file.h"
#include "cli/talk.h"
#include "program/file.h"
#include "program/locale.h"

#include <ctype.h>
#include <relais/trust.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAYS_DEFAULT = 400, DAYS_MOST = 3660, ENTRY_MODE = 0644 };

#define DAY_MS INT64_C(86400000)

/* "2026-11-24": its begin, UTC. */
static bool parse_date(const char *text, int64_t *out_ms)
{
    static const char form[] = "dddd-dd-dd";
    struct tm parts = {0};

    if (strlen(text) != sizeof(form) - 1) {
        return false;
    }
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i]) {
            return false;
        }
    }
    parts.tm_year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 +
                    (text[3] - '0') - 1900;
    parts.tm_mon = (text[5] - '0') * 10 + (text[6] - '0') - 1;
    parts.tm_mday = (text[8] - '0') * 10 + (text[9] - '0');
    const struct tm asked = parts;
    const time_t seconds = timegm(&parts);
    /* timegm() makes March 2 of February 30. */
    if (seconds < 0 || parts.tm_mon != asked.tm_mon || parts.tm_mday != asked.tm_mday) {
        return false;
    }
    *out_ms = (int64_t)seconds * 1000;
    return true;
}

/* The number of the entry that is there already; 0: there is none. */
static relais_status last_sequence(const char *path, int64_t *out_sequence, relais_error *error)
{
    relais_entry *entry = NULL;
    char *data = NULL;
    size_t size = 0;
    relais_status status = note_file_load(path, &data, &size, error);

    *out_sequence = 0;
    if (status == RELAIS_OK && data) {
        status = relais_entry_read((relais_bytes){data, size}, &entry, error);
        *out_sequence = status == RELAIS_OK ? entry->sequence : 0;
    }
    relais_entry_free(entry);
    free(data);
    return status;
}

/* CODE_DONE, or what was told. */
static enum exit_code read_terms(const struct invocation *invocation, relais_entry_terms *out_terms)
{
    const struct options *options = &invocation->options;
    const char *from = options_text(options, "from");
    const char *days_text = options_text(options, "days");
    const char *sequence_text = options_text(options, "sequence");
    const char *path = options_text(options, "to");
    uint64_t days = DAYS_DEFAULT;
    uint64_t sequence = 0;
    int64_t last = 0;
    relais_error error;

    out_terms->from_ms = note_file_now_ms();
    if (from && !parse_date(from, &out_terms->from_ms)) {
        return talk_usage(invocation->command,
                          _("--from: \"%s\" is not a date like 2026-11-24 (UTC)"), from);
    }
    if (days_text && !options_parse_number(days_text, 1, DAYS_MOST, &days)) {
        return talk_usage(invocation->command, _("--days: \"%s\" is not a number from 1 to %d"),
                          days_text, DAYS_MOST);
    }
    out_terms->until_ms = out_terms->from_ms + (int64_t)days * DAY_MS;
    if (sequence_text && !options_parse_number(sequence_text, 1, INT64_MAX, &sequence)) {
        return talk_usage(invocation->command, _("--sequence: \"%s\" is not a number from 1 up"),
                          sequence_text);
    }
    if (!sequence_text && path && last_sequence(path, &last, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    out_terms->sequence = sequence_text ? (int64_t)sequence : last + 1;
    return CODE_DONE;
}

static enum exit_code give(const struct invocation *invocation, const char *note)
{
    const char *path = options_text(&invocation->options, "to");
    struct note_file file = {0};
    relais_error error;
    size_t count = 0;

    if (!path) {
        return fputs(note, stdout) < 0 ? CODE_FAILED : CODE_DONE;
    }
    if (file_replace(path, note, strlen(note), ENTRY_MODE, &error) != RELAIS_OK ||
        note_file_read(path, &file, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    const struct column *columns = note_file_columns(&file, &count);
    bool printed = output_object(&invocation->output, columns, count, note_file_json(&file));
    note_file_free(&file);
    return talk_end(printed);
}

static enum exit_code run_sign(struct invocation *invocation)
{
    const char *key = options_text(&invocation->options, "key");
    relais_entry_terms terms;
    relais_member *member = NULL;
    relais_identity *regulator = NULL;
    char *note = NULL;
    relais_error error;

    if (!key) {
        return talk_usage(invocation->command, _("--key is missing: the regulator's secret key"));
    }
    enum exit_code code = read_terms(invocation, &terms);
    if (code != CODE_DONE) {
        return code;
    }
    relais_status status = relais_member_load(invocation->options.arguments[0], &member, &error);
    if (status == RELAIS_OK) {
        status = relais_identity_load(key, &regulator, &error);
    }
    if (status == RELAIS_OK) {
        status = relais_entry_sign(member, &terms, regulator, &note, &error);
    }
    relais_identity_free(regulator); /* before anything is written */
    code = status == RELAIS_OK ? give(invocation, note) : talk_error(&error);
    relais_member_free(member);
    free(note);
    return code;
}

static const struct option_spec sign_options[] = {
    {"key", 'k', WORDS_FILE, "FILE", N_("the regulator's secret key (relais key new --signing)")},
    {"to", 't', WORDS_FILE, "FILE",
     N_("where the entry goes, replacing the one before it (default: stdout)")},
    {"from", 0, WORDS_NONE, "DATE", N_("valid from the begin of this day, UTC (default: now)")},
    {"days", 0, WORDS_NONE, "N", N_("valid for so many days (default: 400)")},
    {"sequence", 0, WORDS_NONE, "N",
     N_("its number (default: one more than that of the entry before it)")},
};

const struct command command_directory_sign = {
    .words = "directory sign",
    .summary = N_("sign who a member is, with the regulator's key"),
    .arguments = "FILE",
    .examples = "relais directory sign members/commune-76540.yaml --key regulator.key \\\n"
                "    --to entries/commune-76540.entry\n",
    .notes = N_("FILE is the member's file. The regulator's key can be on a machine without a "
                "network: take the member's file there and the entry back."),
    .options = sign_options,
    .option_count = OPTION_COUNT(sign_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_words = WORDS_FILE,
    .run = run_sign,
};
