/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais-exec: any command, in any language, between the bus and whatever it serves. Wires the
 * three parts (jobs.h, source.h, spool.h) to relais/adapter.h. One thread.
 */
#include "adapters/exec/jobs.h"
#include "adapters/exec/source.h"
#include "adapters/exec/spool.h"
#include "program/error.h"
#include "program/locale.h"

#include <relais/version.h>
#include <stdlib.h>

struct program {
    struct jobs *jobs;
    struct source *source;
    struct spool *spool;
};

static void close_all(void *context)
{
    struct program *program = context;
    jobs_close(program->jobs);
    source_close(program->source);
    spool_close(program->spool);
    free(program);
}

static relais_status start(relais_adapter *adapter, const void *given, void **out_context,
                           relais_error *error)
{
    const struct settings *settings = given;
    struct program *program = calloc(1, sizeof *program);
    relais_status status =
        program ? RELAIS_OK : error_set(error, RELAIS_NO_MEMORY, NULL, NULL, "%s", "");
    if (status == RELAIS_OK && settings->inbound) {
        status = jobs_open(adapter, settings->inbound, &program->jobs, error);
    }
    if (status == RELAIS_OK && settings->outbound) {
        status = source_open(adapter, settings->outbound, &program->source, error);
    }
    if (status == RELAIS_OK && settings->spool) {
        status = spool_open(adapter, settings->spool, &program->spool, error);
    }
    if (status != RELAIS_OK && program) {
        close_all(program);
        return status;
    }
    *out_context = program;
    return status;
}

static void deliver(void *context, relais_adapter_item *item)
{
    const struct program *program = context;
    if (program->jobs) {
        jobs_take(program->jobs, item);
    } else {
        relais_adapter_unavailable(item, "no inbound command in the configuration");
    }
}

static relais_status poll_all(void *context, int64_t *out_wait_ms, relais_error *error)
{
    const struct program *program = context;
    relais_status status = RELAIS_OK;
    if (program->jobs) {
        jobs_poll(program->jobs, out_wait_ms);
    }
    if (program->source) {
        status = source_poll(program->source, out_wait_ms, error);
    }
    if (status == RELAIS_OK && program->spool) {
        status = spool_poll(program->spool, out_wait_ms, error);
    }
    return status;
}

static void stop(void *context)
{
    const struct program *program = context;
    if (program->jobs) {
        jobs_stop(program->jobs);
    }
    if (program->source) {
        source_stop(program->source);
    }
}

static bool is_busy(void *context)
{
    const struct program *program = context;
    return program->source && source_is_busy(program->source);
}

int main(int argc, char **argv)
{
    static const relais_adapter_counter counters[] = {
        [COUNTER_RUNS] = {"exec_runs", "Commands that were started."},
        [COUNTER_FAILURES] = {"exec_failures", "Commands that failed, to be tried again."},
        [COUNTER_TIMEOUTS] = {"exec_timeouts", "Commands that took too long."},
        [COUNTER_LINES] = {"exec_lines", "Lines and spooled files that became messages."},
        [COUNTER_BAD] = {"exec_lines_refused", "Lines and spooled files that cannot be sent."},
    };
    const relais_adapter_kind kind = {
        .name = "relais-exec",
        .version = RELAIS_VERSION,
        .summary =
            N_("Gives each message to a command; takes messages from one, or from a folder."),
        .settings = settings_fields,
        .settings_bytes = sizeof(struct settings),
        .counters = counters,
        .counter_count = sizeof counters / sizeof counters[0],
        .check = settings_check,
        .start = start,
        .deliver = deliver,
        .poll = poll_all,
        .stop = stop,
        .busy = is_busy,
        .close = close_all,
    };
    return relais_adapter_main(argc, argv, &kind);
}
