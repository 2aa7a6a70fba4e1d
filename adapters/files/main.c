/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais-files: files of a folder onto the bus, messages of a mailbox into a folder.
 *
 * One thread; the client library's transport has its own. SIGTERM and SIGINT arrive through a
 * descriptor: what is on its way gets its answer, for a few seconds, then the program exits 0.
 * Exit codes: 0 stopped; 1 the environment failed; 2 command line or configuration.
 */
#include "adapters/files/config.h"
#include "adapters/files/folder.h"
#include "adapters/files/inbound.h"
#include "adapters/files/moment.h"
#include "adapters/files/outbound.h"
#include "program/error.h"
#include "program/locale.h"
#include "program/log.h"
#include "program/notify.h"

#include <errno.h>
#include <getopt.h>
#include <relais/version.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_ENVIRONMENT = 1, EXIT_CONFIGURATION = 2, STOP_MS = 5000, TURN_MS = 60000 };

struct program {
    struct config *config;
    relais_client *client;
    struct outbound *outbound;
    struct inbound *inbound;
    int signals;
    bool connected;
    relais_status trouble;
};

static int complain(const relais_error *error)
{
    char text[1024];
    (void)fprintf(stderr, "relais-files: %s\n", relais_error_text(error, text, sizeof text));
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

static relais_status open_signals(int *out_fd, relais_error *error)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    /* before the transport starts its threads, which inherit the mask */
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return error_set_errno(error, "signalfd", errno);
    }
    *out_fd = fd;
    return RELAIS_OK;
}

static relais_status open_parts(struct program *program, relais_error *error)
{
    relais_status status = open_signals(&program->signals, error);
    if (status == RELAIS_OK) {
        status = relais_client_open_profile(program->config->profile, &program->client, error);
    }
    if (status == RELAIS_OK && program->config->outbound) {
        status =
            outbound_open(program->config->outbound, program->client, &program->outbound, error);
    }
    if (status == RELAIS_OK && program->config->inbound) {
        status = inbound_open(program->config->inbound, program->client, &program->inbound, error);
    }
    if (program->outbound) {
        outbound_heed(program->outbound, program->signals);
    }
    if (program->inbound) {
        inbound_heed(program->inbound, program->signals);
    }
    return status;
}

static void close_parts(struct program *program)
{
    inbound_close(program->inbound);
    relais_client_close(program->client);
    outbound_close(program->outbound);
    if (program->signals >= 0) {
        (void)close(program->signals);
    }
    config_free(program->config);
}

/* What would be right when the broker will not have us. */
static const char *remedy_of(relais_status trouble)
{
    switch (trouble) {
    case RELAIS_KEY_REFUSED:
        return "a key that the operator has registered, and the broker's own key, in the profile";
    case RELAIS_KEY_REVOKED:
        return "a key that is registered: ask the operator";
    case RELAIS_VERSION_UNSUPPORTED:
        return "a release that speaks the broker's version";
    default:
        return "";
    }
}

