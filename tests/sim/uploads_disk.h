/* SPDX-License-Identifier: EUPL-1.2
 *
 * The disk of the runs with large payloads: one mailbox, messages that are all stored apart. Ops
 * wait until they are synced, then all of them are done at once; a crash loses what waits and who
 * had taken what. Strict: what a store may expect of the core is demanded.
 */
#ifndef RELAIS_TESTS_SIM_UPLOADS_DISK_H
#define RELAIS_TESTS_SIM_UPLOADS_DISK_H

#include "core/stored.h"
#include "store/memory_content.h"
#include "trace.h"

enum { UPLOADS_MESSAGES = 4, UPLOADS_QUEUE = 512, UPLOADS_TEXT = 64 };

/* A message on the disk, by the number in its id. */
struct kept {
    bool stored, acked, claimed;
    uint64_t sequence;
    uint32_t attempts;
    int64_t due_ms;
    struct held_message message;
    struct memory_content *content;
};

struct waiting_op {
    struct store_op op;
    char sender[UPLOADS_TEXT];
    char id[UPLOADS_TEXT];
};

struct uploads_disk {
    struct trace *trace;
    struct waiting_op queue[UPLOADS_QUEUE];
    size_t first, count;
    struct kept kept[UPLOADS_MESSAGES];
    struct memory_contents contents;
    uint64_t next_sequence;
    bool mailbox, full;
};

void uploads_disk_init(struct uploads_disk *disk, struct trace *trace);
void uploads_disk_fini(struct uploads_disk *disk);

void uploads_disk_submit(struct uploads_disk *disk, const struct store_op *op);

/* Does the oldest op. False: none waits. RELEASE has no result. */
bool uploads_disk_sync(struct uploads_disk *disk, struct store_result *out_result);
void uploads_disk_crash(struct uploads_disk *disk);

/* How much of an upload is on it. */
uint64_t uploads_disk_has(const struct uploads_disk *disk, unsigned message);

#endif
