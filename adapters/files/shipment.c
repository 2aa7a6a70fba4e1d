/* SPDX-License-Identifier: EUPL-1.2
 *
 * Sending one file and putting it away: the second half of outbound.h.
 *
 * 1. A file larger than the broker takes is never read; one that does not travel whole goes in
 *    chunks, and nothing else of the folder goes meanwhile.
 * 2. What was read is what was there before and after: a file that changes meanwhile is left for
 *    later.
 * 3. A file leaves the folder only after the broker's answer. A kill between the answer and the
 *    move sends it again with the same id (route.h), and the broker stores it once.
 * 4. Refusals that are no fault of the file (a role, a key, a version, a broker that is busy) leave
 *    it where it is.
 */
#include "adapters/files/large.h"
#include "adapters/files/moment.h"
#include "adapters/files/outbound_state.h"
#include "adapters/files/route.h"
#include "adapters/files/sidecar.h"
#include "adapters/files/verdict.h"
#include "program/error.h"
#include "program/locale.h"
#include "program/log.h"

#include <errno.h>
#include <fcntl.h>
#include <relais/send.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHIPMENT_NAME_BYTES = FOLDER_NAME_BYTES + 64 };

static void say_stuck(struct outbound *outbound, const char *event, int number)
{
    if (!outbound->stuck) {
        LOG(LOG_LEVEL_WARNING, event, {"errno", NULL, number});
        outbound->stuck = true;
    }
}

static void later(struct outbound *outbound, struct candidate *candidate)
{
    candidates_wait(&outbound->candidates, candidate, outbound_later_ms(outbound));
}

static void remove_marker(struct outbound *outbound, const char *name)
{
    char marker[SHIPMENT_NAME_BYTES];
    if (outbound->config->completion == CONFIG_READY) {
        (void)snprintf(marker, sizeof marker, "%s%s", name, outbound->config->ready_suffix);
        (void)unlinkat(outbound->folder, marker, 0);
    }
}

/* The end of a candidate whose file was moved, or not: `number` is what the move said. */
static void finish(struct outbound *outbound, struct candidate *candidate, int number)
{
    char name[FOLDER_NAME_BYTES + 1];
    if (number != 0 && number != ESTALE && number != ENOENT) {
        say_stuck(outbound, "outbound.not-moved", number);
        later(outbound, candidate);
        return;
    }
    (void)snprintf(name, sizeof name, "%s", candidate->name);
    candidates_remove(&outbound->candidates, candidate);
    if (number == ESTALE) {
        /* another file has taken the name: with a marker it was announced, else look at it afresh
         */
        if (outbound->config->completion != CONFIG_READY) {
            outbound_see(outbound, name);
        }
        return;
    }
    outbound->stuck = outbound->stuck && number != 0;
    remove_marker(outbound, name);
}

static struct verdict_file file_of(const struct outbound *outbound,
                                   const struct candidate *candidate, const char *id)
{
    return (struct verdict_file){
        .folder = outbound->folder, .name = candidate->name, .mark = &candidate->mark, .id = id};
}

static void fail(struct outbound *outbound, struct candidate *candidate, const char *id,
                 const relais_error *error)
{
    struct verdict_file file = file_of(outbound, candidate, id);
    int number = verdict_failed(&file, outbound->failed, error, moment_unix_ms());
    if (number == 0) {
        LOG(LOG_LEVEL_WARNING, "file.failed", {"id", id, 0},
            {"reason", relais_status_name(error->status), 0},
            {"bytes", NULL, candidate->mark.size});
    }
    finish(outbound, candidate, number);
}

static void put_away(struct outbound *outbound, struct candidate *candidate, const char *id)
{
    struct verdict_file file = file_of(outbound, candidate, id);
    finish(outbound, candidate, verdict_sent(&file, outbound->sent));
}

void shipment_put_away(struct outbound *outbound, struct candidate *candidate)
{
    put_away(outbound, candidate, "");
}

/* ---- the outcome ---- */

static bool is_ours_to_mend(relais_status status)
{
    return status == RELAIS_ROLE_MISSING || status == RELAIS_KEY_REVOKED ||
           status == RELAIS_KEY_REFUSED || status == RELAIS_VERSION_UNSUPPORTED;
}

