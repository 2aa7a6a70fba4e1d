/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais check: every record of the broker's store read and compared, while it runs.
 */
#include "cli/command.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "cli/upkeep.h"
#include "program/locale.h"

static const struct column columns[] = {
    {"records", N_("Records read"), COLUMN_NUMBER},
    {"bytes", N_("Bytes read"), COLUMN_BYTES},
    {"finding_count", N_("Findings"), COLUMN_NUMBER},
    {"took_ms", N_("Checked in"), COLUMN_DURATION},
};

static relais_status ask(relais_client *client, const char *name, uint32_t job, int timeout_ms,
                         relais_upkeep *out_upkeep, relais_error *error)
{
    (void)name;
    return relais_check(client, job, timeout_ms, out_upkeep, error);
}

static enum exit_code run(struct invocation *invocation)
{
    relais_upkeep upkeep = {0};
    enum exit_code code = upkeep_follow(invocation, ask, NULL, &upkeep);
    if (code != CODE_DONE) {
        return code;
    }
    if (invocation->output.format == OUTPUT_TABLE) {
        upkeep_print_findings(&upkeep);
    }
    json_t *object =
        json_pack("{s:I, s:I, s:I, s:o, s:I}", "records", (json_int_t)upkeep.records, "bytes",
                  (json_int_t)upkeep.done_bytes, "finding_count", (json_int_t)upkeep.finding_count,
                  "findings", upkeep_findings_json(&upkeep), "took_ms", (json_int_t)upkeep.took_ms);
    if (!output_object(&invocation->output, columns, OPTION_COUNT(columns), object)) {
        return talk_no_memory();
    }
    return upkeep.finding_count == 0 ? CODE_DONE : CODE_PARTLY;
}

static const struct option_spec options[] = {
    OPTION_TIMEOUT(N_("how long to wait for each answer of the broker (default: 10)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_check = {
    .words = "check",
    .summary = N_("read every record of the broker's store while it runs; needs the role operate"),
    .arguments = "",
    .examples = "relais check\nrelais check -o json\n",
    .notes = N_("What does not match its checksum is named by table, address and number. A message "
                "that is damaged becomes a dead letter and is never delivered. The exit code is 6 "
                "when something was found."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .run = run,
};
