/* SPDX-License-Identifier: EUPL-1.2
 *
 * The disk side of receiving. A batch goes through these steps, each for all of its items:
 *
 *   1  write ".relais-tmp/<key>-<number>", set its mtime, sync it      (write_temp)
 *   2  sync ".relais-tmp"                                             (store_batch)
 *   3  record INTENDED in the ledger, synced                          (store_batch)
 *   4  rename the temporary file into the folder, never over a file   (publish)
 *   5  sync the folder and ".relais-tmp"; only then may the caller acknowledge
 *
 * After a kill or a power cut, for a key whose last line is INTENDED (invariants):
 *
 *   1. temporary file there: step 4 did not happen (or did not reach the disk). Not delivered, and
 *      not acknowledged, since 5 comes after 4. Recovery makes the line VOID, then removes the
 * file; in this order, or a second crash would leave what 2 takes for a delivery.
 *   2. temporary file not there: only step 4 takes it away after step 3 (steps 1 and 2 had it on
 *      disk before). Delivered, whether or not the receiving software has taken it since: so the
 *      presence of the final name is never asked for.
 *   3. a temporary file without a line: killed before step 3. Removed; the message comes again.
 *   4. where rename cannot refuse to replace, folder_move() links and unlinks: a temporary file
 * with a second link is delivered.
 *   5. the broker gives a message again until it has the ack; a key that is known is acknowledged
 *      without being written.
 *
 * A large payload is fetched into ".relais-tmp/part-<key>", which outlives a kill, and renamed
 * within
 * ".relais-tmp" when it is whole: that is step 1.
 *
 * The key is a hash of mailbox, sender, source, id and payload (of a large one, its size): what two
 * senders happen to call the same is not the same.
 */
#include "adapters/files/inbox.h"

#include "adapters/files/safe_name.h"
#include "program/error.h"
#include "program/locale.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char temp_name[] = ".relais-tmp";
static const char state_name[] = ".relais-state";
static const char probe_name[] = "probe";
static const char part_prefix[] = "part-";

enum {
    PROBE_BYTES = 65536,
    PART_NAME_BYTES = 2 * LEDGER_KEY_BYTES + 8,
    PART_KEEP_S = 7 * 24 * 3600, /* as long as the broker keeps what senders have begun */
};

struct inbox {
    int folder;
    int temp;
    int state;
    uint32_t number; /* of the last temporary file; starts at random */
    struct ledger *ledger;
};

/* ---- opening and recovery ---- */

