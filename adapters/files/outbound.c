/* SPDX-License-Identifier: EUPL-1.2
 *
 * Finding complete files in the outbound folder: see outbound.h.
 *
 * 1. The scan is the truth, inotify only makes it quicker.
 * 2. Never taken: dot files, *.tmp, *.part, markers, side-cars, and whatever is not a regular file
 *    (links are not followed).
 * 3. A file is complete when: seen (rename); its marker is there (ready); size and mtime have been
 *    the same at two looks settle_ms apart (settle).
 */
#include "adapters/files/outbound.h"

#include "adapters/files/moment.h"
#include "adapters/files/outbound_state.h"
#include "adapters/files/sidecar.h"
#include "adapters/files/verdict.h"
#include "adapters/files/watch.h"
#include "program/error.h"
#include "program/locale.h"
#include "program/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEP_FILES = 64 /* between two turns of the client */ };

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t ending_length = strlen(ending);
    return length > ending_length && strcmp(name + length - ending_length, ending) == 0;
}

static bool is_regular(int folder, const char *name)
{
    struct stat about;
    return fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode);
}

static bool content_looks_like_sidecar(int folder, const char *name)
{
    char text[SIDECAR_BYTES];
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t got = read(fd, text, sizeof text);
    (void)close(fd);
    return got > 0 && (size_t)got < sizeof text && sidecar_looks_like(text, (size_t)got);
}

/* "x.json" is the side-car of "x" when that is there. Alone it may be data, or a side-car that came
 * before its file, or one that a kill left behind. */
bool outbound_is_sidecar(struct outbound *outbound, const char *name)
{
    char other[FOLDER_NAME_BYTES + 8];
    if (!ends_with(name, ".json")) {
        return false;
    }
    (void)snprintf(other, sizeof other, "%.*s", (int)(strlen(name) - strlen(".json")), name);
    if (is_regular(outbound->folder, other)) {
        return true;
    }
    (void)snprintf(other, sizeof other, "%s.json", name);
    if (is_regular(outbound->folder, other)) {
        return false;
    }
    if (verdict_is_past(outbound->folder, name, outbound->sent) ||
        verdict_is_past(outbound->folder, name, outbound->failed)) {
        (void)unlinkat(outbound->folder, name, 0);
        return true;
    }
    return content_looks_like_sidecar(outbound->folder, name);
}

int64_t outbound_later_ms(const struct outbound *outbound)
{
    bool settles = outbound->config->completion == CONFIG_SETTLE;
    return moment_monotonic_ms() +
           (settles ? (int64_t)outbound->config->settle_ms : OUTBOUND_RETRY_MS);
}

static bool is_left_alone(const char *name)
{
    return name[0] == '.' || ends_with(name, ".tmp") || ends_with(name, ".part");
}

