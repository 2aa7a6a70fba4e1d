/* SPDX-License-Identifier: EUPL-1.2
 *
 * What happened in a run: the last events to be read by people, all of them as one digest. A broken
 * promise ends the program here, with the seed that shows it again.
 */
#ifndef RELAIS_TESTS_SIM_TRACE_H
#define RELAIS_TESTS_SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>

enum { TRACE_FIELDS = 4, TRACE_LINES = 256 };

struct trace_field {
    const char *name; /* NULL: none */
    uint64_t value;
};

struct trace_line {
    int64_t at_ms;
    const char *what;
    struct trace_field fields[TRACE_FIELDS];
};

struct trace {
    struct trace_line lines[TRACE_LINES]; /* a ring */
    uint64_t count;
    uint64_t digest;
    uint64_t seed;
    int64_t now_ms;
    bool loud; /* every line as it comes */
};

void trace_init(struct trace *trace, uint64_t seed, bool loud);
void trace_add(struct trace *trace, const char *what, const struct trace_field *fields);

/* The lines that are kept, oldest first, to stderr. */
void trace_print(const struct trace *trace);

_Noreturn void trace_broken(const struct trace *trace, const char *promise,
                            const struct trace_field *fields);

/* Each field is {"name", value}. */
#define NOTE(trace, what, ...)                                                                     \
    trace_add((trace), (what), (const struct trace_field[TRACE_FIELDS]){__VA_ARGS__})
#define PROMISE(trace, holds, promise, ...)                                                        \
    ((holds) ? (void)0                                                                             \
             : trace_broken((trace), (promise),                                                    \
                            (const struct trace_field[TRACE_FIELDS]){__VA_ARGS__}))

#endif
