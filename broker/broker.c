/* SPDX-License-Identifier: EUPL-1.2
 *
 * Invariants: 1. rand() is seeded before libzmq has a context; 2. the port is bound last: who can
 * connect is served; 3. our copy of the secret key is wiped as soon as net has it; 4. after
 * anything but a clean end the process leaves at once: what is on disk is consistent, and waiting
 * for a broken disk or for peers helps nobody.
 */
#include "broker/broker.h"

#include "broker/clock.h"
#include "broker/directory_load.h"
#include "broker/loop.h"
#include "broker/process.h"
#include "broker/report.h"
#include "core/core.h"
#include "core/limits.h"
#include "net/net.h"
#include "program/log.h"
#include "program/notify.h"
#include "store/store.h"

#include <relais/key.h>
#include <relais/version.h>
#include <time.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,             /* all members at once after a restart */
    HANDSHAKE_MS = 3000,        /* half a dozen round trips on a bad line */
    FRAME_MARGIN = 1024 * 1024, /* docs/protocol.md, "Transport" */
    COMMAND_MARGIN = 64 * 1024, /* a command rides in front of a body */
    GOODBYE_MS = 1000,          /* to send what is queued on a clean end */
    MIB = 1024 * 1024,
};

static const char software[] = "relaisd/" RELAIS_VERSION;

struct broker {
    const struct config *config;
    uint64_t connections;
    uint64_t seed;
    int signal_fd;
    relais_key key;
    struct clock clock;
    struct store *store;
    struct core *core;
    struct net *net;
};

static int prepare_process(struct broker *broker)
{
    const uint64_t wanted = broker->config->connections;
    uint64_t files = process_raise_files();

    process_guard_signals();
    process_hide_memory();
    broker->signal_fd = process_signal_fd();
    broker->connections = process_connections(files, wanted);
    if (broker->connections == 0) {
        LOG(LOG_LEVEL_ERROR, "process.too_few_files", {"limit", NULL, (int64_t)files},
            {"needed", NULL, (int64_t)process_files_min()},
            {"expected", "a higher limit of open files: LimitNOFILE= or ulimit -n", 0});
        return EXIT_SYSTEM;
    }
    if (broker->connections < wanted) {
        LOG(LOG_LEVEL_WARNING, "process.few_files", {"limit", NULL, (int64_t)files},
            {"connections", NULL, (int64_t)broker->connections}, {"wanted", NULL, (int64_t)wanted});
    }
    if (broker->signal_fd < 0 || !process_seed(&broker->seed)) {
        LOG(LOG_LEVEL_ERROR, "process.no_system",
            {"reason", "no signal descriptor or no randomness", 0});
        return EXIT_SYSTEM;
    }
    return EXIT_DONE;
}

static int load_key(struct broker *broker)
{
    relais_error error = {0};

    if (relais_key_load(broker->config->key, &broker->key, &error) != RELAIS_OK) {
        report_log(NULL, &error);
        return EXIT_CONFIG;
    }
    return EXIT_DONE;
}

static void tell_compaction(const struct store_compaction *compaction)
{
    if (compaction->done) {
        LOG(LOG_LEVEL_NOTICE, "store.compacted",
            {"before_bytes", NULL, (int64_t)compaction->before_bytes},
            {"after_bytes", NULL, (int64_t)compaction->after_bytes});
    } else if (compaction->due) {
        LOG(LOG_LEVEL_WARNING, "store.not_compacted", {"detail", compaction->detail, 0},
            {"bytes", NULL, (int64_t)compaction->before_bytes},
            {"expected", "free room for a copy, then a restart or relaisd --compact-store", 0});
    }
}

static int open_store(struct broker *broker)
{
    const struct config *config = broker->config;
    struct store_settings settings;
    struct store_problem problem = {0};

    store_settings_init(&settings);
    settings.path = config->store_path;
    settings.map_bytes = config->map_size_mb * MIB;
    settings.reserve_bytes = config->reserve_mb * MIB;
    settings.duplicate_window_ms = (int64_t)config->duplicate_window_h * 3600 * 1000;
    settings.upload_keep_ms = (int64_t)config->upload_keep_h * 3600 * 1000;
    settings.duplicate_max = config->duplicate_max;
    settings.redo_bytes = config->redo_mb * MIB;
    settings.backup_path = config->backup_path;
    settings.track_ms = (int64_t)config->track_days * 24 * 3600 * 1000;
    if (!store_open_lmdb(&settings, &broker->store, &problem)) {
        report_store_problem("store.not_opened", &problem);
        return report_store_code(problem.kind);
    }
    tell_compaction(store_compaction(broker->store));
    clock_start(&broker->clock, store_last_time(broker->store));
    return EXIT_DONE;
}

/* Room for two of the largest messages at least, or none would ever leave. */
static uint64_t sending_bytes(const struct config *config)
{
    const uint64_t least = 2 * (config->payload_bytes + FRAME_MARGIN);
    const uint64_t told = config->sending_mb * MIB;

    return told > least ? told : least;
}

