/* SPDX-License-Identifier: EUPL-1.2
 *
 * The body cutter. Input: the number of frames (low 3 bits), their sizes, one byte each, then one
 * byte a piece; the frames' own bytes are a table, since only where a piece lies matters.
 * Checked against a second, slower reading: the pieces must lie one behind the other, none across
 * two frames, and "done" must mean that their sum is the sum of the frames.
 */
#include "wire/body.h"

#include <stdlib.h>

enum {
    FRAMES = 7,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

/* True when no single frame holds [at, at + size) of the body: what a refusal may be for. */
static bool spans(const struct bytes *frames, size_t frame_count, size_t at, size_t size)
{
    size_t start = 0;

    for (size_t i = 0; i < frame_count; i++) {
        if (at >= start && at + size <= start + frames[i].size) {
            return false;
        }
        start += frames[i].size;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t table[FRAMES * 255];
    struct bytes frames[FRAMES];
    struct body_reader reader;
    struct bytes piece = {0};
    size_t frame_count = 0;
    size_t total = 0;
    size_t read = 0;
    size_t frame = 0;

    if (size == 0 || size < 1 + (size_t)(data[0] & 7)) {
        return 0;
    }
    frame_count = data[0] & 7;
    for (size_t i = 0; i < frame_count; i++) {
        frames[i] = (struct bytes){table + total, data[1 + i]};
        total += frames[i].size;
    }
    body_reader_init(&reader, frames, frame_count);
    for (size_t i = 1 + frame_count; i < size; i++) {
        if (!body_reader_next(&reader, data[i], &piece, &frame)) {
            require(frame_count == 0 || (data[i] > 0 && spans(frames, frame_count, read, data[i])));
            return 0;
        }
        require(piece.size == data[i] && frame < frame_count);
        require(piece.data >= frames[frame].data &&
                piece.data + piece.size <= frames[frame].data + frames[frame].size);
        require(piece.size == 0 || piece.data == table + read);
        read += piece.size;
        require(body_reader_done(&reader) == (read == total));
    }
    return 0;
}
