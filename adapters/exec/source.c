/* SPDX-License-Identifier: EUPL-1.2
 *
 * See source.h. intake.c makes messages of the lines.
 */
#include "adapters/exec/source.h"

#include "adapters/exec/complaint.h"
#include "adapters/exec/environment.h"
#include "adapters/exec/intake.h"
#include "adapters/exec/jobs.h"
#include "adapters/exec/launch.h"
#include "adapters/exec/moment.h"
#include "program/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    AGAIN_MS = 1000, /* of a command that should run all the time and ended; doubled up to: */
    AGAIN_MS_MAX = 60000,
    LIVED_MS = 60000, /* so long and its end is no failure to start */
    FULL_MS = 1000,   /* the outbox is full */
    IDLE_MS = 60000,
};

struct source {
    relais_adapter *adapter;
    const struct settings_outbound *settings;
    struct launch launch;
    struct intake intake;
    struct process process;
    struct complaint complaint;
    int nothing; /* /dev/null */
    int in;      /* of confirmations; -1: none */
    int out;     /* -1: at its end */
    int err;
    bool reading; /* `out` is watched */
    bool ended;
    bool failed; /* the last run ended with another code than 0 */
    bool stopped;
    int64_t started_ms;
    int64_t due_ms; /* to start */
    int64_t again_ms;
    int64_t full_until_ms;
};

relais_status source_open(relais_adapter *adapter, const struct settings_outbound *settings,
                          struct source **out_source, relais_error *error)
{
    struct source *source = calloc(1, sizeof *source);
    if (!source) {
        return error_set(error, RELAIS_NO_MEMORY, NULL, NULL, "%s", "");
    }
    source->adapter = adapter;
    source->settings = settings;
    source->in = source->out = source->err = source->process.fd = -1;
    source->again_ms = AGAIN_MS;
    source->nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    relais_status status = launch_open(&source->launch, adapter, &settings->run);
    if (status == RELAIS_OK && source->nothing < 0) {
        status = error_set_errno(error, "/dev/null", errno);
    }
    if (status == RELAIS_OK) {
        status = intake_open(&source->intake, adapter, &settings->defaults, source->launch.folder,
                             settings->confirm);
    }
    if (status != RELAIS_OK) {
        source_close(source);
        return status;
    }
    *out_source = source;
    return RELAIS_OK;
}

static void leave(struct source *source, int *fd)
{
    if (*fd >= 0) {
        relais_adapter_unwatch(source->adapter, *fd);
        (void)close(*fd);
        *fd = -1;
    }
}

void source_close(struct source *source)
{
    if (!source) {
        return;
    }
    process_signal(&source->process, SIGKILL);
    relais_adapter_unwatch(source->adapter, source->process.fd);
    (void)process_reap(&source->process);
    leave(source, &source->in);
    leave(source, &source->out);
    leave(source, &source->err);
    if (source->nothing >= 0) {
        (void)close(source->nothing);
    }
    intake_close(&source->intake);
    launch_close(&source->launch);
    free(source);
}

/* ---- what it says ---- */

static void on_output(void *context, int fd, short events);

static void read_on(struct source *source, bool on)
{
    if (source->out < 0 || source->reading == on) {
        return;
    }
    if (!on) {
        relais_adapter_unwatch(source->adapter, source->out);
        source->reading = false;
    } else {
        source->reading = relais_adapter_watch(source->adapter, source->out, POLLIN, on_output,
                                               source) == RELAIS_OK;
    }
}

static void on_output(void *context, int fd, short events)
{
    struct source *source = context;
    (void)events;
    if (intake_read(&source->intake, fd) == INTAKE_END) {
        source->reading = false;
        leave(source, &source->out);
    }
}

static void on_complaint(void *context, int fd, short events)
{
    struct source *source = context;
    (void)events;
    if (!complaint_read(&source->complaint, fd,
                        source->settings->run.pass_stderr ? STDERR_FILENO : -1)) {
        leave(source, &source->err);
    }
}

static void on_room(void *context, int fd, short events)
{
    struct source *source = context;
    (void)fd;
    (void)events;
    (void)source; /* the next poll writes */
}

static void confirm(struct source *source)
{
    if (source->in < 0) {
        intake_forget_words(&source->intake);
    } else if (!intake_say(&source->intake, source->in)) {
        leave(source, &source->in); /* it does not listen any more */
    } else if (intake_has_words(&source->intake)) {
        if (relais_adapter_watch(source->adapter, source->in, POLLOUT, on_room, source) !=
            RELAIS_OK) {
            leave(source, &source->in);
        }
    } else {
        relais_adapter_unwatch(source->adapter, source->in);
    }
}

/* ---- its beginning and its end ---- */

static void on_end(void *context, int fd, short events)
{
    struct source *source = context;
    (void)events;
    relais_adapter_unwatch(source->adapter, fd);
    int status = process_reap(&source->process);
    int64_t lived_ms = moment_monotonic_ms() - source->started_ms;
    source->ended = true;
    source->failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    source->again_ms = lived_ms >= LIVED_MS ? AGAIN_MS : source->again_ms;
    if (source->failed) {
        const relais_adapter_field fields[] = {
            {"outcome", WIFEXITED(status) ? "exit" : "signal", 0},
            {"code", NULL, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)},
            {"ms", NULL, lived_ms}};
        relais_adapter_count(source->adapter, COUNTER_FAILURES, 1);
        relais_adapter_log(RELAIS_ADAPTER_WARNING, "source.ended", fields, 3);
    }
    /* nobody of its group writes any more: what is in the pipe is all there is */
    read_on(source, false);
    leave(source, &source->in);
}

