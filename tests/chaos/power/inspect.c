/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/chaos/power/inspect.h"

#include "tests/unit/store/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ALL = 4 * SCRIPT_OPS,
    PATH_BYTES = 256,
    FAR_MS = 9000000, /* everything is due */
    SAMPLES = 3,      /* ids that are sent again */
};

/* What was found in the store. */
struct found {
    struct copy copies[SCRIPT_MESSAGES][SCRIPT_MAILBOXES];
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct inspection *inspection,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(inspection->text, sizeof inspection->text, format, arguments);
    va_end(arguments);
    return false;
}

static void remove_file(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

static bool write_file(const struct inspection *inspection, const char *name,
                       const struct file_bytes *file)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", inspection->path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;
    while (fd >= 0 && done < file->size) {
        ssize_t written = write(fd, file->data + done, file->size - done);
        if (written <= 0) {
            break;
        }
        done += (size_t)written;
    }
    return fd >= 0 && ftruncate(fd, (off_t)file->length) == 0 && close(fd) == 0 &&
           done == file->size;
}

static bool write_image(struct inspection *inspection, const struct file_bytes files[DISK_FILES])
{
    uint8_t pid[] = "1\n";
    struct file_bytes mark = {.data = pid, .size = 2, .length = 2};
    (void)mkdir(inspection->path, 0700);
    remove_file(inspection->path, "lock.mdb");
    remove_file(inspection->path, "lock");
    remove_file(inspection->path, "data.mdb");
    remove_file(inspection->path, "data.mdb.new");
    remove_file(inspection->path, "redo.log");
    const char *data = inspection->named ? "data.mdb" : "data.mdb.new";
    const struct file_bytes *log = &files[DISK_LOG];
    if (!write_file(inspection, data, &files[DISK_DATA]) ||
        (log->length > 0 && !write_file(inspection, "redo.log", log)) ||
        (inspection->used && !write_file(inspection, "lock", &mark))) {
        return wrong(inspection, "the image cannot be written: %s", strerror(errno));
    }
    return true;
}

static bool find_waiting(struct inspection *inspection, struct bench *bench, size_t mailbox,
                         struct found *found)
{
    struct store_result result = bench_one(bench, op_take(script_mailbox_id(mailbox), ALL));
    bool good = result.status == STORE_DONE && !result.take.more;
    if (!good) {
        (void)wrong(inspection, "mailbox %zu: status %d", mailbox, (int)result.status);
    }
    for (uint32_t i = 0; good && i < result.take.count; i++) {
        const struct store_entry *entry = &result.take.entries[i];
        size_t message = entry->key.sequence - 1;
        good = message < SCRIPT_MESSAGES &&
               content_is(entry, inspection->script->ids[message], SCRIPT_ENVELOPE_BYTES,
                          inspection->script->payload_bytes[message]);
        if (!good) {
            (void)wrong(inspection, "mailbox %zu: sequence %zu has other bytes", mailbox,
                        message + 1);
            break;
        }
        found->copies[message][mailbox] = (struct copy){.place = PLACE_WAITING,
                                                        .lane = entry->key.lane,
                                                        .due_ms = entry->key.due_ms,
                                                        .attempts = entry->attempts};
    }
    result_drop(&result);
    return good;
}

static bool find_dead(struct inspection *inspection, struct bench *bench, size_t mailbox,
                      struct found *found)
{
    struct store_result result = bench_one(bench, op_dead_list(script_mailbox_id(mailbox), 0, ALL));
    bool good = result.status == STORE_DONE;
    for (uint32_t i = 0; i < result.dead.count; i++) {
        const struct store_dead *dead = &result.dead.entries[i];
        if (dead->damaged || dead->sequence > SCRIPT_MESSAGES) {
            good = wrong(inspection, "mailbox %zu: a damaged dead letter", mailbox);
            break;
        }
        found->copies[dead->sequence - 1][mailbox] =
            (struct copy){.place = PLACE_DEAD, .attempts = dead->attempts};
    }
    result_drop(&result);
    return good;
}

static bool same_copy(const struct copy *left, const struct copy *right)
{
    if (left->place != right->place) {
        return false;
    }
    bool same_place = left->place != PLACE_WAITING ||
                      (left->lane == right->lane && left->due_ms == right->due_ms);
    return left->place == PLACE_NONE || (same_place && left->attempts == right->attempts);
}

