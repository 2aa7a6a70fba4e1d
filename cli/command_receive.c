/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais receive: takes messages out of a mailbox, or looks at them.
 *
 *   1. A message is acknowledged only when it has left: written and flushed to stdout, or a file on
 *      disk.
 *   2. Without --ack every message is held until the end, then given back: each is seen once, and
 *      looking does not count as an attempt to deliver.
 */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/large_file.h"
#include "cli/message_json.h"
#include "cli/progress.h"
#include "cli/received_file.h"
#include "cli/session.h"
#include "cli/stopwatch.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <errno.h>
#include <relais/directory.h>
#include <relais/receive.h>
#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_TIMEOUT_S = 2,
    CONNECT_TIMEOUT_S = 10,
    WAIT_SLICE_MS = 250,
    SILENCE_MS = 60000, /* of the broker, while a large payload comes */
    SETTLE_MS = 10000,  /* how long to wait for the broker to note acknowledgements */
    CREDIT = 64,        /* with --ack: enough to keep the line busy, few to give back */
    PEEK_MAX = 100,     /* without: all are held in memory, and within one lease */
    PATH_BYTES = 4096,
};

#define COUNT_MAX 1000000000U

struct receiving {
    const struct invocation *invocation;
    struct session session;
    struct interrupt interrupt;
    struct progress progress;
    relais_consumer *consumer;
    const char *folder; /* NULL: stdout */
    bool ack;
    bool follow;
    uint64_t wanted; /* 0: whatever there is */
    uint64_t taken;
    size_t unsettled;    /* acknowledgements without an answer, at the last look */
    size_t lost;         /* and those that will never have one */
    uint64_t reconnects; /* at the last look */
    int64_t idle_ms;     /* how long to wait for a message; -1: for ever */
    int64_t active_ms;   /* when the last one came */
    relais_delivery *held[PEEK_MAX];
    size_t held_count;
    uint64_t shown; /* of a large payload, as progress */
};

/* How far a large payload is; false when it is time to stop. */
static bool on_progress(void *context, uint64_t done, uint64_t total)
{
    struct receiving *receiving = context;
    (void)total;
    receiving->active_ms = stopwatch_ms();
    receiving->progress.done_bytes += done - receiving->shown;
    receiving->shown = done;
    progress_show(&receiving->progress);
    return !interrupt_came(&receiving->interrupt);
}

static struct large_file large_file(struct receiving *receiving)
{
    return (struct large_file){.client = receiving->session.client,
                               .timeout_ms = SILENCE_MS,
                               .progress = on_progress,
                               .context = receiving};
}

static uint64_t payload_size(const relais_delivery *delivery)
{
    uint64_t stored = relais_delivery_stored_bytes(delivery);
    return stored > 0 ? stored : relais_delivery_message(delivery)->payload.size;
}

static relais_status write_stdout(const relais_message *message, relais_error *error)
{
    if (fwrite(message->payload.data, 1, message->payload.size, stdout) != message->payload.size ||
        fflush(stdout) != 0) {
        return talk_fill_errno(error, errno, "stdout");
    }
    return RELAIS_OK;
}

/* For people: where it is; on stderr, what it is. */
static void tell(const struct receiving *receiving, const relais_delivery *delivery,
                 const char *path)
{
    enum { SIZE_TEXT = 32, NAME_TEXT = 256 };
    const relais_message *message = relais_delivery_message(delivery);
    const char *name = relais_message_extension(message, "filename");
    char size[SIZE_TEXT];
    char shown[PATH_BYTES];
    output_bytes_text(payload_size(delivery), size, sizeof(size));
    if (path) {
        printf("%s\n", output_clean(path, shown, sizeof(shown)));
        return;
    }
    char clean[NAME_TEXT];
    const char *sender = relais_delivery_sender(delivery);
    talk_note(&receiving->invocation->output, _("%s  from %s  %s  %s"), message->id,
              *sender ? sender : message->source, size,
              output_clean(name ? name : "", clean, sizeof(clean)));
}

