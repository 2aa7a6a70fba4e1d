/* SPDX-License-Identifier: EUPL-1.2
 *
 * Everything that this program does to a store's files, in its order: the calls that change a file
 * are the program's own (LMDB's too: a program's symbols come before a library's), are carried out,
 * and are kept with their bytes.
 *
 * Invariant: an event is kept after its call has returned, so that what follows it in the list was
 * begun with the knowledge of it. Any thread.
 */
#ifndef RELAIS_TESTS_CHAOS_POWER_DISK_H
#define RELAIS_TESTS_CHAOS_POWER_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_file {
    DISK_DATA, /* data.mdb */
    DISK_LOG,  /* redo.log */
    DISK_FILES
};

enum disk_event_kind {
    DISK_WRITE,
    DISK_RESIZE,
    DISK_SYNC,  /* all that was written before into this file is on the disk */
    DISK_NAMED, /* the file got the name data.mdb; it was made under another */
    DISK_MARK,  /* the script says how far it is */
};

struct disk_event {
    enum disk_event_kind kind;
    enum disk_file file;
    bool durable; /* WRITE: on the disk when the call returned (O_DSYNC) */
    uint64_t at;  /* WRITE: where; RESIZE: the new size */
    size_t size;
    uint8_t *bytes;
    size_t submitted; /* MARK: ops that the store was given */
    size_t confirmed; /* MARK: ops that it said are done */
};

/* Keeps events of files called data.mdb, data.mdb.new or redo.log from now on. */
void disk_record_begin(void);

/* Ends that; the caller owns the events: disk_events_free(). */
void disk_record_end(struct disk_event **out_events, size_t *out_count);
void disk_events_free(struct disk_event *events, size_t count);

/* Syncs of the log are not done any more. */
void disk_skip_log_sync(bool skip);

void disk_mark(size_t submitted, size_t confirmed);

#endif
