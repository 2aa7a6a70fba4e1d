/* SPDX-License-Identifier: EUPL-1.2
 *
 * What `relais convert` tells of a file: complaints as they come, with --try also what was read.
 * For people as text, else as JSON; in a JSON of one value both are bounded, and say how many were
 * left out.
 *
 * 1. Complaints never hold values of the file. Values are shown only with --try, on stdout.
 */
#ifndef RELAIS_CLI_CONVERT_REPORT_H
#define RELAIS_CLI_CONVERT_REPORT_H

#include "cli/output.h"
#include "typed/convert.h"

#include <stdio.h>

struct convert_report {
    const struct output *output;
    const char *file;
    bool trying;   /* show what was read */
    FILE *stream;  /* where JSON goes: stdout, or stderr when stdout has the target */
    json_t *items; /* OUTPUT_JSON: gathered until the end */
    json_t *complaints;
    uint64_t left_out;
    bool failed; /* no memory, or stdout cannot be written */
};

bool convert_report_init(struct convert_report *report, const struct output *output,
                         const char *file, bool trying, FILE *stream);
void convert_report_fini(struct convert_report *report);

/* For struct convert_events; the context is the report. */
void convert_report_complain(void *context, const struct complaint *complaint);
void convert_report_see(void *context, const json_t *item, uint64_t line, bool refused);

/* The counts, and with OUTPUT_JSON all the rest. False: it could not be printed. */
bool convert_report_end(struct convert_report *report, const struct convert_counts *counts);

#endif
