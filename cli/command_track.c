/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais track: who has a message, who has not, since when.
 */
#include "cli/command.h"
#include "cli/dead_letters.h"
#include "cli/message_json.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/directory.h>
#include <relais/track.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DEFAULT_TIMEOUT_S = 10, MS_PER_S = 1000, NS_PER_MS = 1000000 };

static const struct column columns[] = {
    {"address", N_("Recipient"), COLUMN_TEXT}, {"state", N_("State"), COLUMN_TEXT},
    {"since", N_("Since"), COLUMN_TEXT},       {"attempts", N_("Attempts"), COLUMN_NUMBER},
    {"late", N_("Late"), COLUMN_TEXT},         {"why", N_("Why"), COLUMN_TEXT},
};

/* The names of states for people, in the order of their numbers. */
static const char *const state_texts[RELAIS_TRACK_STATES] = {
    NULL,       N_("waiting"), N_("delivered"),  N_("acknowledged"), N_("refused"),
    N_("dead"), N_("expired"), N_("superseded"), N_("cancelled"),    N_("dropped"),
};

static const char *state_text(relais_track_state state)
{
    bool known = (int)state > 0 && (int)state < RELAIS_TRACK_STATES;
    return known ? _(state_texts[state]) : relais_track_state_name(state);
}

static int64_t now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* Has this recipient missed the deadline? Who need not answer any more has not. */
static bool is_late(const relais_track_row *row, int64_t deadline_ms)
{
    switch (row->state) {
    case RELAIS_TRACK_SUPERSEDED:
    case RELAIS_TRACK_CANCELLED:
        return false;
    case RELAIS_TRACK_ACKNOWLEDGED:
        return deadline_ms > 0 && row->since_ms > deadline_ms;
    default:
        return deadline_ms > 0 && now_ms() > deadline_ms;
    }
}

static json_t *row_json(const relais_track_row *row, int64_t deadline_ms, bool for_people)
{
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:i}", "address", row->address, "state",
                  for_people ? state_text(row->state) : relais_track_state_name(row->state),
                  "since", time_json(row->since_ms), "attempts", (int)row->attempts);
    if (object && is_late(row, deadline_ms)) {
        json_object_set_new(object, "late", for_people ? json_string(_("late")) : json_true());
    }
    if (object && row->code != RELAIS_OK) {
        json_object_set_new(object, "code", json_string(relais_status_name(row->code)));
        if (for_people) {
            json_object_set_new(object, "why", json_string(relais_status_text(row->code)));
        }
    }
    return object;
}

static json_t *totals_json(const relais_track_page *page)
{
    json_t *object = json_object();
    for (int state = 1; state < RELAIS_TRACK_STATES; state++) {
        if (page->totals[state] > 0) {
            json_object_set_new(object, relais_track_state_name((relais_track_state)state),
                                json_integer(page->totals[state]));
        }
    }
    return object;
}

static json_t *head_json(const char *id, const relais_track_page *page)
{
    return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o}", "id", id, "flow", page->flow,
                     "sequence", (json_int_t)page->sequence, "accepted",
                     time_json(page->accepted_ms), "expires",
                     page->expires_ms > 0 ? time_json(page->expires_ms) : json_null(), "deadline",
                     page->deadline_ms > 0 ? time_json(page->deadline_ms) : json_null(), "totals",
                     totals_json(page));
}

static void note_deadline(const struct output *output, int64_t deadline_ms)
{
    json_t *time = deadline_ms > 0 ? time_json(deadline_ms) : NULL;
    if (time) {
        talk_note(output, _("to be acknowledged by %s"), json_string_value(time));
    }
    json_decref(time);
}

static void note_totals(const struct output *output, const relais_track_page *page)
{
    for (int state = 1; state < RELAIS_TRACK_STATES; state++) {
        if (page->totals[state] > 0) {
            talk_note(output, "%s: %u", state_text((relais_track_state)state),
                      (unsigned)page->totals[state]);
        }
    }
}

