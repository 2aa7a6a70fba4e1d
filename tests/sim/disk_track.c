/* SPDX-License-Identifier: EUPL-1.2
 *
 * See disk_undo.h. What became of a message, from the lives of the ledger: nothing is kept twice.
 */
#include "disk_undo.h"
#include "store/track.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct message *disk_message_of(const struct disk *disk, const char *sender, const char *id)
{
    struct message *message = ledger_find(disk->ledger, id);
    const char *own = message ? TOWN_SLUGS[TOWN_PEOPLE[message->client].member] : "";
    return strcmp(sender, own) == 0 ? message : NULL;
}

static bool is_taken(const struct disk_mailbox *mailbox, uint64_t sequence)
{
    for (int i = 0; i < MEMORY_LISTS; i++) {
        const struct entry_list *list = &mailbox->box.lists[i];
        for (size_t k = 0; k < list->count; k++) {
            const struct memory_entry *entry = entry_list_at(list, k);
            if (entry->key.sequence == sequence) {
                return entry->claimed;
            }
        }
    }
    return false;
}

static enum track_state state_of(const struct disk_mailbox *mailbox, const struct life *life,
                                 uint64_t sequence)
{
    switch (life->on_disk) {
    case DISK_ACKED:
        return TRACK_ACKNOWLEDGED;
    case DISK_DEAD:
        return track_of_code(life->dead_code);
    case DISK_DROPPED:
        return TRACK_DROPPED;
    case DISK_SUPERSEDED:
        return TRACK_SUPERSEDED;
    default:
        return is_taken(mailbox, sequence) ? TRACK_DELIVERED : TRACK_WAITING;
    }
}

static void list(struct disk *disk, const struct disk_op *op, uint32_t id,
                 struct store_result *result)
{
    struct disk_mailbox *mailbox = disk_mailbox_of(disk, id);
    struct life *life = mailbox ? ledger_life(op->tracked, mailbox->place) : NULL;
    if (life && life->on_disk != DISK_NOTHING) {
        struct store_track_row row = {.mailbox = id,
                                      .since_ms = op->tracked->stored_ms,
                                      .state = state_of(mailbox, life, op->tracked->sequence)};
        bool dead = life->on_disk == DISK_DEAD;
        row.code = dead ? life->dead_code : 0;
        (void)track_list(&op->op, &row, result);
    }
}

void disk_track(struct disk *disk, const struct disk_op *op, struct store_result *result)
{
    if (!op->tracked || !op->tracked->stored) {
        result->status = STORE_NOT_FOUND;
        return;
    }
    result->track.rows = calloc(op->op.track.max_rows + 1, sizeof *result->track.rows);
    assert(result->track.rows);
    result->track.sequence = op->tracked->sequence;
    result->track.accepted_ms = op->tracked->stored_ms;
    for (uint32_t id = 1; id < disk->mailbox_count; id++) {
        list(disk, op, id, result);
    }
}
