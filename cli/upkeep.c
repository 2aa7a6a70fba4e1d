/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/upkeep.h"

#include "cli/progress.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    DEFAULT_TIMEOUT_S = 10,
    LOOK_MS = 300, /* between two questions */
    /* On a line that breaks: the job goes on without us. */
    ATTEMPTS_MOST = 20,
};

static void rest(void)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    (void)nanosleep(&pause, NULL);
}

enum exit_code upkeep_follow(struct invocation *invocation, upkeep_fn *ask, const char *name,
                             relais_upkeep *out_upkeep)
{
    struct session session;
    struct progress progress;
    relais_error error = {0};
    unsigned failures = 0;
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        return code;
    }
    relais_status status = ask(session.client, name, 0, session.timeout_ms, out_upkeep, &error);
    progress_init(&progress, &invocation->output, out_upkeep->total_bytes);
    while (failures < ATTEMPTS_MOST &&
           (status == RELAIS_OK ? out_upkeep->running : status == RELAIS_TIMED_OUT)) {
        uint32_t job = out_upkeep->job;
        rest();
        status = ask(session.client, name, job, session.timeout_ms, out_upkeep, &error);
        failures = status == RELAIS_OK ? 0 : failures + 1;
        progress.total_bytes = out_upkeep->total_bytes;
        progress.done_bytes = out_upkeep->done_bytes;
        progress_show(&progress);
    }
    progress_clear(&progress);
    session_close(&session);
    return status == RELAIS_OK ? CODE_DONE : talk_error(&error);
}

void upkeep_print_findings(const relais_upkeep *upkeep)
{
    for (size_t i = 0; i < upkeep->findings_told; i++) {
        const relais_finding *finding = &upkeep->findings[i];
        (void)printf("%s", finding->table[0] != '\0' ? finding->table : "file");
        if (finding->address[0] != '\0') {
            (void)printf(" %s", finding->address);
        }
        if (finding->sequence != 0) {
            (void)printf(" %" PRIu64, finding->sequence);
        }
        if (finding->page != 0) {
            (void)printf(_(" page %llu"), (unsigned long long)finding->page);
        }
        (void)printf(": %s%s\n", finding->fault,
                     finding->aside ? _(", set aside as a dead letter") : "");
    }
    if (upkeep->finding_count > upkeep->findings_told) {
        (void)printf(_("and %llu others\n"),
                     (unsigned long long)(upkeep->finding_count - upkeep->findings_told));
    }
}

json_t *upkeep_findings_json(const relais_upkeep *upkeep)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < upkeep->findings_told; i++) {
        const relais_finding *finding = &upkeep->findings[i];
        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:s, s:I, s:I, s:b}", "fault", finding->fault,
                                        "table", finding->table, "address", finding->address,
                                        "sequence", (json_int_t)finding->sequence, "page",
                                        (json_int_t)finding->page, "aside", finding->aside));
    }
    return rows;
}
