/* SPDX-License-Identifier: EUPL-1.2
 *
 * See attached.h.
 */
#include "adapters/exec/attached.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static relais_status read_all(int fd, size_t max, unsigned char **out_data, size_t *out_size,
                              struct stat *about)
{
    if (fstat(fd, about) != 0) {
        return RELAIS_SYSTEM;
    }
    if (!S_ISREG(about->st_mode)) {
        return RELAIS_FIELD_INVALID;
    }
    if ((uint64_t)about->st_size > max) {
        return RELAIS_TOO_LARGE;
    }
    size_t size = (size_t)about->st_size;
    unsigned char *data = malloc(size + 1);
    size_t at = 0;
    while (data && at < size) {
        ssize_t got = read(fd, data + at, size - at);
        if (got == 0 || (got < 0 && errno != EINTR)) { /* 0: it is shorter than it was */
            free(data);
            return RELAIS_SYSTEM;
        }
        at += got > 0 ? (size_t)got : 0;
    }
    *out_data = data;
    *out_size = size;
    return data ? RELAIS_OK : RELAIS_NO_MEMORY;
}

relais_status attached_read(int folder, const char *name, size_t max, unsigned char **out_data,
                            size_t *out_size, struct stat *out_about)
{
    struct stat about;
    /* without NONBLOCK a named pipe would keep us waiting */
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? RELAIS_NOT_FOUND
                               : (errno == ELOOP ? RELAIS_FIELD_INVALID : RELAIS_SYSTEM);
    }
    relais_status status = read_all(fd, max, out_data, out_size, out_about ? out_about : &about);
    (void)close(fd);
    return status;
}
