/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a check of the store found: named so that it can be looked for, and never by what was in it.
 */
#ifndef RELAIS_CORE_FINDING_H
#define RELAIS_CORE_FINDING_H

#include <stdbool.h>
#include <stdint.h>

enum stored_fault {
    FAULT_CHECKSUM,  /* the record is not what was written */
    FAULT_KEY,       /* the record stands where none can */
    FAULT_CUT,       /* of a message: parts are missing, or too many */
    FAULT_REFERENCE, /* what it refers to is not there */
    FAULT_ORPHAN,    /* nothing refers to it */
    FAULT_COUNT,     /* a counter is not what can be counted */
    FAULT_PAGE,      /* a page is noise; what it held cannot be named */
    FAULT_TABLE,     /* a table is missing, or none of a store's */
    FAULT_COUNT_OF,
};

struct store_finding {
    enum stored_fault fault;
    const char *table; /* static; "" when that is not known */
    uint32_t mailbox;  /* 0: none, or not known */
    uint64_t sequence; /* 0: none, or not known */
    uint64_t page;     /* FAULT_PAGE */
    bool aside;        /* an entry that is a dead letter now, as damaged */
    uint64_t aside_bytes;
};

/* Stable, one word. */
const char *finding_fault_name(enum stored_fault fault);

#endif
