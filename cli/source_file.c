/* SPDX-License-Identifier: EUPL-1.2
 *
 * Reading a file to send.
 */
#include "cli/source_file.h"

#include "cli/output.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* First piece read of a stream, whose size is not known. */
enum { STREAM_BYTES = 65536, SIZE_TEXT = 32, MS_PER_S = 1000, NS_PER_MS = 1000000 };

struct media_type {
    const char *ending;
    const char *type;
};

/* The endings of what authorities exchange; anything else is bytes. */
static const struct media_type media_types[] = {
    {".xml", "application/xml"},
    {".pdf", "application/pdf"},
    {".json", "application/json"},
    {".zip", "application/zip"},
    {".txt", "text/plain"},
    {".csv", "text/csv"},
    {".html", "text/html"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".png", "image/png"},
    {".tif", "image/tiff"},
    {".tiff", "image/tiff"},
    {".gz", "application/gzip"},
    {".odt", "application/vnd.oasis.opendocument.text"},
    {".ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
};

static relais_status too_large(const char *path, uint64_t size, bool at_least, size_t max,
                               relais_error *error)
{
    char text[SIZE_TEXT];
    char wrong[128];
    char right[128];
    output_bytes_text(size, text, sizeof(text));
    if (at_least) {
        snprintf(wrong, sizeof(wrong), _("more than %llu bytes"), (unsigned long long)max);
    } else {
        snprintf(wrong, sizeof(wrong), _("%llu bytes (%s)"), (unsigned long long)size, text);
    }
    output_bytes_text(max, text, sizeof(text));
    snprintf(right, sizeof(right), _("at most %llu bytes (%s)"), (unsigned long long)max, text);
    return talk_fill(error, RELAIS_TOO_LARGE, path, wrong, right);
}

/* Reads to the end; the file may be a stream, and a regular one may grow meanwhile. */
static relais_status read_all(int fd, const char *path, size_t expected, size_t max,
                              struct source_file *file, relais_error *error)
{
    /* One byte more than is allowed tells that there is more. */
    size_t capacity = (expected > 0 ? expected : STREAM_BYTES) + 1;
    for (;;) {
        capacity = capacity > max + 1 ? max + 1 : capacity;
        char *data = realloc(file->data, capacity);
        if (!data) {
            return talk_fill(error, RELAIS_NO_MEMORY, path, NULL, NULL);
        }
        file->data = data;
        ssize_t got = 0;
        while (file->size < capacity) {
            got = read(fd, data + file->size, capacity - file->size);
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got <= 0) {
                break;
            }
            file->size += (size_t)got;
        }
        if (got < 0) {
            return talk_fill_errno(error, errno, path);
        }
        if (file->size > max) {
            return too_large(path, file->size, true, max, error);
        }
        if (file->size < capacity) {
            return RELAIS_OK;
        }
        capacity *= 2;
    }
}

relais_status source_file_read(const char *path, size_t max, struct source_file *out_file,
                               relais_error *error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct source_file file = {0};
    struct stat about;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return talk_fill_errno(error, errno, path);
    }
    relais_status status = RELAIS_OK;
    if (fstat(fd, &about) != 0) {
        status = talk_fill_errno(error, errno, path);
    } else if (S_ISREG(about.st_mode) && (uint64_t)about.st_size > max) {
        status = too_large(path, (uint64_t)about.st_size, false, max, error);
    } else {
        size_t expected = S_ISREG(about.st_mode) ? (size_t)about.st_size : 0;
        status = read_all(fd, path, expected, max, &file, error);
        if (S_ISREG(about.st_mode)) {
            file.modified_ms =
                (int64_t)about.st_mtim.tv_sec * MS_PER_S + about.st_mtim.tv_nsec / NS_PER_MS;
        }
    }
    if (!is_stdin) {
        close(fd);
    }
    if (status != RELAIS_OK) {
        source_file_fini(&file);
        return status;
    }
    *out_file = file;
    return RELAIS_OK;
}

void source_file_fini(struct source_file *file)
{
    free(file->data);
    *file = (struct source_file){0};
}

uint64_t source_file_size(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0;
}

int64_t source_file_time(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode)
               ? (int64_t)about.st_mtim.tv_sec * MS_PER_S + about.st_mtim.tv_nsec / NS_PER_MS
               : 0;
}

const char *source_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *source_file_media_type(const char *name)
{
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < sizeof(media_types) / sizeof(media_types[0]); i++) {
        if (strcasecmp(ending, media_types[i].ending) == 0) {
            return media_types[i].type;
        }
    }
    return "application/octet-stream";
}
