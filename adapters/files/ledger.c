/* SPDX-License-Identifier: EUPL-1.2
 *
 * What has been received: see ledger.h. The file is written by one write() a batch, at an offset
 * that we keep, and is cut back to that offset when the write is not whole.
 */
#include "adapters/files/ledger.h"

#include "program/error.h"
#include "program/locale.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TORN_BYTES = (LEDGER_BATCH + 1) * LEDGER_LINE_BYTES, /* one batch that did not reach the disk */
    WASTE_LINES = 4096,
    BUFFER_LINES = 1024,
};

static const char file_name[] = "ledger";
static const char new_name[] = "ledger.new";

struct ledger {
    int folder;
    int fd;
    off_t size; /* whole lines that count */
    bool broken;
    struct ledger_table table;
};

static relais_status fail(const char *what, int number, relais_error *error)
{
    return error_set(error, RELAIS_SYSTEM, what, NULL, "%s", strerror(number));
}

static relais_status refuse_damaged(off_t line, relais_error *error)
{
    return error_set(error, RELAIS_CONFIG_INVALID, file_name,
                     _("restore it from a copy; or delete it: then messages of the last days can "
                       "arrive a second time"),
                     _("line %lld of the ledger is damaged"), (long long)line);
}

static bool apply(struct ledger_table *table, const struct ledger_entry *entry)
{
    if (entry->mark == LEDGER_VOID) {
        ledger_table_remove(table, entry->key);
        return true;
    }
    return ledger_table_put(table, entry);
}

/* Reads the lines of one buffer. *out_good: bytes up to the first line that cannot be read. */
static relais_status read_lines(struct ledger *ledger, const char *buffer, size_t size,
                                size_t *out_good)
{
    size_t at = 0;
    struct ledger_entry entry;
    while (at + LEDGER_LINE_BYTES <= size && ledger_line_read(buffer + at, &entry)) {
        if (!apply(&ledger->table, &entry)) {
            return RELAIS_NO_MEMORY;
        }
        at += LEDGER_LINE_BYTES;
    }
    *out_good = at;
    return RELAIS_OK;
}

static relais_status load(struct ledger *ledger, relais_error *error)
{
    char buffer[BUFFER_LINES * LEDGER_LINE_BYTES];
    struct stat about;
    size_t good = 0;
    ssize_t got = 0;
    if (fstat(ledger->fd, &about) != 0) {
        return fail(file_name, errno, error);
    }
    do {
        got = pread(ledger->fd, buffer, sizeof buffer, ledger->size);
        if (got < 0) {
            return fail(file_name, errno, error);
        }
        if (read_lines(ledger, buffer, (size_t)got, &good) != RELAIS_OK) {
            return error_set(error, RELAIS_NO_MEMORY, file_name, NULL, "%zu", ledger->table.count);
        }
        ledger->size += (off_t)good;
    } while (good == sizeof buffer);
    if (about.st_size - ledger->size > TORN_BYTES) {
        return refuse_damaged(ledger->size / LEDGER_LINE_BYTES + 1, error);
    }
    if (about.st_size > ledger->size &&
        (ftruncate(ledger->fd, ledger->size) != 0 || fdatasync(ledger->fd) != 0)) {
        return fail(file_name, errno, error);
    }
    return RELAIS_OK;
}

relais_status ledger_open(int folder, struct ledger **out_ledger, relais_error *error)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger) {
        return RELAIS_NO_MEMORY;
    }
    ledger->folder = folder;
    ledger->fd = openat(folder, file_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    relais_status status =
        ledger->fd < 0 || fsync(folder) != 0 ? fail(file_name, errno, error) : load(ledger, error);
    if (status != RELAIS_OK) {
        ledger_close(ledger);
        return status;
    }
    *out_ledger = ledger;
    return RELAIS_OK;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger) {
        return;
    }
    if (ledger->fd >= 0) {
        (void)close(ledger->fd);
    }
    ledger_table_fini(&ledger->table);
    free(ledger);
}

