/* SPDX-License-Identifier: EUPL-1.2
 *
 * The disk side of receiving: puts messages into a folder as files, each whole, each once.
 * What makes it so is written at the head of inbox.c. Thread: that of the program.
 */
#ifndef RELAIS_FILES_INBOX_H
#define RELAIS_FILES_INBOX_H

#include "adapters/files/folder.h"
#include "adapters/files/ledger.h"

#include <relais/bytes.h>
#include <relais/status.h>

enum inbox_result {
    INBOX_LATER,     /* not delivered, nothing left behind: give it back */
    INBOX_STORED,    /* in the folder, on disk: acknowledge it */
    INBOX_DUPLICATE, /* was in the folder before: acknowledge it */
};

/* One message to be stored. Borrows. */
struct inbox_item {
    const char *id;
    const char *sender;
    const char *source;
    const char *address;  /* the mailbox it came to */
    const char *filename; /* as the sender wrote it; may be NULL */
    bool has_mtime;
    int64_t mtime_ms;
    relais_bytes payload;
    /* Of a payload that is not here: writes it to the file, going on with what is there. False: it
     * cannot be had now, or errno says why it cannot be written. */
    bool (*fetch)(void *context, int fd);
    void *context;
    uint64_t stored_bytes;
    enum inbox_result result;            /* out */
    unsigned char key[LEDGER_KEY_BYTES]; /* out */
};

struct inbox;

/* Opens a folder, its ".relais-tmp" and its state folder (NULL: ".relais-state" within), and makes
 * good what a crash left. `error` says what is wrong and what to do. */
relais_status inbox_open(const char *path, const char *state_path, int64_t now_ms,
                         struct inbox **out_inbox, relais_error *error);
void inbox_close(struct inbox *inbox);

/* Stores up to LEDGER_BATCH items and sets the result of each. RELAIS_OK: look at the results.
 * RELAIS_STORE_FULL: the folder cannot be written now, some items or all are INBOX_LATER.
 * Anything else: the state of the disk is not known, the program must end and start again. */
relais_status inbox_store(struct inbox *inbox, struct inbox_item *items, size_t count,
                          int64_t now_ms, relais_error *error);

/* Can the folder be written (again)? */
relais_status inbox_probe(struct inbox *inbox, relais_error *error);

/* The broker has our ack of this key on its disk. */
void inbox_settled(struct inbox *inbox, const unsigned char key[LEDGER_KEY_BYTES], int64_t now_ms);

#endif
