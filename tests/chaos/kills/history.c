/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/chaos/kills/history.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 512, EXIT_HISTORY = 3 };

static int history_fd = -1;

static void give_up(const char *path)
{
    perror(path);
    _exit(EXIT_HISTORY); /* the run is worth nothing without it */
}

void history_open(const char *path)
{
    history_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (history_fd < 0) {
        give_up(path);
    }
}

void history_note(const char *format, ...)
{
    char line[LINE_BYTES];
    struct timespec now = {0};
    va_list arguments;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int size = snprintf(line, sizeof line, "%lld%09ld ", (long long)now.tv_sec, now.tv_nsec);
    va_start(arguments, format);
    int more = vsnprintf(line + size, sizeof line - (size_t)size - 1, format, arguments);
    va_end(arguments);
    size += more < LINE_BYTES - size - 1 ? more : LINE_BYTES - size - 2;
    line[size++] = '\n';
    if (write(history_fd, line, (size_t)size) != size) {
        give_up("history");
    }
}

static void read_line(const char *line, struct knowledge *known)
{
    char *end = NULL;
    (void)strtoull(line, &end, 10);
    bool accepted = strncmp(end, " accepted ", strlen(" accepted ")) == 0;
    if (!accepted && strncmp(end, " submit ", strlen(" submit ")) != 0) {
        return;
    }
    unsigned long number = strtoul(strchr(end + 1, ' '), NULL, 10);
    if (number < HISTORY_MESSAGES && known->states[number] != KNOWN_ACCEPTED) {
        known->states[number] = accepted ? KNOWN_ACCEPTED : KNOWN_SUBMITTED;
    }
    known->next = number >= known->next ? number + 1 : known->next;
}

bool history_read(const char *path, struct knowledge *out_known)
{
    char line[LINE_BYTES];
    out_known->next = 0;
    out_known->states = calloc(HISTORY_MESSAGES, 1);
    FILE *file = fopen(path, "re");
    if (file == NULL || out_known->states == NULL) {
        return false;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        read_line(line, out_known);
    }
    return fclose(file) == 0;
}
