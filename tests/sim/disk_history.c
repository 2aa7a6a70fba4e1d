/* SPDX-License-Identifier: EUPL-1.2
 *
 * See disk_undo.h. The attempts that failed, of each life in order; a dead letter that is replayed
 * begins anew. Nothing is thrown away before the end of the run, so that a crash only counts back.
 */
#include "disk_undo.h"

#include "agenda.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *name_of(const char *client)
{
    for (unsigned i = 0; i < TOWN_CLIENTS; i++) {
        if (strcmp(TOWN_PEOPLE[i].name, client) == 0) {
            return TOWN_PEOPLE[i].name;
        }
    }
    return "";
}

struct failed disk_history_of(const struct stored_attempt *attempt)
{
    struct failed failed = {.client = ""};
    if (attempt) {
        failed.number = attempt->number;
        failed.ending = attempt->ending;
        failed.because = attempt->reason[0] != '\0';
        failed.at_ms = attempt->at_ms;
        failed.client = name_of(attempt->client);
    }
    return failed;
}

void disk_history_keep(struct disk *disk, const struct disk_op *op, struct life *life)
{
    bool defers = op->op.kind == STORE_DEFER || op->op.kind == STORE_BURY;
    if (defers && op->failed.number > 0) {
        life->history = agenda_grown(life->history, life->history_count, &life->history_capacity,
                                     sizeof *life->history);
        life->history[life->history_count++] = op->failed;
        disk->undos[disk->undo_count - 1].failed = true;
    }
}

void disk_history_forget(struct disk *disk, struct life *life)
{
    disk->undos[disk->undo_count - 1].history_first = life->history_first;
    life->history_first = life->history_count;
}

void disk_history_lay(const struct disk *disk, const struct store_op *op,
                      struct store_result *result)
{
    const struct entry_key key = {.mailbox = op->dead.mailbox, .sequence = op->dead.sequence};
    const struct life *life = result->dead.count > 0 ? disk_life_of(disk, &key) : NULL;
    if (!life) {
        return;
    }
    struct store_dead *dead = &result->dead.entries[0];
    size_t first = life->history_first;
    if (life->history_count - first > STORED_HISTORY) {
        first = life->history_count - STORED_HISTORY;
    }
    for (size_t i = first; i < life->history_count; i++) {
        struct stored_attempt *out = &dead->history[dead->history_count++];
        *out = (struct stored_attempt){.number = life->history[i].number,
                                       .ending = life->history[i].ending,
                                       .at_ms = life->history[i].at_ms};
        (void)snprintf(out->client, sizeof out->client, "%s", life->history[i].client);
        (void)snprintf(out->reason, sizeof out->reason, "%s",
                       life->history[i].because ? TOWN_BECAUSE : "");
    }
}
