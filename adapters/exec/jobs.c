/* SPDX-License-Identifier: EUPL-1.2
 *
 * See jobs.h.
 */
#include "adapters/exec/jobs.h"

#include "adapters/exec/complaint.h"
#include "adapters/exec/launch.h"
#include "adapters/exec/metadata.h"
#include "adapters/exec/moment.h"
#include "adapters/exec/workspace.h"
#include "program/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REASON_BYTES = 64 };

struct waiting {
    struct waiting *next;
    relais_adapter_item *item;
};

struct job {
    struct jobs *jobs;
    relais_adapter_item *item; /* NULL: free */
    struct process process;
    struct workspace workspace;
    struct complaint complaint;
    int err; /* -1: at its end */
    int64_t deadline_ms;
    int64_t started_ms;
    bool asked; /* to stop */
    bool timed_out;
};

struct jobs {
    relais_adapter *adapter;
    const struct settings_inbound *settings;
    struct launch launch;
    char folder[WORKSPACE_PATH_BYTES]; /* of the workspaces */
    int nothing;                       /* /dev/null */
    struct job *places;                /* settings->concurrency */
    struct waiting *first;
    struct waiting **last;
    bool stopped;
};

/* ---- opening ---- */

relais_status jobs_open(relais_adapter *adapter, const struct settings_inbound *settings,
                        struct jobs **out_jobs, relais_error *error)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (!jobs) {
        return error_set(error, RELAIS_NO_MEMORY, NULL, NULL, "%s", "");
    }
    jobs->adapter = adapter;
    jobs->settings = settings;
    jobs->last = &jobs->first;
    jobs->nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    jobs->places = calloc(settings->concurrency, sizeof *jobs->places);
    for (uint32_t i = 0; jobs->places && i < settings->concurrency; i++) {
        jobs->places[i] = (struct job){.jobs = jobs, .workspace = {.fd = -1}, .err = -1};
    }
    relais_status status = launch_open(&jobs->launch, adapter, &settings->run);
    if (status == RELAIS_OK && (!jobs->places || jobs->nothing < 0)) {
        status = RELAIS_NO_MEMORY;
    }
    if (status == RELAIS_OK) {
        int length = snprintf(jobs->folder, sizeof jobs->folder, "%s/jobs",
                              relais_adapter_state_folder(adapter));
        int number =
            length < (int)sizeof jobs->folder ? workspace_prepare(jobs->folder) : ENAMETOOLONG;
        status = number == 0 ? RELAIS_OK : error_set_errno(error, jobs->folder, number);
    }
    if (status != RELAIS_OK) {
        jobs_close(jobs);
        return status;
    }
    *out_jobs = jobs;
    return RELAIS_OK;
}

static void leave_complaint(struct job *job)
{
    if (job->err >= 0) {
        relais_adapter_unwatch(job->jobs->adapter, job->err);
        (void)close(job->err);
        job->err = -1;
    }
}

/* After its command has ended, or was never there. */
static int clear(struct job *job)
{
    relais_adapter_unwatch(job->jobs->adapter, job->process.pid > 0 ? job->process.fd : -1);
    int status = process_reap(&job->process);
    leave_complaint(job);
    workspace_remove(&job->workspace);
    *job = (struct job){.jobs = job->jobs, .workspace = {.fd = -1}, .err = -1};
    return status;
}

static relais_adapter_item *next_waiting(struct jobs *jobs)
{
    struct waiting *waiting = jobs->first;
    relais_adapter_item *item = waiting ? waiting->item : NULL;
    if (waiting) {
        jobs->first = waiting->next;
        jobs->last = jobs->first ? jobs->last : &jobs->first;
        free(waiting);
    }
    return item;
}

void jobs_close(struct jobs *jobs)
{
    if (!jobs) {
        return;
    }
    for (uint32_t i = 0; jobs->places && i < jobs->settings->concurrency; i++) {
        process_signal(&jobs->places[i].process, SIGKILL);
        (void)clear(&jobs->places[i]);
    }
    while (next_waiting(jobs)) {
    }
    if (jobs->nothing >= 0) {
        (void)close(jobs->nothing);
    }
    launch_close(&jobs->launch);
    free(jobs->places);
    free(jobs);
}

/* ---- the end of a command ---- */

static void say_end(const struct job *job, const char *outcome, int code)
{
    const relais_adapter_field fields[] = {
        {"id", relais_adapter_message(job->item)->id, 0},
        {"outcome", outcome, 0},
        {"code", NULL, code},
        {"ms", NULL, moment_monotonic_ms() - job->started_ms},
        {"attempt", NULL, relais_adapter_attempt(job->item)},
    };
    bool fine = strcmp(outcome, "done") == 0;
    relais_adapter_log(fine ? RELAIS_ADAPTER_DEBUG : RELAIS_ADAPTER_WARNING, "command.ended",
                       fields, sizeof fields / sizeof fields[0]);
}

