/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais cancel: withdraws messages that nobody has been given yet.
 */
#include "cli/command.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/send.h>

enum { DEFAULT_TIMEOUT_S = 30 };

static const struct column columns[] = {
    {"id", N_("Id"), COLUMN_TEXT},
    {"withdrawn", N_("Withdrawn"), COLUMN_NUMBER},
    {"too_late", N_("Too late"), COLUMN_NUMBER},
};

static enum exit_code run(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    const char *id = options->arguments[0];
    struct session session;
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        return code;
    }
    relais_error error = {0};
    relais_cancelled cancelled;
    relais_status status =
        relais_cancel(session.client, id, session.timeout_ms, &cancelled, &error);
    session_close(&session);
    if (status != RELAIS_OK) {
        return talk_error(&error);
    }
    json_t *object =
        json_pack("{s:s, s:I, s:I}", "id", id, "withdrawn", (json_int_t)cancelled.withdrawn,
                  "too_late", (json_int_t)cancelled.too_late);
    return talk_end(output_object(&invocation->output, columns, OPTION_COUNT(columns), object));
}

static const struct option_spec options[] = {
    OPTION_TIMEOUT(N_("how long to wait for the broker (default: 30)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_cancel = {
    .words = "cancel",
    .summary = N_("withdraw a message that we have sent"),
    .arguments = "ID",
    .examples = "relais cancel 01a20e36f22cea803d0783f8364311f7\n",
    .notes =
        N_("Each copy that its recipient has not been given becomes a dead letter. What has been "
           "delivered stays so."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
