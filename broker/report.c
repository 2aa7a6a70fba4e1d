/* SPDX-License-Identifier: EUPL-1.2
 */
#include "broker/report.h"

#include "broker/process.h"
#include "program/log.h"

#include <stdio.h>
#include <string.h>

void report_log(void *context, const relais_error *error)
{
    (void)context;
    LOG(LOG_LEVEL_ERROR, "config.invalid", {"at", error->field, 0}, {"found", error->wrong, 0},
        {"expected", error->right, 0}, {"status", relais_status_name(error->status), 0});
}

void report_print(void *context, const relais_error *error)
{
    size_t *count = context;
    char line[1024];

    (void)fprintf(stderr, "relaisd: %s\n", relais_error_text(error, line, sizeof line));
    ++*count;
}

const char *report_store_kind(enum store_problem_kind kind)
{
    switch (kind) {
    case STORE_PROBLEM_NONE:
        return "none";
    case STORE_PROBLEM_PATH:
        return "path";
    case STORE_PROBLEM_LOCKED:
        return "locked";
    case STORE_PROBLEM_NETWORK_FS:
        return "network_disk";
    case STORE_PROBLEM_DAMAGED:
        return "damaged";
    case STORE_PROBLEM_VERSION:
        return "version";
    case STORE_PROBLEM_MEMORY:
        return "memory";
    case STORE_PROBLEM_IO:
        return "io";
    }
    return "unknown";
}

const char *report_store_remedy(enum store_problem_kind kind)
{
    switch (kind) {
    case STORE_PROBLEM_PATH:
        return "a folder that the broker's user may read and write";
    case STORE_PROBLEM_LOCKED:
        return "one broker a store: stop the other one, or give this one a store.path of its own";
    case STORE_PROBLEM_NETWORK_FS:
        return "store.path on a local disk";
    case STORE_PROBLEM_DAMAGED:
        return "a whole store: keep a copy of the folder, check the disk, restore a backup";
    case STORE_PROBLEM_VERSION:
        return "the release that wrote it; or a store.path of its own for this one";
    case STORE_PROBLEM_MEMORY:
        return "more memory";
    case STORE_PROBLEM_IO:
        return "a disk with free room and without errors; what was accepted is on it";
    case STORE_PROBLEM_NONE:
        break;
    }
    return "";
}

int report_store_code(enum store_problem_kind kind)
{
    switch (kind) {
    case STORE_PROBLEM_DAMAGED:
    case STORE_PROBLEM_IO:
        return EXIT_STORE;
    case STORE_PROBLEM_MEMORY:
        return EXIT_SYSTEM;
    default:
        return EXIT_UNAVAILABLE;
    }
}

void report_store_problem(const char *event, const struct store_problem *problem)
{
    LOG(LOG_LEVEL_ERROR, event, {"kind", report_store_kind(problem->kind), 0},
        {"detail", problem->detail, 0},
        {"errno_text", problem->system_errno == 0 ? "" : strerror(problem->system_errno), 0},
        {"expected", report_store_remedy(problem->kind), 0});
}
