/* SPDX-License-Identifier: EUPL-1.2
 *
 * The folder of a store on disk: made when absent, refused on a network file system, held by one
 * process at a time through an flock on its file `lock`.
 */
#ifndef RELAIS_STORE_FOLDER_H
#define RELAIS_STORE_FOLDER_H

#include "store/store.h"

struct folder {
    int fd;      /* of the folder, for fsync */
    int lock_fd; /* holds the flock until it is closed */
    bool used;   /* the lock file had a pid before us: a store was here */
};

/* False: *out_problem says why and nothing is held. */
bool folder_open(struct folder *folder, const char *path, struct store_problem *out_problem);

/* Writes our pid into the lock file and makes names in the folder durable: the store in it is
 * whole from now on. */
bool folder_mark(struct folder *folder, const char *path, struct store_problem *out_problem);
void folder_close(struct folder *folder);

/* True for file systems on which mmap and locks are not those of one machine. */
bool folder_is_network_type(unsigned long type);

/* Fills in a problem; `format` is for detail. */
void store_problem_set(struct store_problem *problem, enum store_problem_kind kind,
                       int system_errno, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
