/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais send: one message a file.
 *
 *   1. Each file gets one outcome, told once, in the order in which outcomes arrive.
 *   2. Memory holds one file that travels whole and the client's window, whatever the number and
 * the size of files: what is larger goes in chunks.
 *   3. "accepted" is said only when the broker has said so.
 */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/large_file.h"
#include "cli/message_json.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/source_file.h"
#include "cli/stopwatch.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/directory.h>
#include <relais/send.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_S = 30, WAIT_SLICE_MS = 100 };

/* Used when the broker's welcome names no limit. */
enum { PAYLOAD_MAX_BYTES = 1048576 };

#define DEFAULT_TYPE "fr.relais.file"

struct sending {
    const struct invocation *invocation;
    struct session session;
    struct interrupt interrupt;
    struct progress progress;
    const char **to;
    size_t to_count;
    int64_t active_ms;     /* when the broker last answered */
    relais_status stopped; /* why no more is done; RELAIS_OK: go on */
    size_t accepted;
    size_t failed;
    enum exit_code first_failure;
};

/* One file on its way. */
struct item {
    struct sending *sending;
    const char *path;
    char id[RELAIS_ID_BYTES + 1];
    uint64_t size;
    uint64_t shown; /* of a large one, as progress */
};

static json_t *item_json(const struct item *item, const relais_error *error)
{
    json_t *object = json_pack("{s:s, s:s, s:I, s:s}", "file", item->path, "id", item->id, "size",
                               (json_int_t)item->size, "outcome",
                               error->status == RELAIS_OK ? "accepted" : "failed");
    if (error->status != RELAIS_OK) {
        json_object_set_new(object, "error", error_json(error));
    }
    return object;
}

static void print_item(const struct item *item, const relais_error *error)
{
    enum { TEXT_BYTES = 1024, SIZE_TEXT = 32 };
    char text[TEXT_BYTES];
    char path[TEXT_BYTES];
    char size[SIZE_TEXT];
    const struct output *output = &item->sending->invocation->output;
    output_clean(item->path, path, sizeof(path));
    if (output->format != OUTPUT_TABLE) {
        (void)output_json_line(item_json(item, error));
    } else if (error->status == RELAIS_OK) {
        printf("%s  %s  %s  %s\n", _("accepted"), item->id,
               output_bytes_text(item->size, size, sizeof(size)), path);
    } else if (strcmp(error->field, item->path) == 0) {
        talk_error(error);
    } else {
        fprintf(stderr, "relais: %s: %s\n", path, relais_error_text(error, text, sizeof(text)));
    }
}

static void settle(struct item *item, const relais_error *error)
{
    struct sending *sending = item->sending;
    if (error->status == RELAIS_OK) {
        sending->accepted++;
    } else if (sending->failed++ == 0) {
        sending->first_failure = exit_code_of(error->status);
    }
    progress_clear(&sending->progress);
    progress_add(&sending->progress, item->size);
    print_item(item, error);
}

/* What is given up on has an unknown end, which is told as such. */
static void fill_stopped(const struct item *item, bool submitted, relais_error *error)
{
    char right[RELAIS_ERROR_TEXT_BYTES] = "";
    if (submitted) {
        snprintf(right, sizeof(right),
                 _("it may have been accepted: sending it again with --id %s is safe"), item->id);
    }
    talk_fill(error, item->sending->stopped, NULL, NULL, right);
}

/* The broker asked to try again, and we do not wait any longer. */
static void fill_later(const struct item *item, relais_error *error)
{
    char right[RELAIS_ERROR_TEXT_BYTES];
    snprintf(right, sizeof(right),
             _("the same again later, when the broker has room; with --id %s it is stored once"),
             item->id);
    talk_fill(error, error->status, NULL, NULL, right);
}

static void on_outcome(void *context, const relais_outcome *outcome)
{
    struct item *item = context;
    relais_error error = outcome->error;
    if (error.status == RELAIS_CLOSED && item->sending->stopped != RELAIS_OK) {
        fill_stopped(item, true, &error);
    } else if (relais_status_is_transient(error.status)) {
        fill_later(item, &error);
    }
    item->sending->active_ms = stopwatch_ms();
    settle(item, &error);
}

