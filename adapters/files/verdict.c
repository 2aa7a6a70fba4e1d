/* SPDX-License-Identifier: EUPL-1.2
 *
 * What becomes of a file: see verdict.h.
 */
#include "adapters/files/verdict.h"

#include "adapters/files/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUFFIXED_BYTES = FOLDER_NAME_BYTES + 12 };

static const char reason_temp[] = ".relais-reason.tmp";

static bool look(int folder, const char *name, struct stat *out_about)
{
    return fstatat(folder, name, out_about, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int check_mark(const struct verdict_file *file)
{
    struct stat about;
    if (!look(file->folder, file->name, &about)) {
        return errno;
    }
    struct file_mark now = file_mark_of(&about);
    return file_mark_same(&now, file->mark) ? 0 : ESTALE;
}

/* Links the side-car beside the place where the file will be. 0 also when there is none. */
static int link_sidecar(const struct verdict_file *file, int to_folder, const char *placed)
{
    char from[SUFFIXED_BYTES];
    char to[SUFFIXED_BYTES];
    struct stat ours;
    struct stat theirs;
    (void)snprintf(from, sizeof from, "%s.json", file->name);
    (void)snprintf(to, sizeof to, "%s.json", placed);
    if (!look(file->folder, from, &ours) || !S_ISREG(ours.st_mode)) {
        return 0;
    }
    if (linkat(file->folder, from, to_folder, to, 0) == 0) {
        return 0;
    }
    if (errno == EEXIST && look(to_folder, to, &theirs)) {
        return is_same_file(&ours, &theirs) ? 0 : EEXIST;
    }
    /* no links here (SMB, FAT): it is moved after the file */
    return errno == EEXIST ? EEXIST : 0;
}

static void drop_sidecar(const struct verdict_file *file, int to_folder, const char *placed)
{
    char from[SUFFIXED_BYTES];
    char to[SUFFIXED_BYTES];
    struct stat ours;
    struct stat theirs;
    (void)snprintf(from, sizeof from, "%s.json", file->name);
    (void)snprintf(to, sizeof to, "%s.json", placed);
    if (!look(file->folder, from, &ours) || !S_ISREG(ours.st_mode)) {
        return;
    }
    if (look(to_folder, to, &theirs)) {
        if (is_same_file(&ours, &theirs)) {
            (void)unlinkat(file->folder, from, 0);
        }
        return;
    }
    (void)folder_move(file->folder, from, to_folder, to);
}

static void make_tag(const struct verdict_file *file, char out_tag[FOLDER_TAG_BYTES + 1])
{
    if (file->id[0] != '\0' && strlen(file->id) >= FOLDER_TAG_BYTES && !strchr(file->id, '/')) {
        (void)snprintf(out_tag, FOLDER_TAG_BYTES + 1, "%.*s", FOLDER_TAG_BYTES, file->id);
    } else {
        (void)snprintf(out_tag, FOLDER_TAG_BYTES + 1, "%016llx",
                       (unsigned long long)file->mark->mtime_ns);
    }
}

/* Another file may have taken the name between the look and the move: it goes back. */
static int confirm(const struct verdict_file *file, int to_folder, const char *placed)
{
    struct stat about;
    char tag[FOLDER_TAG_BYTES + 1];
    char back[FOLDER_NAME_BYTES + 1];
    if (!look(to_folder, placed, &about)) {
        return 0; /* somebody has taken it from there already */
    }
    struct file_mark now = file_mark_of(&about);
    if (file_mark_same(&now, file->mark)) {
        return 0;
    }
    make_tag(file, tag);
    (void)folder_place(to_folder, placed, file->folder, file->name, tag, back);
    return ESTALE;
}

static int write_reason(int folder, const char *placed, const char *text)
{
    char name[SUFFIXED_BYTES];
    (void)snprintf(name, sizeof name, "%s.error.json", placed);
    (void)unlinkat(folder, reason_temp, 0);
    int fd =
        openat(folder, reason_temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0) {
        return errno;
    }
    size_t size = strlen(text);
    ssize_t wrote = write(fd, text, size);
    int number = wrote == (ssize_t)size ? 0 : (wrote < 0 ? errno : ENOSPC);
    (void)close(fd);
    if (number == 0 && renameat(folder, reason_temp, folder, name) != 0) {
        number = errno;
    }
    return number;
}

/* One try with one name. EEXIST: the next name. */
static int try_name(const struct verdict_file *file, int to_folder, const char *placed,
                    const char *reason)
{
    struct stat about;
    if (look(to_folder, placed, &about)) {
        return EEXIST;
    }
    int number = link_sidecar(file, to_folder, placed);
    if (number == 0 && reason) {
        number = write_reason(to_folder, placed, reason);
    }
    if (number == 0) {
        number = folder_move(file->folder, file->name, to_folder, placed);
    }
    return number;
}

static int move(const struct verdict_file *file, int to_folder, const char *reason)
{
    char tag[FOLDER_TAG_BYTES + 1];
    char placed[FOLDER_NAME_BYTES + 1] = "";
    int number = check_mark(file);
    if (number != 0) {
        return number;
    }
    make_tag(file, tag);
    number = EEXIST;
    for (unsigned i = 0; number == EEXIST && i < FOLDER_TRIES_MAX; i++) {
        folder_variant(file->name, i, tag, placed);
        number = try_name(file, to_folder, placed, reason);
    }
    if (number == 0) {
        number = confirm(file, to_folder, placed);
    }
    if (number == 0) {
        drop_sidecar(file, to_folder, placed);
    }
    return number;
}

int verdict_sent(const struct verdict_file *file, int sent_folder)
{
    return move(file, sent_folder, NULL);
}

int verdict_failed(const struct verdict_file *file, int failed_folder, const relais_error *error,
                   int64_t now_ms)
{
    char *reason = reason_text(error, now_ms);
    if (!reason) {
        return ENOMEM;
    }
    int number = move(file, failed_folder, reason);
    free(reason);
    return number;
}

bool verdict_is_past(int folder, const char *name, int past_folder)
{
    char base[FOLDER_NAME_BYTES + 1];
    char variant[FOLDER_NAME_BYTES + 1];
    char past[SUFFIXED_BYTES];
    struct stat ours;
    struct stat theirs;
    size_t length = strlen(name);
    if (length <= 5 || length > FOLDER_NAME_BYTES || !look(folder, name, &ours) ||
        ours.st_nlink < 2) {
        return false;
    }
    (void)snprintf(base, sizeof base, "%.*s", (int)(length - 5), name);
    for (unsigned i = 0; i < FOLDER_TRIES; i++) {
        folder_variant(base, i, "", variant);
        (void)snprintf(past, sizeof past, "%s.json", variant);
        if (!look(past_folder, past, &theirs)) {
            return false;
        }
        if (is_same_file(&ours, &theirs)) {
            return true;
        }
    }
    return false;
}