static bool temp_is_there(int temp, const struct ledger_entry *entry)
{
    char name[LEDGER_TEMP_BYTES + 1];
    struct stat about;
    ledger_temp_name(entry, name);
    if (fstatat(temp, name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    return about.st_nlink < 2;
}

struct recovery {
    int temp;
    size_t intended;
};

static void recover_entry(void *context, struct ledger_entry *entry)
{
    struct recovery *recovery = context;
    if (entry->mark == LEDGER_INTENDED) {
        recovery->intended++;
        entry->mark = temp_is_there(recovery->temp, entry) ? LEDGER_VOID : LEDGER_DELIVERED;
    }
}

/* What has come of a large payload is gone on with. */
static bool is_kept(int temp, const char *name)
{
    struct stat about;
    return strncmp(name, part_prefix, strlen(part_prefix)) == 0 &&
           fstatat(temp, name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
           about.st_mtim.tv_sec > time(NULL) - PART_KEEP_S;
}

static relais_status remove_strays(int temp, relais_error *error)
{
    int fd = openat(temp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder) {
        return error_set_errno(error, temp_name, errno);
    }
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            !is_kept(temp, entry->d_name)) {
            (void)unlinkat(temp, entry->d_name, 0);
        }
    }
    (void)closedir(folder);
    return RELAIS_OK;
}

static relais_status recover(struct inbox *inbox, int64_t now_ms, relais_error *error)
{
    struct recovery recovery = {.temp = inbox->temp};
    ledger_each(inbox->ledger, recover_entry, &recovery);
    if (recovery.intended > 0 || ledger_is_wasteful(inbox->ledger)) {
        relais_status status = ledger_compact(inbox->ledger, now_ms, error);
        if (status != RELAIS_OK) {
            return status;
        }
    }
    return remove_strays(inbox->temp, error);
}

/* A folder that is not mounted looks as if every temporary file had been renamed. */
static relais_status check_belongs(const struct inbox *inbox, const char *path, relais_error *error)
{
    struct stat about;
    if (fstatat(inbox->folder, temp_name, &about, AT_SYMLINK_NOFOLLOW) == 0 ||
        ledger_count(inbox->ledger) == 0) {
        return RELAIS_OK;
    }
    return error_set(
        error, RELAIS_CONFIG_INVALID, path,
        _("mount the folder that belongs to this state; if it has been replaced for "
          "good, delete the state: messages of the last days can arrive a second time"),
        _("the ledger knows messages, but %s is missing"), temp_name);
}

static relais_status open_parts(struct inbox *inbox, const char *path, const char *state_path,
                                relais_error *error)
{
    relais_status status = folder_open(path, false, &inbox->folder, error);
    if (status == RELAIS_OK) {
        status = state_path ? folder_open(state_path, true, &inbox->state, error)
                            : folder_open_at(inbox->folder, state_name, 0700, &inbox->state, error);
    }
    if (status == RELAIS_OK && !folder_lock(inbox->state)) {
        return error_set(error, RELAIS_ALREADY_EXISTS, path,
                         _("stop the other one, or give each a folder of its own"),
                         _("another relais-files works on this folder"));
    }
    if (status == RELAIS_OK) {
        status = ledger_open(inbox->state, &inbox->ledger, error);
    }
    if (status == RELAIS_OK) {
        status = check_belongs(inbox, path, error);
    }
    if (status == RELAIS_OK) {
        status = folder_open_at(inbox->folder, temp_name, 0700, &inbox->temp, error);
    }
    return status;
}

relais_status inbox_open(const char *path, const char *state_path, int64_t now_ms,
                         struct inbox **out_inbox, relais_error *error)
{
    struct inbox *inbox = malloc(sizeof *inbox);
    if (!inbox) {
        return RELAIS_NO_MEMORY;
    }
    *inbox = (struct inbox){.folder = -1, .temp = -1, .state = -1};
    randombytes_buf(&inbox->number, sizeof inbox->number);
    relais_status status = open_parts(inbox, path, state_path, error);
    if (status == RELAIS_OK) {
        status = recover(inbox, now_ms, error);
    }
    if (status == RELAIS_OK && (fsync(inbox->folder) != 0 || fsync(inbox->temp) != 0)) {
        status = error_set_errno(error, path, errno);
    }
    if (status != RELAIS_OK) {
        inbox_close(inbox);
        return status;
    }
    *out_inbox = inbox;
    return RELAIS_OK;
}

void inbox_close(struct inbox *inbox)
{
    if (!inbox) {
        return;
    }
    ledger_close(inbox->ledger);
    const int open[] = {inbox->folder, inbox->temp, inbox->state};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        if (open[i] >= 0) {
            (void)close(open[i]);
        }
    }
    free(inbox);
}

/* ---- storing ---- */

static void make_key(struct inbox_item *item)
{
    crypto_generichash_state state;
    const char *const parts[] = {item->address, item->sender, item->source, item->id};
    (void)crypto_generichash_init(&state, NULL, 0, LEDGER_KEY_BYTES);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *part = parts[i] ? parts[i] : "";
        (void)crypto_generichash_update(&state, (const unsigned char *)part, strlen(part) + 1);
    }
    if (item->fetch) {
        (void)crypto_generichash_update(&state, (const unsigned char *)&item->stored_bytes,
                                        sizeof item->stored_bytes);
    }
    (void)crypto_generichash_update(&state, item->payload.data, item->payload.size);
    (void)crypto_generichash_final(&state, item->key, LEDGER_KEY_BYTES);
}

static bool write_payload(int fd, const struct inbox_item *item)
{
    const char *data = item->payload.data;
    size_t left = item->payload.size;
    while (left > 0) {
        ssize_t wrote = write(fd, data, left);
        if (wrote < 0 && errno != EINTR) {
            return false;
        }
        if (wrote > 0) {
            data += wrote;
            left -= (size_t)wrote;
        }
    }
    return true;
}

static void set_time(int fd, const struct inbox_item *item)
{
    if (!item->has_mtime) {
        return;
    }
    int64_t seconds = item->mtime_ms / 1000;
    int64_t rest = item->mtime_ms % 1000;
    const struct timespec mtime = {.tv_sec = (time_t)(rest < 0 ? seconds - 1 : seconds),
                                   .tv_nsec = (long)(rest < 0 ? rest + 1000 : rest) * 1000000};
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, mtime};
    (void)futimens(fd, times); /* a time that this file system cannot hold is no reason to refuse */
}

/* The partial file of a payload that is fetched: by the key, so that the next try finds it. */
static void name_part(const struct inbox_item *item, char out_name[PART_NAME_BYTES])
{
    char hex[2 * LEDGER_KEY_BYTES + 1];
    sodium_bin2hex(hex, sizeof hex, item->key, sizeof item->key);
    (void)snprintf(out_name, PART_NAME_BYTES, "%s%s", part_prefix, hex);
}

