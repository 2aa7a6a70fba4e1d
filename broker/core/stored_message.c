/* SPDX-License-Identifier: EUPL-1.2 */
#include "core/stored_message.h"

#include <stdlib.h>

static void drop_taken(struct store_result *result)
{
    for (uint32_t i = 0; i < result->take.count; i++) {
        held_message_drop(&result->take.entries[i].message);
    }
    free(result->take.entries);
    result->take.entries = NULL;
    result->take.count = 0;
}

static void drop_dead(struct store_result *result)
{
    for (uint32_t i = 0; i < result->dead.count; i++) {
        held_message_drop(&result->dead.entries[i].message);
        free(result->dead.entries[i].history);
    }
    free(result->dead.entries);
    result->dead.entries = NULL;
    result->dead.count = 0;
}

/* Every kind stands here, without a default: the compiler asks about a new one. */
void store_result_drop(struct store_result *result)
{
    switch (result->kind) {
    case STORE_APPEND:
        held_message_drop(&result->append.message);
        free(result->append.replaced);
        result->append.replaced = NULL;
        result->append.replaced_count = 0;
        break;
    case STORE_TAKE:
        drop_taken(result);
        break;
    case STORE_DEAD_LIST:
    case STORE_DEAD_READ:
        drop_dead(result);
        break;
    case STORE_BACKUP:
    case STORE_BACKED_UP:
        free(result->backup);
        result->backup = NULL;
        break;
    case STORE_CHECK:
        free(result->checked);
        result->checked = NULL;
        break;
    case STORE_FETCH:
        held_message_drop(&result->fetched);
        break;
    case STORE_TRACK:
        free(result->track.rows);
        result->track.rows = NULL;
        result->track.count = 0;
        break;
    case STORE_CANCEL:
        free(result->cancel.mailboxes);
        result->cancel.mailboxes = NULL;
        result->cancel.count = 0;
        break;
    case STORE_DUE:
        free(result->due);
        result->due = NULL;
        break;
    case STORE_EXPIRE:
        free(result->expiry.entries);
        result->expiry.entries = NULL;
        result->expiry.count = 0;
        break;
    case STORE_MAILBOX:
    case STORE_MAILBOXES:
    case STORE_ACK:
    case STORE_DEFER:
    case STORE_BURY:
    case STORE_RELEASE:
    case STORE_REPLAY:
    case STORE_DROP:
    case STORE_USAGE:
    case STORE_KNOWN:
    case STORE_UPLOAD:
    case STORE_CHUNK:
        break;
    }
}
