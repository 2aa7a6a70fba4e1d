/* SPDX-License-Identifier: EUPL-1.2
 *
 * Backups and checks of the broker's store: orders whose answer says how they stand.
 */
#include <relais/operate.h>

#include <string.h>

#include "client/client_state.h"
#include "client/error.h"

bool upkeep_keep(const Relais__V1__Report *said, relais_upkeep *out_upkeep)
{
    if (said->job == 0 || said->n_findings > RELAIS_UPKEEP_FINDINGS) {
        return false;
    }
    *out_upkeep = (relais_upkeep){
        .job = said->job,
        .running = said->running,
        .done_bytes = said->done_bytes,
        .total_bytes = said->total_bytes,
        .records = said->records,
        .file_bytes = said->file_bytes,
        .finding_count = said->finding_count,
        .findings_told = said->n_findings,
        .took_ms = said->took_ms,
    };
    error_copy_text(out_upkeep->name, sizeof out_upkeep->name, said->name);
    for (size_t i = 0; i < said->n_findings; i++) {
        const Relais__V1__Finding *from = said->findings[i];
        relais_finding *to = &out_upkeep->findings[i];
        to->sequence = from->sequence;
        to->page = from->page;
        to->aside = from->aside;
        error_copy_text(to->fault, sizeof to->fault, from->fault);
        error_copy_text(to->table, sizeof to->table, from->table);
        error_copy_text(to->address, sizeof to->address, from->address);
    }
    return true;
}

static relais_status ask(relais_client *client, const Relais__V1__Manage *manage, int timeout_ms,
                         relais_upkeep *out_upkeep, relais_error *error)
{
    struct question question = {.manage = manage, .out_upkeep = out_upkeep};
    if (client == NULL || out_upkeep == NULL || client->calling) {
        return error_fill(error, RELAIS_USAGE, "client", NULL, NULL);
    }
    return question_ask(client, &question, timeout_ms, error);
}

relais_status relais_backup(relais_client *client, const char *name, uint32_t job, int timeout_ms,
                            relais_upkeep *out_upkeep, relais_error *error)
{
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    Relais__V1__Backup what = RELAIS__V1__BACKUP__INIT;
    what.name = (char *)(name != NULL ? name : "");
    what.job = job;
    manage.what_case = RELAIS__V1__MANAGE__WHAT_BACKUP;
    manage.backup = &what;
    return ask(client, &manage, timeout_ms, out_upkeep, error);
}

relais_status relais_check(relais_client *client, uint32_t job, int timeout_ms,
                           relais_upkeep *out_upkeep, relais_error *error)
{
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    Relais__V1__Check what = RELAIS__V1__CHECK__INIT;
    what.job = job;
    manage.what_case = RELAIS__V1__MANAGE__WHAT_CHECK;
    manage.check = &what;
    return ask(client, &manage, timeout_ms, out_upkeep, error);
}