enum ledger_mark ledger_look(const struct ledger *ledger, const unsigned char key[LEDGER_KEY_BYTES])
{
    const struct ledger_entry *entry = ledger_table_find(&ledger->table, key);
    return entry ? (enum ledger_mark)entry->mark : LEDGER_NONE;
}

size_t ledger_count(const struct ledger *ledger)
{
    return ledger->table.count;
}

static relais_status write_all(int fd, const char *data, size_t size, off_t at)
{
    while (size > 0) {
        ssize_t wrote = pwrite(fd, data, size, at);
        if (wrote < 0 && errno != EINTR) {
            return RELAIS_SYSTEM;
        }
        if (wrote > 0) {
            data += wrote;
            size -= (size_t)wrote;
            at += wrote;
        }
    }
    return RELAIS_OK;
}

/* After a write that was not whole: the lines must be gone from the disk before anybody relies on
 * their absence. */
static relais_status take_back(struct ledger *ledger, int number, relais_error *error)
{
    if (ftruncate(ledger->fd, ledger->size) != 0 || fdatasync(ledger->fd) != 0) {
        ledger->broken = true;
        return fail(file_name, errno, error);
    }
    return error_set(error, RELAIS_STORE_FULL, file_name, NULL, "%s", strerror(number));
}

relais_status ledger_record(struct ledger *ledger, const struct ledger_entry *entries, size_t count,
                            relais_error *error)
{
    char lines[LEDGER_BATCH * LEDGER_LINE_BYTES];
    size_t size = count * LEDGER_LINE_BYTES;
    assert(count <= LEDGER_BATCH);
    if (ledger->broken) {
        return error_set(error, RELAIS_SYSTEM, file_name, NULL, "%s", strerror(EIO));
    }
    for (size_t i = 0; i < count; i++) {
        ledger_line_write(&entries[i], lines + i * LEDGER_LINE_BYTES);
    }
    if (write_all(ledger->fd, lines, size, ledger->size) != RELAIS_OK) {
        return take_back(ledger, errno, error);
    }
    bool remembered = fdatasync(ledger->fd) == 0;
    int number = errno;
    for (size_t i = 0; remembered && i < count; i++) {
        remembered = apply(&ledger->table, &entries[i]);
        number = ENOMEM;
    }
    if (!remembered) {
        ledger->broken = true; /* what the disk holds now is not known, nor ever will be */
        return fail(file_name, number, error);
    }
    ledger->size += (off_t)size;
    return RELAIS_OK;
}

int ledger_reserve(const struct ledger *ledger)
{
    /* twice: what fails after the batch is recorded, too */
    const off_t bytes = (off_t)2 * LEDGER_BATCH * LEDGER_LINE_BYTES;
    if (fallocate(ledger->fd, FALLOC_FL_KEEP_SIZE, ledger->size, bytes) == 0) {
        return 0;
    }
    return errno == ENOSPC || errno == EDQUOT ? errno : 0; /* not every file system can */
}

void ledger_note(struct ledger *ledger, const unsigned char key[LEDGER_KEY_BYTES],
                 enum ledger_mark mark, int64_t now_ms)
{
    struct ledger_entry *entry = ledger_table_find(&ledger->table, key);
    if (entry && mark == LEDGER_VOID) {
        ledger_table_remove(&ledger->table, key);
    } else if (entry) {
        entry->mark = mark;
        entry->time_ms = now_ms;
    }
}

bool ledger_is_wasteful(const struct ledger *ledger)
{
    size_t lines = (size_t)ledger->size / LEDGER_LINE_BYTES;
    return lines > 2 * ledger->table.count + WASTE_LINES || ledger->table.count > LEDGER_ENTRIES;
}

/* Rebuilds the table from the entries that `visit` leaves standing: removal while walking would
 * move entries past the walker. */