static bool make_pipes(struct source *source, int fds[3])
{
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    bool made = pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0 &&
                (!source->settings->confirm || pipe2(in, O_CLOEXEC) == 0);
    fds[0] = source->settings->confirm ? in[0] : source->nothing;
    fds[1] = out[1];
    fds[2] = err[1];
    source->in = in[1];
    source->out = out[0];
    source->err = err[0];
    const int ours[] = {in[1], out[0], err[0]};
    for (size_t i = 0; made && i < sizeof ours / sizeof ours[0]; i++) {
        made = ours[i] < 0 || fcntl(ours[i], F_SETFL, O_NONBLOCK) == 0;
    }
    return made;
}

static int launch(struct source *source)
{
    int fds[3];
    struct environment environment;
    bool made = make_pipes(source, fds);
    environment_begin(&environment, source->settings->run.environment,
                      source->settings->run.environment_count);
    int number = ENOMEM;
    if (made && !environment.failed) {
        number = launch_start(&source->launch, environment.list, fds, &source->process);
    }
    environment_fini(&environment);
    for (size_t i = source->settings->confirm ? 0 : 1; i < 3; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    return number;
}

static void start(struct source *source, int64_t now_ms)
{
    source->started_ms = now_ms;
    source->ended = false;
    source->complaint = (struct complaint){.size = 0};
    relais_adapter_count(source->adapter, COUNTER_RUNS, 1);
    int number = launch(source);
    if (number == 0 &&
        relais_adapter_watch(source->adapter, source->process.fd, POLLIN, on_end, source) ==
            RELAIS_OK &&
        relais_adapter_watch(source->adapter, source->err, POLLIN, on_complaint, source) ==
            RELAIS_OK) {
        read_on(source, true);
        return;
    }
    process_signal(&source->process, SIGKILL);
    (void)process_reap(&source->process);
    leave(source, &source->in);
    leave(source, &source->out);
    leave(source, &source->err);
    source->ended = true;
    source->failed = true;
}

/* When it starts next. */
static void plan(struct source *source, int64_t now_ms)
{
    int64_t every_ms = (int64_t)source->settings->every_s * 1000;
    if (every_ms > 0) {
        source->due_ms = source->started_ms + every_ms;
        return;
    }
    source->due_ms = now_ms + source->again_ms;
    source->again_ms = source->again_ms * 2 < AGAIN_MS_MAX ? source->again_ms * 2 : AGAIN_MS_MAX;
}

static bool is_idle(const struct source *source)
{
    return source->process.pid == 0 && !source->ended;
}

static void come_again(int64_t *wait_ms, int64_t after_ms)
{
    after_ms = after_ms > 0 ? after_ms : 0;
    *wait_ms = after_ms < *wait_ms ? after_ms : *wait_ms;
}

/* The rest of the pipe of a command that has ended. */
static void drain(struct source *source)
{
    if (source->out >= 0 && intake_has_room(&source->intake) &&
        intake_read(&source->intake, source->out) != INTAKE_MORE) {
        leave(source, &source->out);
    }
    if (source->out < 0) {
        intake_end(&source->intake, !source->failed);
    }
}

/* Lines become messages. */
static relais_status take(struct source *source, int64_t now_ms, int64_t *wait_ms,
                          relais_error *error)
{
    if (now_ms < source->full_until_ms) {
        come_again(wait_ms, source->full_until_ms - now_ms);
        return RELAIS_OK;
    }
    relais_status status = intake_take(&source->intake, error);
    if (status == RELAIS_STORE_FULL || status == RELAIS_NO_MEMORY) {
        source->full_until_ms = now_ms + FULL_MS;
        come_again(wait_ms, FULL_MS);
        status = RELAIS_OK;
    }
    return status;
}

relais_status source_poll(struct source *source, int64_t *out_wait_ms, relais_error *error)
{
    int64_t now_ms = moment_monotonic_ms();
    if (is_idle(source) && !source->stopped) {
        if (now_ms >= source->due_ms) {
            start(source, now_ms);
        } else {
            come_again(out_wait_ms, source->due_ms - now_ms);
        }
    }
    if (source->ended) {
        drain(source);
    }
    relais_status status = take(source, now_ms, out_wait_ms, error);
    if (status != RELAIS_OK) {
        return status;
    }
    confirm(source);
    if (!source->ended) {
        read_on(source, intake_has_room(&source->intake));
    } else if (source->out >= 0 || intake_has_lines(&source->intake)) {
        come_again(out_wait_ms, now_ms < source->full_until_ms ? FULL_MS : 0);
    } else {
        leave(source, &source->err);
        source->ended = false;
        plan(source, now_ms);
        come_again(out_wait_ms, source->due_ms - now_ms);
    }
    return RELAIS_OK;
}

void source_stop(struct source *source)
{
    source->stopped = true;
    process_signal(&source->process, SIGTERM);
    leave(source, &source->in); /* the end of its input says so too */
}

bool source_is_busy(const struct source *source)
{
    return source->process.pid > 0 || source->ended;
}