/* Into the folder, whole or in chunks. */
static relais_status save(struct receiving *receiving, relais_delivery *delivery, char *out_path,
                          relais_error *error)
{
    const struct large_file large = large_file(receiving);
    if (relais_delivery_stored_bytes(delivery) == 0) {
        return received_file_save(relais_delivery_message(delivery), receiving->folder, out_path,
                                  PATH_BYTES, error);
    }
    return large_file_save(&large, delivery, receiving->folder, out_path, PATH_BYTES, error);
}

/* The payload to stdout. */
static relais_status print(struct receiving *receiving, relais_delivery *delivery,
                           relais_error *error)
{
    const struct large_file large = large_file(receiving);
    return relais_delivery_stored_bytes(delivery) == 0
               ? write_stdout(relais_delivery_message(delivery), error)
               : large_file_print(&large, delivery, error);
}

static relais_status hand_over(struct receiving *receiving, relais_delivery *delivery,
                               relais_error *error)
{
    char path[PATH_BYTES];
    bool json = receiving->invocation->output.format != OUTPUT_TABLE;
    if (receiving->folder && save(receiving, delivery, path, error) != RELAIS_OK) {
        return error->status;
    }
    if (!receiving->folder && json && receiving->ack &&
        relais_delivery_stored_bytes(delivery) > 0) {
        return talk_fill(error, RELAIS_USAGE, relais_delivery_message(delivery)->id,
                         _("a payload too large for a line of JSON"), "--to-folder");
    }
    progress_clear(&receiving->progress);
    if (json) {
        return output_json_line(delivery_json(delivery, receiving->folder ? path : NULL))
                   ? RELAIS_OK
                   : talk_fill_errno(error, errno, "stdout");
    }
    tell(receiving, delivery, receiving->folder ? path : NULL);
    return receiving->folder ? RELAIS_OK : print(receiving, delivery, error);
}

/* What came of a large payload stays; it is gone on with when the message comes again. */
static void lose(struct receiving *receiving, relais_delivery *delivery, relais_status status)
{
    const char *id = relais_delivery_message(delivery)->id;
    talk_note(&receiving->invocation->output,
              status == RELAIS_DAMAGED
                  ? _("%s: the broker's disk has lost bytes of it; it is a dead letter now")
                  : _("%s: the line was lost before all of it was here; it will come again"),
              id);
    relais_delivery_free(delivery);
    receiving->active_ms = stopwatch_ms();
}

/* Takes one delivery all the way. */
static relais_status take(struct receiving *receiving, relais_delivery *delivery,
                          relais_error *error)
{
    receiving->shown = 0;
    relais_status status = hand_over(receiving, delivery, error);
    receiving->progress.done_bytes -= receiving->shown; /* progress_add() counts the whole */
    if (status == RELAIS_LEASE_LOST || status == RELAIS_DAMAGED) {
        lose(receiving, delivery, status);
        return RELAIS_OK;
    }
    if (status != RELAIS_OK || !receiving->ack) {
        receiving->held[receiving->held_count++] = delivery;
    } else {
        if (relais_ack(delivery) == RELAIS_LEASE_LOST) {
            talk_note(&receiving->invocation->output,
                      _("%s: the line was lost before its acknowledgement; it will come again"),
                      relais_delivery_message(delivery)->id);
        }
        progress_add(&receiving->progress, payload_size(delivery));
        relais_delivery_free(delivery);
        receiving->unsettled = relais_unsettled(receiving->consumer);
    }
    receiving->taken += status == RELAIS_OK;
    receiving->active_ms = stopwatch_ms();
    return status;
}

/* With the connection goes what the library knew of acknowledgements without an answer. */
static void count_lost(struct receiving *receiving)
{
    relais_session now;
    size_t unsettled = relais_unsettled(receiving->consumer);
    relais_client_session(receiving->session.client, &now);
    bool is_new = !now.connected || now.reconnects != receiving->reconnects;
    if (is_new && unsettled < receiving->unsettled) {
        receiving->lost += receiving->unsettled - unsettled;
    }
    receiving->unsettled = unsettled;
    receiving->reconnects = now.reconnects;
}

