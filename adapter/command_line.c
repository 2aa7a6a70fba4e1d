/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais_adapter_main(): the command line of every adapter, and what it asks for besides running.
 * Exit codes: 0 stopped, or fine; 1 the environment failed, or not healthy; 2 command line or
 * configuration.
 */
#include "adapter/moment.h"
#include "adapter/running.h"
#include "program/error.h"
#include "program/locale.h"
#include "program/log.h"
#include "program/notify.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_ENVIRONMENT = 1, EXIT_CONFIGURATION = 2 };

enum task { TASK_RUN, TASK_CHECK, TASK_HEALTH, TASK_ASIDE, TASK_AGAIN, TASK_DROP };

struct command_line {
    enum task task;
    const char *path;
    const char *which; /* of TASK_AGAIN and TASK_DROP: a number, or "all" */
};

static int complain(const relais_adapter_kind *kind, const relais_error *error)
{
    char text[1024];
    (void)fprintf(stderr, "%s: %s\n", kind->name, relais_error_text(error, text, sizeof text));
    switch (error->status) {
    case RELAIS_CONFIG_INVALID:
    case RELAIS_NOT_FOUND:
    case RELAIS_KEY_UNREADABLE:
    case RELAIS_USAGE:
    case RELAIS_FIELD_INVALID:
    case RELAIS_FIELD_MISSING:
        return EXIT_CONFIGURATION;
    default:
        return EXIT_ENVIRONMENT;
    }
}

/* ---- running ---- */

static relais_status open_signals(int *out_fd, relais_error *error)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    /* before the transport starts its threads, which inherit the mask */
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* NOLINT(cert-err33-c) */
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return error_set_errno(error, "signalfd", errno);
    }
    *out_fd = fd;
    return RELAIS_OK;
}

static void say_ready(const relais_adapter *adapter)
{
    LOG(LOG_LEVEL_NOTICE, "adapter.ready", {"adapter", adapter->kind->name, 0},
        {"version", adapter->kind->version, 0},
        {"mailboxes", NULL, (int64_t)adapter->receiving.place_count},
        {"outbox", NULL, (int64_t)adapter->outbox.counts.messages},
        {"aside", NULL, (int64_t)adapter->outbox.counts.aside});
    notify_ready("waiting for the broker");
}

static int fail(const relais_adapter_kind *kind, const relais_error *error)
{
    LOG(LOG_LEVEL_ERROR, "adapter.failed", {"reason", relais_status_name(error->status), 0},
        {"system", error->wrong, 0});
    return complain(kind, error);
}

/* Takes `config`. */
static int run(const relais_adapter_kind *kind, struct config *config)
{
    struct metrics metrics = {{0}, {0}}; /* go on over a reload */
    relais_error error = {.status = RELAIS_OK};
    relais_adapter *adapter = NULL;
    enum running_end end = RUNNING_RELOAD;
    int signals = -1;
    relais_status status = open_signals(&signals, &error);
    while (status == RELAIS_OK && end == RUNNING_RELOAD) {
        struct config *next = NULL;
        status = running_open(kind, config, signals, &metrics, &adapter, &error);
        if (status != RELAIS_OK) {
            break;
        }
        say_ready(adapter);
        end = running_loop(adapter, &next, &error);
        metrics = adapter->metrics;
        running_close(adapter);
        config = next;
        if (end == RUNNING_FAILED) {
            status = error.status;
        }
    }
    config_free(config);
    if (signals >= 0) {
        (void)close(signals);
    }
    if (status != RELAIS_OK) {
        error.status = status;
        return end == RUNNING_FAILED ? fail(kind, &error) : complain(kind, &error);
    }
    LOG(LOG_LEVEL_NOTICE, "adapter.stopped", {"adapter", kind->name, 0});
    return EXIT_SUCCESS;
}

/* ---- other tasks ---- */

static int health(const relais_adapter_kind *kind, const struct config *config)
{
    relais_error error = {.status = RELAIS_OK};
    if (!config->common->status) {
        (void)error_set(&error, RELAIS_USAGE, "status", _("the path of a status file"), "%s",
                        _("not in the configuration"));
        error.status = RELAIS_USAGE;
        return complain(kind, &error);
    }
    relais_status status = metrics_health(config->common->status, moment_unix_ms(), &error);
    if (status == RELAIS_OK) {
        (void)printf(_("%s: connected\n"), kind->name);
        return EXIT_SUCCESS;
    }
    error.status = status;
    (void)complain(kind, &error);
    return EXIT_ENVIRONMENT;
}