/* Everything that waits goes back too: the next command would say the same. */
static void give_back_waiting(struct jobs *jobs, const char *reason)
{
    for (relais_adapter_item *item = next_waiting(jobs); item; item = next_waiting(jobs)) {
        relais_adapter_unavailable(item, reason);
    }
}

static void answer_later(struct job *job, const char *reason)
{
    relais_adapter_count(job->jobs->adapter, COUNTER_FAILURES, 1);
    relais_adapter_later(job->item, 0, reason);
}

static void answer_exit(struct job *job, int code)
{
    const struct settings_inbound *settings = job->jobs->settings;
    char reason[REASON_BYTES];
    (void)snprintf(reason, sizeof reason, "command ended with exit code %d", code);
    if (code == 0) {
        say_end(job, "done", code);
        relais_adapter_done(job->item);
    } else if (code == (int)settings->refuse_code) {
        const char *said = complaint_text(&job->complaint);
        say_end(job, "refused", code);
        relais_adapter_refuse(job->item, said[0] != '\0' ? said : reason);
    } else if (code == (int)settings->unavailable_code || code == PROCESS_NOT_FOUND ||
               code == PROCESS_NOT_STARTED) {
        say_end(job, "unavailable", code);
        relais_adapter_unavailable(job->item, reason);
        give_back_waiting(job->jobs, reason);
    } else {
        say_end(job, "later", code);
        answer_later(job, reason);
    }
}

static void finish(struct job *job)
{
    struct job ended = *job; /* what is said of it lives longer than the process */
    char reason[REASON_BYTES];
    if (job->err >= 0) {
        (void)complaint_read(&job->complaint, job->err, -1); /* the last words */
    }
    ended.complaint = job->complaint;
    job->item = NULL;
    int status = clear(job);
    if (ended.timed_out) {
        relais_adapter_count(ended.jobs->adapter, COUNTER_TIMEOUTS, 1);
        say_end(&ended, "timeout", -1);
        answer_later(&ended, "command took too long");
    } else if (WIFEXITED(status)) {
        answer_exit(&ended, WEXITSTATUS(status));
    } else {
        (void)snprintf(reason, sizeof reason, "command ended by signal %d", WTERMSIG(status));
        say_end(&ended, "signal", WTERMSIG(status));
        answer_later(&ended, reason);
    }
}

static void on_end(void *context, int fd, short events)
{
    (void)fd;
    (void)events;
    finish(context);
}

static void on_complaint(void *context, int fd, short events)
{
    struct job *job = context;
    int copy = job->jobs->settings->run.pass_stderr ? STDERR_FILENO : -1;
    (void)events;
    if (!complaint_read(&job->complaint, fd, copy)) {
        leave_complaint(job);
    }
}

/* ---- the beginning ---- */

/* Writes payload and metadata. False: *out_status says why not. */
static bool write_files(struct job *job, const struct metadata_places *places, int *out_payload,
                        int *out_metadata, relais_status *out_status)
{
    relais_error error = {.status = RELAIS_OK};
    char *text = metadata_text(job->item, places);
    *out_payload = workspace_create(&job->workspace, "payload");
    *out_metadata = workspace_create(&job->workspace, "metadata.json");
    *out_status = *out_payload >= 0 && *out_metadata >= 0 ? RELAIS_OK : RELAIS_STORE_FULL;
    if (*out_status == RELAIS_OK && !text) {
        *out_status = RELAIS_FIELD_INVALID;
    }
    if (*out_status == RELAIS_OK &&
        pwrite(*out_metadata, text, strlen(text), 0) != (ssize_t)strlen(text)) {
        *out_status = RELAIS_STORE_FULL;
    }
    if (*out_status == RELAIS_OK) {
        *out_status = relais_adapter_write_payload(job->item, *out_payload, &error);
    }
    free(text);
    return *out_status == RELAIS_OK;
}

static int start(struct job *job, const struct metadata_places *places, int payload, int metadata)
{
    const struct settings_inbound *settings = job->jobs->settings;
    struct environment environment;
    int pipe_fds[2] = {-1, -1};
    int in = settings->input == SETTINGS_PAYLOAD ? payload : metadata;
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return errno;
    }
    (void)fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    job->err = pipe_fds[0];
    environment_begin(&environment, settings->run.environment, settings->run.environment_count);
    metadata_variables(job->item, places, &environment);
    const int fds[3] = {settings->input == SETTINGS_NOTHING ? job->jobs->nothing : in,
                        job->jobs->nothing, pipe_fds[1]};
    int number = environment.failed
                     ? ENOMEM
                     : launch_start(&job->jobs->launch, environment.list, fds, &job->process);
    environment_fini(&environment);
    (void)close(pipe_fds[1]);
    if (number == 0 && (relais_adapter_watch(job->jobs->adapter, job->process.fd, POLLIN, on_end,
                                             job) != RELAIS_OK ||
                        relais_adapter_watch(job->jobs->adapter, job->err, POLLIN, on_complaint,
                                             job) != RELAIS_OK)) {
        process_signal(&job->process, SIGKILL);
        number = EMFILE;
    }
    return number;
}