static bool is_over(const struct receiving *receiving)
{
    if (interrupt_came(&receiving->interrupt) ||
        (receiving->wanted > 0 && receiving->taken >= receiving->wanted) ||
        (!receiving->ack && receiving->held_count == PEEK_MAX)) {
        return true;
    }
    return receiving->idle_ms >= 0 && stopwatch_ms() - receiving->active_ms >= receiving->idle_ms;
}

static relais_status take_all(struct receiving *receiving, relais_error *error)
{
    relais_status status = RELAIS_OK;
    receiving->active_ms = stopwatch_ms();
    while (!is_over(receiving)) {
        relais_delivery *delivery = NULL;
        status = relais_receive(receiving->consumer, 0, &delivery, error);
        if (status == RELAIS_OK) {
            status = take(receiving, delivery, error);
            progress_show(&receiving->progress);
        } else if (status == RELAIS_TIMED_OUT || status == RELAIS_INTERRUPTED) {
            status = relais_wait(receiving->session.client, WAIT_SLICE_MS,
                                 &receiving->interrupt.poll, 1);
            count_lost(receiving);
            if (status == RELAIS_TIMED_OUT || status == RELAIS_INTERRUPTED) {
                status = RELAIS_OK;
            }
            if (status != RELAIS_OK) {
                talk_fill(error, status, NULL, NULL, NULL);
            }
        }
        if (status != RELAIS_OK) {
            return status;
        }
    }
    return RELAIS_OK;
}

/* Until the broker has noted what was acknowledged. */
static void settle(struct receiving *receiving)
{
    int64_t end_ms = stopwatch_ms() + SETTLE_MS;
    while (relais_unsettled(receiving->consumer) > 0 && stopwatch_ms() < end_ms) {
        relais_status status = relais_wait(receiving->session.client, WAIT_SLICE_MS, NULL, 0);
        count_lost(receiving);
        if (status != RELAIS_OK && status != RELAIS_TIMED_OUT && status != RELAIS_INTERRUPTED) {
            break;
        }
    }
    receiving->lost += relais_unsettled(receiving->consumer);
    if (receiving->lost > 0) {
        talk_note(&receiving->invocation->output,
                  _("%zu acknowledgements have no answer; these messages may come again"),
                  receiving->lost);
    }
}

/* In this order: what a detached consumer holds goes back as if never shown, whereas freeing it
 * first would say "not now", which the broker counts as a failed attempt. */
static void give_back(struct receiving *receiving)
{
    relais_detach(receiving->consumer);
    for (size_t i = 0; i < receiving->held_count; i++) {
        relais_delivery_free(receiving->held[i]);
    }
    receiving->held_count = 0;
}

/* An empty mailbox and a broker that has gone look the same from the consumer. */
static relais_status check_line(const struct receiving *receiving, relais_error *error)
{
    relais_session now;
    relais_client_session(receiving->session.client, &now);
    bool enough = receiving->wanted > 0 && receiving->taken >= receiving->wanted;
    if (now.connected || enough || interrupt_came(&receiving->interrupt)) {
        return RELAIS_OK;
    }
    return talk_fill(error, RELAIS_UNREACHABLE, NULL, NULL, _("a broker that stays: see its log"));
}

static enum exit_code code_of(const struct receiving *receiving)
{
    if (receiving->taken == 0 && !receiving->follow) {
        talk_note(&receiving->invocation->output, _("no message"));
    }
    if (receiving->wanted == 0 || receiving->taken >= receiving->wanted) {
        return receiving->lost > 0 && !receiving->follow ? CODE_PARTLY : CODE_DONE;
    }
    return receiving->taken > 0 ? CODE_PARTLY : CODE_UNREACHABLE;
}