static void print_aside(const struct outbox_message *message, const struct outbox_reason *reason)
{
    struct record_message view;
    char text[1024];
    bool readable =
        message->run && record_read_message((relais_bytes){message->run, message->size}, &view);
    (void)printf("%llu\t%s\t%zu\t%s\n", (unsigned long long)message->sequence,
                 readable ? view.message.id : "-", message->size,
                 relais_error_text(&reason->error, text, sizeof text));
}

static relais_status list_aside(struct outbox *outbox, relais_error *error)
{
    struct outbox_message message = {0};
    struct outbox_reason reason;
    uint64_t from = 0;
    relais_status status = RELAIS_OK;
    while (status != RELAIS_NOT_FOUND) {
        status = outbox_read_aside(outbox, from, &message, &reason, error);
        if (status != RELAIS_OK && status != RELAIS_DAMAGED && status != RELAIS_NOT_FOUND) {
            return status;
        }
        if (status != RELAIS_NOT_FOUND) {
            print_aside(&message, &reason);
            from = message.sequence + 1;
        }
        free(message.run);
    }
    (void)printf(_("waiting: %llu, set aside: %llu\n"), (unsigned long long)outbox->counts.messages,
                 (unsigned long long)outbox->counts.aside);
    return RELAIS_OK;
}

static relais_status change_one(struct outbox *outbox, enum task task, uint64_t sequence,
                                relais_error *error)
{
    relais_status status = state_begin(outbox->state, error);
    if (status != RELAIS_OK) {
        return status;
    }
    status = task == TASK_AGAIN ? outbox_again(outbox, sequence, moment_unix_ms(), error)
                                : outbox_drop(outbox, sequence, error);
    if (status == RELAIS_OK) {
        status = state_commit(outbox->state, error);
    } else {
        state_abort(outbox->state);
    }
    outbox_settle(outbox, status == RELAIS_OK);
    return status;
}

static relais_status change_all(struct outbox *outbox, enum task task, relais_error *error)
{
    struct outbox_message message = {0};
    struct outbox_reason reason;
    uint64_t from = 0;
    for (;;) {
        relais_status status = outbox_read_aside(outbox, from, &message, &reason, error);
        free(message.run);
        if (status == RELAIS_NOT_FOUND) {
            return RELAIS_OK;
        }
        from = message.sequence + 1;
        if (status == RELAIS_OK || (status == RELAIS_DAMAGED && task == TASK_DROP)) {
            status = change_one(outbox, task, message.sequence, error);
        }
        if (status != RELAIS_OK && status != RELAIS_DAMAGED) {
            return status;
        }
    }
}

static relais_status change(struct outbox *outbox, const struct command_line *line,
                            relais_error *error)
{
    char *end = NULL;
    if (strcmp(line->which, "all") == 0) {
        return change_all(outbox, line->task, error);
    }
    unsigned long long sequence = strtoull(line->which, &end, 10);
    relais_status status = RELAIS_NOT_FOUND;
    if (end != line->which && *end == '\0') {
        status = change_one(outbox, line->task, sequence, error);
    }
    return status == RELAIS_NOT_FOUND
               ? error_set(error, status, line->task == TASK_AGAIN ? "--again" : "--drop",
                           _("a number of the list that --aside prints, or all"), "%s", line->which)
               : status;
}

/* While the adapter is stopped. */
static int tend(const relais_adapter_kind *kind, const struct config *config,
                const struct command_line *line)
{
    struct state *state = NULL;
    struct outbox outbox = {0};
    relais_error error = {.status = RELAIS_OK};
    relais_status status = RELAIS_USAGE;
    if (kind->keeps_nothing) {
        (void)error_set(&error, status, "outbox", NULL, "%s", _("this adapter keeps none"));
    } else {
        uint64_t bytes = (uint64_t)config->common->outbox.megabytes * 1024 * 1024;
        status = state_open(config->common->state, bytes * 2 + UINT64_C(536870912), &state, &error);
    }
    if (status == RELAIS_OK) {
        status = outbox_open(&outbox, state, &error);
    }
    if (status == RELAIS_OK && line->task != TASK_ASIDE) {
        status = change(&outbox, line, &error);
    }
    if (status == RELAIS_OK) {
        status = list_aside(&outbox, &error);
    }
    state_close(state);
    error.status = status;
    return status == RELAIS_OK ? EXIT_SUCCESS : complain(kind, &error);
}