static void add(struct outbound *outbound, const char *name)
{
    struct stat about;
    struct candidate *candidate = candidates_add(&outbound->candidates, name);
    if (!candidate) {
        return; /* full: the next scan finds it */
    }
    candidate->seen = outbound->scan;
    if (outbound->config->completion == CONFIG_SETTLE) {
        if (fstatat(outbound->folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0) {
            candidate->mark = file_mark_of(&about);
        }
        candidates_wait(&outbound->candidates, candidate, outbound_later_ms(outbound));
    }
}

void outbound_see(struct outbound *outbound, const char *name)
{
    char base[FOLDER_NAME_BYTES + 1];
    const struct config_outbound *config = outbound->config;
    bool by_marker = config->completion == CONFIG_READY;
    if (is_left_alone(name) || strlen(name) > FOLDER_NAME_BYTES) {
        return;
    }
    if (by_marker) {
        if (!ends_with(name, config->ready_suffix)) {
            return;
        }
        (void)snprintf(base, sizeof base, "%.*s",
                       (int)(strlen(name) - strlen(config->ready_suffix)), name);
        name = base;
    }
    struct candidate *known = candidates_find(&outbound->candidates, name);
    if (known) {
        known->seen = outbound->scan;
    } else if (by_marker || !outbound_is_sidecar(outbound, name)) {
        add(outbound, name);
    }
}

static void see_hint(void *context, const char *name)
{
    outbound_see(context, name);
}

/* ---- the scan ---- */

static void say_unreadable(struct outbound *outbound, int number)
{
    if (!outbound->unreadable) {
        LOG(LOG_LEVEL_WARNING, "outbound.unreadable", {"errno", NULL, number});
        outbound->unreadable = true;
    }
}

/* The folder may have been mounted or made anew since: then the new one counts. */
static void reopen_when_replaced(struct outbound *outbound)
{
    struct stat held;
    struct stat named;
    relais_error error;
    int fd = -1;
    if (stat(outbound->config->folder, &named) != 0 || fstat(outbound->folder, &held) != 0 ||
        (held.st_dev == named.st_dev && held.st_ino == named.st_ino) ||
        outbound->candidates.flying > 0) {
        return;
    }
    if (folder_open(outbound->config->folder, false, &fd, &error) != RELAIS_OK) {
        return;
    }
    const char *const paths[] = {outbound->config->sent, outbound->config->failed};
    int *const places[] = {&outbound->sent, &outbound->failed};
    for (size_t i = 0; i < 2; i++) {
        int other = -1;
        if (folder_open(paths[i], true, &other, &error) != RELAIS_OK) {
            (void)close(fd);
            return;
        }
        (void)close(*places[i]);
        *places[i] = other;
    }
    (void)close(outbound->folder);
    outbound->folder = fd;
    if (outbound->watch >= 0) {
        (void)close(outbound->watch);
    }
    outbound->watch = watch_open(outbound->config->folder);
    LOG(LOG_LEVEL_NOTICE, "outbound.reopened", {"inotify", NULL, outbound->watch >= 0});
}

static void scan(struct outbound *outbound)
{
    reopen_when_replaced(outbound);
    int fd = openat(outbound->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder) {
        say_unreadable(outbound, errno);
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    outbound->scan++;
    errno = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN) {
            outbound_see(outbound, entry->d_name);
        }
        errno = 0;
    }
    int number = errno;
    (void)closedir(folder);
    if (number != 0) {
        say_unreadable(outbound, number); /* what was not seen is not known to be gone */
        return;
    }
    outbound->unreadable = false;
    candidates_sweep(&outbound->candidates, outbound->scan);
}

/* ---- steps ---- */

