/* SPDX-License-Identifier: EUPL-1.2
 *
 * The turns of a running adapter: see running.h.
 */
#include "adapter/moment.h"
#include "adapter/running.h"
#include "program/log.h"
#include "program/notify.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    TURN_MS = 60000,
    PUBLISH_MS = 15000,
    FULL_DISK_MS = 2000,
    STOP_TURN_MS = 50,
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- what others see ---- */

/* What would be right when the broker will not have us. */
static const char *remedy_of(relais_status trouble)
{
    switch (trouble) {
    case RELAIS_KEY_REFUSED:
        return "a key that the operator has registered, and the broker's own key, in the profile";
    case RELAIS_KEY_REVOKED:
        return "a key that is registered: ask the operator";
    case RELAIS_VERSION_UNSUPPORTED:
        return "a release that speaks the broker's version";
    default:
        return "";
    }
}

static void say_connection(relais_adapter *adapter)
{
    relais_session session;
    relais_client_session(adapter->client, &session);
    if (session.connected != adapter->connected) {
        adapter->connected = session.connected;
        adapter->publish_ms = 0;
        LOG(LOG_LEVEL_NOTICE, session.connected ? "bus.connected" : "bus.lost",
            {"member", session.member, 0}, {"client", session.client, 0});
        notify_status(session.connected ? "connected" : "waiting for the broker");
    }
    if (session.trouble != adapter->trouble) {
        adapter->trouble = session.trouble;
        adapter->publish_ms = 0;
        if (session.trouble != RELAIS_OK && session.trouble != RELAIS_UNREACHABLE) {
            LOG(LOG_LEVEL_ERROR, "bus.trouble", {"reason", relais_status_name(session.trouble), 0},
                {"profile", adapter->config->common->profile, 0},
                {"expected", remedy_of(session.trouble), 0});
        }
    }
}

static void publish_one(relais_adapter *adapter, const char *path, char *text)
{
    int number = text ? metrics_publish(path, text) : ENOMEM;
    free(text);
    if (number != 0 && !adapter->unpublished) {
        LOG(LOG_LEVEL_WARNING, "numbers.not-written", {"path", path, 0},
            {"system", strerror(number), 0}); /* NOLINT(concurrency-mt-unsafe): one thread asks */
    }
    adapter->unpublished = number != 0;
}

static void publish(relais_adapter *adapter)
{
    const struct config_common *common = adapter->config->common;
    relais_session session;
    relais_client_session(adapter->client, &session);
    struct metrics_state state = {
        .connected = session.connected,
        .trouble = session.trouble,
        .reconnects = session.reconnects,
        .in_progress = adapter->receiving.item_count,
        .paused = adapter->receiving.paused,
        .now_ms = moment_unix_ms(),
    };
    if (adapter->state) {
        state.outbox_messages = adapter->outbox.counts.messages;
        state.outbox_bytes = adapter->outbox.counts.bytes;
        state.aside = adapter->outbox.counts.aside;
        state.outbox_oldest_ms = sending_oldest_ms(&adapter->sending, state.now_ms);
    }
    if (common->status) {
        publish_one(adapter, common->status, metrics_status(adapter->kind, &state));
    }
    if (common->metrics) {
        publish_one(adapter, common->metrics,
                    metrics_text(adapter->kind, &adapter->metrics, &state));
    }
}

static void publish_when_due(relais_adapter *adapter, int64_t now_ms, int64_t *wait_ms)
{
    if (!adapter->config->common->status && !adapter->config->common->metrics) {
        return;
    }
    if (now_ms >= adapter->publish_ms) {
        publish(adapter);
        adapter->publish_ms = now_ms + PUBLISH_MS;
    }
    *wait_ms = smaller(*wait_ms, adapter->publish_ms - now_ms);
}

/* ---- a turn ---- */

/* What the adapter has staged without a flush of its own. On a full disk it waits. */
static relais_status flush(relais_adapter *adapter, int64_t now_ms, int64_t *wait_ms,
                           relais_error *error)
{
    size_t count = 0;
    if (handover_is_empty(&adapter->handover)) {
        return RELAIS_OK;
    }
    if (now_ms < adapter->flush_ms) {
        *wait_ms = smaller(*wait_ms, adapter->flush_ms - now_ms);
        return RELAIS_OK;
    }
    relais_status status = handover_flush(&adapter->handover, moment_unix_ms(), &count, error);
    adapter->metrics.totals[METRIC_HANDED_OVER] += status == RELAIS_OK ? count : 0;
    if (status == RELAIS_STORE_FULL || status == RELAIS_NO_MEMORY) {
        LOG(LOG_LEVEL_WARNING, "outbox.not-written", {"reason", relais_status_name(status), 0},
            {"retry_ms", NULL, FULL_DISK_MS});
        adapter->flush_ms = now_ms + FULL_DISK_MS;
        *wait_ms = smaller(*wait_ms, FULL_DISK_MS);
        return RELAIS_OK;
    }
    return status;
}