struct tracking {
    const struct invocation *invocation;
    relais_client *client;
    relais_track_query query;
    relais_track_page page;
    char after[sizeof(((relais_track_row *)0)->address)];
    json_t *head; /* of the first page */
    json_t *rows;
};

static relais_status ask_page(struct tracking *tracking, relais_error *error)
{
    unsigned times = 0;
    relais_status status;
    do {
        status = relais_track(tracking->client, &tracking->query, &tracking->page, error);
    } while (status != RELAIS_OK && dead_letters_wait(error, &times));
    return status;
}

/* Every page, one after the other. */
static relais_status ask_all(struct tracking *tracking, relais_error *error)
{
    bool for_people = tracking->invocation->output.format == OUTPUT_TABLE;
    relais_status status = RELAIS_OK;
    do {
        status = ask_page(tracking, error);
        if (status != RELAIS_OK) {
            return status;
        }
        if (!tracking->head) {
            tracking->head = head_json(tracking->query.id, &tracking->page);
            if (for_people) {
                note_deadline(&tracking->invocation->output, tracking->page.deadline_ms);
                note_totals(&tracking->invocation->output, &tracking->page);
            }
        }
        for (size_t i = 0; i < tracking->page.count; i++) {
            json_array_append_new(tracking->rows, row_json(&tracking->page.rows[i],
                                                           tracking->page.deadline_ms, for_people));
        }
        if (tracking->page.count > 0) {
            snprintf(tracking->after, sizeof(tracking->after), "%s",
                     tracking->page.rows[tracking->page.count - 1].address);
            tracking->query.after = tracking->after;
        }
    } while (tracking->page.more);
    return status;
}

/* JSON is one object with the rows in it; jsonl the message, then a row a line. */
static bool print(struct tracking *tracking)
{
    const struct output *output = &tracking->invocation->output;
    if (output->format == OUTPUT_JSON) {
        json_object_set(tracking->head, "recipients", tracking->rows);
        return output_object(output, NULL, 0, json_incref(tracking->head));
    }
    if (output->format == OUTPUT_JSONL && !output_json_line(json_incref(tracking->head))) {
        return false;
    }
    return output_list(output, columns, OPTION_COUNT(columns), json_incref(tracking->rows));
}

static enum exit_code run(struct invocation *invocation)
{
    const struct options *line = &invocation->options;
    struct session session;
    relais_error error = {0};
    struct tracking tracking = {.invocation = invocation,
                                .query = {.id = line->arguments[0],
                                          .sender = options_text(line, "sender"),
                                          .missing = options_has(line, "missing")},
                                .page = {.capacity = RELAIS_TRACK_PAGE}};
    if (tracking.query.sender && !relais_slug_is_valid(tracking.query.sender)) {
        return talk_usage(invocation->command, _("--sender: \"%s\" is not the name of a member"),
                          tracking.query.sender);
    }
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        return code;
    }
    tracking.client = session.client;
    tracking.rows = json_array();
    tracking.page.rows = calloc(RELAIS_TRACK_PAGE, sizeof(*tracking.page.rows));
    if (!tracking.page.rows || !tracking.rows) {
        code = talk_no_memory();
    } else if (ask_all(&tracking, &error) != RELAIS_OK) {
        code = talk_error(&error);
    } else {
        code = talk_end(print(&tracking));
    }
    session_close(&session);
    json_decref(tracking.head);
    json_decref(tracking.rows);
    free(tracking.page.rows);
    return code;
}

static const struct option_spec options[] = {
    {"missing", 'm', WORDS_NONE, NULL, N_("only recipients that have not acknowledged it")},
    {"sender", 0, WORDS_MEMBER, "SLUG",
     N_("who has sent it (default: our own member); another one needs the role operate")},
    OPTION_TIMEOUT(N_("how long to wait for the broker (default: 10)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_track = {
    .words = "track",
    .summary = N_("show who has a message, who has not, since when"),
    .arguments = "ID",
    .examples = "relais track 2026-000123\n"
                "relais track 2026-000123 --missing -o json\n",
    .notes = N_("The broker remembers what became of a message for 30 days, or as long as it is "
                "configured to. A message of another member is unknown."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
