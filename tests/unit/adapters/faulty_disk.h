/* SPDX-License-Identifier: EUPL-1.2
 *
 * System calls that go wrong at the n-th one: linked by --wrap into the adapter's own code.
 * Process-wide; for tests only.
 */
#ifndef RELAIS_TESTS_FAULTY_DISK_H
#define RELAIS_TESTS_FAULTY_DISK_H

#include <stdbool.h>

enum faulty_kind {
    FAULTY_NEVER,
    FAULTY_KILL_BEFORE, /* the process ends instead of call n */
    FAULTY_KILL_AFTER,  /* the process ends after call n */
    FAULTY_ONCE,        /* call n fails with the given errno */
    FAULTY_FROM,        /* call n and all after it fail */
};

enum { FAULTY_EXIT = 99 };

void faulty_disk_set(enum faulty_kind kind, unsigned call, int number);

/* Besides: renameat2() always fails with this errno (0: it does not). EINVAL: as on NFS. */
void faulty_disk_refuse_rename(int number);

/* How many calls there were since; true when the fault has happened. */
unsigned faulty_disk_calls(void);
bool faulty_disk_happened(void);

#endif
