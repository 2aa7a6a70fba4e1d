/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/chaos/power/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512 };

uint64_t next_random(uint64_t *random)
{
    /* splitmix64, https://prng.di.unimi.it/splitmix64.c */
    uint64_t value = *random += 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27) * 0x94d049bb133111ebU;
    return value ^ value >> 31;
}

void file_bytes_free(struct file_bytes *file)
{
    free(file->data);
    *file = (struct file_bytes){0};
}

static void grow(struct file_bytes *file, size_t size)
{
    if (size > file->capacity) {
        size_t capacity = size * 2;
        uint8_t *data = realloc(file->data, capacity);
        if (data == NULL) {
            (void)fputs("no memory for an image\n", stderr);
            abort();
        }
        file->data = data;
        file->capacity = capacity;
    }
    if (size > file->size) {
        memset(file->data + file->size, 0, size - file->size);
        file->size = size;
    }
    file->length = size > file->length ? size : file->length;
}

static void resize(struct file_bytes *file, uint64_t length)
{
    file->length = length;
    file->size = length < file->size ? length : file->size;
}

static void put(struct file_bytes *file, uint64_t at, const uint8_t *bytes, size_t size)
{
    grow(file, at + size > file->size ? at + size : file->size);
    memcpy(file->data + at, bytes, size);
}

static void apply(struct file_bytes *file, const struct disk_event *event)
{
    if (event->kind == DISK_WRITE) {
        put(file, event->at, event->bytes, event->size);
    } else if (event->kind == DISK_RESIZE) {
        resize(file, event->at);
    }
}

/* Sector by sector of the disk, not of the write. */
static void apply_torn(struct file_bytes *file, const struct disk_event *event, uint64_t *random)
{
    if (event->kind != DISK_WRITE) {
        apply(file, event);
        return;
    }
    size_t from = 0;
    while (from < event->size) {
        size_t room = SECTOR_BYTES - (event->at + from) % SECTOR_BYTES;
        size_t size = event->size - from < room ? event->size - from : room;
        if (next_random(random) % 2 == 0) {
            put(file, event->at + from, event->bytes + from, size);
        }
        from += size;
    }
}

static void sync_file(struct image *image, enum disk_file file)
{
    for (size_t i = image->pending[file]; i < image->cut; i++) {
        if (image->events[i].file == file) {
            apply(&image->synced[file], &image->events[i]);
        }
    }
    image->pending[file] = image->cut;
}

void image_advance(struct image *image)
{
    const struct disk_event *event = &image->events[image->cut++];
    switch (event->kind) {
    case DISK_SYNC:
        sync_file(image, event->file);
        break;
    case DISK_WRITE:
        /* What was written before it and is not synced stays pending, and comes over it in an image
         * only if it is there twice: LMDB never writes a page twice between two syncs. */
        if (event->durable) {
            apply(&image->synced[event->file], event);
        }
        break;
    case DISK_NAMED:
        image->named = true;
        break;
    case DISK_MARK:
        image->opened = true;
        image->submitted = event->submitted;
        image->confirmed = event->confirmed;
        break;
    case DISK_RESIZE:
        break;
    }
}

void image_fini(struct image *image)
{
    for (int file = 0; file < DISK_FILES; file++) {
        file_bytes_free(&image->synced[file]);
    }
}

static void cut_file(const struct image *image, enum disk_file file, enum image_luck luck,
                     uint64_t *random, struct file_bytes *out_file)
{
    const struct file_bytes *synced = &image->synced[file];
    resize(out_file, 0);
    if (synced->size > 0) {
        put(out_file, 0, synced->data, synced->size);
    }
    resize(out_file, synced->length);
    for (size_t i = image->pending[file]; i < image->cut && luck != IMAGE_NOTHING; i++) {
        const struct disk_event *event = &image->events[i];
        if (event->file != file || (event->kind == DISK_WRITE && event->durable)) {
            continue; /* of another file, or there already */
        }
        uint64_t chance = luck == IMAGE_ALL ? 0 : next_random(random) % 3;
        if (luck == IMAGE_TORN && chance == 1) {
            apply_torn(out_file, event, random);
        } else if (chance == 0) {
            apply(out_file, event);
        }
    }
}

void image_cut(const struct image *image, enum image_luck luck, uint64_t *random,
               struct file_bytes out_files[DISK_FILES])
{
    for (int file = 0; file < DISK_FILES; file++) {
        cut_file(image, (enum disk_file)file, luck, random, &out_files[file]);
    }
}
