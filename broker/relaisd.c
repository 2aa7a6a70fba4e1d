/* SPDX-License-Identifier: EUPL-1.2
 *
 * relaisd, the broker. Threads, and what each owns:
 *   main     sockets, core, directory, clock, signals, log of events (broker.c, loop.c)
 *   store    the LMDB environment and its transactions (broker/store); talks to main by its inbox,
 *            its outbox and an eventfd
 *   libzmq   one I/O thread and one reaper: bytes between sockets and the network
 * Only message buffers are shared, by counted reference; whoever drops the last one frees it.
 */
#include "broker/broker.h"
#include "broker/caretaker.h"
#include "broker/config.h"
#include "broker/directory_load.h"
#include "broker/options.h"
#include "broker/process.h"
#include "broker/report.h"
#include "program/locale.h"
#include "program/log.h"

#include <relais/key.h>
#include <relais/version.h>
#include <stdio.h>
#include <time.h>

static int64_t monotonic_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Is all that relaisd reads at start in order? Tells every problem. */
static int check(const char *path)
{
    size_t problems = 0;
    const struct directory_listener listener = {.tell = report_print, .context = &problems};
    struct config config = {0};
    relais_key key = {0};
    relais_error error = {0};

    if (config_load(path, &config, &error) != RELAIS_OK) {
        report_print(&problems, &error);
        return EXIT_FINDINGS;
    }
    if (relais_key_load(config.key, &key, &error) != RELAIS_OK) {
        report_print(&problems, &error);
    }
    const struct directory_folders folders = {config.members, config.flows, config.entries};
    struct directory *directory = directory_load(&folders, &listener);
    if (problems == 0 && directory != NULL) {
        (void)printf(_("%s is in order: listens on %s, public key %s, %zu members, %zu flows\n"),
                     path, config.listen, key.public_key, directory_members(directory),
                     directory_flows(directory));
    } else {
        (void)fprintf(stderr,
                      dngettext(RELAIS_TEXT_DOMAIN, "%zu problem\n", "%zu problems\n", problems),
                      problems);
    }
    directory_free(directory);
    relais_key_wipe(&key);
    config_fini(&config);
    return problems == 0 ? EXIT_DONE : EXIT_FINDINGS;
}

static int print_config(const char *path)
{
    size_t problems = 0;
    struct config config = {0};
    relais_error error = {0};

    if (config_load(path, &config, &error) != RELAIS_OK) {
        report_print(&problems, &error);
        return EXIT_FINDINGS;
    }
    config_print(&config, stdout);
    config_fini(&config);
    return EXIT_DONE;
}

static int run(const char *path, int64_t started_ms)
{
    struct config config = {0};
    relais_error error = {0};

    log_configure(LOG_FORMAT_LOGFMT, LOG_LEVEL_NOTICE);
    if (config_load(path, &config, &error) != RELAIS_OK) {
        report_log(NULL, &error);
        return EXIT_CONFIG;
    }
    log_configure((enum program_log_format)config.log_format,
                  (enum program_log_level)config.log_level);
    int code = broker_run(&config, started_ms);
    config_fini(&config);
    return code;
}

int main(int argc, char **argv)
{
    int64_t started_ms = monotonic_ms();
    struct options options;

    locale_start();
    if (!options_parse(argc, argv, &options)) {
        return EXIT_USAGE;
    }
    switch (options.action) {
    case ACTION_CHECK:
        return check(options.config);
    case ACTION_PRINT_CONFIG:
        return print_config(options.config);
    case ACTION_PRINT_OPTIONS:
        config_print_table(stdout);
        return EXIT_DONE;
    case ACTION_CHECK_STORE:
        return caretaker_check(options.config);
    case ACTION_COMPACT_STORE:
        return caretaker_compact(options.config);
    case ACTION_RESTORE:
        return caretaker_restore(options.config, options.backup, options.force);
    case ACTION_HELP:
        options_print_help();
        return EXIT_DONE;
    case ACTION_VERSION:
        (void)printf("relaisd %s\n", RELAIS_VERSION);
        return EXIT_DONE;
    default:
        return run(options.config, started_ms);
    }
}
