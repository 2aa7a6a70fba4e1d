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

/* disk_dead.c */
void disk_dead(struct disk *disk, const struct store_op *op, struct store_result *result);

/* disk_history.c: what is kept of an attempt; of one entry for the last undo; of a dead letter. */
struct failed disk_history_of(const struct stored_attempt *attempt);
void disk_history_keep(struct disk *disk, const struct disk_op *op, struct life *life);
void disk_history_forget(struct disk *disk, struct life *life);
void disk_history_lay(const struct disk *disk, const struct store_op *op,
                      struct store_result *result);

/* disk_supersede.c. The first adds the past recipients to those of the op. False: it names no
 * message that is its sender's, in its flow, and stored. */
bool disk_supersede_widen(struct disk *disk, struct disk_op *op);
void disk_supersede(struct disk *disk, const struct disk_op *op, struct store_result *result);

/* disk_cancel.c. The first takes out of its list, or from behind others of its order. False:
 * somebody has taken it. */
bool disk_take_waiting(struct disk_mailbox *mailbox, uint64_t sequence,
                       struct memory_entry *out_entry, bool *out_behind);
void disk_cancel(struct disk *disk, const struct disk_op *op, struct store_result *result);

/* disk_expiry.c */
void disk_expire(struct disk *disk, const struct disk_op *op, struct store_result *result);

/* disk_track.c. NULL: no such message of this sender. */
struct message *disk_message_of(const struct disk *disk, const char *sender, const char *id);
void disk_track(struct disk *disk, const struct disk_op *op, struct store_result *result);

#endif