/* As write_temp(); -1: not now, and what came of it stays. */
static int fetch_temp(struct inbox *inbox, const struct inbox_item *item,
                      const struct ledger_entry *entry, int *out_fd)
{
    char part[PART_NAME_BYTES];
    char name[LEDGER_TEMP_BYTES + 1];
    name_part(item, part);
    ledger_temp_name(entry, name);
    int fd = openat(inbox->temp, part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0) {
        return errno;
    }
    errno = 0;
    if (!item->fetch(item->context, fd)) {
        int number = errno;
        (void)close(fd);
        return number != 0 ? number : -1;
    }
    set_time(fd, item);
    if (ftruncate(fd, (off_t)item->stored_bytes) != 0 ||
        renameat(inbox->temp, part, inbox->temp, name) != 0) {
        int number = errno;
        (void)close(fd);
        return number;
    }
    *out_fd = fd;
    return 0;
}

/* A file that is written and open; its sync comes later, for the batch. 0 or an errno. */
static int write_temp(struct inbox *inbox, const struct inbox_item *item,
                      const struct ledger_entry *entry, int *out_fd)
{
    char name[LEDGER_TEMP_BYTES + 1];
    ledger_temp_name(entry, name);
    int fd = openat(inbox->temp, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0) {
        return errno;
    }
    if (!write_payload(fd, item)) {
        int number = errno;
        (void)close(fd);
        (void)unlinkat(inbox->temp, name, 0);
        return number;
    }
    set_time(fd, item);
    /* a hint: with the blocks of the whole batch on their way, the first sync of the batch commits
     * them all and the others find little to do (about twice as many small files a second on ext4)
     */
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    *out_fd = fd;
    return 0;
}

struct batch {
    struct inbox_item *items[LEDGER_BATCH];
    struct ledger_entry entries[LEDGER_BATCH];
    int fds[LEDGER_BATCH];
    size_t count;
    int number; /* first errno */
};

static void remove_temps(struct inbox *inbox, const struct batch *batch)
{
    char name[LEDGER_TEMP_BYTES + 1];
    for (size_t i = 0; i < batch->count; i++) {
        ledger_temp_name(&batch->entries[i], name);
        (void)unlinkat(inbox->temp, name, 0);
    }
}

