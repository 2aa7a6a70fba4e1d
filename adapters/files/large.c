/* SPDX-License-Identifier: EUPL-1.2
 *
 * See large.h.
 */
#include "adapters/files/large.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SILENCE_MS = 60000 /* of the broker */ };

struct work {
    int signals;
    int fd;
    const struct file_mark *mark;
};

static bool go_on(void *context, uint64_t done, uint64_t total)
{
    const struct work *work = context;
    struct pollfd look = {.fd = work->signals, .events = POLLIN};
    (void)done;
    (void)total;
    return work->signals < 0 || poll(&look, 1, 0) != 1;
}

static bool read_unchanged(void *context, uint64_t offset, void *out, size_t size)
{
    const struct work *work = context;
    struct stat about;
    char *at = out;
    while (size > 0) {
        ssize_t got = pread(work->fd, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? EAGAIN : errno;
            return false;
        }
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    if (fstat(work->fd, &about) != 0) {
        return false;
    }
    struct file_mark now = file_mark_of(&about);
    errno = EAGAIN;
    return file_mark_same(&now, work->mark);
}

relais_status large_send(relais_client *client, int signals, int fd, const struct file_mark *mark,
                         const relais_message *message, relais_error *error)
{
    struct work work = {.signals = signals, .fd = fd, .mark = mark};
    const relais_payload_source source = {
        .size = (uint64_t)mark->size, .read = read_unchanged, .progress = go_on, .context = &work};
    return relais_send_payload(client, message, &source, SILENCE_MS, error);
}

relais_status large_fetch(relais_delivery *delivery, int signals, int fd, relais_error *error)
{
    struct work work = {.signals = signals};
    struct stat about;
    uint64_t size = relais_delivery_stored_bytes(delivery);
    relais_payload_sink sink = {.fd = fd, .progress = go_on, .context = &work};
    if (fstat(fd, &about) == 0 && (uint64_t)about.st_size <= size) {
        sink.have = (uint64_t)about.st_size;
    }
    relais_status status = relais_fetch_payload(delivery, &sink, SILENCE_MS, error);
    if (status == RELAIS_DIGEST_MISMATCH && sink.have > 0) {
        sink.have = 0; /* it was not the beginning of this one */
        status = relais_fetch_payload(delivery, &sink, SILENCE_MS, error);
    }
    return status;
}
