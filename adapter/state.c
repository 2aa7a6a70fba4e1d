/* SPDX-License-Identifier: EUPL-1.2
 *
 * See state.h.
 */
#include "adapter/state.h"

#include "program/error.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { LAYOUT = 1, FOLDER_MODE = 0700, FILE_MODE = 0600 };

static const char *const names[STATE_TABLES] = {"meta", "queue", "aside", "known", "age", "note"};

/* statfs(2): nothing there is coherent with what another host maps. */
static const unsigned long network_types[] = {
    0x6969,     /* NFS */
    0x517B,     /* SMB */
    0xFF534D42, /* CIFS */
    0xFE534D42, /* SMB2 */
    0x564C,     /* NCP */
    0x65735546, /* FUSE */
    0x01021997, /* 9P */
    0x00C36400, /* Ceph */
};

void state_put_be64(unsigned char *out, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        out[i] = (unsigned char)(number >> (56 - 8 * i));
    }
}

uint64_t state_get_be64(const unsigned char *data)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 8 | data[i];
    }
    return number;
}

relais_status state_status(struct state *state, int code, relais_error *error)
{
    switch (code) {
    case 0:
        return RELAIS_OK;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
        return error_set(error, RELAIS_STORE_FULL, state->path, _("a disk with room"), "%s",
                         mdb_strerror(code));
    case ENOMEM:
        return error_set(error, RELAIS_NO_MEMORY, state->path, NULL, "%s", mdb_strerror(code));
    default:
        state->failed = true;
        return error_set(error, RELAIS_SYSTEM, state->path, NULL, "%s", mdb_strerror(code));
    }
}

static relais_status wrong_folder(const char *path, const char *wrong, const char *right,
                                  relais_error *error)
{
    return error_set(error, RELAIS_CONFIG_INVALID, path, right, "%s", wrong);
}

static relais_status sync_folder(const char *path, relais_error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return error_set_errno(error, path, errno);
    }
    int number = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return number == 0 ? RELAIS_OK : error_set_errno(error, path, number);
}

static relais_status make_folder(const char *path, relais_error *error)
{
    struct statfs about;
    char above[sizeof((struct state *)0)->path];
    if (mkdir(path, FOLDER_MODE) == 0) {
        (void)snprintf(above, sizeof above, "%s", path);
        relais_status status = sync_folder(dirname(above), error);
        if (status != RELAIS_OK) {
            return status;
        }
    } else if (errno != EEXIST) {
        return error_set_errno(error, path, errno);
    }
    if (statfs(path, &about) != 0) {
        return error_set_errno(error, path, errno);
    }
    for (size_t i = 0; i < sizeof network_types / sizeof network_types[0]; i++) {
        if (((unsigned long)about.f_type & 0xFFFFFFFF) == network_types[i]) {
            return wrong_folder(path, _("a network's file system"),
                                _("a folder on a disk of this machine"), error);
        }
    }
    return RELAIS_OK;
}

static relais_status take_lock(struct state *state, relais_error *error)
{
    char path[sizeof state->path + 16];
    (void)snprintf(path, sizeof path, "%s/adapter.lock", state->path);
    state->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (state->lock < 0) {
        return error_set_errno(error, path, errno);
    }
    if (flock(state->lock, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? error_set(error, RELAIS_ALREADY_EXISTS, state->path,
                               _("stop it first, or give each adapter a state of its own"), "%s",
                               _("another adapter works on this state"))
                   : error_set_errno(error, path, errno);
    }
    return RELAIS_OK;
}

/* A file that ends before its pages do would be read past its end: SIGBUS, not an error. */
static bool is_whole(const struct state *state)
{
    char path[sizeof state->path + 16];
    struct stat about;
    MDB_envinfo info;
    MDB_stat pages;
    (void)snprintf(path, sizeof path, "%s/data.mdb", state->path);
    return stat(path, &about) == 0 && mdb_env_info(state->env, &info) == 0 &&
           mdb_env_stat(state->env, &pages) == 0 &&
           (uint64_t)about.st_size >= ((uint64_t)info.me_last_pgno + 1) * pages.ms_psize;
}

static relais_status open_env(struct state *state, uint64_t map_bytes, relais_error *error)
{
    int code = mdb_env_create(&state->env);
    if (code == 0) {
        code = mdb_env_set_maxdbs(state->env, STATE_TABLES);
    }
    if (code == 0) {
        code = mdb_env_set_mapsize(state->env, map_bytes);
    }
    if (code == 0) {
        code = mdb_env_open(state->env, state->path, MDB_NOTLS, FILE_MODE);
    }
    if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH || code == MDB_CORRUPTED) {
        return wrong_folder(state->path, mdb_strerror(code),
                            _("a folder that this adapter has made, or none"), error);
    }
    if (code == 0 && !is_whole(state)) {
        return wrong_folder(state->path, _("the file data.mdb is cut short"),
                            _("a copy of it, or an empty folder"), error);
    }
    return state_status(state, code, error);
}

