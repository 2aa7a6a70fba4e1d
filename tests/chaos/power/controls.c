/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/chaos/power/controls.h"

#include "tests/chaos/power/disk.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#include <lmdb.h>

const char *const control_names[CONTROL_COUNT] = {"none", "nosync", "early", "no-log-sync",
                                                  "no-duplicate"};

static atomic_int chosen;
static atomic_uint duplicate_table;

void control_set(enum control control)
{
    atomic_store(&chosen, (int)control);
    disk_skip_log_sync(control == CONTROL_NO_LOG_SYNC);
}

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* LMDB's, called by the engine; a program's symbols come before a library's. */

int mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode)
{
    unsigned int more = atomic_load(&chosen) == CONTROL_NOSYNC ? MDB_NOSYNC : 0;
    return ((int (*)(MDB_env *, const char *, unsigned int, mdb_mode_t))real("mdb_env_open"))(
        env, path, flags | more, mode);
}

int mdb_dbi_open(MDB_txn *txn, const char *name, unsigned int flags, MDB_dbi *dbi)
{
    int rc = ((int (*)(MDB_txn *, const char *, unsigned int, MDB_dbi *))real("mdb_dbi_open"))(
        txn, name, flags, dbi);
    if (rc == 0 && name != NULL && strcmp(name, "duplicate") == 0) {
        atomic_store(&duplicate_table, *dbi);
    }
    return rc;
}

int mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned int flags)
{
    if (atomic_load(&chosen) == CONTROL_NO_DUPLICATE && dbi == atomic_load(&duplicate_table)) {
        return 0;
    }
    return ((int (*)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *, unsigned int))real("mdb_put"))(
        txn, dbi, key, data, flags);
}