/* Waits a little for outcomes; notes when there is no use in going on. */
static void wait_some(struct sending *sending)
{
    relais_status status =
        relais_wait(sending->session.client, WAIT_SLICE_MS, &sending->interrupt.poll, 1);
    if (interrupt_came(&sending->interrupt)) {
        sending->stopped = RELAIS_INTERRUPTED;
    } else if (status != RELAIS_OK && status != RELAIS_TIMED_OUT && status != RELAIS_INTERRUPTED) {
        sending->stopped = status;
    } else if (stopwatch_ms() - sending->active_ms > sending->session.timeout_ms) {
        sending->stopped = RELAIS_TIMED_OUT;
    }
    progress_show(&sending->progress);
}

static relais_status submit(struct item *item, const relais_message *message, relais_error *error)
{
    struct sending *sending = item->sending;
    if (relais_unanswered(sending->session.client) == 0) {
        sending->active_ms = stopwatch_ms();
    }
    relais_status status = RELAIS_WINDOW_FULL;
    while (sending->stopped == RELAIS_OK) {
        status = relais_submit(sending->session.client, message, on_outcome, item, error);
        if (status != RELAIS_WINDOW_FULL) {
            return status;
        }
        wait_some(sending);
    }
    fill_stopped(item, false, error);
    return error->status;
}

/* A message and what it borrows. */
struct letter {
    relais_extension extensions[2];
    relais_message message;
};

static void fill_letter(const struct item *item, int64_t modified_ms, struct letter *out_letter)
{
    const struct sending *sending = item->sending;
    const struct options *options = &sending->invocation->options;
    const char *name = source_file_name(item->path);
    const char *type = options_text(options, "type");
    const char *media_type = options_text(options, "media-type");
    size_t extension_count = modified_ms != 0 ? 2 : 1;
    out_letter->extensions[0] =
        (relais_extension){.name = "filename", .kind = RELAIS_EXTENSION_STRING, .text = name};
    out_letter->extensions[1] = (relais_extension){
        .name = "filetime", .kind = RELAIS_EXTENSION_TIME, .time_ms = modified_ms};
    out_letter->message =
        (relais_message){.id = item->id,
                         .type = type ? type : DEFAULT_TYPE,
                         .datacontenttype = media_type ? media_type : source_file_media_type(name),
                         .to = sending->to,
                         .to_count = sending->to_count,
                         .to_subscribers = options_has(options, "subscribers"),
                         .supersedes = options_text(options, "supersedes"),
                         .flow = options_text(options, "flow"),
                         .from = options_text(options, "from"),
                         .correlation_id = options_text(options, "correlation-id"),
                         .extensions = out_letter->extensions,
                         .extension_count = strcmp(item->path, "-") == 0 ? 0 : extension_count};
}

/* How far a large file is; false when it is time to stop. */
static bool on_progress(void *context, uint64_t done, uint64_t total)
{
    struct item *item = context;
    struct sending *sending = item->sending;
    (void)total;
    sending->active_ms = stopwatch_ms();
    sending->progress.done_bytes += done - item->shown;
    item->shown = done;
    progress_show(&sending->progress);
    return !interrupt_came(&sending->interrupt);
}

/* In chunks; `path` is where its bytes are. */
static void send_large(struct item *item, const char *path)
{
    struct sending *sending = item->sending;
    struct letter letter;
    relais_error error = {0};
    const struct large_file large = {.client = sending->session.client,
                                     .timeout_ms = (int)sending->session.timeout_ms,
                                     .progress = on_progress,
                                     .context = item};
    fill_letter(item, source_file_time(item->path), &letter);
    relais_status status = large_file_send(&large, path, item->size, &letter.message, &error);
    if (status == RELAIS_INTERRUPTED || status == RELAIS_TIMED_OUT) {
        sending->stopped = status;
        fill_stopped(item, true, &error);
    } else if (relais_status_is_transient(status)) {
        fill_later(item, &error);
    }
    sending->progress.done_bytes -= item->shown; /* settle() counts the whole */
    settle(item, &error);
}