static bool is_in_batch(const struct batch *batch, const unsigned char *key)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (memcmp(batch->entries[i].key, key, LEDGER_KEY_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

static void gather(struct inbox *inbox, struct inbox_item *items, size_t count, int64_t now_ms,
                   struct batch *batch)
{
    for (size_t i = 0; i < count; i++) {
        struct inbox_item *item = &items[i];
        make_key(item);
        item->result = INBOX_LATER;
        enum ledger_mark mark = ledger_look(inbox->ledger, item->key);
        if (mark == LEDGER_DELIVERED || mark == LEDGER_SETTLED) {
            item->result = INBOX_DUPLICATE;
        } else if (batch->number == 0 && !is_in_batch(batch, item->key)) {
            struct ledger_entry *entry = &batch->entries[batch->count];
            *entry = (struct ledger_entry){
                .time_ms = now_ms, .number = ++inbox->number, .mark = LEDGER_INTENDED};
            memcpy(entry->key, item->key, LEDGER_KEY_BYTES);
            int number = item->fetch ? fetch_temp(inbox, item, entry, &batch->fds[batch->count])
                                     : write_temp(inbox, item, entry, &batch->fds[batch->count]);
            batch->items[batch->count] = item;
            batch->count += number == 0;
            batch->number = number > 0 ? number : 0;
        }
    }
}

static bool sync_and_close(int fd)
{
    bool synced = fsync(fd) == 0;
    int number = errno;
    bool closed = close(fd) == 0; /* a full network disk says so here */
    if (!synced) {
        errno = number;
    }
    return synced && closed;
}

/* Syncs what was written; the first sync takes most of the others with it. What fails leaves the
 * batch: the rest goes on, so that a disk that is nearly full takes what it can. */
static void sync_temps(struct inbox *inbox, struct batch *batch)
{
    char name[LEDGER_TEMP_BYTES + 1];
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (sync_and_close(batch->fds[i])) {
            batch->items[kept] = batch->items[i];
            batch->entries[kept++] = batch->entries[i];
        } else {
            batch->number = errno;
            ledger_temp_name(&batch->entries[i], name);
            (void)unlinkat(inbox->temp, name, 0);
        }
    }
    batch->count = kept;
    if (kept > 0 && fsync(inbox->temp) != 0) {
        batch->number = errno;
        remove_temps(inbox, batch);
        batch->count = 0;
    }
}

/* Renames what is intended. What cannot be renamed is made VOID on disk before its temporary file
 * goes; while even that fails, the file stays, and the next start finds it. */
static relais_status publish(struct inbox *inbox, struct batch *batch, relais_error *error)
{
    struct batch failed = {.count = 0};
    for (size_t i = 0; i < batch->count; i++) {
        char temp[LEDGER_TEMP_BYTES + 1];
        char wanted[SAFE_NAME_BYTES + 1];
        char placed[FOLDER_NAME_BYTES + 1];
        char tag[FOLDER_TAG_BYTES + 1];
        const struct inbox_item *item = batch->items[i];
        ledger_temp_name(&batch->entries[i], temp);
        (void)snprintf(tag, sizeof tag, "%.*s", FOLDER_TAG_BYTES, temp);
        safe_name(item->filename, item->id, wanted);
        int number = folder_place(inbox->temp, temp, inbox->folder, wanted, tag, placed);
        if (number == 0) {
            ledger_note(inbox->ledger, item->key, LEDGER_DELIVERED, batch->entries[i].time_ms);
            batch->items[i]->result = INBOX_STORED;
            continue;
        }
        batch->number = number;
        failed.entries[failed.count] = batch->entries[i];
        failed.entries[failed.count++].mark = LEDGER_VOID;
    }
    if (failed.count == 0) {
        return RELAIS_OK;
    }
    relais_status status = ledger_record(inbox->ledger, failed.entries, failed.count, error);
    if (status == RELAIS_OK) {
        remove_temps(inbox, &failed);
    }
    return status == RELAIS_STORE_FULL ? RELAIS_OK : status;
}

static relais_status store_batch(struct inbox *inbox, struct batch *batch, relais_error *error)
{
    sync_temps(inbox, batch);
    if (batch->count == 0) {
        return RELAIS_OK;
    }
    relais_status status = ledger_record(inbox->ledger, batch->entries, batch->count, error);
    if (status == RELAIS_STORE_FULL) {
        remove_temps(inbox, batch);
        batch->number = ENOSPC;
        return RELAIS_OK;
    }
    if (status == RELAIS_OK) {
        status = publish(inbox, batch, error);
    }
    if (status == RELAIS_OK && (fsync(inbox->folder) != 0 || fsync(inbox->temp) != 0)) {
        status = error_set_errno(error, temp_name, errno);
    }
    return status;
}

relais_status inbox_store(struct inbox *inbox, struct inbox_item *items, size_t count,
                          int64_t now_ms, relais_error *error)
{
    struct batch batch = {.count = 0};
    assert(count <= LEDGER_BATCH);
    batch.number = ledger_reserve(inbox->ledger);
    gather(inbox, items, count, now_ms, &batch);
    relais_status status = batch.count > 0 ? store_batch(inbox, &batch, error) : RELAIS_OK;
    if (status == RELAIS_OK && ledger_is_wasteful(inbox->ledger)) {
        /* a ledger that cannot be made smaller now goes on as it is; one that broke says so with
         * the next record */
        (void)ledger_compact(inbox->ledger, now_ms, NULL);
    }
    if (status != RELAIS_OK) {
        for (size_t i = 0; i < count; i++) {
            items[i].result = INBOX_LATER;
        }
        return status;
    }
    if (batch.number != 0) {
        return error_set(error, RELAIS_STORE_FULL, temp_name, NULL, "%s", strerror(batch.number));
    }
    return RELAIS_OK;
}

relais_status inbox_probe(struct inbox *inbox, relais_error *error)
{
    static const char zeros[PROBE_BYTES];
    int number = 0;
    if (faccessat(inbox->folder, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        return error_set_errno(error, ".", errno);
    }
    int fd = openat(inbox->temp, probe_name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    if (fd < 0) {
        return error_set_errno(error, temp_name, errno);
    }
    ssize_t wrote = write(fd, zeros, sizeof zeros);
    if (wrote != (ssize_t)sizeof zeros || fsync(fd) != 0) {
        number = wrote >= 0 && wrote != (ssize_t)sizeof zeros ? ENOSPC : errno;
    }
    (void)close(fd);
    (void)unlinkat(inbox->temp, probe_name, 0);
    return number == 0 ? RELAIS_OK : error_set_errno(error, temp_name, number);
}

void inbox_settled(struct inbox *inbox, const unsigned char key[LEDGER_KEY_BYTES], int64_t now_ms)
{
    if (ledger_look(inbox->ledger, key) == LEDGER_DELIVERED) {
        ledger_note(inbox->ledger, key, LEDGER_SETTLED, now_ms);
    }
}