void ledger_each(struct ledger *ledger, void (*visit)(void *context, struct ledger_entry *entry),
                 void *context)
{
    struct ledger_table *table = &ledger->table;
    size_t void_count = 0;
    for (size_t i = 0; i < table->place_count; i++) {
        if (table->places[i].mark != LEDGER_NONE) {
            visit(context, &table->places[i]);
            void_count += table->places[i].mark == LEDGER_VOID;
        }
    }
    for (size_t i = 0; void_count > 0 && i < table->place_count;) {
        if (table->places[i].mark == LEDGER_VOID) {
            unsigned char key[LEDGER_KEY_BYTES];
            memcpy(key, table->places[i].key, sizeof key);
            ledger_table_remove(table, key); /* another entry may stand here now: look again */
            void_count--;
        } else {
            i++;
        }
    }
}

struct ages {
    int64_t now_ms;
    int64_t oldest_ms;
    int64_t cutoff_ms;
};

static void drop_expired(void *context, struct ledger_entry *entry)
{
    struct ages *ages = context;
    int64_t kept_ms = entry->mark == LEDGER_SETTLED ? LEDGER_SETTLED_MS : LEDGER_DELIVERED_MS;
    if (entry->mark != LEDGER_INTENDED &&
        (ages->now_ms - entry->time_ms > kept_ms || entry->time_ms < ages->cutoff_ms)) {
        entry->mark = LEDGER_VOID;
    } else if (entry->time_ms < ages->oldest_ms) {
        ages->oldest_ms = entry->time_ms;
    }
}

/* Beyond the bound the older half of the time that the entries span goes, until it holds. */
static void expire(struct ledger *ledger, int64_t now_ms)
{
    struct ages ages = {.now_ms = now_ms, .oldest_ms = now_ms};
    ledger_each(ledger, drop_expired, &ages);
    while (ledger->table.count > LEDGER_ENTRIES && ages.oldest_ms < now_ms) {
        ages.cutoff_ms = ages.oldest_ms + (now_ms - ages.oldest_ms) / 2 + 1;
        ages.oldest_ms = now_ms;
        ledger_each(ledger, drop_expired, &ages);
    }
}

static relais_status write_entries(const struct ledger *ledger, int fd, off_t *out_size)
{
    char buffer[BUFFER_LINES * LEDGER_LINE_BYTES];
    size_t used = 0;
    off_t at = 0;
    for (size_t i = 0; i < ledger->table.place_count; i++) {
        if (ledger->table.places[i].mark == LEDGER_NONE) {
            continue;
        }
        ledger_line_write(&ledger->table.places[i], buffer + used);
        used += LEDGER_LINE_BYTES;
        if (used == sizeof buffer) {
            if (write_all(fd, buffer, used, at) != RELAIS_OK) {
                return RELAIS_SYSTEM;
            }
            at += (off_t)used;
            used = 0;
        }
    }
    *out_size = at + (off_t)used;
    return write_all(fd, buffer, used, at);
}

relais_status ledger_compact(struct ledger *ledger, int64_t now_ms, relais_error *error)
{
    off_t size = 0;
    if (ledger->broken) {
        return error_set(error, RELAIS_SYSTEM, file_name, NULL, "%s", strerror(EIO));
    }
    expire(ledger, now_ms);
    int fd =
        openat(ledger->folder, new_name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(new_name, errno, error);
    }
    if (write_entries(ledger, fd, &size) != RELAIS_OK || fsync(fd) != 0 ||
        renameat(ledger->folder, new_name, ledger->folder, file_name) != 0) {
        int number = errno;
        (void)close(fd);
        (void)unlinkat(ledger->folder, new_name, 0);
        return fail(new_name, number, error);
    }
    (void)close(ledger->fd);
    ledger->fd = fd;
    ledger->size = size;
    if (fsync(ledger->folder) != 0) {
        ledger->broken = true; /* which of the two files the disk shows is not known */
        return fail(file_name, errno, error);
    }
    return RELAIS_OK;
}
