/* SPDX-License-Identifier: EUPL-1.2
 *
 * A run with large payloads, for its files: uploads.c drives and judges, uploads_speech.c speaks.
 */
#ifndef RELAIS_TESTS_SIM_UPLOADS_STATE_H
#define RELAIS_TESTS_SIM_UPLOADS_STATE_H

#include "chance.h"
#include "core/core.h"
#include "relais/v1/command.pb-c.h"
#include "uploads_disk.h"

#define UPLOADS_SENDER   "sender000000000000000000000000000000000f"
#define UPLOADS_RECEIVER "receiver0000000000000000000000000000000f"
#define UPLOADS_TO       "commune-76540/etat-civil"

enum { UPLOADS_ENDS = 2 /* the sender's, the receiver's */ };

/* One payload, as its sender and its receiver know it. */
struct cargo {
    uint64_t bytes;
    uint32_t number; /* of the upload on this connection; 0: none */
    bool open;
    uint64_t durable, next;
    uint64_t submitted; /* number on this connection; 0: none */
    bool accepted;
    uint64_t tag; /* held on this connection; 0: not */
    uint64_t got;
    bool acked;
};

struct uploads {
    struct trace *trace;
    struct chance chance;
    struct core *core;
    struct effects effects;
    struct moment now;
    struct uploads_disk disk;
    uint8_t *noise;
    struct cargo cargo[UPLOADS_MESSAGES];
    uint64_t lines[UPLOADS_ENDS]; /* 0: none; the sender's, the receiver's */
    bool welcomed[UPLOADS_ENDS];
    bool attached;
    uint64_t last_line;
    uint32_t last_upload;
    uint64_t last_number;
    bool calm;
};

/* The bytes of a message from there on. */
const uint8_t *uploads_bytes(const struct uploads *run, unsigned message, uint64_t offset);

/* Hands an event to the core, and carries out what it wants. */
void uploads_step(struct uploads *run, struct event *event);

void uploads_say_hello(struct uploads *run, unsigned end);
void uploads_say_upload(struct uploads *run, unsigned message);
void uploads_say_chunk(struct uploads *run, unsigned message);
void uploads_say_submit(struct uploads *run, unsigned message);
void uploads_say_attach(struct uploads *run);
void uploads_say_fetch(struct uploads *run, const struct cargo *cargo);
void uploads_say_answer(struct uploads *run, struct cargo *cargo);

#endif
