/* SPDX-License-Identifier: EUPL-1.2
 *
 * Dead letters: questions and orders about them (operate.c carries them), and what the broker tells
 * of each.
 */
#include <relais/operate.h>

#include <string.h>

#include "client/client_state.h"
#include "client/error.h"
#include "program/locale.h"
#include "wire/name.h"

enum {
    DEAD_TIMEOUT_MS = 30000,
    DEAD_PAGE_MAX = 100,     /* docs/protocol.md */
    BROKER_STATUS_END = 100, /* numbers from here up arise on this side: see status.h */
};

static void keep_attempt(const Relais__V1__FailedAttempt *said, relais_failed_attempt *out_attempt)
{
    bool known = said->ending > 0 && (int)said->ending <= (int)RELAIS_ENDING_REFUSE;
    *out_attempt = (relais_failed_attempt){
        .number = said->number,
        .at_ms = said->at_ms,
        .ending = known ? (relais_ending)said->ending : RELAIS_ENDING_UNKNOWN,
    };
    error_copy_text(out_attempt->client, sizeof out_attempt->client, said->client);
    error_copy_text(out_attempt->reason, sizeof out_attempt->reason, said->reason);
}

static void keep(const Relais__V1__DeadLetter *said, relais_dead_letter *out_letter)
{
    bool known = said->code > 0 && (int)said->code < BROKER_STATUS_END;
    *out_letter = (relais_dead_letter){
        .sequence = said->sequence,
        .code = known ? (relais_status)said->code : RELAIS_MALFORMED,
        .attempts = said->attempts,
        .damaged = said->damaged,
        .bytes = said->bytes,
        .died_ms = said->died_ms,
        .accepted_ms = said->accepted_ms,
        .expires_ms = said->expires_at_ms,
    };
    error_copy_text(out_letter->reason, sizeof out_letter->reason, said->reason);
    error_copy_text(out_letter->id, sizeof out_letter->id, said->id);
    error_copy_text(out_letter->source, sizeof out_letter->source, said->source);
    error_copy_text(out_letter->from, sizeof out_letter->from, said->from);
    error_copy_text(out_letter->flow, sizeof out_letter->flow, said->flow);
    error_copy_text(out_letter->type, sizeof out_letter->type, said->type);
    size_t most = sizeof out_letter->history / sizeof out_letter->history[0];
    out_letter->history_count = said->n_history < most ? said->n_history : most;
    for (size_t i = 0; i < out_letter->history_count; i++) {
        keep_attempt(said->history[i], &out_letter->history[i]);
    }
}

bool dead_letters_keep(const Relais__V1__DeadLetters *said, relais_dead_page *page)
{
    /* A page that is empty and not the last would be asked for again and again. */
    if (said->n_letters > page->capacity || (said->more && said->n_letters == 0)) {
        return false;
    }
    for (size_t i = 0; i < said->n_letters; i++) {
        keep(said->letters[i], &page->letters[i]);
    }
    page->count = said->n_letters;
    page->more = said->more;
    return true;
}

static relais_status check(const relais_client *client, const char *address, relais_error *error)
{
    size_t member_bytes = 0;
    if (client == NULL || client->calling) {
        return error_fill(error, RELAIS_USAGE, "client", NULL, NULL);
    }
    if (address == NULL || !name_is_address(address, &member_bytes)) {
        return error_fill(error, RELAIS_FIELD_INVALID, "address", address,
                          _("an address such as commune-76540/etat-civil"));
    }
    return RELAIS_OK;
}

relais_status relais_dead_list(relais_client *client, const char *address, uint64_t after,
                               relais_dead_page *page, relais_error *error)
{
    relais_status status = check(client, address, error);
    if (status != RELAIS_OK) {
        return status;
    }
    if (page == NULL || page->letters == NULL || page->capacity == 0 ||
        page->capacity > DEAD_PAGE_MAX) {
        return error_fill(error, RELAIS_USAGE, "capacity", NULL, _("1 to 100"));
    }
    Relais__V1__DeadQuery what = RELAIS__V1__DEAD_QUERY__INIT;
    what.address = (char *)address;
    what.after = after;
    what.limit = (uint32_t)page->capacity;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    query.what_case = RELAIS__V1__QUERY__WHAT_DEAD;
    query.dead = &what;
    struct question question = {.query = &query, .out_dead = page};
    return question_ask(client, &question, DEAD_TIMEOUT_MS, error);
}

relais_status relais_dead_show(relais_client *client, const char *address, uint64_t sequence,
                               relais_dead_letter *out_letter, relais_error *error)
{
    relais_status status = check(client, address, error);
    if (status != RELAIS_OK) {
        return status;
    }
    relais_dead_letter letter = {0};
    relais_dead_page page = {.letters = &letter, .capacity = 1};
    Relais__V1__DeadName name = RELAIS__V1__DEAD_NAME__INIT;
    name.address = (char *)address;
    name.sequence = sequence;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    query.what_case = RELAIS__V1__QUERY__WHAT_DEAD_LETTER;
    query.dead_letter = &name;
    struct question question = {.query = &query, .out_dead = &page};
    status = question_ask(client, &question, DEAD_TIMEOUT_MS, error);
    if (status == RELAIS_OK && page.count == 0) {
        return error_fill(error, RELAIS_UNKNOWN_DEAD_LETTER, "sequence", NULL, NULL);
    }
    if (status == RELAIS_OK) {
        *out_letter = letter;
    }
    return status;
}

static relais_status manage(relais_client *client, const char *address, uint64_t sequence,
                            bool drop, relais_error *error)
{
    relais_status status = check(client, address, error);
    if (status != RELAIS_OK) {
        return status;
    }
    Relais__V1__DeadName name = RELAIS__V1__DEAD_NAME__INIT;
    name.address = (char *)address;
    name.sequence = sequence;
    Relais__V1__Manage order = RELAIS__V1__MANAGE__INIT;
    if (drop) {
        order.what_case = RELAIS__V1__MANAGE__WHAT_DROP;
        order.drop = &name;
    } else {
        order.what_case = RELAIS__V1__MANAGE__WHAT_REPLAY;
        order.replay = &name;
    }
    struct question question = {.manage = &order};
    return question_ask(client, &question, DEAD_TIMEOUT_MS, error);
}

relais_status relais_dead_replay(relais_client *client, const char *address, uint64_t sequence,
                                 relais_error *error)
{
    return manage(client, address, sequence, false, error);
}

relais_status relais_dead_drop(relais_client *client, const char *address, uint64_t sequence,
                               relais_error *error)
{
    return manage(client, address, sequence, true, error);
}
