/* SPDX-License-Identifier: EUPL-1.2
 *
 * From a message to a file.
 */
#include "cli/received_file.h"

#include "cli/talk.h"
#include "program/file.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names tried for one message before giving up: beyond, the folder needs a person. */
enum { NAMES_MAX = 10000, FILE_MODE = 0640, MS_PER_S = 1000, NS_PER_MS = 1000000 };

/* An ending that is kept when a name is cut. */
enum { ENDING_MAX = 16 };

relais_status received_folder_check(const char *folder, relais_error *error)
{
    struct stat about;
    if (stat(folder, &about) != 0) {
        return talk_fill_errno(error, errno, folder);
    }
    if (!S_ISDIR(about.st_mode)) {
        return talk_fill_errno(error, ENOTDIR, folder);
    }
    if (access(folder, W_OK | X_OK) != 0) {
        return talk_fill_errno(error, errno, folder);
    }
    return RELAIS_OK;
}

static bool is_harmful(const unsigned char *at)
{
    if (at[0] < ' ' || at[0] == 0x7F || at[0] == '/' || at[0] == '\\') {
        return true;
    }
    /* C1 controls, U+0080 to U+009F, in UTF-8. */
    return at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F;
}

/* The ending with its dot, or the end of the name: what a number is put in front of. */
static const char *name_ending(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name && strlen(dot) <= ENDING_MAX ? dot : name + strlen(name);
}

void received_file_name(const relais_message *message, char out_name[RECEIVED_NAME_BYTES])
{
    const char *given = relais_message_extension(message, "filename");
    if (!given || *given == '\0') {
        given = message->id;
    }
    const char *ending = name_ending(given);
    size_t ending_length = strlen(ending);
    size_t stem_length = (size_t)(ending - given);
    if (stem_length + ending_length >= RECEIVED_NAME_BYTES) {
        stem_length = RECEIVED_NAME_BYTES - 1 - ending_length;
        /* Not in the middle of a character. */
        while (stem_length > 0 && ((unsigned char)given[stem_length] & 0xC0U) == 0x80U) {
            stem_length--;
        }
    }
    memcpy(out_name, given, stem_length);
    memcpy(out_name + stem_length, ending, ending_length + 1);
    for (char *at = out_name; *at != '\0'; at++) {
        if (is_harmful((const unsigned char *)at)) {
            if ((unsigned char)*at == 0xC2) {
                *at++ = '_';
            }
            *at = '_';
        }
    }
    if (out_name[0] == '.') {
        out_name[0] = '_';
    }
}

/* The sender's time of the file, as far as the file system can. */
static void restore_time(const relais_message *message, const char *path)
{
    const relais_extension *time = relais_message_find_extension(message, "filetime");
    if (!time || time->kind != RELAIS_EXTENSION_TIME || time->time_ms <= 0) {
        return;
    }
    const struct timespec times[] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = time->time_ms / MS_PER_S, .tv_nsec = time->time_ms % MS_PER_S * NS_PER_MS}};
    (void)utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

/* The next name of a message in a folder; `number` from 1. */
static relais_status name_numbered(const char *name, int number, const char *folder, char *out_path,
                                   size_t path_size, relais_error *error)
{
    const char *ending = name_ending(name);
    char numbered[16] = "";
    if (number > 1) {
        snprintf(numbered, sizeof(numbered), "-%d", number);
    }
    int length = snprintf(out_path, path_size, "%s/%.*s%s%s", folder, (int)(ending - name), name,
                          numbered, ending);
    return length >= 0 && (size_t)length < path_size
               ? RELAIS_OK
               : talk_fill(error, RELAIS_SYSTEM, folder, _("a path is too long"), NULL);
}

relais_status received_file_save(const relais_message *message, const char *folder, char *out_path,
                                 size_t path_size, relais_error *error)
{
    char name[RECEIVED_NAME_BYTES];
    received_file_name(message, name);
    for (int number = 1; number <= NAMES_MAX; number++) {
        relais_status status = name_numbered(name, number, folder, out_path, path_size, error);
        if (status == RELAIS_OK) {
            status = file_create(out_path, message->payload.data, message->payload.size, FILE_MODE,
                                 error);
        }
        if (status == RELAIS_OK) {
            restore_time(message, out_path);
        }
        if (status != RELAIS_ALREADY_EXISTS) {
            return status;
        }
    }
    return error->status;
}

/* The names in the folder are on disk. */
static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

relais_status received_file_keep(const relais_message *message, const char *folder,
                                 const char *partial, char *out_path, size_t path_size,
                                 relais_error *error)
{
    char name[RECEIVED_NAME_BYTES];
    relais_status status = RELAIS_ALREADY_EXISTS;
    received_file_name(message, name);
    restore_time(message, partial);
    for (int number = 1; status == RELAIS_ALREADY_EXISTS && number <= NAMES_MAX; number++) {
        status = name_numbered(name, number, folder, out_path, path_size, error);
        /* link(2) never takes an existing name, rename(2) would. */
        if (status == RELAIS_OK && link(partial, out_path) != 0) {
            status =
                errno == EEXIST ? RELAIS_ALREADY_EXISTS : talk_fill_errno(error, errno, out_path);
        }
    }
    if (status == RELAIS_ALREADY_EXISTS) {
        return talk_fill_errno(error, EEXIST, out_path);
    }
    if (status == RELAIS_OK) {
        (void)unlink(partial);
        sync_folder(folder);
    }
    return status;
}