static bool is_as_after(const struct inspection *inspection, const struct found *found,
                        size_t steps)
{
    static struct model model; /* large */
    model_after(&model, inspection->script, steps);
    for (size_t i = 0; i < SCRIPT_MESSAGES; i++) {
        for (size_t k = 0; k < SCRIPT_MAILBOXES; k++) {
            if (!same_copy(&model.copies[i][k], &found->copies[i][k])) {
                return false;
            }
        }
    }
    return true;
}

/* Sends a message again. */
static bool send_again(struct inspection *inspection, struct bench *bench, size_t message,
                       bool *out_known)
{
    struct store_recipient recipient = {.mailbox = script_mailbox_id(0), .lane = LANE_LOW};
    struct store_result result =
        bench_one(bench, op_append(inspection->script->ids[message], SCRIPT_ENVELOPE_BYTES,
                                   inspection->script->payload_bytes[message], &recipient, 1));
    *out_known = result.append.duplicate;
    if (result.status != STORE_DONE || (*out_known && result.append.sequence != message + 1)) {
        return wrong(inspection, "%s sent again: status %d, sequence %llu",
                     inspection->script->ids[message], (int)result.status,
                     (unsigned long long)result.append.sequence);
    }
    return true;
}

static size_t messages_after(const struct inspection *inspection, size_t steps)
{
    static struct model model; /* large */
    model_after(&model, inspection->script, steps);
    return model.messages;
}

/* What was stored is known when it is sent again. */
static bool check_known(struct inspection *inspection, struct bench *bench, size_t stored)
{
    for (size_t i = 0; i < SAMPLES && stored > i * 7; i++) {
        bool known = false;
        if (!send_again(inspection, bench, stored - 1 - i * 7, &known)) {
            return false;
        }
        if (!known) {
            return wrong(inspection, "%s sent again is taken for new",
                         inspection->script->ids[stored - 1 - i * 7]);
        }
    }
    return true;
}

/* After different steps the same may lie in the mailboxes; what is known tells them apart. */
static bool check_ids(struct inspection *inspection, struct bench *bench, const struct found *found,
                      size_t steps)
{
    size_t stored = messages_after(inspection, steps);
    for (size_t next = steps; next <= inspection->until; next++) {
        size_t messages = messages_after(inspection, next);
        bool known = false;
        if (messages == stored || !is_as_after(inspection, found, next)) {
            continue;
        }
        if (!send_again(inspection, bench, messages - 1, &known)) {
            return false;
        }
        if (!known) {
            return check_known(inspection, bench, stored);
        }
        stored = messages;
    }
    bool known = false;
    if (!check_known(inspection, bench, stored) ||
        (stored < SCRIPT_MESSAGES && !send_again(inspection, bench, stored, &known))) {
        return false;
    }
    return !known ||
           wrong(inspection, "%s was never stored and is known", inspection->script->ids[stored]);
}

static bool open_mailboxes(struct bench *bench)
{
    for (size_t i = 0; i < SCRIPT_MAILBOXES; i++) {
        struct store_result result =
            bench_one(bench, op_mailbox(script_mailbox_id(i), script_mailbox_name(i)));
        if (result.status != STORE_DONE) {
            return false;
        }
    }
    return true;
}

static bool look(struct inspection *inspection, struct bench *bench)
{
    static struct found found; /* large */
    memset(&found, 0, sizeof found);
    if (!open_mailboxes(bench)) {
        return wrong(inspection, "mailboxes cannot be added");
    }
    for (size_t i = 0; i < SCRIPT_MAILBOXES; i++) {
        if (!find_waiting(inspection, bench, i, &found) ||
            !find_dead(inspection, bench, i, &found)) {
            return false;
        }
    }
    size_t steps = inspection->from;
    while (steps <= inspection->until && !is_as_after(inspection, &found, steps)) {
        steps++;
    }
    if (steps > inspection->until) {
        return wrong(inspection, "not as after any step from %zu to %zu", inspection->from,
                     inspection->until);
    }
    return check_ids(inspection, bench, &found, steps);
}

bool inspect_image(struct inspection *inspection, const struct file_bytes files[DISK_FILES])
{
    struct bench bench = {.kind = ENGINE_LMDB, .now_ms = FAR_MS};
    struct store_problem problem = {0};
    if (!write_image(inspection, files)) {
        return false;
    }
    store_settings_init(&bench.settings);
    bench.settings.path = inspection->path;
    bench.settings.reserve_bytes = 0;
    bench.settings.redo_bytes = 64 * 1024;
    if (!store_open_lmdb(&bench.settings, &bench.store, &problem)) {
        return wrong(inspection, "cannot be opened: %s", problem.detail);
    }
    bool good = look(inspection, &bench);
    store_close(bench.store);
    return good;
}
