/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais status: how the broker is.
 */
#include "cli/command.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/operate.h>

enum { DEFAULT_TIMEOUT_S = 10 };

static const struct column columns[] = {
    {"software", N_("Broker"), COLUMN_TEXT},
    {"uptime_ms", N_("Running for"), COLUMN_DURATION},
    {"connections", N_("Connections"), COLUMN_NUMBER},
    {"consumers", N_("Consumers"), COLUMN_NUMBER},
    {"members", N_("Members"), COLUMN_NUMBER},
    {"flows", N_("Flows"), COLUMN_NUMBER},
    {"mailboxes", N_("Mailboxes"), COLUMN_NUMBER},
    {"waiting", N_("Waiting messages"), COLUMN_NUMBER},
    {"waiting_bytes", N_("Their size"), COLUMN_BYTES},
    {"leased", N_("In delivery"), COLUMN_NUMBER},
    {"dead", N_("Dead letters"), COLUMN_NUMBER},
    {"accepted_total", N_("Accepted since start"), COLUMN_NUMBER},
    {"duplicates_total", N_("Of these repeated"), COLUMN_NUMBER},
    {"refused_total", N_("Refused since start"), COLUMN_NUMBER},
    {"delivered_total", N_("Delivered since start"), COLUMN_NUMBER},
    {"acknowledged_total", N_("Acknowledged since start"), COLUMN_NUMBER},
    {"reminders_total", N_("Reminders since start"), COLUMN_NUMBER},
    {"deadlines_missed_total", N_("Deadlines missed since start"), COLUMN_NUMBER},
    {"store_used_bytes", N_("Store in use"), COLUMN_BYTES},
    {"store_size_bytes", N_("Store at most"), COLUMN_BYTES},
    {"store_findings_total", N_("Damage found since start"), COLUMN_NUMBER},
};

static json_t *status_json(const relais_broker_status *status)
{
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"uptime_ms", (uint64_t)status->uptime_ms},
        {"connections", status->connections},
        {"consumers", status->consumers},
        {"members", status->members},
        {"flows", status->flows},
        {"mailboxes", status->mailboxes},
        {"waiting", status->waiting},
        {"waiting_bytes", status->waiting_bytes},
        {"leased", status->leased},
        {"dead", status->dead},
        {"accepted_total", status->accepted_total},
        {"duplicates_total", status->duplicates_total},
        {"refused_total", status->refused_total},
        {"delivered_total", status->delivered_total},
        {"acknowledged_total", status->acknowledged_total},
        {"reminders_total", status->reminders_total},
        {"deadlines_missed_total", status->deadlines_missed_total},
        {"store_used_bytes", status->store_used_bytes},
        {"store_size_bytes", status->store_size_bytes},
        {"store_findings_total", status->store_findings_total},
        {"store_checked_ms", (uint64_t)status->store_checked_ms},
    };
    json_t *object = json_pack("{s:s}", "software", status->software);
    for (size_t i = 0; i < OPTION_COUNT(numbers); i++) {
        json_object_set_new(object, numbers[i].key, json_integer((json_int_t)numbers[i].value));
    }
    return object;
}

static enum exit_code run(struct invocation *invocation)
{
    struct session session;
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        return code;
    }
    relais_error error = {0};
    relais_broker_status about;
    relais_status status = relais_query_status(session.client, session.timeout_ms, &about, &error);
    session_close(&session);
    if (status != RELAIS_OK) {
        return talk_error(&error);
    }
    return talk_end(
        output_object(&invocation->output, columns, OPTION_COUNT(columns), status_json(&about)));
}

static const struct option_spec options[] = {
    OPTION_TIMEOUT(N_("how long to wait for the broker (default: 10)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_status = {
    .words = "status",
    .summary = N_("show how the broker is; needs the role operate"),
    .arguments = "",
    .examples = "relais status\nrelais status --profile operator/client.yaml -o json\n",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .run = run,
};
