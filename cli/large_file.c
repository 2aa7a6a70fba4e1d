/* SPDX-License-Identifier: EUPL-1.2
 *
 * See large_file.h.
 */
#include "cli/large_file.h"

#include "cli/received_file.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, COPY_BYTES = 256 * 1024, FILE_MODE = 0640, SIZE_TEXT = 64 };

relais_status large_file_send(const struct large_file *large, const char *path, uint64_t size,
                              const relais_message *message, relais_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return talk_fill_errno(error, errno, path);
    }
    const relais_payload_source source = {
        .size = size, .fd = fd, .progress = large->progress, .context = large->context};
    relais_status status =
        relais_send_payload(large->client, message, &source, large->timeout_ms, error);
    close(fd);
    return status;
}

/* FNV-1a: the id may hold what a file name must not. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static bool name_partial(const relais_delivery *delivery, const char *folder, char *out_path)
{
    const relais_message *message = relais_delivery_message(delivery);
    int length = snprintf(out_path, PATH_BYTES, "%s/.relais-%016" PRIx64 "-%016" PRIx64 ".part",
                          folder, hash_of(message->source), hash_of(message->id));
    return length > 0 && length < PATH_BYTES;
}

/* Fetches what is missing. A file that turns out not to be the beginning is fetched anew, once. */
static relais_status fetch(const struct large_file *large, relais_delivery *delivery, int fd,
                           relais_error *error)
{
    struct stat about;
    uint64_t size = relais_delivery_stored_bytes(delivery);
    if (fstat(fd, &about) != 0) {
        return talk_fill_errno(error, errno, "partial file");
    }
    relais_payload_sink sink = {.fd = fd, .progress = large->progress, .context = large->context};
    sink.have = (uint64_t)about.st_size <= size ? (uint64_t)about.st_size : 0;
    relais_status status = relais_fetch_payload(delivery, &sink, large->timeout_ms, error);
    if (status == RELAIS_DIGEST_MISMATCH && sink.have > 0) {
        sink.have = 0;
        status = relais_fetch_payload(delivery, &sink, large->timeout_ms, error);
    }
    if (status == RELAIS_OK && (ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0)) {
        status = talk_fill_errno(error, errno, "partial file");
    }
    return status;
}

relais_status large_file_save(const struct large_file *large, relais_delivery *delivery,
                              const char *folder, char *out_path, size_t path_size,
                              relais_error *error)
{
    char partial[PATH_BYTES];
    if (!name_partial(delivery, folder, partial)) {
        return talk_fill(error, RELAIS_SYSTEM, folder, _("a path is too long"), NULL);
    }
    int fd = open(partial, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0) {
        return talk_fill_errno(error, errno, partial);
    }
    relais_status status = fetch(large, delivery, fd, error);
    close(fd);
    if (status == RELAIS_OK) {
        status = received_file_keep(relais_delivery_message(delivery), folder, partial, out_path,
                                    path_size, error);
    }
    if (status == RELAIS_DIGEST_MISMATCH || status == RELAIS_DAMAGED) {
        (void)unlink(partial);
    }
    return status;
}

/* A file without a name. */
static int open_nameless(relais_error *error)
{
    char path[PATH_BYTES];
    const char *folder = getenv("TMPDIR");
    (void)snprintf(path, sizeof(path), "%s/relais-XXXXXX",
                   folder && *folder == '/' ? folder : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        talk_fill_errno(error, errno, path);
        return -1;
    }
    (void)unlink(path);
    return fd;
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return false;
        }
        data += put;
        size -= (size_t)put;
    }
    return true;
}

/* From where `from` stands, at most `max` bytes and one; *out_size is how many they were. False:
 * errno says why. */
static bool copy(int from, int to, uint64_t max, uint64_t *out_size)
{
    char *buffer = malloc(COPY_BYTES);
    bool fine = buffer != NULL;
    ssize_t got = 1;
    *out_size = 0;
    while (fine && got > 0 && *out_size <= max) {
        got = read(from, buffer, COPY_BYTES);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        fine = got >= 0 && write_all(to, buffer, (size_t)got);
        *out_size += got > 0 ? (uint64_t)got : 0;
    }
    free(buffer);
    return fine;
}

relais_status large_file_print(const struct large_file *large, relais_delivery *delivery,
                               relais_error *error)
{
    uint64_t size = 0;
    int fd = open_nameless(error);
    if (fd < 0) {
        return error->status;
    }
    relais_status status = fetch(large, delivery, fd, error);
    if (status == RELAIS_OK && (fflush(stdout) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
                                !copy(fd, STDOUT_FILENO, UINT64_MAX - 1, &size))) {
        status = talk_fill_errno(error, errno, "stdout");
    }
    close(fd);
    return status;
}

relais_status large_file_spool(uint64_t max, int *out_fd, uint64_t *out_size, relais_error *error)
{
    int fd = open_nameless(error);
    if (fd < 0) {
        return error->status;
    }
    relais_status status = RELAIS_OK;
    if (!copy(STDIN_FILENO, fd, max, out_size)) {
        status = talk_fill_errno(error, errno, "-");
    } else if (*out_size > max) {
        char wrong[SIZE_TEXT];
        char right[SIZE_TEXT];
        (void)snprintf(wrong, sizeof(wrong), _("more than %llu bytes"), (unsigned long long)max);
        (void)snprintf(right, sizeof(right), "%llu", (unsigned long long)max);
        status = talk_fill(error, RELAIS_TOO_LARGE, "-", wrong, right);
    }
    if (status != RELAIS_OK) {
        close(fd);
        return status;
    }
    *out_fd = fd;
    return RELAIS_OK;
}
