/* SPDX-License-Identifier: EUPL-1.2
 *
 * One line an event, written by a single write(2) so that lines of several threads and processes do
 * not mix. Settings are set once by main() before threads start: the only mutable globals, on
 * purpose, since a log that must be handed everywhere is not used.
 */
#include "program/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

static enum program_log_format log_format = LOG_FORMAT_LOGFMT;
static enum program_log_level log_threshold = LOG_LEVEL_NOTICE;

struct line {
    char text[LINE_BYTES];
    size_t used; /* never more than LINE_BYTES - 2: room for "}" and the line end */
};

void log_configure(enum program_log_format format, enum program_log_level threshold)
{
    log_format = format;
    log_threshold = threshold;
}

static const char *const level_names[] = {"error", "warning", "notice", "debug"};

bool log_parse_level(const char *text, enum program_log_level *out_level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out_level = (enum program_log_level)i;
            return true;
        }
    }
    return false;
}

static void add_bytes(struct line *line, const char *text, size_t size)
{
    size_t room = LINE_BYTES - 2 - line->used;
    size_t count = size < room ? size : room;
    memcpy(line->text + line->used, text, count);
    line->used += count;
}

static void add(struct line *line, const char *text)
{
    add_bytes(line, text, strlen(text));
}

static bool is_plain(const char *text)
{
    if (!*text) {
        return false;
    }
    for (const char *at = text; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte <= ' ' || byte == '"' || byte == '=' || byte == '\\' || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

/* In quotes, with the escapes of JSON; the same serves logfmt. */
static void add_quoted(struct line *line, const char *text)
{
    add(line, "\"");
    for (const char *at = text; *at && line->used < LINE_BYTES - 16; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\') {
            add_bytes(line, (const char[]){'\\', *at}, 2);
        } else if (byte < 0x20 || byte == 0x7f) {
            char escape[8];
            (void)snprintf(escape, sizeof escape, "\\u%04x", byte);
            add(line, escape);
        } else {
            add_bytes(line, at, 1);
        }
    }
    add(line, "\"");
}

static void add_name(struct line *line, const char *name)
{
    if (log_format == LOG_FORMAT_JSON) {
        add(line, line->text[line->used - 1] == '{' ? "" : ",");
        add_quoted(line, name);
        add(line, ":");
        return;
    }
    bool first = line->used == 0 || line->text[line->used - 1] == '>';
    add(line, first ? "" : " ");
    add(line, name);
    add(line, "=");
}

static void add_pair(struct line *line, const struct log_pair *pair)
{
    add_name(line, pair->name);
    if (!pair->text) {
        char number[24];
        (void)snprintf(number, sizeof number, "%lld", (long long)pair->number);
        add(line, number);
    } else if (log_format == LOG_FORMAT_LOGFMT && is_plain(pair->text)) {
        add(line, pair->text);
    } else {
        add_quoted(line, pair->text);
    }
}

/* Syslog's numbers of our levels, for sd-daemon(3). */
static void add_priority(struct line *line, enum program_log_level level)
{
    static const char *const priorities[] = {"<3>", "<4>", "<5>", "<7>"};
    add(line, priorities[level]);
}

static void add_time(struct line *line)
{
    struct timespec now;
    struct tm parts;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    char date[24];
    char text[64];
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(text, sizeof text, "%s.%03ldZ", date, now.tv_nsec / 1000000);
    add_pair(line, &(struct log_pair){.name = "time", .text = text});
}

void log_event(enum program_log_level level, const char *event, const struct log_pair *pairs,
               size_t count)
{
    if (level > log_threshold) {
        return;
    }
    struct line line;
    line.used = 0;
    const char *journal = getenv("JOURNAL_STREAM");
    if (journal && *journal) {
        add_priority(&line, level);
    }
    if (log_format == LOG_FORMAT_JSON) {
        add(&line, "{");
    }
    if (!journal || !*journal) {
        add_time(&line);
    }
    add_pair(&line, &(struct log_pair){.name = "level", .text = level_names[level]});
    add_pair(&line, &(struct log_pair){.name = "event", .text = event});
    for (size_t i = 0; i < count; i++) {
        add_pair(&line, &pairs[i]);
    }
    if (log_format == LOG_FORMAT_JSON) {
        line.text[line.used++] = '}';
    }
    line.text[line.used++] = '\n';
    /* nothing can be done about a log that cannot be written */
    ssize_t written = write(STDERR_FILENO, line.text, line.used);
    (void)written;
}
