/* SPDX-License-Identifier: EUPL-1.2
 *
 * See complaint.h.
 */
#include "adapters/exec/complaint.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_BYTES = 4096,
    READS_AT_A_TIME = 16, /* a command that only complains does not keep the others waiting */
};

static void keep(struct complaint *complaint, const char *data, size_t size)
{
    size_t room = COMPLAINT_BYTES - complaint->size;
    size = size < room ? size : room;
    memcpy(complaint->text + complaint->size, data, size);
    complaint->size += size;
}

bool complaint_read(struct complaint *complaint, int fd, int copy)
{
    char data[READ_BYTES];
    for (int i = 0; i < READS_AT_A_TIME; i++) {
        ssize_t got = read(fd, data, sizeof data);
        if (got <= 0) {
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        }
        keep(complaint, data, (size_t)got);
        if (copy >= 0 && write(copy, data, (size_t)got) < 0) {
            copy = -1; /* nobody reads it */
        }
    }
    return true;
}

/* Overlong forms, surrogates and what is beyond U+10FFFF are no characters. */
static bool is_odd(const unsigned char *text, size_t bytes)
{
    unsigned second = bytes > 1 ? text[1] : 0;
    switch (text[0]) {
    case 0xE0:
        return second < 0xA0;
    case 0xED:
        return second > 0x9F;
    case 0xF0:
        return second < 0x90;
    case 0xF4:
        return second > 0x8F;
    default:
        return text[0] == 0xC0 || text[0] == 0xC1 || text[0] > 0xF4;
    }
}

/* Bytes of the UTF-8 character at `text`; 0: none begins here. */
static size_t character(const unsigned char *text, size_t left)
{
    static const struct {
        unsigned char mask, value;
        size_t bytes;
    } heads[] = {{0x80, 0x00, 1}, {0xE0, 0xC0, 2}, {0xF0, 0xE0, 3}, {0xF8, 0xF0, 4}};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        if ((text[0] & heads[i].mask) == heads[i].value) {
            size_t bytes = 1;
            while (bytes < heads[i].bytes && bytes < left && (text[bytes] & 0xC0) == 0x80) {
                bytes++;
            }
            return bytes == heads[i].bytes && !is_odd(text, bytes) ? bytes : 0;
        }
    }
    return 0;
}

static bool is_control(const unsigned char *text, size_t bytes)
{
    return text[0] < 0x20 || text[0] == 0x7F || (bytes == 2 && text[0] == 0xC2 && text[1] < 0xA0);
}

const char *complaint_text(struct complaint *complaint)
{
    unsigned char *text = (unsigned char *)complaint->text;
    size_t out = 0;
    for (size_t i = 0; i < complaint->size;) {
        size_t bytes = character(text + i, complaint->size - i);
        if (bytes == 0) {
            text[out++] = '?';
            bytes = 1;
        } else if (!is_control(text + i, bytes)) {
            memmove(text + out, text + i, bytes);
            out += bytes;
        } else if (out > 0 && text[out - 1] != ' ') {
            text[out++] = ' ';
        }
        i += bytes;
    }
    while (out > 0 && text[out - 1] == ' ') {
        out--;
    }
    text[out] = '\0';
    complaint->size = out;
    return complaint->text;
}
