/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais dead replay, relais dead drop: what becomes of deliveries that were given up.
 */
#include "cli/command.h"
#include "cli/dead_letters.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/directory.h>

enum { DEFAULT_TIMEOUT_S = 10 };

typedef relais_status order_fn(relais_client *client, const char *address, uint64_t sequence,
                               relais_error *error);

struct ordering {
    const struct invocation *invocation;
    order_fn *order;
    const char *outcome; /* as the JSON says it */
    const char *address;
    struct session session;
    json_t *rows;
    size_t done;
    size_t failed;
    enum exit_code code; /* of the last failure */
};

static void give_order(struct ordering *ordering, uint64_t sequence)
{
    relais_error error = {0};
    relais_status status;
    unsigned times = 0;
    do {
        status = ordering->order(ordering->session.client, ordering->address, sequence, &error);
    } while (status != RELAIS_OK && dead_letters_wait(&error, &times));
    if (status != RELAIS_OK) {
        ordering->failed++;
        ordering->code = talk_error(&error);
        return;
    }
    ordering->done++;
    json_array_append_new(ordering->rows,
                          json_pack("{s:s, s:I, s:s}", "address", ordering->address, "sequence",
                                    (json_int_t)sequence, "outcome", ordering->outcome));
}

/* Without a broker there is no use in going on. */
static bool is_hopeless(const struct ordering *ordering)
{
    return ordering->failed > 0 && ordering->code == CODE_UNREACHABLE;
}

static void order_all(struct ordering *ordering)
{
    struct dead_letters letters;
    const relais_dead_letter *letter = NULL;
    relais_error error = {0};
    if (!dead_letters_init(&letters, ordering->session.client, ordering->address)) {
        ordering->failed++;
        ordering->code = talk_no_memory();
        return;
    }
    do {
        if (dead_letters_next(&letters, &letter, &error) != RELAIS_OK) {
            ordering->failed++;
            ordering->code = talk_error(&error);
        } else if (letter) {
            give_order(ordering, letter->sequence);
        }
    } while (letter && !is_hopeless(ordering));
    dead_letters_fini(&letters);
    if (ordering->done + ordering->failed == 0) {
        talk_note(&ordering->invocation->output, _("no dead letter"));
    }
}

static void order_given(struct ordering *ordering)
{
    const struct options *line = &ordering->invocation->options;
    for (size_t i = 1; i < line->argument_count && !is_hopeless(ordering); i++) {
        uint64_t sequence = 0;
        if (options_parse_number(line->arguments[i], 1, UINT64_MAX, &sequence)) {
            give_order(ordering, sequence);
        }
    }
}

/* All of the line before anything is done. */
static enum exit_code check_line(const struct invocation *invocation)
{
    const struct options *line = &invocation->options;
    bool all = options_has(line, "all");
    if (!relais_address_is_valid(line->arguments[0])) {
        return talk_usage(invocation->command, _("\"%s\" is not an address; member/service"),
                          line->arguments[0]);
    }
    if (all == (line->argument_count > 1)) {
        return talk_usage(invocation->command, _("give either numbers of dead letters or --all"));
    }
    for (size_t i = 1; i < line->argument_count; i++) {
        uint64_t sequence = 0;
        if (!options_parse_number(line->arguments[i], 1, UINT64_MAX, &sequence)) {
            return talk_usage(invocation->command, _("\"%s\" is not the number of a dead letter"),
                              line->arguments[i]);
        }
    }
    return CODE_DONE;
}

static enum exit_code finish(struct ordering *ordering)
{
    static const struct column columns[] = {
        {"outcome", N_("Outcome"), COLUMN_TEXT},
        {"address", N_("Address"), COLUMN_TEXT},
        {"sequence", N_("Number"), COLUMN_NUMBER},
    };
    const struct output *output = &ordering->invocation->output;
    bool silent = output->format == OUTPUT_TABLE && ordering->done == 0;
    if (silent) {
        json_decref(ordering->rows);
    } else if (!output_list(output, columns, OPTION_COUNT(columns), ordering->rows)) {
        return talk_no_memory();
    }
    if (ordering->failed == 0) {
        return CODE_DONE;
    }
    return ordering->done > 0 ? CODE_PARTLY : ordering->code;
}

static enum exit_code run(struct invocation *invocation, order_fn *order, const char *outcome)
{
    struct ordering ordering = {.invocation = invocation, .order = order, .outcome = outcome};
    enum exit_code code = check_line(invocation);
    if (code == CODE_DONE) {
        code = session_open(invocation, DEFAULT_TIMEOUT_S, &ordering.session);
    }
    if (code != CODE_DONE) {
        return code;
    }
    ordering.address = invocation->options.arguments[0];
    ordering.rows = json_array();
    if (options_has(&invocation->options, "all")) {
        order_all(&ordering);
    } else {
        order_given(&ordering);
    }
    session_close(&ordering.session);
    return finish(&ordering);
}

static enum exit_code run_replay(struct invocation *invocation)
{
    return run(invocation, relais_dead_replay, "replayed");
}

static enum exit_code run_drop(struct invocation *invocation)
{
    return run(invocation, relais_dead_drop, "dropped");
}

static const struct option_spec options[] = {
    {"all", 0, WORDS_NONE, NULL, N_("all dead letters of the mailbox")},
    OPTION_TIMEOUT(N_("how long to wait for the broker (default: 10)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_dead_replay = {
    .words = "dead replay",
    .summary = N_("put dead letters back to their mailbox, to be delivered again"),
    .arguments = "ADDRESS NUMBER... | ADDRESS --all",
    .examples = "relais dead replay commune-76540/etat-civil 1234 1240\n"
                "relais dead replay commune-76540/etat-civil --all\n",
    .notes = N_("Needs the role operate, or the role receive in the mailbox' own member."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_words = WORDS_ADDRESS,
    .run = run_replay,
};

const struct command command_dead_drop = {
    .words = "dead drop",
    .summary = N_("let dead letters go for good"),
    .arguments = "ADDRESS NUMBER... | ADDRESS --all",
    .examples = "relais dead drop commune-76540/etat-civil 1234\n",
    .notes = N_("Needs the role operate, or the role receive in the mailbox' own member. Nothing "
                "brings a dropped message back: its sender can send it again."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .argument_words = WORDS_ADDRESS,
    .run = run_drop,
};