static void look_again(struct outbound *outbound, struct candidate *candidate)
{
    struct stat about;
    if (candidate->accepted) {
        shipment_put_away(outbound, candidate);
        return;
    }
    if (outbound->config->completion != CONFIG_SETTLE) {
        candidates_make_ready(&outbound->candidates, candidate);
        return;
    }
    if (fstatat(outbound->folder, candidate->name, &about, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(about.st_mode)) {
        candidates_remove(&outbound->candidates, candidate);
        return;
    }
    struct file_mark now = file_mark_of(&about);
    if (file_mark_same(&now, &candidate->mark)) {
        candidates_make_ready(&outbound->candidates, candidate);
        return;
    }
    candidate->mark = now;
    candidates_wait(&outbound->candidates, candidate, outbound_later_ms(outbound));
}

/* True when there is more to send at once. */
static bool send_ready(struct outbound *outbound, int64_t now_ms)
{
    relais_session session;
    relais_client_session(outbound->client, &session);
    if (session.payload_bytes_max == 0 || !session.connected || outbound->stopped ||
        now_ms < outbound->hold_until_ms) {
        return false;
    }
    for (int i = 0; i < STEP_FILES; i++) {
        struct candidate *first = outbound->candidates.ready.first;
        if (!first || outbound->candidates.flying >= OUTBOUND_WINDOW_MESSAGES ||
            !shipment_send(outbound, first, session.payload_bytes_max)) {
            return false;
        }
    }
    return outbound->candidates.ready.first != NULL;
}

int64_t outbound_step(struct outbound *outbound, int64_t now_ms)
{
    if (outbound->watch >= 0 && !watch_read(outbound->watch, see_hint, outbound)) {
        outbound->scan_due_ms = now_ms;
    }
    if (now_ms >= outbound->scan_due_ms) {
        scan(outbound);
        outbound->scan_due_ms = now_ms + (int64_t)outbound->config->rescan_s * 1000;
    }
    for (struct candidate *first = outbound->candidates.waiting.first;
         first && first->due_ms <= now_ms; first = outbound->candidates.waiting.first) {
        look_again(outbound, first);
    }
    if (send_ready(outbound, now_ms)) {
        return 0;
    }
    int64_t due_ms = outbound->scan_due_ms;
    const struct candidate *first = outbound->candidates.waiting.first;
    if (first && first->due_ms < due_ms) {
        due_ms = first->due_ms;
    }
    if (outbound->hold_until_ms > now_ms && outbound->hold_until_ms < due_ms) {
        due_ms = outbound->hold_until_ms;
    }
    return due_ms > now_ms ? due_ms - now_ms : 1;
}

void outbound_stop(struct outbound *outbound)
{
    outbound->stopped = true;
}

size_t outbound_unanswered(const struct outbound *outbound)
{
    return outbound->candidates.flying;
}

int outbound_descriptor(const struct outbound *outbound)
{
    return outbound->watch;
}

/* ---- opening ---- */

static relais_status check_same_disk(const struct outbound *outbound, relais_error *error)
{
    struct stat folder;
    struct stat sent;
    struct stat failed;
    if (fstat(outbound->folder, &folder) != 0 || fstat(outbound->sent, &sent) != 0 ||
        fstat(outbound->failed, &failed) != 0) {
        return error_set_errno(error, outbound->config->folder, errno);
    }
    if (folder.st_dev != sent.st_dev || folder.st_dev != failed.st_dev) {
        return error_set(error, RELAIS_CONFIG_INVALID,
                         folder.st_dev != sent.st_dev ? "outbound.sent" : "outbound.failed",
                         _("a folder on the file system of outbound.folder"),
                         _("files cannot be renamed from one file system to another"));
    }
    if (folder.st_ino == sent.st_ino || folder.st_ino == failed.st_ino) {
        return error_set(error, RELAIS_CONFIG_INVALID, "outbound.sent", _("another folder"),
                         _("the outbound folder itself"));
    }
    return RELAIS_OK;
}

static relais_status open_folders(struct outbound *outbound, relais_error *error)
{
    const struct config_outbound *config = outbound->config;
    relais_status status = folder_open(config->folder, false, &outbound->folder, error);
    if (status == RELAIS_OK) {
        status = folder_open(config->sent, true, &outbound->sent, error);
    }
    if (status == RELAIS_OK) {
        status = folder_open(config->failed, true, &outbound->failed, error);
    }
    if (status == RELAIS_OK) {
        status = check_same_disk(outbound, error);
    }
    if (status == RELAIS_OK && !folder_lock(outbound->folder)) {
        status = error_set(error, RELAIS_ALREADY_EXISTS, config->folder,
                           _("stop the other one, or give each a folder of its own"),
                           _("another relais-files works on this folder"));
    }
    return status;
}

relais_status outbound_open(const struct config_outbound *config, relais_client *client,
                            struct outbound **out_outbound, relais_error *error)
{
    struct outbound *outbound = calloc(1, sizeof *outbound);
    if (!outbound) {
        return RELAIS_NO_MEMORY;
    }
    *outbound = (struct outbound){.config = config,
                                  .client = client,
                                  .folder = -1,
                                  .sent = -1,
                                  .failed = -1,
                                  .watch = -1,
                                  .signals = -1};
    relais_status status =
        candidates_init(&outbound->candidates, outbound) ? RELAIS_OK : RELAIS_NO_MEMORY;
    if (status == RELAIS_OK) {
        status = open_folders(outbound, error);
    }
    if (status != RELAIS_OK) {
        outbound_close(outbound);
        return status;
    }
    outbound->watch = watch_open(config->folder);
    if (outbound->watch < 0) {
        LOG(LOG_LEVEL_WARNING, "outbound.no-inotify", {"errno", NULL, errno},
            {"rescan_s", NULL, config->rescan_s});
    }
    *out_outbound = outbound;
    return RELAIS_OK;
}

void outbound_heed(struct outbound *outbound, int signals)
{
    outbound->signals = signals;
}

void outbound_close(struct outbound *outbound)
{
    if (!outbound) {
        return;
    }
    const int open[] = {outbound->folder, outbound->sent, outbound->failed, outbound->watch};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        if (open[i] >= 0) {
            (void)close(open[i]);
        }
    }
    candidates_fini(&outbound->candidates);
    free(outbound->buffer);
    free(outbound);
}
