/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/bench/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MAX = 256, TEXT_BYTES = 8192 };

static const char *slurp(char *text, pid_t pid, const char *name)
{
    char path[64];
    text[0] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        text[fread(text, 1, TEXT_BYTES - 1, file)] = '\0';
        (void)fclose(file);
    }
    return text;
}

static int64_t status_kb(const char *status, const char *field)
{
    const char *at = strstr(status, field);
    return at != NULL ? strtoll(at + strlen(field), NULL, 10) : 0;
}

/* utime, stime, cutime and cstime are the fields 14 to 17; the name in field 2 may hold blanks. */
static double cpu_seconds(const char *stat)
{
    const char *at = strrchr(stat, ')');
    for (int field = 2; at != NULL && field < 14; field++) {
        at = strchr(at + 1, ' ');
    }
    double ticks = 0;
    for (int field = 14; at != NULL && field < 18; field++) {
        char *next = NULL;
        ticks += (double)strtoull(at, &next, 10);
        at = next;
    }
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

struct usage usage_of(pid_t root)
{
    struct usage usage = {0};
    pid_t pids[PROCESSES_MAX] = {root};
    int64_t shared_kb = 0;
    char text[TEXT_BYTES];
    for (size_t done = 0, count = 1; done < count; done++) {
        usage.cpu_seconds += cpu_seconds(slurp(text, pids[done], "stat"));
        slurp(text, pids[done], "status");
        usage.anonymous_kb += status_kb(text, "RssAnon:");
        int64_t shared = status_kb(text, "RssShmem:");
        shared_kb = shared > shared_kb ? shared : shared_kb;
        char name[64]; /* those that its first thread made, which is all of them in these servers */
        (void)snprintf(name, sizeof name, "task/%d/children", (int)pids[done]);
        char *at = text;
        slurp(text, pids[done], name);
        for (char *next = NULL; count < PROCESSES_MAX; at = next) {
            long child = strtol(at, &next, 10);
            if (next == at) {
                break;
            }
            pids[count++] = (pid_t)child;
        }
    }
    usage.anonymous_kb += shared_kb;
    return usage;
}
