/* SPDX-License-Identifier: EUPL-1.2
 *
 * Folders held open, and moving files between them.
 *
 * 1. Everything goes by descriptors: a folder that is swapped for a link after the start does not
 *    lead anywhere else.
 * 2. Nothing is ever overwritten: a name that exists gets "-1", "-2", ... before its extension.
 *
 * Thread: that of the program.
 */
#ifndef RELAIS_FILES_FOLDER_H
#define RELAIS_FILES_FOLDER_H

#include <relais/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
    FOLDER_NAME_BYTES = 255, /* NAME_MAX */
    /* a placed name leaves room for ".error.json" behind it */
    FOLDER_PLACED_BYTES = FOLDER_NAME_BYTES - 11,
    FOLDER_TAG_BYTES = 16,
};

/* What tells one state of a file from another without reading it. */
struct file_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t mtime_ns;
};

struct file_mark file_mark_of(const struct stat *from);
bool file_mark_same(const struct file_mark *a, const struct file_mark *b);

/* Opens `path` (made with mode 0750 when `create`) and looks whether we may write there.
 * RELAIS_NOT_FOUND, RELAIS_SYSTEM: `error` says what to do. */
relais_status folder_open(const char *path, bool create, int *out_fd, relais_error *error);

/* The same for a folder within an open one; never follows a link. */
relais_status folder_open_at(int folder, const char *name, mode_t mode, int *out_fd,
                             relais_error *error);

/* False: another process works on this folder. Held until the process ends. */
bool folder_lock(int fd);

/* Moves `from` to `to` unless that exists. 0 or an errno. Where the file system cannot do it in one
 * step (NFS), by a link and an unlink: `to` never appears incomplete nor replaces anything. */
int folder_move(int from_folder, const char *from, int to_folder, const char *to);

/* Variant `number` of a name: 0 the name itself, then "name-1.xml", ...; from FOLDER_TRIES on it
 * carries `tag` (at most FOLDER_TAG_BYTES), which is unique to the file. Cut to
 * FOLDER_PLACED_BYTES. */
enum { FOLDER_TRIES = 100, FOLDER_TRIES_MAX = 1000 };
void folder_variant(const char *name, unsigned number, const char *tag,
                    char out_name[FOLDER_NAME_BYTES + 1]);

/* folder_move() to the first variant of `wanted` that is free. 0 or an errno. */
int folder_place(int from_folder, const char *from, int to_folder, const char *wanted,
                 const char *tag, char out_name[FOLDER_NAME_BYTES + 1]);

#endif
