/* SPDX-License-Identifier: EUPL-1.2 */
/* What a process and all its descendants have used, from /proc. */
#ifndef TESTS_BENCH_USAGE_H
#define TESTS_BENCH_USAGE_H

#include <stdint.h>
#include <sys/types.h>

struct usage {
    double cpu_seconds;   /* with that of children that have ended and been waited for */
    int64_t anonymous_kb; /* RssAnon of all, and the shared anonymous memory of the one with most */
};

struct usage usage_of(pid_t root);

#endif
