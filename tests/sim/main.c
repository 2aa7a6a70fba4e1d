/* SPDX-License-Identifier: EUPL-1.2
 *
 * The simulator's command line.
 *
 *   sim --seed N [--steps K] [--trace]              one run, with all its events
 *   sim --seeds N [--first S] [--steps K]           many; ends with 1 at the first broken promise
 */
#include "deadlines.h"
#include "uploads.h"
#include "world.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
    EXIT_SIGNAL = 3,
    STEPS = 3000,      /* of the part with faults */
    TWICE_EVERY = 100, /* seeds; those are run again and must come out the same */
    NS_PER_S = 1000000000,
};

struct orders {
    uint64_t first, count;
    uint32_t steps;
    bool loud;
};

static bool read_number(const char *text, uint64_t *out_number)
{
    char *end = NULL;
    *out_number = strtoull(text, &end, 10);
    return *text != '\0' && *end == '\0';
}

static bool read_orders(int argc, char **argv, struct orders *out_orders)
{
    uint64_t steps = STEPS;
    *out_orders = (struct orders){.first = 1, .count = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            out_orders->loud = true;
            continue;
        }
        uint64_t *number = strcmp(argv[i], "--seed") == 0    ? &out_orders->first
                           : strcmp(argv[i], "--first") == 0 ? &out_orders->first
                           : strcmp(argv[i], "--seeds") == 0 ? &out_orders->count
                           : strcmp(argv[i], "--steps") == 0 ? &steps
                                                             : NULL;
        if (!number || i + 1 >= argc || !read_number(argv[++i], number)) {
            return false;
        }
    }
    out_orders->steps = (uint32_t)steps;
    return out_orders->count > 0;
}

/* An assert of the core, or worse: the seed and the last events, as far as they can still be
 * printed. */
/* NOLINTBEGIN(bugprone-signal-handler,cert-sig30-c): all that can go wrong is a broken last word */
static void on_signal(int number)
{
    const struct trace *trace = world_trace();
    signal(number, SIG_DFL);
    if (trace) {
        trace_print(trace);
        fprintf(stderr,
                "seed %" PRIu64 ", at %" PRId64 " ms: BROKEN: the core crashed; signal=%d\n",
                trace->seed, trace->now_ms, number);
    }
    _exit(EXIT_SIGNAL);
}
/* NOLINTEND(bugprone-signal-handler,cert-sig30-c) */

static double seconds(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / NS_PER_S;
}

static bool is_same(uint64_t seed, uint32_t steps, const struct outcome *outcome)
{
    struct outcome again;
    world_run(seed, steps, false, &again);
    if (again.digest != outcome->digest) {
        fprintf(stderr, "seed %" PRIu64 ": BROKEN: a seed is a run; the second was another\n",
                seed);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct orders orders;
    struct outcome sum = {0};
    static struct trace uploads_trace;
    static struct trace deadlines_trace;
    if (!read_orders(argc, argv, &orders)) {
        fprintf(stderr, "usage: sim --seed N [--steps K] [--trace]\n"
                        "       sim --seeds N [--first S] [--steps K]\n");
        return EXIT_USAGE;
    }
    signal(SIGABRT, on_signal);
    double begin = seconds();
    for (uint64_t i = 0; i < orders.count; i++) {
        struct outcome outcome;
        uint64_t seed = orders.first + i;
        world_run(seed, orders.steps, orders.loud, &outcome);
        sum.lives += uploads_run(seed, orders.loud, &uploads_trace);
        sum.digest = sum.digest * 31 + uploads_trace.digest;
        sum.lives += deadlines_run(seed, orders.loud, &deadlines_trace);
        sum.digest = sum.digest * 31 + deadlines_trace.digest;
        sum.lives += outcome.lives;
        sum.messages += outcome.messages;
        sum.deliveries += outcome.deliveries;
        sum.virtual_ms += outcome.virtual_ms;
        sum.digest = sum.digest * 31 + outcome.digest;
        if (i % TWICE_EVERY == 0 && !is_same(seed, orders.steps, &outcome)) {
            return EXIT_FAILURE;
        }
    }
    double took = seconds() - begin;
    printf("%" PRIu64 " runs, %" PRIu64 " messages, %" PRIu64 " lives, %" PRIu64
           " deliveries, %.1f h of virtual time, digest %016" PRIx64
           "; %.1f s of CPU, %.0f lives a "
           "second\n",
           orders.count, sum.messages, sum.lives, sum.deliveries, (double)sum.virtual_ms / 3600e3,
           sum.digest, took, (double)sum.lives / took);
    return EXIT_SUCCESS;
}
