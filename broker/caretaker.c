/* SPDX-License-Identifier: EUPL-1.2
 */
#include "broker/caretaker.h"

#include "broker/config.h"
#include "broker/process.h"
#include "broker/report.h"
#include "program/locale.h"
#include "store/upkeep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MIB_SHIFT = 20 };

static bool load(const char *path, struct config *out_config)
{
    size_t problems = 0;
    relais_error error = {0};

    if (config_load(path, out_config, &error) != RELAIS_OK) {
        report_print(&problems, &error);
        return false;
    }
    return true;
}

static int tell_problem(const struct store_problem *problem)
{
    const char *remedy = report_store_remedy(problem->kind);

    (void)fprintf(stderr, "relaisd: %s%s%s\n", problem->detail,
                  problem->system_errno != 0 ? ": " : "",
                  problem->system_errno != 0 ? strerror(problem->system_errno) : "");
    if (remedy[0] != '\0') {
        (void)fprintf(stderr, _("Expected: %s\n"), remedy);
    }
    return report_store_code(problem->kind);
}

/* "message sequence 70: checksum" */
static void print_finding(void *context, const struct store_finding *finding)
{
    FILE *out = context;

    (void)fputs(finding->table[0] != '\0' ? finding->table : "file", out);
    if (finding->mailbox != 0) {
        (void)fprintf(out, " mailbox %" PRIu32, finding->mailbox);
    }
    if (finding->sequence != 0) {
        (void)fprintf(out, " sequence %" PRIu64, finding->sequence);
    }
    if (finding->page != 0) {
        (void)fprintf(out, " page %" PRIu64, finding->page);
    }
    (void)fprintf(out, ": %s\n", finding_fault_name(finding->fault));
}

static void print_report(const char *name, const struct store_report *report)
{
    typedef unsigned long long number;
    const uint64_t page_bytes = report->page_bytes != 0 ? report->page_bytes : 1;

    (void)printf(_("%s: %llu records in %llu MiB read, %llu messages, %llu waiting, %llu dead "
                   "letters, %llu mailboxes\n"),
                 name, (number)report->records, (number)(report->read_bytes >> MIB_SHIFT),
                 (number)report->messages, (number)report->waiting, (number)report->dead,
                 (number)report->mailboxes);
    (void)printf(_("Its file has %llu pages: %llu in use, %llu free, %llu lost\n"),
                 (number)(report->file_bytes / page_bytes), (number)report->used_pages,
                 (number)report->free_pages, (number)report->lost_pages);
    if (report->findings == 0) {
        (void)puts(_("Everything in it is as it was written."));
    } else {
        (void)printf(dngettext(RELAIS_TEXT_DOMAIN, "%llu finding\n", "%llu findings\n",
                               (unsigned long)report->findings),
                     (number)report->findings);
    }
}

int caretaker_check(const char *config_path)
{
    const struct store_listener listener = {.tell = print_finding, .context = stdout};
    struct config config = {0};
    struct store_report report;
    struct store_problem problem = {0};
    int code = EXIT_CONFIG;

    if (!load(config_path, &config)) {
        return code;
    }
    if (!store_check_folder(config.store_path, &listener, &report, &problem)) {
        code = tell_problem(&problem);
    } else {
        print_report(config.store_path, &report);
        code = report.findings == 0 ? EXIT_DONE : EXIT_FINDINGS;
    }
    config_fini(&config);
    return code;
}

int caretaker_compact(const char *config_path)
{
    struct config config = {0};
    struct store_settings settings;
    struct store_problem problem = {0};
    uint64_t before = 0;
    uint64_t after = 0;
    int code = EXIT_DONE;

    if (!load(config_path, &config)) {
        return EXIT_CONFIG;
    }
    store_settings_init(&settings);
    settings.path = config.store_path;
    settings.reserve_bytes = config.reserve_mb << MIB_SHIFT;
    if (!store_compact_folder(&settings, &before, &after, &problem)) {
        code = tell_problem(&problem);
    } else {
        (void)printf(_("%s: %llu MiB, now %llu MiB\n"), config.store_path,
                     (unsigned long long)(before >> MIB_SHIFT),
                     (unsigned long long)(after >> MIB_SHIFT));
    }
    config_fini(&config);
    return code;
}

int caretaker_restore(const char *config_path, const char *file, bool force)
{
    const struct store_listener listener = {.tell = print_finding, .context = stdout};
    struct config config = {0};
    struct store_problem problem = {0};
    int code = EXIT_DONE;

    if (!load(config_path, &config)) {
        return EXIT_CONFIG;
    }
    struct store_restore restore = {
        .path = config.store_path, .file = file, .force = force, .listener = &listener};
    if (!store_restore(&restore, &problem)) {
        code = tell_problem(&problem);
        code = restore.report.findings > 0 ? EXIT_FINDINGS : code;
    } else {
        print_report(file, &restore.report);
        if (restore.aside[0] != '\0') {
            (void)printf(_("The store that was there is %s/%s now.\n"), config.store_path,
                         restore.aside);
        }
        (void)printf(_("%s is restored.\n"), config.store_path);
    }
    config_fini(&config);
    return code;
}
