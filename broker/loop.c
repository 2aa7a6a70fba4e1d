/* SPDX-License-Identifier: EUPL-1.2
 *
 * Invariants:
 *   1. The work of a turn is bounded: EVENTS_A_TURN and EFFECT_BYTES_A_TURN from the network,
 *      RESULTS_A_TURN from the store.
 *   2. After a failure of the store nothing more is sent: it is looked at before effects are
 *      carried out.
 *   3. All STORE effects of a turn go to the store in one batch, in their order.
 *   4. The watchdog is only fed while turns end and the disk answers.
 *   5. A drain ends within DRAIN_MS, a second signal ends it at once.
 */
#include "broker/loop.h"

#include "broker/carry.h"
#include "broker/directory_load.h"
#include "broker/process.h"
#include "broker/pulse.h"
#include "broker/report.h"
#include "program/log.h"
#include "program/notify.h"

#include <signal.h>
#include <string.h>

enum {
    EVENTS_A_TURN = 256, /* from the network: some milliseconds of work */
    /* Nor more, once they have made so many bytes of effects: a Submit of a thousand messages, each
     * refused with its reasons, makes a megabyte. */
    EFFECT_BYTES_A_TURN = 8 * 1024 * 1024,
    RESULTS_A_TURN = 256, /* from the store */
    DRAIN_MS = 10 * 1000, /* a service manager waits 90 s; a disk that takes longer is broken */
    STORE_SIZE_MS = 1000, /* how old the size in Status may be */
    TIGHT_LOOK_MS = 5,    /* a fast client reads a megabyte in that */
};

enum { FD_STORE, FD_SIGNAL, FD_COUNT };

struct loop {
    const struct loop_settings *with;
    struct effects effects;
    struct carry carry;
    struct pulse pulse;
    struct moment now;
    int64_t store_size_ms; /* when the size was told last */
    int64_t drain_end_ms;  /* monotonic; 0: not draining */
    bool unread;           /* the network had more than a turn takes */
    bool ended;
    int code;
};

static void end(struct loop *loop, int code)
{
    loop->ended = true;
    loop->code = code;
}

static void step(struct loop *loop, struct event *event)
{
    core_step(loop->with->core, loop->now, event, &loop->effects);
}

/* A drop of log lines as large as the number of strangers at the door helps nobody: net gathers
 * refusals, this is one line for each that it gives out. */
static void log_refusal(const struct net_event *event)
{
    LOG(LOG_LEVEL_WARNING, "net.refused", {"reason", event->reason, 0});
}

static void take_network(struct loop *loop)
{
    unsigned taken = 0;

    loop->unread = false;
    for (; taken < EVENTS_A_TURN && loop->effects.memory.used < EFFECT_BYTES_A_TURN; taken++) {
        struct net_event heard;
        struct event event = {.kind = EVENT_FRAMES};

        net_next(loop->with->net, &heard);
        if (heard.kind == NET_NOTHING) {
            return;
        }
        if (heard.kind == NET_REFUSED) {
            log_refusal(&heard);
            continue;
        }
        if (heard.kind == NET_CLOSED) {
            event.kind = EVENT_CLOSED;
            event.closed = heard.connection;
        } else {
            event.frames.connection = heard.connection;
            event.frames.key = heard.key;
            event.frames.frames = heard.frames;
            event.frames.buffers = heard.buffers;
            event.frames.frame_count = heard.frame_count;
        }
        step(loop, &event);
    }
    loop->unread = true;
}

static void take_results(struct loop *loop)
{
    struct store_result results[RESULTS_A_TURN];
    size_t count = store_collect(loop->with->store, results, RESULTS_A_TURN);

    for (size_t i = 0; i < count; i++) {
        struct event event = {.kind = EVENT_STORED, .stored = results[i]};

        step(loop, &event);
    }
}

static void reload(struct loop *loop)
{
    const struct config *config = loop->with->config;
    const struct directory_folders folders = {config->members, config->flows, config->entries};
    const struct directory_listener listener = {.tell = report_log, .context = NULL};
    struct directory *directory = NULL;

    notify_reloading();
    directory = directory_load(&folders, &listener);
    if (directory == NULL) {
        LOG(LOG_LEVEL_ERROR, "directory.kept",
            {"reason", "the files have errors; the directory stays as it was", 0});
    } else {
        struct event event = {.kind = EVENT_DIRECTORY, .directory = directory};

        step(loop, &event);
    }
    notify_ready(directory == NULL ? "running; the last reload failed" : "running");
}

static void drain(struct loop *loop, int signal_number)
{
    struct event event = {.kind = EVENT_DRAIN};

    if (loop->drain_end_ms != 0) {
        LOG(LOG_LEVEL_WARNING, "broker.cut_short", {"signal", NULL, signal_number});
        end(loop, EXIT_FINDINGS);
        return;
    }
    LOG(LOG_LEVEL_NOTICE, "broker.draining", {"signal", NULL, signal_number});
    notify_stopping();
    loop->drain_end_ms = loop->now.mono_ms + DRAIN_MS;
    step(loop, &event);
}