static enum exit_code receive(struct receiving *receiving, const char *address)
{
    uint64_t credit = receiving->ack ? CREDIT : PEEK_MAX;
    relais_error error = {0};
    if (receiving->wanted > 0 && receiving->wanted < credit) {
        credit = receiving->wanted;
    }
    if (relais_attach(receiving->session.client, address, (uint32_t)credit, &receiving->consumer,
                      &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    receiving->reconnects = receiving->session.info.reconnects;
    progress_init(&receiving->progress, &receiving->invocation->output, 0);
    relais_status status = take_all(receiving, &error);
    status = status == RELAIS_OK ? check_line(receiving, &error) : status;
    progress_clear(&receiving->progress);
    if (receiving->ack) {
        settle(receiving);
    }
    give_back(receiving);
    if (status == RELAIS_OK) {
        return code_of(receiving);
    }
    enum exit_code code = talk_error(&error);
    return receiving->taken > 0 ? CODE_PARTLY : code;
}

static enum exit_code parse_line(struct receiving *receiving)
{
    const struct invocation *invocation = receiving->invocation;
    const struct options *options = &invocation->options;
    const char *address = options->arguments[0];
    const char *count = options_text(options, "count");
    relais_error error;
    if (!relais_address_is_valid(address)) {
        return talk_usage(invocation->command, _("\"%s\" is not an address; member/service"),
                          address);
    }
    if (count && !options_parse_number(count, 1, COUNT_MAX, &receiving->wanted)) {
        return talk_usage(invocation->command, _("--count: \"%s\" is not a number of messages"),
                          count);
    }
    receiving->folder = options_text(options, "to-folder");
    receiving->ack = options_has(options, "ack");
    receiving->follow = options_has(options, "follow");
    if (receiving->follow && !receiving->ack) {
        return talk_usage(invocation->command,
                          _("--follow needs --ack: what is only looked at would come again and "
                            "again"));
    }
    if (!receiving->ack && receiving->wanted > PEEK_MAX) {
        return talk_usage(invocation->command, _("without --ack, --count is at most %d"), PEEK_MAX);
    }
    if (receiving->folder && received_folder_check(receiving->folder, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    return CODE_DONE;
}

static enum exit_code run(struct invocation *invocation)
{
    struct receiving receiving = {.invocation = invocation, .interrupt = {.poll = {.fd = -1}}};
    bool timed = options_has(&invocation->options, "timeout");
    enum exit_code code = parse_line(&receiving);
    if (code == CODE_DONE) {
        code = session_open(invocation, CONNECT_TIMEOUT_S, &receiving.session);
    }
    if (code != CODE_DONE) {
        return code;
    }
    receiving.idle_ms = timed ? receiving.session.timeout_ms : DEFAULT_TIMEOUT_S * 1000;
    if (receiving.follow && !timed) {
        receiving.idle_ms = -1;
    }
    if (interrupt_init(&receiving.interrupt)) {
        code = receive(&receiving, invocation->options.arguments[0]);
    } else {
        code = talk_no_memory();
    }
    interrupt_fini(&receiving.interrupt);
    session_close(&receiving.session);
    return code;
}

static const struct option_spec options[] = {
    {"to-folder", 'd', WORDS_FOLDER, "FOLDER",
     N_("one file a message, never over an existing one (default: payloads to stdout)")},
    {"ack", 'a', WORDS_NONE, NULL, N_("acknowledge: the messages leave the mailbox")},
    {"follow", 'F', WORDS_NONE, NULL, N_("go on until interrupted; needs --ack")},
    {"count", 'n', WORDS_NONE, "COUNT", N_("end after so many messages")},
    OPTION_TIMEOUT(N_("how long to wait for a message (default: 2; with --follow for ever)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_receive = {
    .words = "receive",
    .summary = N_("take messages out of a mailbox, or look at them"),
    .arguments = "ADDRESS",
    .examples = "relais receive commune-76540/etat-civil\n"
                "relais receive commune-76540/etat-civil --to-folder in --ack --follow\n"
                "relais receive commune-76540/etat-civil --ack -n 1 -o json\n",
    .notes = N_("Without --ack the messages are shown and given back, as if never taken. With -o "
                "json or jsonl each message is one object on a line, "
                "its payload in base64, or its path with --to-folder."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_words = WORDS_ADDRESS,
    .run = run,
};