static void on_outcome(void *context, const relais_outcome *outcome)
{
    struct candidate *candidate = context;
    struct outbound *outbound = candidate->owner;
    relais_status status = outcome->error.status;
    if (status == RELAIS_OK) {
        LOG(LOG_LEVEL_NOTICE, "file.sent", {"id", outcome->id, 0},
            {"bytes", NULL, candidate->mark.size});
        candidate->accepted = true;
        put_away(outbound, candidate, outcome->id);
    } else if (is_ours_to_mend(status)) {
        if (outbound->hold_until_ms < moment_monotonic_ms()) {
            LOG(LOG_LEVEL_ERROR, "outbound.on-hold", {"reason", relais_status_name(status), 0},
                {"retry_ms", NULL, OUTBOUND_HOLD_MS});
        }
        outbound->hold_until_ms = moment_monotonic_ms() + OUTBOUND_HOLD_MS;
        later(outbound, candidate);
    } else if (status == RELAIS_CLOSED || status == RELAIS_SYSTEM || status == RELAIS_INTERRUPTED ||
               relais_status_is_transient(status)) {
        later(outbound, candidate);
    } else {
        fail(outbound, candidate, outcome->id, &outcome->error);
    }
}

/* ---- reading ---- */

static bool reserve(struct outbound *outbound, size_t bytes)
{
    if (bytes <= outbound->buffer_bytes) {
        return true;
    }
    char *larger = realloc(outbound->buffer, bytes);
    if (!larger) {
        return false;
    }
    outbound->buffer = larger;
    outbound->buffer_bytes = bytes;
    return true;
}

/* 0, an errno, or EAGAIN: it changed meanwhile. */
static int read_payload(struct outbound *outbound, int fd, const struct file_mark *before)
{
    size_t size = (size_t)before->size;
    size_t used = 0;
    struct stat about;
    if (!reserve(outbound, size)) {
        return ENOMEM;
    }
    while (used < size) {
        ssize_t got = pread(fd, outbound->buffer + used, size - used, (off_t)used);
        if (got < 0 && errno != EINTR) {
            return errno;
        }
        if (got == 0) {
            return EAGAIN;
        }
        used += got > 0 ? (size_t)got : 0;
    }
    if (fstat(fd, &about) != 0) {
        return errno;
    }
    struct file_mark after = file_mark_of(&about);
    return file_mark_same(before, &after) ? 0 : EAGAIN;
}

enum sidecar_find { SIDECAR_NONE, SIDECAR_FOUND, SIDECAR_BAD, SIDECAR_LATER };

static bool is_young(const struct outbound *outbound, const struct stat *about)
{
    int64_t age_ms = moment_unix_ms() - file_mark_of(about).mtime_ns / 1000000;
    return outbound->config->completion == CONFIG_SETTLE && age_ms >= 0 &&
           age_ms < (int64_t)outbound->config->settle_ms;
}

static enum sidecar_find read_sidecar(const struct outbound *outbound, int fd,
                                      struct sidecar *out_sidecar, relais_error *error)
{
    char text[SIDECAR_BYTES];
    struct stat about;
    if (fstat(fd, &about) != 0 || is_young(outbound, &about)) {
        return SIDECAR_LATER;
    }
    if (!S_ISREG(about.st_mode) || about.st_size >= (off_t)sizeof text) {
        (void)error_set(error, RELAIS_FIELD_INVALID, NULL, _("a regular file below 64 KiB"),
                        _("the side-car is not one"));
        return SIDECAR_BAD;
    }
    ssize_t got = pread(fd, text, sizeof text, 0);
    if (got < 0) {
        return SIDECAR_LATER;
    }
    return sidecar_read(text, (size_t)got, out_sidecar, error) == RELAIS_OK ? SIDECAR_FOUND
                                                                            : SIDECAR_BAD;
}