static void take_signals(struct loop *loop)
{
    for (int number = process_next_signal(loop->with->signal_fd); number != 0;
         number = process_next_signal(loop->with->signal_fd)) {
        if (number == SIGHUP) {
            reload(loop);
        } else {
            drain(loop, number);
        }
    }
}

static void take_time(struct loop *loop)
{
    int64_t wake_ms = loop->effects.wake_mono_ms;

    if (wake_ms > 0 && wake_ms <= loop->now.mono_ms) {
        struct event event = {.kind = EVENT_TIME};

        step(loop, &event);
    }
}

static void read_clock(struct loop *loop)
{
    int64_t behind_ms = 0;

    loop->now = clock_now(loop->with->clock, &behind_ms);
    if (behind_ms > 0) {
        LOG(LOG_LEVEL_WARNING, "clock.back", {"behind_ms", NULL, behind_ms});
    }
    if (loop->now.mono_ms - loop->store_size_ms >= STORE_SIZE_MS) {
        uint64_t used = 0;
        uint64_t limit = 0;

        store_size(loop->with->store, &used, &limit);
        core_note_store_size(loop->with->core, used, limit);
        loop->store_size_ms = loop->now.mono_ms;
    }
}

/* True when the store is whole. */
static bool store_is_well(struct loop *loop)
{
    struct store_problem problem = {0};

    if (!store_failed(loop->with->store, &problem)) {
        return true;
    }
    report_store_problem("store.failed", &problem);
    end(loop, EXIT_STORE);
    return false;
}

/* Carries out what the steps of this turn want. */
static void finish_turn(struct loop *loop)
{
    core_note_unsent(loop->with->core, net_unsent(loop->with->net));
    core_flush(loop->with->core, loop->now, &loop->effects);
    if (loop->effects.failed) {
        LOG(LOG_LEVEL_ERROR, "broker.no_memory",
            {"reason", "the core could not say all that is to be done", 0});
        end(loop, EXIT_SYSTEM);
        return;
    }
    if (!store_is_well(loop)) {
        return;
    }
    if (!carry_out(&loop->carry, &loop->effects, loop->with->net, loop->with->store)) {
        LOG(LOG_LEVEL_ERROR, "broker.no_memory", {"reason", "no room for the store's batch", 0});
        end(loop, EXIT_SYSTEM);
    }
    effects_clear(&loop->effects);
}

static void finish_drain(struct loop *loop)
{
    if (loop->drain_end_ms == 0 || loop->ended) {
        return;
    }
    if (!core_is_storing(loop->with->core)) {
        end(loop, EXIT_DONE);
    } else if (loop->now.mono_ms >= loop->drain_end_ms) {
        LOG(LOG_LEVEL_ERROR, "broker.drain_timeout", {"after_ms", NULL, DRAIN_MS});
        end(loop, EXIT_STORE);
    }
}

static int earlier(int timeout_ms, int64_t at_ms, int64_t now_ms)
{
    int64_t wait_ms = at_ms - now_ms;

    if (at_ms <= 0) {
        return timeout_ms;
    }
    wait_ms = wait_ms < 0 ? 0 : wait_ms;
    return timeout_ms < 0 || wait_ms < timeout_ms ? (int)wait_ms : timeout_ms;
}

static int how_long(const struct loop *loop)
{
    int64_t now_ms = loop->now.mono_ms;
    int timeout_ms = -1;

    if (loop->unread) {
        return 0;
    }
    if (core_is_tight(loop->with->core)) {
        timeout_ms = TIGHT_LOOK_MS; /* nothing tells when clients have read */
    }
    timeout_ms = earlier(timeout_ms, loop->effects.wake_mono_ms, now_ms);
    timeout_ms = earlier(timeout_ms, loop->drain_end_ms, now_ms);
    return earlier(timeout_ms, pulse_next_ms(&loop->pulse), now_ms);
}

static void turn(struct loop *loop)
{
    const int fds[FD_COUNT] = {
        [FD_STORE] = store_event_fd(loop->with->store), [FD_SIGNAL] = loop->with->signal_fd};
    bool ready[FD_COUNT] = {false};

    (void)net_wait(loop->with->net, fds, FD_COUNT, ready, how_long(loop));
    read_clock(loop);
    if (ready[FD_SIGNAL]) {
        take_signals(loop);
    }
    if (ready[FD_STORE]) {
        if (!store_is_well(loop)) {
            return;
        }
        take_results(loop);
    }
    take_network(loop);
    take_time(loop);
    if (!loop->ended) {
        finish_turn(loop);
    }
    finish_drain(loop);
    pulse_beat(&loop->pulse, loop->with->store, loop->now.mono_ms);
}

int loop_run(const struct loop_settings *settings)
{
    struct loop loop = {.with = settings};

    effects_init(&loop.effects);
    carry_init(&loop.carry);
    read_clock(&loop);
    pulse_start(&loop.pulse, notify_watchdog_ms(), loop.now.mono_ms);
    finish_turn(&loop); /* the core may want to be woken though nobody ever speaks */
    while (!loop.ended) {
        turn(&loop);
    }
    effects_fini(&loop.effects);
    carry_fini(&loop.carry);
    return loop.code;
}