static void say_connection(struct program *program)
{
    relais_session session;
    relais_client_session(program->client, &session);
    if (session.connected != program->connected) {
        program->connected = session.connected;
        LOG(LOG_LEVEL_NOTICE, session.connected ? "bus.connected" : "bus.lost",
            {"member", session.member, 0}, {"client", session.client, 0});
        notify_status(session.connected ? "connected" : "waiting for the broker");
    }
    if (session.trouble != program->trouble) {
        program->trouble = session.trouble;
        if (session.trouble != RELAIS_OK && session.trouble != RELAIS_UNREACHABLE) {
            LOG(LOG_LEVEL_ERROR, "bus.trouble", {"reason", relais_status_name(session.trouble), 0},
                {"profile", program->config->profile, 0},
                {"expected", remedy_of(session.trouble), 0});
        }
    }
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static relais_status step(struct program *program, int64_t *out_wait_ms, relais_error *error)
{
    int64_t wait_ms = TURN_MS;
    int64_t part_ms = 0;
    int64_t watchdog_ms = notify_watchdog_ms();
    notify_watchdog();
    if (watchdog_ms > 0) {
        wait_ms = smaller(wait_ms, watchdog_ms);
    }
    if (program->inbound) {
        relais_status status =
            inbound_step(program->inbound, moment_monotonic_ms(), &part_ms, error);
        if (status != RELAIS_OK) {
            return status;
        }
        wait_ms = smaller(wait_ms, part_ms);
    }
    if (program->outbound) {
        wait_ms = smaller(wait_ms, outbound_step(program->outbound, moment_monotonic_ms()));
    }
    *out_wait_ms = wait_ms;
    return RELAIS_OK;
}

/* Waits for the client, a hint of the folder, or a signal. True: a signal to stop. */
static bool wait_for_more(struct program *program, int64_t wait_ms)
{
    struct pollfd fds[2] = {{.fd = program->signals, .events = POLLIN}};
    size_t count = 1;
    if (program->outbound && outbound_descriptor(program->outbound) >= 0) {
        fds[count++] =
            (struct pollfd){.fd = outbound_descriptor(program->outbound), .events = POLLIN};
    }
    (void)relais_wait(program->client, (int)wait_ms, fds, count);
    say_connection(program);
    return fds[0].revents != 0;
}

static size_t unanswered(const struct program *program)
{
    return (program->outbound ? outbound_unanswered(program->outbound) : 0) +
           (program->inbound ? inbound_unsettled(program->inbound) : 0);
}

static void finish(struct program *program)
{
    int64_t end_ms = moment_monotonic_ms() + STOP_MS;
    LOG(LOG_LEVEL_NOTICE, "adapter.stopping", {"unanswered", NULL, (int64_t)unanswered(program)});
    notify_stopping();
    if (program->outbound) {
        outbound_stop(program->outbound);
    }
    if (program->inbound) {
        inbound_stop(program->inbound);
    }
    while (unanswered(program) > 0 && moment_monotonic_ms() < end_ms) {
        (void)relais_wait(program->client, 50, NULL, 0);
    }
}

static int run(struct program *program)
{
    relais_error error = {.status = RELAIS_OK};
    int64_t wait_ms = 0;
    LOG(LOG_LEVEL_NOTICE, "adapter.ready", {"version", RELAIS_VERSION, 0},
        {"outbound", NULL, program->outbound != NULL}, {"inbound", NULL, program->inbound != NULL});
    notify_ready("waiting for the broker");
    do {
        if (step(program, &wait_ms, &error) != RELAIS_OK) {
            LOG(LOG_LEVEL_ERROR, "adapter.failed", {"reason", relais_status_name(error.status), 0},
                {"system", error.wrong, 0});
            return complain(&error);
        }
    } while (!wait_for_more(program, wait_ms));
    finish(program);
    LOG(LOG_LEVEL_NOTICE, "adapter.stopped", {"unanswered", NULL, (int64_t)unanswered(program)});
    return EXIT_SUCCESS;
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

static relais_status check_folder(const char *path, relais_error *error)
{
    int fd = -1;
    relais_status status = folder_open(path, false, &fd, error);
    if (status == RELAIS_OK) {
        (void)close(fd);
    }
    return status;
}

/* What a start would need, without touching anything: the profile, and the folders that only a
 * person can make. */
static relais_status check_parts(const struct config *config, relais_error *error)
{
    relais_profile profile;
    const struct config_inbound *inbound = config->inbound;
    relais_status status = relais_profile_load(config->profile, &profile, error);
    if (status == RELAIS_OK && config->outbound) {
        status = check_folder(config->outbound->folder, error);
    }
    if (status == RELAIS_OK && inbound && inbound->folder) {
        status = check_folder(inbound->folder, error);
    }
    for (unsigned i = 0; status == RELAIS_OK && inbound && i < inbound->mailbox_count; i++) {
        status = check_folder(inbound->mailboxes[i].folder, error);
    }
    return status;
}

static int start(const char *path, bool check_only)
{
    struct program program = {.signals = -1, .trouble = RELAIS_OK};
    relais_error error = {.status = RELAIS_OK};
    relais_status status = config_load(path, &program.config, &error);
    if (status == RELAIS_OK && check_only) {
        status = check_parts(program.config, &error);
    } else if (status == RELAIS_OK) {
        status = open_parts(&program, &error);
    }
    error.status = status;
    int code = EXIT_SUCCESS;
    if (status != RELAIS_OK) {
        code = complain(&error);
    } else if (check_only) {
        (void)printf(_("%s: fine\n"), path);
    } else {
        code = run(&program);
    }
    close_parts(&program);
    return code;
}

static void help(FILE *out)
{
    (void)fputs(
        _("Usage: relais-files --config FILE [--check]\n"
          "Sends the files of a folder over the bus, and writes what arrives into a folder.\n"
          "\n"
          "  -c, --config FILE  the configuration (YAML)\n"
          "      --check        check the configuration and exit\n"
          "      --version      print the version and exit\n"
          "  -h, --help         print this and exit\n"
          "\n"
          "Environment: RELAIS_LOG_LEVEL (error, warning, notice, debug), "
          "RELAIS_LOG_FORMAT (logfmt, json).\n"
          "Exit codes: 0 stopped, 1 the environment failed, 2 command line or "
          "configuration.\n"
          "Documentation: docs/adapters/files.md\n"),
        out);
}

int main(int argc, char **argv)
{
    enum { OPTION_CHECK = 256, OPTION_VERSION };
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check", no_argument, NULL, OPTION_CHECK},
                                            {"version", no_argument, NULL, OPTION_VERSION},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *path = NULL;
    bool check_only = false;
    locale_start();
    configure_log();
    for (int option = 0; (option = getopt_long(argc, argv, "c:h", options, NULL)) !=
                         -1;) { /* NOLINT(concurrency-mt-unsafe) */
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case OPTION_CHECK:
            check_only = true;
            break;
        case OPTION_VERSION:
            (void)printf("relais-files %s\n", relais_version());
            return EXIT_SUCCESS;
        case 'h':
            help(stdout);
            return EXIT_SUCCESS;
        default:
            help(stderr);
            return EXIT_CONFIGURATION;
        }
    }
    if (!path || optind < argc) {
        help(stderr);
        return EXIT_CONFIGURATION;
    }
    if (sodium_init() < 0) {
        (void)fprintf(stderr, "relais-files: %s\n", _("no source of randomness"));
        return EXIT_ENVIRONMENT;
    }
    return start(path, check_only);
}
