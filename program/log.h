/* SPDX-License-Identifier: EUPL-1.2
 *
 * One line an event on stderr, logfmt or JSON, in English:
 *     time=2026-11-24T10:00:00.123Z level=notice event=broker.ready endpoint=tcp://127.0.0.1:5770
 * Event names are stable. Fields carry ids, sizes, counts and slugs; never payload, subject, keys
 * or anything that a person wrote. Values are escaped; a line is at most 2 KiB. Under systemd
 * (JOURNAL_STREAM) the line begins with the <n> priority of sd-daemon(3) and has no time.
 * Process-wide settings, set once by main() before threads start; log_event(): any thread.
 */
#ifndef RELAIS_PROGRAM_LOG_H
#define RELAIS_PROGRAM_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum program_log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_DEBUG };
enum program_log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log_pair {
    const char *name;
    const char *text; /* NULL: the number counts */
    int64_t number;
};

void log_configure(enum program_log_format format, enum program_log_level threshold);

/* Parses "error", "warning", "notice", "debug"; false: none of these. */
bool log_parse_level(const char *text, enum program_log_level *out_level);

void log_event(enum program_log_level level, const char *event, const struct log_pair *pairs,
               size_t count);

/* log_event() with the pairs in place: LOG(LOG_LEVEL_NOTICE, "broker.ready", {"port", NULL, 5770});
 */
#define LOG(level, event, ...)                                                                     \
    log_event((level), (event), (const struct log_pair[]){__VA_ARGS__},                            \
              sizeof((const struct log_pair[]){__VA_ARGS__}) / sizeof(struct log_pair))

#endif
