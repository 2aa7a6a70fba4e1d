/* SPDX-License-Identifier: EUPL-1.2
 *
 * See metrics.h.
 */
#include "adapter/metrics.h"

#include "program/error.h"
#include "program/file.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    STATUS_BYTES_MAX = 4096,
    OLD_MS = 60000, /* four times the interval of publication */
};

static const struct {
    const char *name;
    const char *help;
} counters[METRICS] = {
    [METRIC_HANDED_OVER] = {"handed_over", "Messages that went into the outbox."},
    [METRIC_ACCEPTED] = {"accepted", "Messages of the outbox that the broker has on its disk."},
    [METRIC_SET_ASIDE] = {"set_aside", "Messages of the outbox that the bus will never take."},
    [METRIC_DELIVERED] = {"delivered", "Messages of mailboxes given to the adapter."},
    [METRIC_KNOWN] = {"known", "Messages that came again after they had been done."},
    [METRIC_DONE] = {"done", "Messages done with."},
    [METRIC_LATER] = {"later", "Messages put off."},
    [METRIC_REFUSED] = {"refused", "Messages refused for good."},
    [METRIC_UNAVAILABLE] = {"unavailable", "Times the software behind the adapter was away."},
};

static void put_counter(FILE *out, const char *kind, const char *name, const char *help,
                        uint64_t value)
{
    (void)fprintf(out,
                  "# HELP relais_adapter_%s_total %s\n# TYPE relais_adapter_%s_total counter\n"
                  "relais_adapter_%s_total{adapter=\"%s\"} %" PRIu64 "\n",
                  name, help, name, name, kind, value);
}

static void put_gauge(FILE *out, const char *kind, const char *name, const char *help,
                      uint64_t value)
{
    (void)fprintf(out,
                  "# HELP relais_adapter_%s %s\n# TYPE relais_adapter_%s gauge\n"
                  "relais_adapter_%s{adapter=\"%s\"} %" PRIu64 "\n",
                  name, help, name, name, kind, value);
}

static char *close_text(FILE *out, char **text)
{
    bool bad = ferror(out) != 0;
    if (fclose(out) != 0 || bad) {
        free(*text);
        return NULL;
    }
    return *text;
}

char *metrics_text(const relais_adapter_kind *kind, const struct metrics *metrics,
                   const struct metrics_state *state)
{
    char *text = NULL;
    size_t size = 0;
    const char *name = kind->name;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return NULL;
    }
    for (size_t i = 0; i < METRICS; i++) {
        put_counter(out, name, counters[i].name, counters[i].help, metrics->totals[i]);
    }
    for (size_t i = 0; i < kind->counter_count && i < RELAIS_ADAPTER_COUNTERS; i++) {
        put_counter(out, name, kind->counters[i].name, kind->counters[i].help, metrics->own[i]);
    }
    put_counter(out, name, "reconnects", "Times the connection was made anew.", state->reconnects);
    put_gauge(out, name, "connected", "1: the broker knows us.", state->connected ? 1 : 0);
    put_gauge(out, name, "paused", "1: the software behind the adapter is away.",
              state->paused ? 1 : 0);
    put_gauge(out, name, "in_progress", "Messages being worked on.", state->in_progress);
    put_gauge(out, name, "outbox_messages", "Messages that wait for the broker.",
              state->outbox_messages);
    put_gauge(out, name, "outbox_bytes", "Their bytes.", state->outbox_bytes);
    put_gauge(out, name, "outbox_oldest_seconds", "Age of the first of them.",
              (uint64_t)state->outbox_oldest_ms / 1000);
    put_gauge(out, name, "outbox_aside_messages", "Messages that a person must look at.",
              state->aside);
    return close_text(out, &text);
}

char *metrics_status(const relais_adapter_kind *kind, const struct metrics_state *state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return NULL;
    }
    (void)fprintf(out,
                  "{\"time_ms\": %" PRId64 ", \"adapter\": \"%s\", \"version\": \"%s\", "
                  "\"connected\": %s, \"trouble\": \"%s\", \"code\": %d, \"paused\": %s, "
                  "\"in_progress\": %" PRIu64 ", \"outbox\": %" PRIu64
                  ", \"outbox_bytes\": %" PRIu64 ", \"outbox_oldest_ms\": %" PRId64
                  ", \"aside\": %" PRIu64 "}\n",
                  state->now_ms, kind->name, kind->version, state->connected ? "true" : "false",
                  relais_status_name(state->trouble), (int)state->trouble,
                  state->paused ? "true" : "false", state->in_progress, state->outbox_messages,
                  state->outbox_bytes, state->outbox_oldest_ms, state->aside);
    return close_text(out, &text);
}

int metrics_publish(const char *path, const char *text)
{
    char aside[4096];
    int length = snprintf(aside, sizeof aside, "%s.tmp", path);
    if (length < 0 || (size_t)length >= sizeof aside) {
        return ENAMETOOLONG;
    }
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        return errno;
    }
    size_t size = strlen(text);
    ssize_t wrote = write(fd, text, size);
    int number = wrote == (ssize_t)size ? 0 : (wrote < 0 ? errno : ENOSPC);
    (void)close(fd);
    if (number == 0 && rename(aside, path) != 0) {
        number = errno;
    }
    return number;
}

/* The number after `"name": ` in a text of ours. */
static bool find_number(const char *text, const char *name, int64_t *out_number)
{
    char key[64];
    char *end = NULL;
    (void)snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(text, key);
    if (!at) {
        return false;
    }
    at += strlen(key);
    *out_number = strtoll(at, &end, 10);
    return end != at;
}

static relais_status judge(const char *path, const char *text, int64_t now_ms, relais_error *error)
{
    int64_t time_ms = 0;
    int64_t code = 0;
    if (!find_number(text, "time_ms", &time_ms) || !find_number(text, "code", &code)) {
        return error_set(error, RELAIS_MALFORMED, path, _("the status file of an adapter"), "%s",
                         "");
    }
    if (time_ms < now_ms - OLD_MS) {
        return error_set(error, RELAIS_TIMED_OUT, path, _("a running adapter"),
                         _("written %lld s ago"), (long long)((now_ms - time_ms) / 1000));
    }
    if (strstr(text, "\"connected\": true")) {
        return RELAIS_OK;
    }
    return error_set(error, code == 0 ? RELAIS_UNREACHABLE : (relais_status)code, path, NULL, "%s",
                     _("not connected"));
}

relais_status metrics_health(const char *path, int64_t now_ms, relais_error *error)
{
    char *text = NULL;
    size_t size = 0;
    relais_status status = file_read(path, STATUS_BYTES_MAX, &text, &size, error);
    if (status == RELAIS_OK) {
        status = judge(path, text, now_ms, error);
        free(text);
    }
    return status;
}
