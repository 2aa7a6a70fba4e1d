/* SPDX-License-Identifier: EUPL-1.2
 *
 * Opening and closing; the calls of relais/adapter.h that concern the whole. loop.c turns it.
 */
#include "adapter/running.h"

#include "adapter/moment.h"
#include "adapter/note.h"
#include "program/error.h"
#include "program/locale.h"
#include "program/log.h"

#include <stdlib.h>

enum {
    MAP_FACTOR = 2,      /* pages that are being changed, and those of the last two snapshots */
    MAP_MEGABYTES = 512, /* the ledger, notes, and what LMDB needs for itself */
    MEGABYTE = 1024 * 1024,
    FIELDS_MAX = 16,
};

static relais_status open_state(relais_adapter *adapter, relais_error *error)
{
    const struct config_common *common = adapter->config->common;
    uint64_t bytes = (uint64_t)common->outbox.megabytes * MEGABYTE;
    relais_status status =
        state_open(common->state, bytes * MAP_FACTOR + (uint64_t)MAP_MEGABYTES * MEGABYTE,
                   &adapter->state, error);
    if (status != RELAIS_OK) {
        return status;
    }
    adapter->outbox.bytes_max = bytes;
    adapter->outbox.messages_max = common->outbox.messages;
    status = outbox_open(&adapter->outbox, adapter->state, error);
    handover_init(&adapter->handover, adapter->state, &adapter->outbox);
    return status;
}

static void join_sending(relais_adapter *adapter)
{
    struct sending *sending = &adapter->sending;
    sending->client = adapter->client;
    sending->outbox = &adapter->outbox;
    sending->metrics = &adapter->metrics;
    sending->signals = adapter->signals;
    sending->window = adapter->config->common->outbox.in_flight;
    sending->refused = adapter->kind->refused;
    sending->context = adapter->context;
}

static void join_receiving(relais_adapter *adapter)
{
    const struct config_common *common = adapter->config->common;
    struct receiving *receiving = &adapter->receiving;
    receiving->client = adapter->client;
    receiving->state = adapter->state;
    receiving->metrics = &adapter->metrics;
    receiving->kind = adapter->kind;
    receiving->context = adapter->context;
    receiving->signals = adapter->signals;
    receiving->credit = common->credit;
    for (unsigned i = 0; i < common->mailbox_count; i++) {
        receiving->places[receiving->place_count++].address = common->mailboxes[i];
    }
}

static relais_status open_parts(relais_adapter *adapter, relais_error *error)
{
    const relais_adapter_kind *kind = adapter->kind;
    relais_status status = watches_open(&adapter->watches, error);
    if (status == RELAIS_OK && !kind->keeps_nothing) {
        status = open_state(adapter, error);
    }
    if (status == RELAIS_OK) {
        status =
            relais_client_open_profile(adapter->config->common->profile, &adapter->client, error);
    }
    if (status == RELAIS_OK && kind->start) {
        status = kind->start(adapter, adapter->config->settings, &adapter->context, error);
        adapter->started = status == RELAIS_OK;
    }
    if (status == RELAIS_OK && !kind->keeps_nothing) {
        join_sending(adapter);
        join_receiving(adapter);
    }
    return status;
}

relais_status running_open(const relais_adapter_kind *kind, struct config *config, int signals,
                           const struct metrics *metrics, relais_adapter **out_adapter,
                           relais_error *error)
{
    relais_adapter *adapter = calloc(1, sizeof *adapter);
    if (!adapter) {
        return error_set(error, RELAIS_NO_MEMORY, NULL, NULL, "%s", "");
    }
    adapter->kind = kind;
    adapter->config = config;
    adapter->signals = signals;
    adapter->metrics = *metrics;
    adapter->watches.epoll = -1;
    adapter->context = adapter;
    relais_status status = open_parts(adapter, error);
    if (status != RELAIS_OK) {
        adapter->config = NULL; /* the caller's still */
        running_close(adapter);
        return status;
    }
    *out_adapter = adapter;
    return RELAIS_OK;
}

void running_close(relais_adapter *adapter)
{
    if (!adapter) {
        return;
    }
    if (adapter->started && adapter->kind->close) {
        adapter->kind->close(adapter->context);
    }
    receiving_close(&adapter->receiving);
    relais_client_close(adapter->client);
    handover_fini(&adapter->handover);
    state_close(adapter->state);
    watches_close(&adapter->watches);
    config_free(adapter->config);
    free(adapter);
}

/* ---- relais/adapter.h ---- */

static relais_status no_outbox(relais_error *error)
{
    return error_set(error, RELAIS_USAGE, "outbox", _("a kind of adapter that keeps one"), "%s",
                     "");
}

relais_status relais_adapter_hand_over(relais_adapter *adapter, const relais_message *message,
                                       relais_error *error)
{
    return adapter->state ? handover_message(&adapter->handover, message, error) : no_outbox(error);
}

relais_status relais_adapter_note(relais_adapter *adapter, const char *key, relais_bytes value,
                                  relais_error *error)
{
    return adapter->state ? handover_note(&adapter->handover, key, value, error) : no_outbox(error);
}

relais_status relais_adapter_noted(relais_adapter *adapter, const char *key, void *buffer,
                                   size_t size, size_t *out_size)
{
    return adapter->state ? note_get(adapter->state, key, buffer, size, out_size) : RELAIS_USAGE;
}

relais_status relais_adapter_flush(relais_adapter *adapter, relais_error *error)
{
    size_t count = 0;
    if (!adapter->state) {
        return no_outbox(error);
    }
    relais_status status = handover_flush(&adapter->handover, moment_unix_ms(), &count, error);
    adapter->metrics.totals[METRIC_HANDED_OVER] += status == RELAIS_OK ? count : 0;
    if (status != RELAIS_OK) {
        handover_clear(&adapter->handover);
    }
    return status;
}

relais_status relais_adapter_watch(relais_adapter *adapter, int fd, short events,
                                   relais_adapter_event_fn told, void *context)
{
    return watches_set(&adapter->watches, fd, events, told, context);
}

void relais_adapter_unwatch(relais_adapter *adapter, int fd)
{
    watches_remove(&adapter->watches, fd);
}

relais_client *relais_adapter_client(relais_adapter *adapter)
{
    return adapter->client;
}

int relais_adapter_signals(const relais_adapter *adapter)
{
    return adapter->signals;
}

const void *relais_adapter_settings(const relais_adapter *adapter)
{
    return adapter->config->settings;
}

const char *relais_adapter_state_folder(const relais_adapter *adapter)
{
    return adapter->state ? adapter->state->path : "";
}

const char *relais_adapter_path(const relais_adapter *adapter, const char *path, char *buffer,
                                size_t size)
{
    return config_resolve(adapter->config->path, path, buffer, size) ? buffer : NULL;
}

void relais_adapter_count(relais_adapter *adapter, size_t counter, uint64_t by)
{
    if (counter < RELAIS_ADAPTER_COUNTERS) {
        adapter->metrics.own[counter] += by;
    }
}

void relais_adapter_log(relais_adapter_level level, const char *event,
                        const relais_adapter_field *fields, size_t count)
{
    struct log_pair pairs[FIELDS_MAX];
    count = count < FIELDS_MAX ? count : FIELDS_MAX;
    for (size_t i = 0; i < count; i++) {
        pairs[i] = (struct log_pair){fields[i].name, fields[i].text, fields[i].number};
    }
    log_event((enum program_log_level)level, event, pairs, count);
}
