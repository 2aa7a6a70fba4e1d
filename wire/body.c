/* SPDX-License-Identifier: EUPL-1.2
 *
 * Cuts frames into pieces. An empty frame holds nothing but empty pieces and is stepped over;
 * reader->frame stays a valid index as long as there is a frame at all. Pure.
 */
#include "wire/body.h"

void body_reader_init(struct body_reader *reader, const struct bytes *frames, size_t frame_count)
{
    reader->frames = frames;
    reader->frame_count = frame_count;
    reader->frame = 0;
    reader->offset = 0;
}

bool body_reader_next(struct body_reader *reader, size_t size, struct bytes *out_piece,
                      size_t *out_frame)
{
    const struct bytes *frame = NULL;

    if (reader->frame_count == 0) {
        return false;
    }
    while (size > 0 && reader->offset == reader->frames[reader->frame].size &&
           reader->frame + 1 < reader->frame_count) {
        reader->frame++;
        reader->offset = 0;
    }
    frame = &reader->frames[reader->frame];
    if (frame->size - reader->offset < size) {
        return false;
    }
    /* The data of an empty frame may be NULL, to which nothing may be added. */
    out_piece->data = size == 0 ? frame->data : frame->data + reader->offset;
    out_piece->size = size;
    *out_frame = reader->frame;
    reader->offset += size;
    return true;
}

bool body_reader_done(const struct body_reader *reader)
{
    size_t offset = reader->offset;

    for (size_t i = reader->frame; i < reader->frame_count; i++) {
        if (offset != reader->frames[i].size) {
            return false;
        }
        offset = 0;
    }
    return true;
}
