/* SPDX-License-Identifier: EUPL-1.2
 *
 * See trace.h. The digest is FNV-1a over words: values and times, no addresses.
 */
#include "trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_BROKEN = 1 };

static const uint64_t DIGEST_START = UINT64_C(0xcbf29ce484222325);
static const uint64_t DIGEST_PRIME = UINT64_C(0x100000001b3);

void trace_init(struct trace *trace, uint64_t seed, bool loud)
{
    *trace = (struct trace){.digest = DIGEST_START, .seed = seed, .loud = loud};
}

static void mix(struct trace *trace, uint64_t value)
{
    trace->digest = (trace->digest ^ value) * DIGEST_PRIME;
}

static void print_fields(const struct trace_field *fields)
{
    for (int i = 0; i < TRACE_FIELDS && fields[i].name; i++) {
        fprintf(stderr, " %s=%" PRId64, fields[i].name, (int64_t)fields[i].value);
    }
    fputc('\n', stderr);
}

static void print_line(const struct trace_line *line)
{
    fprintf(stderr, "%10" PRId64 "  %-24s", line->at_ms, line->what);
    print_fields(line->fields);
}

void trace_add(struct trace *trace, const char *what, const struct trace_field *fields)
{
    struct trace_line *line = &trace->lines[trace->count++ % TRACE_LINES];
    line->at_ms = trace->now_ms;
    line->what = what;
    mix(trace, (uint64_t)trace->now_ms);
    for (int i = 0; i < TRACE_FIELDS; i++) {
        line->fields[i] = fields[i];
        mix(trace, fields[i].value);
    }
    if (trace->loud) {
        print_line(line);
    }
}

void trace_print(const struct trace *trace)
{
    uint64_t first = trace->count > TRACE_LINES ? trace->count - TRACE_LINES : 0;
    for (uint64_t i = first; i < trace->count; i++) {
        print_line(&trace->lines[i % TRACE_LINES]);
    }
}

_Noreturn void trace_broken(const struct trace *trace, const char *promise,
                            const struct trace_field *fields)
{
    if (!trace->loud) {
        trace_print(trace);
    }
    fprintf(stderr, "seed %" PRIu64 ", at %" PRId64 " ms: BROKEN: %s;", trace->seed, trace->now_ms,
            promise);
    print_fields(fields);
    fflush(NULL);
    _exit(EXIT_BROKEN); /* what is still allocated is of no interest */
}
