/* SPDX-License-Identifier: EUPL-1.2
 *
 * The files as a power cut leaves them: what was synced is there; of what was not, each write is
 * there, is not, or is torn into sectors, whatever its order was.
 */
#ifndef RELAIS_TESTS_CHAOS_POWER_IMAGE_H
#define RELAIS_TESTS_CHAOS_POWER_IMAGE_H

#include "tests/chaos/power/disk.h"

enum image_luck {
    IMAGE_ALL,     /* all that was written before the cut is there */
    IMAGE_NOTHING, /* nothing that was not synced is there */
    IMAGE_SOME,    /* by chance, write by write */
    IMAGE_TORN,    /* by chance, sector by sector of 512 bytes */
};

/* Beyond `size` there are zeros up to `length`. */
struct file_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
    uint64_t length;
};

void file_bytes_free(struct file_bytes *file);

struct image {
    const struct disk_event *events;
    size_t cut; /* events before this one have happened */
    /* Of each file: the first event that may not be synced, and what is on the disk for sure. */
    size_t pending[DISK_FILES];
    struct file_bytes synced[DISK_FILES];
    bool named;                  /* it is called data.mdb */
    bool opened;                 /* a mark was there: the store was in use */
    size_t submitted, confirmed; /* as of the last mark before the cut */
};

/* One more event happens. */
void image_advance(struct image *image);
void image_fini(struct image *image);

/* The files after a cut here. `*random` is the state of a generator; it is moved on. */
void image_cut(const struct image *image, enum image_luck luck, uint64_t *random,
               struct file_bytes out_files[DISK_FILES]);

uint64_t next_random(uint64_t *random);

#endif