static enum sidecar_find find_sidecar(struct outbound *outbound, const char *name,
                                      struct sidecar *out_sidecar, relais_error *error)
{
    char path[SHIPMENT_NAME_BYTES];
    (void)snprintf(path, sizeof path, "%s.json", name);
    int fd = openat(outbound->folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENAMETOOLONG)) {
        return SIDECAR_NONE;
    }
    if (fd < 0 && errno == ELOOP) {
        (void)error_set(error, RELAIS_FIELD_INVALID, NULL, _("a regular file below 64 KiB"),
                        _("the side-car is not one"));
        return SIDECAR_BAD;
    }
    if (fd < 0) {
        say_stuck(outbound, "outbound.not-read", errno);
        return SIDECAR_LATER;
    }
    enum sidecar_find found = read_sidecar(outbound, fd, out_sidecar, error);
    (void)close(fd);
    if (found == SIDECAR_BAD) {
        char field[sizeof error->field];
        (void)snprintf(field, sizeof field, "%s", error->field);
        error_set_field(error, "side-car%s%s", field[0] ? ": " : "", field);
    }
    return found;
}

/* ---- submitting ---- */

/* A message and what it borrows. */
struct letter {
    relais_extension extensions[RELAIS_EXTENSIONS_MAX];
    char made_id[ROUTE_ID_CHARACTERS + 1];
    relais_message message;
};

/* `content`: what of the file an id is made of. */
static void fill_letter(const struct candidate *candidate, const struct route *route,
                        const struct sidecar *sidecar, relais_bytes content,
                        struct letter *out_letter)
{
    int64_t mtime_ms = candidate->mark.mtime_ns / 1000000;
    relais_message *message = &out_letter->message;
    *message = (relais_message){
        .type = route->type,
        .time_ms = mtime_ms,
        .datacontenttype = route->media_type,
        .to = route->to,
        .to_count = route->to_count,
        .flow = route->flow,
        .from = route->from,
        .priority = route->priority,
        .extensions = out_letter->extensions,
        .extension_count = 2,
    };
    out_letter->extensions[0] = (relais_extension){.name = "filename", .text = candidate->name};
    out_letter->extensions[1] =
        (relais_extension){.name = "filetime", .kind = RELAIS_EXTENSION_TIME, .time_ms = mtime_ms};
    if (sidecar) {
        message->id = sidecar->id;
        message->subject = sidecar->subject;
        message->expires_at_ms = sidecar->expires_at_ms;
        message->extension_count += sidecar->extension_count;
        memcpy(&out_letter->extensions[2], sidecar->extensions,
               sidecar->extension_count * sizeof *out_letter->extensions);
    }
    if (!message->id) {
        route_make_id(route, candidate->name, candidate->mark.mtime_ns, content,
                      out_letter->made_id);
        message->id = out_letter->made_id;
    }
}

/* False: the window is full. */
static bool submit(struct outbound *outbound, struct candidate *candidate,
                   const struct route *route, const struct sidecar *sidecar)
{
    struct letter letter;
    relais_error error = {.status = RELAIS_OK};
    const relais_bytes payload = {.data = outbound->buffer, .size = (size_t)candidate->mark.size};
    fill_letter(candidate, route, sidecar, payload, &letter);
    letter.message.payload = payload;
    relais_status status =
        relais_submit(outbound->client, &letter.message, on_outcome, candidate, &error);
    if (status == RELAIS_OK) {
        candidates_fly(&outbound->candidates, candidate);
        LOG(LOG_LEVEL_DEBUG, "file.submitted", {"id", letter.message.id, 0},
            {"bytes", NULL, candidate->mark.size});
    } else if (relais_status_is_transient(status) && status != RELAIS_WINDOW_FULL) {
        later(outbound, candidate);
    } else if (status != RELAIS_WINDOW_FULL) {
        fail(outbound, candidate, letter.message.id, &error);
    }
    return status != RELAIS_WINDOW_FULL;
}

/* In chunks. Its id is made of its name, time and size: to read 4 GiB twice for it would be much.
 */
static void send_large(struct outbound *outbound, struct candidate *candidate, int fd,
                       const struct route *route, const struct sidecar *sidecar)
{
    struct letter letter;
    relais_outcome outcome = {.error = {.status = RELAIS_OK}};
    const relais_bytes size = {.data = &candidate->mark.size, .size = sizeof candidate->mark.size};
    fill_letter(candidate, route, sidecar, size, &letter);
    candidates_fly(&outbound->candidates, candidate);
    outcome.error.status = large_send(outbound->client, outbound->signals, fd, &candidate->mark,
                                      &letter.message, &outcome.error);
    outcome.id = letter.message.id;
    on_outcome(candidate, &outcome);
}

