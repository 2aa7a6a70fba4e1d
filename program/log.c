/* SPDX-License-Identifier: EUPL-1.2
 *
 * One line an event, written by a single write(2) so that lines of several threads and processes do
 * not mix. Settings are set once by main() before threads start: the only mutable globals, on
 * purpose, since a log that must be handed everywhere is not used.
 */
#include "program/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

static enum program_log_format log_format = LOG_FORMAT_LOGFMT;
static enum program_log_level log_threshold = LOG_LEVEL_NOTICE;
static bool log_to_journal; /* stderr is the journal's: it has the time, and wants a priority */

struct line {
    char text[LINE_BYTES];
    size_t used; /* never more than LINE_BYTES - 2: room for "}" and the line end */
    bool full;   /* something did not fit */
    bool begun;  /* there is a pair already */
};

/* sd-daemon(3): JOURNAL_STREAM is the device and inode of the socket; it is inherited by processes
 * whose stderr goes elsewhere. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat about;
    char wanted[64];
    if (!stream || fstat(STDERR_FILENO, &about) != 0) {
        return false;
    }
    (void)snprintf(wanted, sizeof wanted, "%ju:%ju", (uintmax_t)about.st_dev,
                   (uintmax_t)about.st_ino);
    return strcmp(stream, wanted) == 0;
}

void log_configure(enum program_log_format format, enum program_log_level threshold)
{
    log_format = format;
    log_threshold = threshold;
    log_to_journal = stderr_is_journal();
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
    if (line->full || size > LINE_BYTES - 2 - line->used) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->used, text, size);
    line->used += size;
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
        if (byte <= ' ' || byte == '"' || byte == '=' || byte == '\\' || byte >= 0x7f) {
            return false;
        }
    }
    return true;
}

/* Bytes of the UTF-8 character at `text` (NUL-terminated); 0: it is none (RFC 3629). */
static size_t character_bytes(const unsigned char *text)
{
    size_t size = 0;
    if (text[0] < 0x80) {
        size = 1;
    } else if (text[0] >= 0xC2 && text[0] < 0xF5) {
        size = 2U + (size_t)(text[0] >= 0xE0) + (size_t)(text[0] >= 0xF0);
    }
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    bool overlong = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xF0 && text[1] < 0x90);
    bool beyond = (text[0] == 0xED && text[1] > 0x9F) || (text[0] == 0xF4 && text[1] > 0x8F);
    return overlong || beyond ? 0 : size;
}

/* One character with the escapes of JSON; C1 controls can steer a terminal as C0 ones do. */
static void add_character(struct line *line, const unsigned char *at, size_t size)
{
    bool control = at[0] < 0x20 || at[0] == 0x7F || (at[0] == 0xC2 && at[1] < 0xA0);
    if (size == 0) {
        add(line, "\xEF\xBF\xBD"); /* U+FFFD */
    } else if (control) {
        char escape[8];
        (void)snprintf(escape, sizeof escape, "\\u%04x", size == 1 ? at[0] : at[1]);
        add(line, escape);
    } else {
        add(line, at[0] == '"' || at[0] == '\\' ? "\\" : "");
        add_bytes(line, (const char *)at, size);
    }
}

/* In quotes; the same serves logfmt and JSON. */
static void add_quoted(struct line *line, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    add(line, "\"");
    while (*at && !line->full) {
        size_t size = character_bytes(at);
        add_character(line, at, size);
        at += size == 0 ? 1 : size;
    }
    add(line, "\"");
}

static void add_name(struct line *line, const char *name)
{
    if (log_format == LOG_FORMAT_JSON) {
        add(line, line->begun ? "," : "");
        add_quoted(line, name);
        add(line, ":");
        return;
    }
    add(line, line->begun ? " " : "");
    add(line, name);
    add(line, "=");
}

/* The whole pair or nothing of it: a line that was cut still parses. */
static void add_pair(struct line *line, const struct log_pair *pair)
{
    size_t before = line->used;
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
    if (line->full) {
        line->used = before;
    }
    line->begun = true;
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
    int system_errno = errno;
    struct line line;
    line.used = 0;
    line.full = false;
    line.begun = false;
    if (log_to_journal) {
        add_priority(&line, level);
    }
    if (log_format == LOG_FORMAT_JSON) {
        add(&line, "{");
    }
    if (!log_to_journal) {
        add_time(&line);
    }
    add_pair(&line, &(struct log_pair){.name = "level", .text = level_names[level]});
    add_pair(&line, &(struct log_pair){.name = "event", .text = event});
    for (size_t i = 0; i < count && !line.full; i++) {
        add_pair(&line, &pairs[i]);
    }
    if (log_format == LOG_FORMAT_JSON) {
        line.text[line.used++] = '}';
    }
    line.text[line.used++] = '\n';
    /* nothing can be done about a log that cannot be written */
    ssize_t written = write(STDERR_FILENO, line.text, line.used);
    (void)written;
    errno = system_errno;
}