static relais_status open_tables(struct state *state, relais_error *error)
{
    unsigned char layout[1] = {LAYOUT};
    MDB_val key = {sizeof "layout" - 1, (void *)"layout"};
    MDB_val value = {sizeof layout, layout};
    relais_status status = state_begin(state, error);
    if (status != RELAIS_OK) {
        return status;
    }
    int code = 0;
    for (unsigned i = 0; code == 0 && i < STATE_TABLES; i++) {
        code = mdb_dbi_open(state->txn, names[i], MDB_CREATE, &state->tables[i]);
    }
    if (code == 0) {
        code = mdb_put(state->txn, state->tables[STATE_META], &key, &value, MDB_NOOVERWRITE);
    }
    bool other = code == MDB_KEYEXIST &&
                 (value.mv_size != sizeof layout || *(unsigned char *)value.mv_data != LAYOUT);
    if (other) {
        state_abort(state);
        return wrong_folder(state->path, _("of another release"),
                            _("the release that made it, or an empty folder"), error);
    }
    if (code != 0 && code != MDB_KEYEXIST) {
        state_abort(state);
        return state_status(state, code, error);
    }
    return state_commit(state, error);
}

relais_status state_open(const char *path, uint64_t map_bytes, struct state **out_state,
                         relais_error *error)
{
    struct state *state = calloc(1, sizeof *state);
    if (!state) {
        return error_set(error, RELAIS_NO_MEMORY, NULL, NULL, "%s", path);
    }
    state->lock = -1;
    relais_status status = RELAIS_OK;
    if (strlen(path) >= sizeof state->path) {
        status = wrong_folder("state", _("too long"), _("a path of at most 4095 bytes"), error);
    } else {
        memcpy(state->path, path, strlen(path) + 1);
        status = make_folder(path, error);
    }
    if (status == RELAIS_OK) {
        status = take_lock(state, error);
    }
    if (status == RELAIS_OK) {
        status = open_env(state, map_bytes, error);
    }
    if (status == RELAIS_OK) {
        status = open_tables(state, error);
    }
    if (status == RELAIS_OK) {
        status = sync_folder(path, error); /* LMDB does not */
    }
    if (status != RELAIS_OK) {
        state_close(state);
        return status;
    }
    *out_state = state;
    return RELAIS_OK;
}

void state_close(struct state *state)
{
    if (!state) {
        return;
    }
    state_abort(state);
    if (state->env) {
        mdb_env_close(state->env);
    }
    if (state->lock >= 0) {
        (void)close(state->lock);
    }
    free(state);
}

relais_status state_begin(struct state *state, relais_error *error)
{
    if (state->failed) {
        return error_set(error, RELAIS_SYSTEM, state->path, NULL, "%s",
                         _("an earlier write has failed"));
    }
    int code = mdb_txn_begin(state->env, NULL, 0, &state->txn);
    if (code != 0) {
        state->txn = NULL;
    }
    return state_status(state, code, error);
}

relais_status state_commit(struct state *state, relais_error *error)
{
    int code = mdb_txn_commit(state->txn);
    state->txn = NULL;
    return state_status(state, code, error);
}

void state_abort(struct state *state)
{
    if (state->txn) {
        mdb_txn_abort(state->txn);
        state->txn = NULL;
    }
}

relais_status state_view(struct state *state, MDB_txn **out_txn, relais_error *error)
{
    return state_status(state, mdb_txn_begin(state->env, NULL, MDB_RDONLY, out_txn), error);
}

void state_view_end(MDB_txn *txn)
{
    mdb_txn_abort(txn);
}
