/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais backup: a copy of the broker's store, made while it runs.
 */
#include "cli/command.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "cli/upkeep.h"
#include "program/locale.h"

static const struct column columns[] = {
    {"name", N_("Backup"), COLUMN_TEXT},
    {"bytes", N_("Its size"), COLUMN_BYTES},
    {"records", N_("Records, all read back"), COLUMN_NUMBER},
    {"findings", N_("Damaged in the store before"), COLUMN_NUMBER},
    {"took_ms", N_("Made in"), COLUMN_DURATION},
};

static enum exit_code run(struct invocation *invocation)
{
    const struct options *line = &invocation->options;
    const char *name = line->argument_count > 0 ? line->arguments[0] : NULL;
    relais_upkeep upkeep = {0};
    enum exit_code code = upkeep_follow(invocation, relais_backup, name, &upkeep);
    if (code != CODE_DONE) {
        return code;
    }
    json_t *object =
        json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", upkeep.name, "bytes",
                  (json_int_t)upkeep.file_bytes, "records", (json_int_t)upkeep.records, "findings",
                  (json_int_t)upkeep.finding_count, "took_ms", (json_int_t)upkeep.took_ms);
    if (!output_object(&invocation->output, columns, OPTION_COUNT(columns), object)) {
        return talk_no_memory();
    }
    if (upkeep.finding_count > 0) {
        talk_note(&invocation->output,
                  _("the store has damaged records, and so has its backup: run relais check"));
        return CODE_PARTLY;
    }
    return CODE_DONE;
}

static const struct option_spec options[] = {
    OPTION_TIMEOUT(N_("how long to wait for each answer of the broker (default: 10)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_backup = {
    .words = "backup",
    .summary = N_("make a backup of the broker's store while it runs; needs the role operate"),
    .arguments = "[NAME]",
    .examples = "relais backup\nrelais backup before-upgrade.mdb -o json\n",
    .notes = N_("The broker writes it into the folder backup.path of its relaisd.yaml, reads it "
                "back and only then gives it its name; without NAME one with the time. It goes on "
                "when this command is interrupted. relaisd --restore makes a store of it."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_max = 1,
    .run = run,
};
