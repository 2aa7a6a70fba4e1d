/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/rawfile.h"
#include "tests/unit/store/bench.h"

#include "store/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

enum { NEEDLE_BYTES = 16, NAME_BYTES = 256 };

static void must(int rc, const char *what)
{
    if (rc != 0) {
        (void)fprintf(stderr, "rawfile: %s: %s\n", what, mdb_strerror(rc));
        abort();
    }
}

static MDB_env *open_env(const char *path, MDB_txn **out_txn, unsigned flags)
{
    MDB_env *env = NULL;
    must(mdb_env_create(&env), "create");
    must(mdb_env_set_maxdbs(env, TABLE_COUNT), "maxdbs");
    must(mdb_env_open(env, path, MDB_NOTLS, 0600), "open");
    must(mdb_txn_begin(env, NULL, flags, out_txn), "begin");
    return env;
}

size_t raw_count(const char *path, const char *table)
{
    MDB_txn *txn = NULL;
    MDB_env *env = open_env(path, &txn, MDB_RDONLY);
    MDB_dbi dbi = 0;
    MDB_stat stat;
    must(mdb_dbi_open(txn, table, 0, &dbi), table);
    must(mdb_stat(txn, dbi, &stat), "stat");
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return stat.ms_entries;
}

static void put(MDB_txn *txn, MDB_dbi dbi, const struct record_key *key,
                const struct small_record *record)
{
    MDB_val key_value = {.mv_size = key->size, .mv_data = (void *)key->data};
    MDB_val value = {.mv_size = record->size, .mv_data = (void *)record->data};
    must(mdb_put(txn, dbi, &key_value, &value, 0), "put");
}

static void commit(MDB_env *env, MDB_txn *txn)
{
    MDB_dbi meta = 0;
    struct record_key key;
    struct small_record record;
    struct state_record state;
    key_text(&key, "state");
    MDB_val key_value = {.mv_size = key.size, .mv_data = key.data};
    MDB_val value;
    must(mdb_dbi_open(txn, "meta", 0, &meta), "meta");
    must(mdb_get(txn, meta, &key_value, &value), "state");
    struct bytes bytes = {value.mv_data, value.mv_size};
    must(record_read_state(key_bytes(&key), bytes, &state) ? 0 : MDB_CORRUPTED, "state");
    state.transaction = mdb_txn_id(txn);
    record_write_state(&record, &key, &state);
    put(txn, meta, &key, &record);
    must(mdb_txn_commit(txn), "commit");
    mdb_env_close(env);
}

void raw_set_layout(const char *path, uint32_t layout)
{
    MDB_txn *txn = NULL;
    MDB_env *env = open_env(path, &txn, 0);
    MDB_dbi meta = 0;
    struct record_key key;
    struct small_record record;
    must(mdb_dbi_open(txn, "meta", 0, &meta), "meta");
    key_text(&key, "version");
    record_write_number(&record, TABLE_META, &key, layout);
    put(txn, meta, &key, &record);
    commit(env, txn);
}

void raw_drop_table(const char *path, const char *table)
{
    MDB_txn *txn = NULL;
    MDB_env *env = open_env(path, &txn, 0);
    MDB_dbi dbi = 0;
    must(mdb_dbi_open(txn, table, 0, &dbi), table);
    must(mdb_drop(txn, dbi, 0), "drop");
    commit(env, txn);
}

off_t raw_needed_bytes(const char *path)
{
    MDB_txn *txn = NULL;
    MDB_env *env = open_env(path, &txn, MDB_RDONLY);
    MDB_envinfo info;
    must(mdb_env_info(env, &info), "info");
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return (off_t)(info.me_last_pgno + 1) * sysconf(_SC_PAGESIZE);
}

static int open_file(const char *path, int flags)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "%s/data.mdb", path);
    int fd = open(name, flags | O_CLOEXEC, 0600);
    must(fd < 0 ? EIO : 0, name);
    return fd;
}

void raw_truncate(const char *path, off_t size)
{
    int fd = open_file(path, O_RDWR);
    must(ftruncate(fd, size), "ftruncate");
    close(fd);
}

void raw_fill(const char *path, size_t size, int byte)
{
    int fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC);
    uint8_t *bytes = malloc(size);
    must(bytes == NULL ? ENOMEM : 0, "malloc");
    memset(bytes, byte, size);
    must(write(fd, bytes, size) == (ssize_t)size ? 0 : EIO, "write");
    free(bytes);
    close(fd);
}

void raw_restore(const char *path, const char *from)
{
    static uint8_t bytes[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open_file(path, O_RDWR | O_TRUNC);
    ssize_t got = 0;
    must(in < 0 ? EIO : 0, from);
    while ((got = read(in, bytes, sizeof bytes)) > 0) {
        must(write(out, bytes, (size_t)got) == got ? 0 : EIO, "write");
    }
    close(in);
    close(out);
}

void raw_flip(const char *path, off_t at, int bit)
{
    int fd = open_file(path, O_RDWR);
    uint8_t byte = 0;
    must(pread(fd, &byte, 1, at) == 1 ? 0 : EIO, "pread");
    byte = (uint8_t)(byte ^ 1 << bit);
    must(pwrite(fd, &byte, 1, at) == 1 ? 0 : EIO, "pwrite");
    close(fd);
}

bool raw_flip_content(const char *path, const char *id, size_t at)
{
    uint8_t needle[NEEDLE_BYTES];
    for (size_t i = 0; i < sizeof needle; i++) {
        needle[i] = content_byte(id, at + i);
    }
    off_t size = raw_needed_bytes(path);
    int fd = open_file(path, O_RDONLY);
    uint8_t *bytes = malloc((size_t)size);
    must(bytes == NULL ? ENOMEM : 0, "malloc");
    must(pread(fd, bytes, (size_t)size, 0) == (ssize_t)size ? 0 : EIO, "pread");
    close(fd);
    const uint8_t *hit = memmem(bytes, (size_t)size, needle, sizeof needle);
    off_t place = hit != NULL ? hit - bytes : 0;
    free(bytes);
    if (hit != NULL) {
        raw_flip(path, place, 3);
    }
    return hit != NULL;
}
