/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais request: sends a message and prints the answer to it.
 * Invariant: 1. an answer is acknowledged only when it has left: written and flushed to stdout.
 */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/message_json.h"
#include "cli/session.h"
#include "cli/source_file.h"
#include "cli/stopwatch.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <errno.h>
#include <relais/directory.h>
#include <relais/request.h>
#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_TIMEOUT_S = 30,
    PAYLOAD_MAX_BYTES = 64 * 1024 * 1024, /* where the broker names no limit */
    SETTLE_MS = 5000,
};

#define DEFAULT_TYPE "fr.relais.request"

static enum exit_code check_line(const struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    const struct command *command = invocation->command;
    const char *flow = options_text(options, "flow");
    if (!relais_address_is_valid(options->arguments[0])) {
        return talk_usage(command, _("\"%s\" is not an address; member/service"),
                          options->arguments[0]);
    }
    if (!flow) {
        return talk_usage(command, _("--flow is missing: the code of the flow"));
    }
    if (!relais_flow_code_is_valid(flow)) {
        return talk_usage(command, _("--flow: \"%s\" is not a code; letters, digits and hyphens"),
                          flow);
    }
    if (options_has(options, "data") && options->argument_count > 1) {
        return talk_usage(command, _("--data and a file exclude each other"));
    }
    return CODE_DONE;
}

static relais_status print_reply(const struct output *output, const relais_delivery *reply,
                                 relais_error *error)
{
    const relais_bytes *payload = &relais_delivery_message(reply)->payload;
    bool printed = false;
    if (output->format == OUTPUT_TABLE) {
        printed = fwrite(payload->data, 1, payload->size, stdout) == payload->size;
    } else {
        printed = output_json_line(delivery_json(reply, NULL));
    }
    printed = fflush(stdout) == 0 && printed;
    return printed ? RELAIS_OK : talk_fill_errno(error, errno, "stdout");
}

/* Until the acknowledgement is on disk, so that the answer does not come again. */
static void acknowledge(relais_client *client, relais_delivery *reply)
{
    int64_t end_ms = stopwatch_ms() + SETTLE_MS;
    if (relais_ack(reply) != RELAIS_OK) {
        return;
    }
    while (relais_request_unsettled(client) > 0 && stopwatch_ms() < end_ms &&
           relais_wait(client, (int)(end_ms - stopwatch_ms()), NULL, 0) == RELAIS_OK) {
    }
}

/* Waits for the answer, an interruption, or the end of the request's time. */
static relais_status await(relais_client *client, relais_request *request,
                           struct interrupt *interrupt, relais_delivery **out_reply,
                           relais_error *error)
{
    relais_status status = RELAIS_TIMED_OUT;
    while (status == RELAIS_TIMED_OUT && !interrupt_came(interrupt)) {
        status = relais_wait(client, 1000, &interrupt->poll, 1);
        if (status == RELAIS_OK || status == RELAIS_TIMED_OUT || status == RELAIS_INTERRUPTED) {
            status = relais_request_reply(request, 0, out_reply, error);
        } else {
            talk_fill(error, status, "reply", NULL, NULL);
        }
    }
    if (status == RELAIS_EXPIRED) {
        error->status = status = RELAIS_TIMED_OUT;
    } else if (status == RELAIS_TIMED_OUT) {
        status = talk_fill(error, RELAIS_INTERRUPTED, "reply", NULL, NULL);
    }
    return status;
}

static relais_status ask(const struct invocation *invocation, struct session *session,
                         const relais_message *message, relais_error *error)
{
    struct interrupt interrupt;
    relais_request *request = NULL;
    relais_delivery *reply = NULL;
    if (!interrupt_init(&interrupt)) {
        return talk_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    relais_status status =
        relais_request_open(session->client, message, session->timeout_ms, &request, error);
    if (status == RELAIS_OK) {
        status = await(session->client, request, &interrupt, &reply, error);
    }
    if (status == RELAIS_OK) {
        status = print_reply(&invocation->output, reply, error);
    }
    if (status == RELAIS_OK) {
        acknowledge(session->client, reply);
    }
    relais_request_close(request);
    relais_delivery_free(reply);
    interrupt_fini(&interrupt);
    return status;
}

static enum exit_code run(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    const char *data = options_text(options, "data");
    const char *type = options_text(options, "type");
    const char *media_type = options_text(options, "media-type");
    const char *path = options->argument_count > 1 ? options->arguments[1] : "-";
    struct session session;
    struct source_file file = {0};
    relais_error error = {0};
    enum exit_code code = check_line(invocation);
    if (code == CODE_DONE) {
        code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    }
    if (code != CODE_DONE) {
        return code;
    }
    uint32_t limit = session.info.payload_bytes_max;
    relais_status status = RELAIS_OK;
    if (!data) {
        status = source_file_read(path, limit > 0 ? limit : PAYLOAD_MAX_BYTES, &file, &error);
    }
    const char *const to[] = {options->arguments[0]};
    const relais_message message = {
        .type = type ? type : DEFAULT_TYPE,
        .datacontenttype = media_type ? media_type
                           : data     ? "text/plain; charset=utf-8"
                                      : source_file_media_type(source_file_name(path)),
        .to = to,
        .to_count = 1,
        .flow = options_text(options, "flow"),
        .payload = data ? (relais_bytes){.data = (const uint8_t *)data, .size = strlen(data)}
                        : (relais_bytes){.data = (const uint8_t *)file.data, .size = file.size},
    };
    if (status == RELAIS_OK) {
        status = ask(invocation, &session, &message, &error);
    }
    source_file_fini(&file);
    session_close(&session);
    return status == RELAIS_OK ? CODE_DONE : talk_error(&error);
}

static const struct option_spec options[] = {
    {"flow", 'f', WORDS_FLOW, "CODE", N_("the flow that allows the exchange")},
    {"data", 0, WORDS_NONE, "TEXT", N_("what is asked, instead of a file")},
    {"type", 0, WORDS_NONE, "TYPE", N_("CloudEvents type (default: fr.relais.request)")},
    {"media-type", 0, WORDS_NONE, "TYPE", N_("default: by the name's ending")},
    OPTION_TIMEOUT(N_("how long to wait for the answer (default: 30)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_request = {
    .words = "request",
    .summary = N_("ask a service and print its answer"),
    .arguments = "ADDRESS [FILE]",
    .examples = "relais request dila/annuaire --flow ANNUAIRE --data 76540\n"
                "relais request dila/annuaire question.xml --flow ANNUAIRE --timeout 5 -o json\n",
    .notes = N_("FILE \"-\", or none, is stdin. A request that nobody has answered when the time "
                "is over is not delivered any more."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = 2,
    .argument_words = WORDS_ADDRESS,
    .run = run,
};
