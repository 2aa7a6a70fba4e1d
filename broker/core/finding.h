/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a check of the store found, named so that it can be looked for and never by what was in it;
 * and how a backup stands. Values only, between the core and a store.
 */
#ifndef RELAIS_CORE_FINDING_H
#define RELAIS_CORE_FINDING_H

#include <stdbool.h>
#include <stdint.h>

enum stored_fault {
    STORED_FAULT_CHECKSUM,  /* the record is not what was written */
    STORED_FAULT_KEY,       /* the record stands where none can */
    STORED_FAULT_CUT,       /* of a message: parts are missing, or too many */
    STORED_FAULT_REFERENCE, /* what it refers to is not there */
    STORED_FAULT_ORPHAN,    /* nothing refers to it */
    STORED_FAULT_COUNT,     /* a counter is not what can be counted */
    STORED_FAULT_PAGE,      /* a page is noise; what it held cannot be named */
    STORED_FAULT_TABLE,     /* a table is missing, or none of a store's */
    STORED_FAULT_COUNT_OF,
};

struct store_finding {
    enum stored_fault fault;
    const char *table; /* static; "" when that is not known */
    uint32_t mailbox;  /* 0: none, or not known */
    uint64_t sequence; /* 0: none, or not known */
    uint64_t page;     /* STORED_FAULT_PAGE */
    bool aside;        /* an entry that is a dead letter now, as damaged */
    uint64_t aside_bytes;
};

enum {
    STORED_BACKUP_BYTES = 64,  /* name of a backup */
    STORED_DETAIL_BYTES = 255, /* why a backup failed */
    STORED_FINDINGS = 32,      /* of one step of a check; it goes on behind them */
};

enum stored_backup_phase {
    BACKUP_NONE, /* there was none since the store was opened */
    BACKUP_COPYING,
    BACKUP_CHECKING, /* the copy is read back */
    BACKUP_DONE,
    BACKUP_FAILED,
};

struct store_backup {
    enum stored_backup_phase phase;
    char name[STORED_BACKUP_BYTES + 1];
    char detail[STORED_DETAIL_BYTES + 1]; /* FAILED: why */
    uint64_t done_bytes;                  /* read so far */
    uint64_t total_bytes;                 /* to be read, about */
    uint64_t file_bytes;                  /* DONE, as the next two */
    uint64_t records;
    uint64_t findings; /* in what is backed up: damaged in the store already */
    int64_t took_ms;
};

/* What a step of a check came to. */
struct store_checked {
    bool ended; /* the last step of a round */
    uint64_t records;
    uint64_t bytes; /* read */
    uint32_t count;
    struct store_finding findings[STORED_FINDINGS];
};

/* Stable, one word. */
const char *finding_fault_name(enum stored_fault fault);

#endif
