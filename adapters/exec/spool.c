/* SPDX-License-Identifier: EUPL-1.2
 *
 * See spool.h.
 */
#include "adapters/exec/spool.h"

#include "adapters/exec/attached.h"
#include "adapters/exec/jobs.h"
#include "adapters/exec/line.h"
#include "adapters/exec/moment.h"
#include "program/error.h"
#include "program/locale.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 256,       /* files that share a sync */
    NAMES_MAX = 20000, /* looked at together; the others wait for their turn */
    FULL_MS = 2000,
    ID_BYTES = 20,
    NAME_BYTES = 256,
    SUFFIX_BYTES = sizeof ".json" - 1,
};

/* What was staged of a file, for the time after the flush. */
struct spooled {
    char name[NAME_BYTES];
    char file[NAME_BYTES]; /* of the payload; "": none */
};

struct spool {
    relais_adapter *adapter;
    const struct settings_spool *settings;
    int folder;
    int failed;
    char **names;
    size_t name_count;
    size_t at;
    struct spooled batch[BATCH];
    size_t count;
    int64_t due_ms;
    bool unreadable; /* has been said */
};

relais_status spool_open(relais_adapter *adapter, const struct settings_spool *settings,
                         struct spool **out_spool, relais_error *error)
{
    char path[4096];
    struct spool *spool = calloc(1, sizeof *spool);
    if (!spool) {
        return error_set(error, RELAIS_NO_MEMORY, NULL, NULL, "%s", "");
    }
    spool->adapter = adapter;
    spool->settings = settings;
    spool->failed = -1;
    const char *whole = relais_adapter_path(adapter, settings->folder, path, sizeof path);
    spool->folder = whole ? open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (spool->folder >= 0 && (mkdirat(spool->folder, "failed", 0770) == 0 || errno == EEXIST)) {
        spool->failed =
            openat(spool->folder, "failed", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (spool->failed < 0) {
        relais_status status = error_set(error, RELAIS_CONFIG_INVALID, "spool.folder",
                                         _("a folder that the adapter's user may write to"), "%s",
                                         strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
        spool_close(spool);
        return status;
    }
    *out_spool = spool;
    return RELAIS_OK;
}

static void forget_names(struct spool *spool)
{
    for (size_t i = 0; i < spool->name_count; i++) {
        free(spool->names[i]);
    }
    free(spool->names);
    spool->names = NULL;
    spool->name_count = 0;
    spool->at = 0;
}

void spool_close(struct spool *spool)
{
    if (!spool) {
        return;
    }
    forget_names(spool);
    if (spool->folder >= 0) {
        (void)close(spool->folder);
    }
    if (spool->failed >= 0) {
        (void)close(spool->failed);
    }
    free(spool);
}

/* ---- names ---- */

static bool is_message(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > SUFFIX_BYTES && length < NAME_BYTES - 16 &&
           strcmp(name + length - SUFFIX_BYTES, ".json") == 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_name(struct spool *spool, const char *name)
{
    char **names = spool->name_count % BATCH != 0
                       ? spool->names
                       : realloc(spool->names, (spool->name_count + BATCH) * sizeof *names);
    char *copy = names ? strdup(name) : NULL;
    spool->names = names ? names : spool->names;
    if (copy) {
        spool->names[spool->name_count++] = copy;
    }
    return copy != NULL;
}

/* Reads the folder, in the order of names. */
static void scan(struct spool *spool)
{
    int fd = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry = NULL;
    if (!entries && fd >= 0) {
        (void)close(fd);
    }
    if (!entries && !spool->unreadable) {
        relais_adapter_log(RELAIS_ADAPTER_WARNING, "spool.unreadable", NULL, 0);
    }
    spool->unreadable = !entries;
    while (entries && spool->name_count < NAMES_MAX &&
           (entry = readdir(entries)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        if (is_message(entry->d_name) && !add_name(spool, entry->d_name)) {
            break;
        }
    }
    if (entries) {
        (void)closedir(entries);
    }
    if (spool->name_count > 0) {
        qsort(spool->names, spool->name_count, sizeof *spool->names, compare);
    }
}

/* ---- what cannot be sent ---- */

static void write_reason(struct spool *spool, const char *name, const relais_error *error)
{
    char path[NAME_BYTES + 16];
    json_t *reason =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:s}", "status", relais_status_name(error->status),
                  "code", (int)error->status, "field", error->field, "wrong", error->wrong, "right",
                  error->right, "text", relais_status_text(error->status));
    char *text = reason ? json_dumps(reason, JSON_INDENT(2)) : NULL;
    (void)snprintf(path, sizeof path, "%.*s.error.json", (int)(strlen(name) - SUFFIX_BYTES), name);
    int fd = text ? openat(spool->failed, path,
                           O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640)
                  : -1;
    if (fd >= 0) {
        (void)!write(fd, text, strlen(text));
        (void)close(fd);
    }
    free(text);
    json_decref(reason);
}

static void set_aside(struct spool *spool, const char *name, const char *file,
                      const relais_error *error)
{
    const relais_adapter_field fields[] = {{"reason", relais_status_name(error->status), 0},
                                           {"field", error->field, 0}};
    relais_adapter_count(spool->adapter, COUNTER_BAD, 1);
    relais_adapter_log(RELAIS_ADAPTER_WARNING, "spool.refused", fields, 2);
    write_reason(spool, name, error);
    (void)renameat(spool->folder, name, spool->failed, name);
    if (file[0] != '\0') {
        (void)renameat(spool->folder, file, spool->failed, file);
    }
}

/* ---- one file ---- */

/* The same file has the same id, at any time. */
static void make_id(const char *name, const struct stat *about, relais_bytes text,
                    relais_bytes payload, char out_id[2 * ID_BYTES + 1])
{
    unsigned char hash[ID_BYTES];
    crypto_generichash_state state;
    int64_t time_ns = (int64_t)about->st_mtim.tv_sec * 1000000000 + about->st_mtim.tv_nsec;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash);
    (void)crypto_generichash_update(&state, (const unsigned char *)name, strlen(name) + 1);
    (void)crypto_generichash_update(&state, (const unsigned char *)&time_ns, sizeof time_ns);
    (void)crypto_generichash_update(&state, (const unsigned char *)&text.size, sizeof text.size);
    (void)crypto_generichash_update(&state, text.data, text.size);
    (void)crypto_generichash_update(&state, payload.data, payload.size);
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    (void)sodium_bin2hex(out_id, 2 * ID_BYTES + 1, hash, sizeof hash);
}

static relais_status hand_over(struct spool *spool, const char *name, const struct stat *about,
                               relais_bytes text, struct spooled *out, relais_error *error)
{
    struct line line;
    unsigned char *file = NULL;
    char id[2 * ID_BYTES + 1];
    relais_status status = line_read(text.data, text.size, &spool->settings->defaults,
                                     (int64_t)time(NULL) * 1000, &line, error);
    if (status != RELAIS_OK) {
        return status;
    }
    if (line.file) {
        size_t size = 0;
        (void)snprintf(out->file, sizeof out->file, "%s", line.file);
        status = attached_read(spool->folder, line.file, LINE_PAYLOAD_BYTES, &file, &size, NULL);
        line.message.payload = (relais_bytes){file, size};
        if (status != RELAIS_OK) {
            (void)error_set(error, status, "file", _("a plain file beside it, at most 16 MiB"),
                            "%s", relais_status_text(status));
        }
    }
    if (status == RELAIS_OK) {
        make_id(name, about, text, line.message.payload, id);
        line.message.id = line.message.id ? line.message.id : id;
        status = relais_adapter_hand_over(spool->adapter, &line.message, error);
    }
    free(file);
    line_fini(&line);
    return status;
}

/* RELAIS_STORE_FULL, RELAIS_NO_MEMORY: later. */
static relais_status take_one(struct spool *spool, const char *name)
{
    struct spooled *spooled = &spool->batch[spool->count];
    struct stat about;
    unsigned char *text = NULL;
    size_t size = 0;
    relais_error error = {.status = RELAIS_OK};
    *spooled = (struct spooled){.file = ""};
    (void)snprintf(spooled->name, sizeof spooled->name, "%s", name);
    relais_status status = attached_read(spool->folder, name, LINE_BYTES, &text, &size, &about);
    if (status == RELAIS_NOT_FOUND || status == RELAIS_FIELD_INVALID || status == RELAIS_SYSTEM) {
        return RELAIS_OK; /* gone, no file, or not ours to read: left alone */
    }
    if (status == RELAIS_OK) {
        status = hand_over(spool, name, &about, (relais_bytes){text, size}, spooled, &error);
    } else {
        (void)error_set(&error, status, "line", _("at most 22 MiB"), "%s", "");
    }
    free(text);
    if (status == RELAIS_OK) {
        spool->count++;
        relais_adapter_count(spool->adapter, COUNTER_LINES, 1);
    } else if (status != RELAIS_STORE_FULL && status != RELAIS_NO_MEMORY) {
        set_aside(spool, name, spooled->file, &error);
        status = RELAIS_OK;
    }
    return status;
}

/* What is on disk in the outbox goes: the message first, so that it is never without its payload.
 */
static relais_status flush(struct spool *spool, relais_error *error)
{
    relais_status status = relais_adapter_flush(spool->adapter, error);
    for (size_t i = 0; status == RELAIS_OK && i < spool->count; i++) {
        const struct spooled *spooled = &spool->batch[i];
        if (unlinkat(spool->folder, spooled->name, 0) == 0 && spooled->file[0] != '\0') {
            (void)unlinkat(spool->folder, spooled->file, 0);
        }
    }
    spool->count = 0;
    return status;
}

static relais_status take_batch(struct spool *spool, relais_error *error)
{
    relais_status status = RELAIS_OK;
    while (spool->at < spool->name_count && spool->count < BATCH) {
        status = take_one(spool, spool->names[spool->at]);
        if (status != RELAIS_OK) {
            break;
        }
        spool->at++;
    }
    bool some = spool->count > 0;
    relais_status flushed = flush(spool, error);
    if (flushed != RELAIS_OK) {
        return flushed;
    }
    return some ? RELAIS_OK : status;
}

relais_status spool_poll(struct spool *spool, int64_t *out_wait_ms, relais_error *error)
{
    int64_t now_ms = moment_monotonic_ms();
    int64_t pause_ms = (int64_t)spool->settings->rescan_s * 1000;
    if (now_ms >= spool->due_ms) {
        if (spool->at >= spool->name_count) {
            forget_names(spool);
            scan(spool);
        }
        relais_status status = take_batch(spool, error);
        if (status == RELAIS_STORE_FULL || status == RELAIS_NO_MEMORY) {
            forget_names(spool);
            pause_ms = FULL_MS;
        } else if (status != RELAIS_OK) {
            return status;
        } else if (spool->at < spool->name_count) {
            pause_ms = 0;
        }
        spool->due_ms = now_ms + pause_ms;
    }
    *out_wait_ms = spool->due_ms - now_ms < *out_wait_ms ? spool->due_ms - now_ms : *out_wait_ms;
    return RELAIS_OK;
}
