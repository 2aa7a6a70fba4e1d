/* SPDX-License-Identifier: EUPL-1.2
 *
 * Cuts the frames behind a command into the envelopes and payloads that its parts announce.
 *
 * The body is the frames after the command, read one after the other. A frame holds a whole number
 * of pieces (a piece is one envelope or one payload): small messages ride packed in one frame, a
 * large payload may have its own. Nothing may be left over, nothing may be missing.
 * Pure; borrows the frames.
 */
#ifndef RELAIS_WIRE_BODY_H
#define RELAIS_WIRE_BODY_H

#include "wire/bytes.h"

#include <stdbool.h>

struct body_reader {
    const struct bytes *frames;
    size_t frame_count;
    size_t frame;  /* the one that is being read */
    size_t offset; /* in it */
};

void body_reader_init(struct body_reader *reader, const struct bytes *frames, size_t frame_count);

/* The next piece of exactly `size` bytes, and in *out_frame the index of the frame it lies in (for
 * whoever holds a reference on that frame). False when no single frame holds it. A piece of size 0
 * is empty and lies in the current frame. */
bool body_reader_next(struct body_reader *reader, size_t size, struct bytes *out_piece,
                      size_t *out_frame);

/* True when every byte of every frame has been read. */
bool body_reader_done(const struct body_reader *reader);

#endif