static int prepare_and_start(struct job *job, relais_status *out_status)
{
    char payload_path[WORKSPACE_PATH_BYTES + 16];
    char metadata_path[WORKSPACE_PATH_BYTES + 16];
    int payload = -1;
    int metadata = -1;
    int number = workspace_make(job->jobs->folder, &job->workspace);
    if (number != 0) {
        return number;
    }
    (void)snprintf(payload_path, sizeof payload_path, "%s/payload", job->workspace.path);
    (void)snprintf(metadata_path, sizeof metadata_path, "%s/metadata.json", job->workspace.path);
    const struct metadata_places places = {payload_path, metadata_path, job->workspace.path};
    if (write_files(job, &places, &payload, &metadata, out_status)) {
        number = start(job, &places, payload, metadata);
    }
    if (payload >= 0) {
        (void)close(payload);
    }
    if (metadata >= 0) {
        (void)close(metadata);
    }
    return number;
}

/* The answer when no command could be started for it. */
static void not_started(struct job *job, relais_status status, int number)
{
    relais_adapter_item *item = job->item;
    struct jobs *jobs = job->jobs;
    job->item = NULL;
    (void)clear(job);
    if (number != 0 || status == RELAIS_STORE_FULL || status == RELAIS_SYSTEM) {
        relais_adapter_unavailable(item, "no command could be started");
        give_back_waiting(jobs, "no command could be started");
    } else if (status == RELAIS_DIGEST_MISMATCH || status == RELAIS_FIELD_INVALID) {
        relais_adapter_refuse(item, status == RELAIS_FIELD_INVALID
                                        ? "the envelope holds a text that is not UTF-8"
                                        : "the payload is not the one that the envelope describes");
    } else {
        relais_adapter_later(item, 0, "payload not fetched");
    }
}

static void begin(struct job *job, relais_adapter_item *item)
{
    relais_status status = RELAIS_OK;
    job->item = item;
    job->started_ms = moment_monotonic_ms();
    job->deadline_ms = job->started_ms + (int64_t)job->jobs->settings->timeout_s * 1000;
    relais_adapter_count(job->jobs->adapter, COUNTER_RUNS, 1);
    int number = prepare_and_start(job, &status);
    if (number != 0 || status != RELAIS_OK) {
        not_started(job, status, number);
    }
}

/* ---- the adapter's calls ---- */

static void start_waiting(struct jobs *jobs)
{
    for (uint32_t i = 0; i < jobs->settings->concurrency && jobs->first && !jobs->stopped; i++) {
        if (!jobs->places[i].item) {
            begin(&jobs->places[i], next_waiting(jobs));
        }
    }
}

void jobs_take(struct jobs *jobs, relais_adapter_item *item)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);
    if (!waiting) {
        relais_adapter_later(item, 0, "no memory");
        return;
    }
    waiting->item = item;
    *jobs->last = waiting;
    jobs->last = &waiting->next;
    start_waiting(jobs);
}

static void come_again(int64_t *wait_ms, int64_t after_ms)
{
    after_ms = after_ms > 0 ? after_ms : 0;
    *wait_ms = after_ms < *wait_ms ? after_ms : *wait_ms;
}

static void end_when_due(struct job *job, int64_t now_ms, int64_t *wait_ms)
{
    if (now_ms >= job->deadline_ms) {
        process_signal(&job->process, job->asked ? SIGKILL : SIGTERM);
        job->asked = true;
        job->timed_out = true;
        job->deadline_ms = now_ms + JOBS_KILL_MS;
    }
    come_again(wait_ms, job->deadline_ms - now_ms);
}

void jobs_poll(struct jobs *jobs, int64_t *out_wait_ms)
{
    start_waiting(jobs);
    int64_t now_ms = moment_monotonic_ms();
    for (uint32_t i = 0; i < jobs->settings->concurrency; i++) {
        struct job *job = &jobs->places[i];
        if (job->item) {
            end_when_due(job, now_ms, out_wait_ms);
        } else if (jobs->first && !jobs->stopped) {
            come_again(out_wait_ms, 0);
        }
    }
}

void jobs_stop(struct jobs *jobs)
{
    jobs->stopped = true;
    for (relais_adapter_item *item = next_waiting(jobs); item; item = next_waiting(jobs)) {
        relais_adapter_give_back(item);
    }
}