static int check(const relais_adapter_kind *kind, const struct config *config)
{
    relais_profile profile;
    relais_error error = {.status = RELAIS_OK};
    relais_status status = relais_profile_load(config->common->profile, &profile, &error);
    if (status != RELAIS_OK) {
        error.status = status;
        return complain(kind, &error);
    }
    (void)printf(_("%s: fine\n"), config->path);
    return EXIT_SUCCESS;
}

/* ---- the command line ---- */

static void help(const relais_adapter_kind *kind, FILE *out)
{
    (void)fprintf(
        out,
        _("Usage: %s --config FILE [--check | --health | --aside | --again N | --drop N]\n"
          "%s\n"
          "\n"
          "  -c, --config FILE  the configuration (YAML)\n"
          "      --check        check the configuration and exit\n"
          "      --health       exit 0 when the running adapter is connected, else 1\n"
          "      --aside        list what the bus has refused for good (the adapter is stopped)\n"
          "      --again N      send number N of that list again, or all\n"
          "      --drop N       forget number N of that list, or all\n"
          "      --version      print the version and exit\n"
          "  -h, --help         print this and exit\n"
          "\n"
          "Signals: TERM and INT stop, HUP reads the configuration again.\n"
          "Environment: RELAIS_LOG_LEVEL (error, warning, notice, debug), "
          "RELAIS_LOG_FORMAT (logfmt, json).\n"
          "Exit codes: 0 stopped, 1 the environment failed, 2 command line or configuration.\n"),
        kind->name, kind->summary ? _(kind->summary) : "");
}

static void configure_log(void)
{
    enum program_log_level level = LOG_LEVEL_NOTICE;
    const char *wanted = getenv("RELAIS_LOG_LEVEL");
    const char *format = getenv("RELAIS_LOG_FORMAT");
    if (wanted) {
        (void)log_parse_level(wanted, &level);
    }
    log_configure(format && strcmp(format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT,
                  level);
}

/* -1: go on; else the exit code. */
static int read_options(const relais_adapter_kind *kind, int argc, char **argv,
                        struct command_line *line)
{
    enum { OPTION_VERSION = 256, OPTION_TASK };
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, OPTION_TASK + TASK_CHECK},
        {"health", no_argument, NULL, OPTION_TASK + TASK_HEALTH},
        {"aside", no_argument, NULL, OPTION_TASK + TASK_ASIDE},
        {"again", required_argument, NULL, OPTION_TASK + TASK_AGAIN},
        {"drop", required_argument, NULL, OPTION_TASK + TASK_DROP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    for (int option = 0; (option = getopt_long(argc, argv, "c:h", options, NULL)) !=
                         -1;) { /* NOLINT(concurrency-mt-unsafe) */
        if (option == 'c') {
            line->path = optarg;
        } else if (option > OPTION_TASK && option <= OPTION_TASK + TASK_DROP) {
            line->task = (enum task)(option - OPTION_TASK);
            line->which = optarg;
        } else if (option == OPTION_VERSION) {
            (void)printf("%s %s\n", kind->name, kind->version);
            return EXIT_SUCCESS;
        } else {
            help(kind, option == 'h' ? stdout : stderr);
            return option == 'h' ? EXIT_SUCCESS : EXIT_CONFIGURATION;
        }
    }
    if (!line->path || optind < argc) {
        help(kind, stderr);
        return EXIT_CONFIGURATION;
    }
    return -1;
}

static int carry_out(const relais_adapter_kind *kind, const struct command_line *line)
{
    struct config *config = NULL;
    relais_error error = {.status = RELAIS_OK};
    int code = EXIT_SUCCESS;
    relais_status status = config_load(line->path, kind, &config, &error);
    if (status != RELAIS_OK) {
        error.status = status;
        return complain(kind, &error);
    }
    switch (line->task) {
    case TASK_RUN:
        return run(kind, config);
    case TASK_CHECK:
        code = check(kind, config);
        break;
    case TASK_HEALTH:
        code = health(kind, config);
        break;
    default:
        code = tend(kind, config, line);
        break;
    }
    config_free(config);
    return code;
}

int relais_adapter_main(int argc, char **argv, const relais_adapter_kind *kind)
{
    struct command_line line = {.task = TASK_RUN};
    locale_start();
    configure_log();
    int code = read_options(kind, argc, argv, &line);
    if (code >= 0) {
        return code;
    }
    if (sodium_init() < 0) {
        (void)fprintf(stderr, "%s: %s\n", kind->name, _("no source of randomness"));
        return EXIT_ENVIRONMENT;
    }
    return carry_out(kind, &line);
}
