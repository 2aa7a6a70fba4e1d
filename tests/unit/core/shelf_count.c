/* SPDX-License-Identifier: EUPL-1.2
 *
 * See shelf.h: what is on it.
 */
#include "shelf.h"

#include <string.h>

size_t shelf_waiting(const struct shelf *shelf, const char *mailbox_name)
{
    size_t waiting = 0;
    for (size_t i = 0; i < shelf->entry_count; i++) {
        const struct shelf_entry *entry = &shelf->entries[i];
        waiting += !entry->dead && strcmp(shelf->names[entry->key.mailbox], mailbox_name) == 0;
    }
    return waiting;
}

size_t shelf_taken(const struct shelf *shelf)
{
    size_t taken = 0;
    for (size_t i = 0; i < shelf->entry_count; i++) {
        taken += shelf->entries[i].taken;
    }
    return taken;
}
