/* SPDX-License-Identifier: EUPL-1.2
 *
 * O_TMPFILE where the file system has it, else a part file beside the place.
 */
#include "cli/whole_file.h"

#include "cli/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PRIVATE = 0600 };

static relais_status fail(const struct whole_file *file, int number, relais_error *error)
{
    return talk_fill_errno(error, number, file->path);
}

/* "PATH.XXXXXX" in file->part; false: too long. */
static bool name_part(struct whole_file *file)
{
    int length = snprintf(file->part, sizeof(file->part), "%s.XXXXXX", file->path);
    return length > 0 && (size_t)length < sizeof(file->part);
}

static int open_nameless(const char *path)
{
    char folder[WHOLE_FILE_PATH_BYTES];
    snprintf(folder, sizeof(folder), "%s", path);
    return open(dirname(folder), O_TMPFILE | O_WRONLY | O_CLOEXEC, PRIVATE);
}

relais_status whole_file_open(struct whole_file *file, const char *path, relais_error *error)
{
    *file = (struct whole_file){.path = path};
    if (!name_part(file)) {
        return fail(file, ENAMETOOLONG, error);
    }
    int fd = open_nameless(path);
    if (fd >= 0) {
        file->part[0] = '\0';
    } else {
        fd = mkostemp(file->part, O_CLOEXEC);
    }
    if (fd < 0) {
        file->part[0] = '\0';
        return fail(file, errno, error);
    }
    file->stream = fdopen(fd, "w");
    if (!file->stream) {
        int number = errno;
        close(fd);
        whole_file_drop(file);
        return fail(file, number, error);
    }
    return RELAIS_OK;
}

/* Gives the file a name of its own beside its place: link(2) never takes one that exists. */
static bool give_name(struct whole_file *file)
{
    enum { TRIES = 100 };
    char self[64];
    if (file->part[0] != '\0') {
        return true;
    }
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fileno(file->stream));
    for (int i = 0; i < TRIES; i++) {
        int length =
            snprintf(file->part, sizeof(file->part), "%s.%ld-%d", file->path, (long)getpid(), i);
        if (length < 0 || (size_t)length >= sizeof(file->part)) {
            errno = ENAMETOOLONG;
            break;
        }
        if (linkat(AT_FDCWD, self, AT_FDCWD, file->part, AT_SYMLINK_FOLLOW) == 0) {
            return true;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    file->part[0] = '\0';
    return false;
}

relais_status whole_file_keep(struct whole_file *file, relais_error *error)
{
    bool fine = fflush(file->stream) == 0 && fsync(fileno(file->stream)) == 0 && give_name(file) &&
                rename(file->part, file->path) == 0;
    int number = errno;
    if (fine) {
        file->part[0] = '\0';
    }
    whole_file_drop(file);
    return fine ? RELAIS_OK : fail(file, number, error);
}

void whole_file_drop(struct whole_file *file)
{
    if (file->part[0] != '\0') {
        unlink(file->part);
        file->part[0] = '\0';
    }
    if (file->stream) {
        fclose(file->stream);
        file->stream = NULL;
    }
}
