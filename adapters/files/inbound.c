/* SPDX-License-Identifier: EUPL-1.2
 *
 * The inbound side: see inbound.h. Deliveries are taken in batches, so that a batch shares its
 * syncs.
 *
 * A folder that cannot be written (permission, full disk): what was taken goes back with a delay,
 * the mailbox is left, and is opened again when a trial write succeeds; so no attempts are used up
 * meanwhile, and the warning comes once.
 */
#include "adapters/files/inbound.h"

#include "adapters/files/inbox.h"
#include "adapters/files/large.h"
#include "adapters/files/moment.h"
#include "adapters/files/settling.h"
#include "program/error.h"
#include "program/log.h"

#include <errno.h>
#include <relais/receive.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_BYTES = 16 * 1024 * 1024, /* one delivery may be larger */
    BLOCKED_MS = 5000,              /* doubled each time, up to: */
    BLOCKED_MS_MAX = 300000,
    REFUSED_MS = 60000, /* a mailbox that the broker does not open */
    IDLE_MS = 60000,
    FETCH_AGAIN_MS = 5000, /* a payload that could not be fetched */
};

struct place {
    const char *path;
    struct inbox *inbox;
    bool blocked;
    int64_t blocked_until_ms;
    int64_t blocked_ms;
};

struct mailbox {
    const char *address;
    size_t place;
    relais_consumer *consumer; /* NULL: to be opened, at retry_ms */
    relais_delivery *large;    /* whose payload is to be fetched; taken alone */
    int64_t retry_ms;
    bool refused; /* has been said */
};

struct inbound {
    relais_client *client;
    uint32_t credit;
    struct place places[CONFIG_MAILBOXES];
    size_t place_count;
    struct mailbox mailboxes[CONFIG_MAILBOXES];
    size_t mailbox_count;
    struct settling settling;
    int signals; /* readable when the program is to stop */
    bool stopped;
};

/* ---- opening ---- */

static relais_status find_place(struct inbound *inbound, const struct config_inbound *config,
                                const char *path, size_t *out_place, relais_error *error)
{
    for (size_t i = 0; i < inbound->place_count; i++) {
        if (strcmp(inbound->places[i].path, path) == 0) {
            *out_place = i;
            return RELAIS_OK;
        }
    }
    struct place place = {.path = path, .blocked_ms = BLOCKED_MS};
    relais_status status = inbox_open(path, config->state, moment_unix_ms(), &place.inbox, error);
    if (status == RELAIS_OK) {
        *out_place = inbound->place_count;
        inbound->places[inbound->place_count++] = place;
    }
    return status;
}

static relais_status add_mailbox(struct inbound *inbound, const struct config_inbound *config,
                                 const char *address, const char *path, relais_error *error)
{
    struct mailbox mailbox = {.address = address};
    relais_status status = find_place(inbound, config, path, &mailbox.place, error);
    if (status == RELAIS_OK) {
        inbound->mailboxes[inbound->mailbox_count++] = mailbox;
    }
    return status;
}

relais_status inbound_open(const struct config_inbound *config, relais_client *client,
                           struct inbound **out_inbound, relais_error *error)
{
    struct inbound *inbound = calloc(1, sizeof *inbound);
    if (!inbound) {
        return RELAIS_NO_MEMORY;
    }
    inbound->client = client;
    inbound->signals = -1;
    inbound->credit = config->credit;
    relais_status status = RELAIS_OK;
    if (config->address) {
        status = add_mailbox(inbound, config, config->address, config->folder, error);
    }
    for (unsigned i = 0; status == RELAIS_OK && i < config->mailbox_count; i++) {
        status = add_mailbox(inbound, config, config->mailboxes[i].address,
                             config->mailboxes[i].folder, error);
    }
    if (status != RELAIS_OK) {
        inbound_close(inbound);
        return status;
    }
    *out_inbound = inbound;
    return RELAIS_OK;
}

static void leave(struct mailbox *mailbox, int64_t retry_ms)
{
    relais_detach(mailbox->consumer);
    relais_delivery_free(mailbox->large); /* goes back uncounted */
    mailbox->large = NULL;
    mailbox->consumer = NULL;
    mailbox->retry_ms = retry_ms;
}

void inbound_close(struct inbound *inbound)
{
    if (!inbound) {
        return;
    }
    for (size_t i = 0; i < inbound->mailbox_count; i++) {
        leave(&inbound->mailboxes[i], 0);
    }
    for (size_t i = 0; i < inbound->place_count; i++) {
        inbox_close(inbound->places[i].inbox);
    }
    free(inbound);
}

void inbound_heed(struct inbound *inbound, int signals)
{
    inbound->signals = signals;
}

/* ---- a batch ---- */

/* The fetch of a large payload, and how it ended. */
struct fetch {
    relais_delivery *delivery;
    int signals;
    relais_status status;
};

struct batch {
    relais_delivery *deliveries[LEDGER_BATCH];
    struct inbox_item items[LEDGER_BATCH];
    size_t count;
    size_t bytes;
    struct fetch fetch; /* of the only one */
};

