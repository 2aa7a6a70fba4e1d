/* SPDX-License-Identifier: EUPL-1.2
 *
 * How what was written and not synced is taken back, one thing after the other; and what that needs
 * of the disk.
 */
#ifndef RELAIS_TESTS_SIM_DISK_UNDO_H
#define RELAIS_TESTS_SIM_DISK_UNDO_H

#include "disk.h"

void disk_undo_one(struct disk *disk, const struct disk_undo *undo);

/* NULL: not known. */
struct disk_mailbox *disk_mailbox_of(const struct disk *disk, uint32_t id);
struct life *disk_life_of(const struct disk *disk, const struct entry_key *key);

/* What its sender has in the store, after a change of one of the message's lives. */
void disk_recount(struct disk *disk, struct message *message);
void disk_recount_sequence(struct disk *disk, uint64_t sequence);

struct disk_undo *disk_note_undo(struct disk *disk, enum store_op_kind kind, uint32_t mailbox);

/* disk_cancel.c */
void disk_cancel(struct disk *disk, const struct disk_op *op, struct store_result *result);

/* disk_expiry.c */
void disk_expire(struct disk *disk, const struct disk_op *op, struct store_result *result);

/* disk_track.c. NULL: no such message of this sender. */
struct message *disk_message_of(const struct disk *disk, const char *sender, const char *id);
void disk_track(struct disk *disk, const struct disk_op *op, struct store_result *result);

#endif