static void send_small(struct item *item, const char *path, size_t limit)
{
    struct letter letter;
    struct source_file file = {0};
    relais_error error = {0};
    if (source_file_read(path, limit, &file, &error) != RELAIS_OK) {
        settle(item, &error);
        return;
    }
    item->size = file.size;
    fill_letter(item, file.modified_ms, &letter);
    letter.message.payload = (relais_bytes){file.data, file.size};
    if (submit(item, &letter.message, &error) != RELAIS_OK) {
        settle(item, &error);
    }
    source_file_fini(&file);
}

/* What comes on stdin is kept until its size is known. */
static void send_stream(struct item *item, size_t small, uint64_t large)
{
    enum { LINK_BYTES = 32 };
    char path[LINK_BYTES];
    int fd = -1;
    relais_error error = {0};
    if (large <= small) {
        send_small(item, item->path, small);
        return;
    }
    if (large_file_spool(large, &fd, &item->size, &error) != RELAIS_OK) {
        settle(item, &error);
        return;
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (item->size <= small) {
        send_small(item, path, small);
    } else {
        send_large(item, path);
    }
    close(fd);
}

static void send_item(struct item *item)
{
    struct sending *sending = item->sending;
    uint32_t said = sending->session.info.payload_bytes_max;
    size_t small = said > 0 ? said : PAYLOAD_MAX_BYTES;
    uint64_t large = sending->session.info.stored_bytes_max;
    relais_error error = {0};
    if (sending->stopped != RELAIS_OK) {
        fill_stopped(item, false, &error);
        settle(item, &error);
        return;
    }
    item->size = source_file_size(item->path);
    if (strcmp(item->path, "-") == 0) {
        send_stream(item, small, large);
    } else if (item->size > small && item->size <= large) {
        send_large(item, item->path);
    } else {
        send_small(item, item->path, item->size > small && large > small ? (size_t)large : small);
    }
}

static enum exit_code check_recipients(const struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    const struct command *command = invocation->command;
    bool to = options_has(options, "to");
    bool subscribers = options_has(options, "subscribers");
    if (!to && !subscribers && !options_has(options, "supersedes")) {
        return talk_usage(command, _("--to is missing: the recipient, member/service"));
    }
    if (subscribers && (to || options_has(options, "supersedes"))) {
        return talk_usage(command, _("--subscribers goes with neither --to nor --supersedes"));
    }
    for (size_t i = 0; i < options->use_count; i++) {
        const struct option_use *use = &options->uses[i];
        if (strcmp(use->spec->name, "to") == 0 && !relais_address_is_valid(use->value)) {
            return talk_usage(command, _("--to: \"%s\" is not an address; member/service"),
                              use->value);
        }
    }
    return CODE_DONE;
}

static enum exit_code check_line(const struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    const struct command *command = invocation->command;
    const char *flow = options_text(options, "flow");
    const char *from = options_text(options, "from");
    const char *id = options_text(options, "id");
    if (check_recipients(invocation) != CODE_DONE) {
        return CODE_USAGE;
    }
    if (!flow) {
        return talk_usage(command, _("--flow is missing: the code of the flow"));
    }
    if (!relais_flow_code_is_valid(flow)) {
        return talk_usage(command, _("--flow: \"%s\" is not a code; letters, digits and hyphens"),
                          flow);
    }
    if (from && !relais_address_is_valid(from)) {
        return talk_usage(command, _("--from: \"%s\" is not an address; member/service"), from);
    }
    if (id && options->argument_count > 1) {
        return talk_usage(command, _("--id goes with a single file"));
    }
    if (id && (*id == '\0' || strlen(id) > RELAIS_ID_BYTES)) {
        return talk_usage(command, _("--id: from 1 to %d characters"), RELAIS_ID_BYTES);
    }
    return CODE_DONE;
}

/* Sends all items; every one is settled when this returns. */
static void send_all(struct sending *sending, struct item *items, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += source_file_size(items[i].path);
    }
    progress_init(&sending->progress, &sending->invocation->output, total);
    sending->active_ms = stopwatch_ms();
    for (size_t i = 0; i < count; i++) {
        send_item(&items[i]);
    }
    while (sending->stopped == RELAIS_OK && relais_unanswered(sending->session.client) > 0) {
        wait_some(sending);
    }
    session_close(&sending->session);
    progress_clear(&sending->progress);
}