/* The core with the directory of the files and the mailboxes of the store. */
static int make_core(struct broker *broker)
{
    const struct config *config = broker->config;
    const struct directory_folders folders = {config->members, config->flows, config->entries};
    const struct directory_listener listener = {.tell = report_log};
    struct directory *directory = directory_load(&folders, &listener);
    struct core_settings settings;
    size_t mailbox_count = 0;

    if (directory == NULL) {
        return EXIT_CONFIG;
    }
    core_settings_init(&settings);
    settings.payload_bytes = (uint32_t)config->payload_bytes;
    settings.stored_bytes = config->stored_payload_bytes;
    settings.lease_ms = (uint32_t)config->lease_s * 1000;
    settings.attempts = (uint32_t)config->attempts;
    settings.retry_ms = (uint32_t)config->retry_s * 1000;
    settings.connections = (uint32_t)broker->connections;
    settings.connections_per_key = (uint32_t)config->connections_per_key;
    settings.storing_bytes = config->storing_mb * MIB;
    settings.sending_bytes = sending_bytes(config);
    settings.quota = (struct quota){.messages = config->quota_messages,
                                    .bytes = config->quota_bytes,
                                    .rate = config->quota_rate,
                                    .burst = config->quota_burst,
                                    .connections = config->quota_connections};
    settings.scrub_days = (uint32_t)config->scrub_days;
    settings.deadlines = true;
    settings.seed = broker->seed;
    settings.trace = config->log_level == LOG_LEVEL_DEBUG;
    settings.software = software;
    const struct stored_mailbox *mailboxes = store_mailboxes(broker->store, &mailbox_count);
    broker->core = core_new(&settings, directory, mailboxes, mailbox_count);
    if (broker->core == NULL) {
        LOG(LOG_LEVEL_ERROR, "broker.no_memory", {"reason", "the core", 0});
        return EXIT_SYSTEM;
    }
    return EXIT_DONE;
}

/* The gatekeeper: called by net in our thread, between two steps of the core. */
static bool admit(void *context, const char *key)
{
    const struct core *core = context;

    return directory_client(core_directory(core), key) != NULL;
}

static int open_net(struct broker *broker)
{
    const uint64_t message_bytes = broker->config->payload_bytes + FRAME_MARGIN;
    const uint64_t batch_bytes = LIMIT_BATCH_BYTES + COMMAND_MARGIN;
    const struct net_settings settings = {
        .endpoint = broker->config->listen,
        .public_key = broker->key.public_key,
        .secret_key = broker->key.secret_key,
        .frame_bytes = message_bytes > batch_bytes ? message_bytes : batch_bytes,
        .backlog = BACKLOG,
        .handshake_ms = HANDSHAKE_MS,
        /* Beyond its share it is told so by the core; without a Hello it never asks the core. */
        .sending_bytes = sending_bytes(broker->config),
        .connections_per_key = 2 * (uint32_t)broker->config->connections_per_key,
        .admit = admit,
        .admit_context = broker->core,
    };
    struct net_problem problem = {0};
    bool opened = net_open(&settings, &broker->net, &problem);

    relais_key_wipe(&broker->key);
    if (!opened) {
        LOG(LOG_LEVEL_ERROR, "net.not_opened", {"endpoint", broker->config->listen, 0},
            {"detail", problem.detail, 0});
        return EXIT_UNAVAILABLE;
    }
    return EXIT_DONE;
}

static void tell_ready(const struct broker *broker, int64_t started_ms)
{
    const struct directory *directory = core_directory(broker->core);
    struct timespec now = {0};
    size_t mailboxes = 0;
    uint64_t waiting = 0;
    const struct stored_mailbox *stored = store_mailboxes(broker->store, &mailboxes);

    for (size_t i = 0; i < mailboxes; i++) {
        waiting += stored[i].waiting;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    LOG(LOG_LEVEL_NOTICE, "broker.ready", {"endpoint", net_endpoint(broker->net), 0},
        {"software", software, 0}, {"members", NULL, (int64_t)directory_members(directory)},
        {"flows", NULL, (int64_t)directory_flows(directory)}, {"waiting", NULL, (int64_t)waiting},
        {"start_ms", NULL, now_ms - started_ms});
    notify_ready("running");
}

static void close_all(struct broker *broker)
{
    net_close(broker->net, GOODBYE_MS);
    core_free(broker->core);
    store_close(broker->store);
    relais_key_wipe(&broker->key);
    if (broker->signal_fd >= 0) {
        (void)close(broker->signal_fd);
    }
    process_show_memory();
}

int broker_run(const struct config *config, int64_t started_ms)
{
    int (*const starts[])(struct broker *) = {prepare_process, load_key, open_store, make_core,
                                              open_net};
    struct broker broker = {.config = config, .signal_fd = -1};
    int code = EXIT_DONE;

    for (size_t i = 0; i < sizeof starts / sizeof starts[0] && code == EXIT_DONE; i++) {
        code = starts[i](&broker);
    }
    if (code != EXIT_DONE) {
        close_all(&broker);
        return code;
    }
    tell_ready(&broker, started_ms);
    code = loop_run(&(struct loop_settings){.config = config,
                                            .net = broker.net,
                                            .core = broker.core,
                                            .store = broker.store,
                                            .clock = &broker.clock,
                                            .signal_fd = broker.signal_fd});
    LOG(code == EXIT_DONE ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR, "broker.ended",
        {"code", NULL, code});
    if (code != EXIT_DONE) {
        relais_key_wipe(&broker.key);
        _exit(code);
    }
    close_all(&broker);
    return code;
}