/* False: the window is full. */
static bool ship(struct outbound *outbound, struct candidate *candidate, int fd,
                 const struct route *route, const struct sidecar *sidecar)
{
    if (candidate->is_large) {
        send_large(outbound, candidate, fd, route, sidecar);
        return true;
    }
    int number = read_payload(outbound, fd, &candidate->mark);
    if (number == 0) {
        return submit(outbound, candidate, route, sidecar);
    }
    if (number != EAGAIN) {
        say_stuck(outbound, "outbound.not-read", number);
    }
    later(outbound, candidate);
    return true;
}

static bool read_and_submit(struct outbound *outbound, struct candidate *candidate, int fd)
{
    struct sidecar sidecar = {.document = NULL};
    struct route route;
    relais_error error = {.status = RELAIS_OK};
    bool room = true;
    enum sidecar_find found = find_sidecar(outbound, candidate->name, &sidecar, &error);
    if (found == SIDECAR_LATER) {
        later(outbound, candidate);
        return true;
    }
    if (found == SIDECAR_BAD ||
        route_find(outbound->config, candidate->name, found == SIDECAR_FOUND ? &sidecar : NULL,
                   &route, &error) != RELAIS_OK) {
        fail(outbound, candidate, "", &error);
    } else {
        room = ship(outbound, candidate, fd, &route, found == SIDECAR_FOUND ? &sidecar : NULL);
    }
    if (found == SIDECAR_FOUND) {
        sidecar_fini(&sidecar);
    }
    return room;
}

static bool ship_open(struct outbound *outbound, struct candidate *candidate, int fd,
                      size_t payload_bytes_max)
{
    const struct candidates *set = &outbound->candidates;
    struct stat about;
    relais_error error;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        candidates_remove(&outbound->candidates, candidate);
        return true;
    }
    candidate->mark = file_mark_of(&about);
    relais_session session;
    relais_client_session(outbound->client, &session);
    candidate->is_large = (uintmax_t)about.st_size > payload_bytes_max;
    if (candidate->is_large && (uintmax_t)about.st_size > session.stored_bytes_max) {
        char limit[32];
        (void)snprintf(limit, sizeof limit, "%ju",
                       session.stored_bytes_max > 0 ? (uintmax_t)session.stored_bytes_max
                                                    : (uintmax_t)payload_bytes_max);
        (void)error_set(&error, RELAIS_TOO_LARGE, "payload", limit, "%jd", (intmax_t)about.st_size);
        fail(outbound, candidate, "", &error);
        return true;
    }
    if (!candidate->is_large && set->flying > 0 &&
        set->flying_bytes + about.st_size > OUTBOUND_WINDOW_BYTES) {
        return false;
    }
    return read_and_submit(outbound, candidate, fd);
}

/* The file of a marker is not there: the marker's time is over, or it came before its file, which
 * the convention forbids; left there it would vouch for a file that is still being written. */
static void drop_missing(struct outbound *outbound, struct candidate *candidate)
{
    remove_marker(outbound, candidate->name);
    candidates_remove(&outbound->candidates, candidate);
}

bool shipment_send(struct outbound *outbound, struct candidate *candidate, size_t payload_bytes_max)
{
    if (outbound->config->completion != CONFIG_READY &&
        outbound_is_sidecar(outbound, candidate->name)) {
        candidates_remove(&outbound->candidates, candidate);
        return true;
    }
    int fd =
        openat(outbound->folder, candidate->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        bool room = ship_open(outbound, candidate, fd, payload_bytes_max);
        (void)close(fd);
        return room;
    }
    if (errno == ENOENT) {
        drop_missing(outbound, candidate);
    } else if (errno == ELOOP || errno == ENXIO) {
        candidates_remove(&outbound->candidates, candidate); /* a link, a socket */
    } else {
        say_stuck(outbound, "outbound.not-read", errno);
        later(outbound, candidate);
    }
    return true;
}