static bool fetch_into(void *context, int fd)
{
    struct fetch *fetch = context;
    relais_error error = {.status = RELAIS_OK};
    fetch->status = large_fetch(fetch->delivery, fetch->signals, fd, &error);
    errno = fetch->status == RELAIS_SYSTEM ? EIO : 0; /* the folder's, or the line's */
    return fetch->status == RELAIS_OK;
}

static void gather(struct batch *batch, const struct mailbox *mailbox, relais_delivery *delivery)
{
    const relais_message *message = relais_delivery_message(delivery);
    const relais_extension *time = relais_message_find_extension(message, "filetime");
    bool has_time = time && time->kind == RELAIS_EXTENSION_TIME;
    batch->deliveries[batch->count] = delivery;
    batch->items[batch->count++] = (struct inbox_item){
        .id = message->id,
        .sender = relais_delivery_sender(delivery),
        .source = message->source,
        .address = mailbox->address,
        .filename = relais_message_extension(message, "filename"),
        .has_mtime = has_time,
        .mtime_ms = has_time ? time->time_ms : 0,
        .payload = message->payload,
    };
    batch->bytes += message->payload.size;
    if (relais_delivery_stored_bytes(delivery) > 0) {
        struct inbox_item *item = &batch->items[batch->count - 1];
        item->stored_bytes = relais_delivery_stored_bytes(delivery);
        item->fetch = fetch_into;
        item->context = &batch->fetch;
        batch->fetch.delivery = delivery;
    }
}

static void say_received(const struct inbox_item *item, const relais_delivery *delivery)
{
    LOG(LOG_LEVEL_NOTICE, item->result == INBOX_STORED ? "file.received" : "file.known",
        {"id", item->id, 0}, {"bytes", NULL, (int64_t)(item->payload.size + item->stored_bytes)},
        {"mailbox", item->address, 0}, {"attempt", NULL, relais_delivery_attempt(delivery)});
}

/* A large payload that is not here: its lease has gone, or it is given back. True: it is kept, for
 * the program stops, and goes back uncounted. */
static bool give_back(struct mailbox *mailbox, relais_delivery *delivery, relais_status status)
{
    if (status == RELAIS_INTERRUPTED) {
        mailbox->large = delivery;
        return true;
    }
    if (status == RELAIS_DIGEST_MISMATCH) {
        (void)relais_refuse(delivery,
                            "DIGEST_MISMATCH: the payload is not the one that the envelope "
                            "describes");
    } else {
        (void)relais_nack(delivery, FETCH_AGAIN_MS, "payload not fetched");
    }
    return false;
}

static void answer(struct inbound *inbound, struct mailbox *mailbox, const struct place *place,
                   struct batch *batch)
{
    relais_session session;
    relais_client_session(inbound->client, &session);
    for (size_t i = 0; i < batch->count; i++) {
        relais_delivery *delivery = batch->deliveries[i];
        const struct inbox_item *item = &batch->items[i];
        if (item->result == INBOX_LATER && item->fetch && batch->fetch.status != RELAIS_OK &&
            batch->fetch.status != RELAIS_SYSTEM) {
            if (give_back(mailbox, delivery, batch->fetch.status)) {
                continue;
            }
        } else if (item->result == INBOX_LATER) {
            (void)relais_nack(delivery, (uint32_t)place->blocked_ms, "folder cannot be written");
        } else {
            say_received(item, delivery);
            if (item->fetch && item->result == INBOX_DUPLICATE) {
                relais_payload_known(delivery);
            }
            /* a lost lease brings the message again: then it is known */
            if (relais_ack(delivery) == RELAIS_OK) {
                settling_add(&inbound->settling, place->inbox, item->key, session.reconnects);
            }
        }
        relais_delivery_free(delivery);
    }
}

static void block(struct inbound *inbound, size_t index, const relais_error *error, int64_t now_ms)
{
    struct place *place = &inbound->places[index];
    if (!place->blocked) {
        LOG(LOG_LEVEL_WARNING, "inbound.blocked", {"folder", place->path, 0},
            {"reason", relais_status_name(error->status), 0}, {"system", error->wrong, 0},
            {"expected", "a folder that the adapter's user may write to, on a disk with room", 0},
            {"retry_ms", NULL, place->blocked_ms});
    }
    place->blocked = true;
    place->blocked_until_ms = now_ms + place->blocked_ms;
    place->blocked_ms =
        place->blocked_ms * 2 > BLOCKED_MS_MAX ? BLOCKED_MS_MAX : place->blocked_ms * 2;
    for (size_t i = 0; i < inbound->mailbox_count; i++) {
        if (inbound->mailboxes[i].place == index) {
            leave(&inbound->mailboxes[i], place->blocked_until_ms);
        }
    }
}

static bool has_stored(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i].result == INBOX_STORED) {
            return true;
        }
    }
    return false;
}