static enum exit_code code_of(const struct sending *sending)
{
    if (sending->failed == 0) {
        return CODE_DONE;
    }
    return sending->accepted > 0 ? CODE_PARTLY : sending->first_failure;
}

static enum exit_code run(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    const char *id = options_text(options, "id");
    struct sending sending = {.invocation = invocation};
    enum exit_code code = check_line(invocation);
    if (code == CODE_DONE) {
        code = session_open(invocation, DEFAULT_TIMEOUT_S, &sending.session);
    }
    if (code != CODE_DONE) {
        return code;
    }
    size_t count = options->argument_count;
    struct item *items = calloc(count, sizeof(*items));
    sending.to = options_values(options, "to", &sending.to_count);
    if (!items || (!sending.to && sending.to_count > 0) || !interrupt_init(&sending.interrupt)) {
        code = talk_no_memory();
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        items[i].sending = &sending;
        items[i].path = options->arguments[i];
        relais_message_new_id(items[i].id);
        if (id) {
            snprintf(items[i].id, sizeof(items[i].id), "%s", id);
        }
    }
    send_all(&sending, items, count);
    if (count > 1) {
        talk_note(&invocation->output, _("%zu accepted, %zu failed"), sending.accepted,
                  sending.failed);
    }
    code = code_of(&sending);
done:
    session_close(&sending.session);
    interrupt_fini(&sending.interrupt);
    free(sending.to);
    free(items);
    return code;
}

static const struct option_spec options[] = {
    {"to", 't', WORDS_ADDRESS, "ADDRESS", N_("the recipient, member/service; again for more")},
    {"subscribers", 0, WORDS_NONE, NULL,
     N_("instead of --to: every service that has subscribed to the flow")},
    {"supersedes", 0, WORDS_NONE, "ID",
     N_("it takes the place of this earlier message of ours, at all its recipients")},
    {"flow", 'f', WORDS_FLOW, "CODE", N_("the flow that allows the exchange")},
    {"from", 0, WORDS_ADDRESS, "ADDRESS", N_("our own address, where answers may go")},
    {"type", 0, WORDS_NONE, "TYPE", N_("CloudEvents type (default: fr.relais.file)")},
    {"id", 0, WORDS_NONE, "ID",
     N_("the message's id; a repeated id is stored once (default: "
        "random)")},
    {"correlation-id", 0, WORDS_NONE, "ID",
     N_("of an answer: the id of the request, whose reply_to is the recipient")},
    {"media-type", 0, WORDS_NONE, "TYPE", N_("default: by the name's ending")},
    OPTION_TIMEOUT(N_("give up when the broker is silent for so long (default: 30)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_send = {
    .words = "send",
    .summary = N_("send files, one message each"),
    .arguments = "FILE...",
    .examples = "relais send acte.xml --to commune-76540/etat-civil --flow ETATCIVIL\n"
                "relais send *.pdf --to dila/accueil --flow CERTDC -o json\n"
                "relais send notice.pdf --subscribers --flow JOURNALOFFICIEL\n"
                "generate | relais send - --to dila/accueil --flow CERTDC\n",
    .notes = N_(
        "A message is accepted when the broker has it on disk. FILE \"-\" is stdin. A large file "
        "goes in chunks: sent again with the same --id it goes on where it was. With -o json or "
        "jsonl each outcome is one object on a line."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_words = WORDS_FILE,
    .run = run,
};
