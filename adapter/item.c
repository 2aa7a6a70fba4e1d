/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the adapter reads of one item, and what it says of it (relais/adapter.h). An answer is
 * noted here; receiving.c records and sends it with the others of the turn.
 */
#include "adapter/moment.h"
#include "adapter/receiving.h"
#include "program/error.h"
#include "program/log.h"

#include <errno.h>
#include <poll.h>
#include <relais/payload.h>
#include <stdio.h>
#include <unistd.h>

enum { SILENCE_MS = 60000 /* of the broker, while a large payload comes */ };

const relais_message *relais_adapter_message(const relais_adapter_item *item)
{
    return relais_delivery_message(item->shown);
}

const char *relais_adapter_mailbox(const relais_adapter_item *item)
{
    return item->place->address;
}

const char *relais_adapter_sender(const relais_adapter_item *item)
{
    return relais_delivery_sender(item->shown);
}

int64_t relais_adapter_accepted_ms(const relais_adapter_item *item)
{
    return relais_delivery_accepted_ms(item->shown);
}

uint32_t relais_adapter_attempt(const relais_adapter_item *item)
{
    return relais_delivery_attempt(item->shown);
}

uint64_t relais_adapter_payload_bytes(const relais_adapter_item *item)
{
    uint64_t stored = relais_delivery_stored_bytes(item->shown);
    return stored > 0 ? stored : relais_delivery_message(item->shown)->payload.size;
}

static bool go_on(void *context, uint64_t done, uint64_t total)
{
    const struct receiving *receiving = context;
    struct pollfd look = {.fd = receiving->signals, .events = POLLIN};
    (void)done;
    (void)total;
    return poll(&look, 1, 0) != 1;
}

static relais_status write_small(relais_bytes payload, int fd, relais_error *error)
{
    const char *data = payload.data;
    size_t at = 0;
    while (at < payload.size) {
        ssize_t wrote = pwrite(fd, data + at, payload.size - at, (off_t)at);
        if (wrote < 0 && errno != EINTR) {
            return error_set_errno(error, "payload", errno);
        }
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return RELAIS_OK;
}

relais_status relais_adapter_write_payload(relais_adapter_item *item, int fd, relais_error *error)
{
    if (relais_delivery_stored_bytes(item->shown) == 0) {
        return write_small(relais_delivery_message(item->shown)->payload, fd, error);
    }
    relais_payload_sink sink = {.fd = fd, .progress = go_on, .context = item->receiving};
    relais_status status = relais_fetch_payload(item->leased, &sink, SILENCE_MS, error);
    item->written = item->written || status == RELAIS_OK;
    return status;
}

static void answer(relais_adapter_item *item, enum item_answer answer, const char *reason)
{
    if (item->answer == ITEM_WORKING) {
        item->receiving->answered++;
        item->answer = answer;
        (void)snprintf(item->reason, sizeof item->reason, "%s", reason ? reason : "");
    }
}

void relais_adapter_done(relais_adapter_item *item)
{
    if (relais_delivery_stored_bytes(item->shown) > 0 && !item->written) {
        answer(item, ITEM_REFUSE, "this adapter does not take large payloads");
        return;
    }
    answer(item, ITEM_DONE, NULL);
}

void relais_adapter_later(relais_adapter_item *item, uint32_t delay_ms, const char *reason)
{
    item->delay_ms = delay_ms;
    answer(item, ITEM_LATER, reason);
}

void relais_adapter_refuse(relais_adapter_item *item, const char *reason)
{
    answer(item, ITEM_REFUSE, reason);
}

void relais_adapter_unavailable(relais_adapter_item *item, const char *reason)
{
    answer(item, ITEM_UNAVAILABLE, reason);
}

void relais_adapter_give_back(relais_adapter_item *item)
{
    answer(item, item->receiving->stopped ? ITEM_BACK : ITEM_UNAVAILABLE, NULL);
}