static relais_status store(struct inbound *inbound, struct mailbox *mailbox, struct batch *batch,
                           int64_t now_ms, relais_error *error)
{
    size_t index = mailbox->place;
    struct place *place = &inbound->places[index];
    if (batch->count == 0) {
        return RELAIS_OK;
    }
    relais_error trouble = {.status = RELAIS_OK};
    relais_status status =
        inbox_store(place->inbox, batch->items, batch->count, moment_unix_ms(), &trouble);
    answer(inbound, mailbox, place, batch);
    if (has_stored(batch)) {
        place->blocked_ms = BLOCKED_MS; /* some went in: no reason to wait longer than before */
    }
    if (status == RELAIS_STORE_FULL) {
        block(inbound, index, &trouble, now_ms);
        return RELAIS_OK;
    }
    if (status != RELAIS_OK) {
        *error = trouble;
        return status;
    }
    return RELAIS_OK;
}

/* ---- mailboxes ---- */

static bool is_about_the_line(relais_status status)
{
    return status == RELAIS_TIMED_OUT || status == RELAIS_INTERRUPTED ||
           status == RELAIS_UNREACHABLE || status == RELAIS_KEY_REFUSED ||
           status == RELAIS_KEY_REVOKED || status == RELAIS_VERSION_UNSUPPORTED;
}

static void refused(struct mailbox *mailbox, const relais_error *error, int64_t now_ms)
{
    if (!mailbox->refused) {
        LOG(LOG_LEVEL_ERROR, "mailbox.refused", {"mailbox", mailbox->address, 0},
            {"reason", relais_status_name(error->status), 0}, {"retry_ms", NULL, REFUSED_MS});
    }
    mailbox->refused = true;
    leave(mailbox, now_ms + REFUSED_MS);
}

/* Takes what is there, up to one batch. */
static void take(struct mailbox *mailbox, struct batch *batch, int64_t now_ms)
{
    relais_error error = {.status = RELAIS_OK};
    if (mailbox->large) {
        gather(batch, mailbox, mailbox->large);
        mailbox->large = NULL;
        return;
    }
    while (batch->count < LEDGER_BATCH && batch->bytes < BATCH_BYTES) {
        relais_delivery *delivery = NULL;
        relais_status status = relais_receive(mailbox->consumer, 0, &delivery, &error);
        if (status == RELAIS_OK && relais_delivery_stored_bytes(delivery) > 0) {
            mailbox->large = delivery; /* alone, the next time: the others need not wait for it */
            mailbox->refused = false;
            return;
        }
        if (status == RELAIS_OK) {
            gather(batch, mailbox, delivery);
            mailbox->refused = false;
        } else {
            error.status = status;
            if (!is_about_the_line(status) && batch->count == 0) {
                refused(mailbox, &error, now_ms);
            }
            return;
        }
    }
}

/* False: not open now, retry_ms says when. */
static bool make_open(struct inbound *inbound, struct mailbox *mailbox, int64_t now_ms)
{
    struct place *place = &inbound->places[mailbox->place];
    relais_error error = {.status = RELAIS_OK};
    if (mailbox->consumer) {
        return true;
    }
    if (now_ms < mailbox->retry_ms) {
        return false;
    }
    if (place->blocked) {
        if (inbox_probe(place->inbox, &error) != RELAIS_OK) {
            block(inbound, mailbox->place, &error, now_ms);
            return false;
        }
        place->blocked = false;
        LOG(LOG_LEVEL_NOTICE, "inbound.writable", {"mailbox", mailbox->address, 0});
    }
    if (relais_attach(inbound->client, mailbox->address, inbound->credit, &mailbox->consumer,
                      &error) != RELAIS_OK) {
        mailbox->consumer = NULL;
        refused(mailbox, &error, now_ms);
        return false;
    }
    return true;
}

relais_status inbound_step(struct inbound *inbound, int64_t now_ms, int64_t *out_wait_ms,
                           relais_error *error)
{
    int64_t wait_ms = IDLE_MS;
    for (size_t i = 0; i < inbound->mailbox_count && !inbound->stopped; i++) {
        struct mailbox *mailbox = &inbound->mailboxes[i];
        struct batch batch = {.fetch = {.signals = inbound->signals}};
        if (make_open(inbound, mailbox, now_ms)) {
            take(mailbox, &batch, now_ms);
            relais_status status = store(inbound, mailbox, &batch, now_ms, error);
            if (status != RELAIS_OK) {
                return status;
            }
            if (batch.count > 0 || mailbox->large) {
                wait_ms = 0;
            }
        }
        if (!mailbox->consumer && mailbox->retry_ms - now_ms < wait_ms) {
            wait_ms = mailbox->retry_ms > now_ms ? mailbox->retry_ms - now_ms : 0;
        }
    }
    relais_session session;
    relais_client_session(inbound->client, &session);
    settling_look(&inbound->settling, inbound_unsettled(inbound), session.reconnects,
                  moment_unix_ms());
    *out_wait_ms = wait_ms;
    return RELAIS_OK;
}

void inbound_stop(struct inbound *inbound)
{
    inbound->stopped = true;
}

size_t inbound_unsettled(const struct inbound *inbound)
{
    size_t count = 0;
    for (size_t i = 0; i < inbound->mailbox_count; i++) {
        if (inbound->mailboxes[i].consumer) {
            count += relais_unsettled(inbound->mailboxes[i].consumer);
        }
    }
    return count;
}