static relais_status move_messages(relais_adapter *adapter, int64_t *wait_ms, relais_error *error)
{
    int64_t now_ms = moment_monotonic_ms();
    receiving_take(&adapter->receiving, now_ms, wait_ms);
    relais_status status = receiving_settle(&adapter->receiving, now_ms, wait_ms, error);
    if (status == RELAIS_OK) {
        status = flush(adapter, now_ms, wait_ms, error);
    }
    if (status == RELAIS_OK) {
        status = sending_collect(&adapter->sending, now_ms, wait_ms, error);
    }
    if (status == RELAIS_OK) {
        status = sending_submit(&adapter->sending, now_ms, wait_ms, error);
    }
    return status;
}

static relais_status turn(relais_adapter *adapter, int64_t longest_ms, relais_error *error)
{
    int64_t wait_ms = longest_ms;
    relais_status status = RELAIS_OK;
    struct pollfd fds[] = {{.fd = adapter->signals, .events = POLLIN},
                           {.fd = adapter->watches.epoll, .events = POLLIN}};
    notify_watchdog();
    if (notify_watchdog_ms() > 0) {
        wait_ms = smaller(wait_ms, notify_watchdog_ms());
    }
    if (adapter->kind->poll) {
        int64_t adapter_ms = wait_ms;
        status = adapter->kind->poll(adapter->context, &adapter_ms, error);
        wait_ms = smaller(wait_ms, adapter_ms > 0 ? adapter_ms : 0);
    }
    if (status == RELAIS_OK && adapter->state) {
        status = move_messages(adapter, &wait_ms, error);
    }
    if (status != RELAIS_OK) {
        return status;
    }
    publish_when_due(adapter, moment_monotonic_ms(), &wait_ms);
    (void)relais_wait(adapter->client, (int)wait_ms, fds, sizeof fds / sizeof fds[0]);
    say_connection(adapter);
    watches_tell(&adapter->watches);
    return RELAIS_OK;
}

/* ---- the end ---- */

static bool has_unfinished(const relais_adapter *adapter)
{
    return adapter->receiving.item_count > 0 || receiving_unsettled(&adapter->receiving) > 0 ||
           sending_unanswered(&adapter->sending) > 0 ||
           (adapter->state && !handover_is_empty(&adapter->handover)) ||
           (adapter->kind->busy && adapter->kind->busy(adapter->context));
}

static void finish(relais_adapter *adapter)
{
    relais_error error = {.status = RELAIS_OK};
    int64_t end_ms = moment_monotonic_ms() + (int64_t)adapter->config->common->stop_s * 1000;
    receiving_stop(&adapter->receiving);
    adapter->sending.hold_until_ms = INT64_MAX; /* what is in flight gets its answer */
    if (adapter->kind->stop) {
        adapter->kind->stop(adapter->context);
    }
    do {
        if (turn(adapter, STOP_TURN_MS, &error) != RELAIS_OK) {
            return;
        }
    } while (has_unfinished(adapter) && moment_monotonic_ms() < end_ms);
}

/* The signal that has come; 0: none. */
static int read_signal(const relais_adapter *adapter)
{
    struct signalfd_siginfo info;
    ssize_t got = read(adapter->signals, &info, sizeof info);
    return got == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

/* True: *out_config is right. */
static bool reload(const relais_adapter *adapter, struct config **out_config)
{
    relais_error error = {.status = RELAIS_OK};
    relais_status status = config_load(adapter->config->path, adapter->kind, out_config, &error);
    if (status != RELAIS_OK) {
        LOG(LOG_LEVEL_ERROR, "adapter.not-reloaded", {"reason", relais_status_name(status), 0},
            {"field", error.field, 0}, {"expected", error.right, 0});
    }
    return status == RELAIS_OK;
}

enum running_end running_loop(relais_adapter *adapter, struct config **out_config,
                              relais_error *error)
{
    enum running_end end = RUNNING_STOP;
    for (;;) {
        if (turn(adapter, TURN_MS, error) != RELAIS_OK) {
            return RUNNING_FAILED;
        }
        int number = read_signal(adapter);
        if (number == SIGHUP && reload(adapter, out_config)) {
            end = RUNNING_RELOAD;
            notify_reloading();
            break;
        }
        if (number == SIGTERM || number == SIGINT) {
            notify_stopping();
            break;
        }
    }
    LOG(LOG_LEVEL_NOTICE, end == RUNNING_STOP ? "adapter.stopping" : "adapter.reloading",
        {"in_progress", NULL, (int64_t)adapter->receiving.item_count},
        {"unanswered", NULL, (int64_t)sending_unanswered(&adapter->sending)});
    finish(adapter);
    return end;
}
