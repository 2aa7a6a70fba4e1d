/* SPDX-License-Identifier: EUPL-1.2
 *
 * The question what became of a message.
 */
#include <relais/track.h>

#include "client/client_state.h"
#include "client/error.h"
#include "program/locale.h"

enum {
    TRACK_TIMEOUT_MS = 30000,
    BROKER_STATUS_END = 100, /* numbers from here up arise on this side: see status.h */
};

const char *relais_track_state_name(relais_track_state state)
{
    static const char *const names[RELAIS_TRACK_STATES] = {
        [RELAIS_TRACK_WAITING] = "waiting",
        [RELAIS_TRACK_DELIVERED] = "delivered",
        [RELAIS_TRACK_ACKNOWLEDGED] = "acknowledged",
        [RELAIS_TRACK_REFUSED] = "refused",
        [RELAIS_TRACK_DEAD] = "dead",
        [RELAIS_TRACK_EXPIRED] = "expired",
        [RELAIS_TRACK_SUPERSEDED] = "superseded",
        [RELAIS_TRACK_CANCELLED] = "cancelled",
        [RELAIS_TRACK_DROPPED] = "dropped",
    };
    bool known = state >= RELAIS_TRACK_WAITING && (int)state < RELAIS_TRACK_STATES;
    return known ? names[state] : "unknown";
}

static void keep_row(const Relais__V1__TrackRow *said, relais_track_row *out_row)
{
    bool known = (int)said->code >= 0 && (int)said->code < BROKER_STATUS_END;
    *out_row = (relais_track_row){
        .state = (relais_track_state)said->state,
        .since_ms = said->since_ms,
        .attempts = said->attempts,
        .code = known ? (relais_status)said->code : RELAIS_MALFORMED,
    };
    error_copy_text(out_row->address, sizeof out_row->address, said->address);
}

bool track_keep(const Relais__V1__Track *said, relais_track_page *page)
{
    if (said->n_rows > page->capacity) {
        return false;
    }
    for (size_t i = 0; i < said->n_rows; i++) {
        keep_row(said->rows[i], &page->rows[i]);
    }
    for (size_t i = 0; i < RELAIS_TRACK_STATES; i++) {
        page->totals[i] = 0;
    }
    for (size_t i = 0; i < said->n_totals; i++) {
        const Relais__V1__TrackTotal *total = said->totals[i];
        if ((int)total->state > 0 && (int)total->state < RELAIS_TRACK_STATES) {
            page->totals[total->state] = total->recipients;
        }
    }
    page->count = said->n_rows;
    page->more = said->more && said->n_rows > 0;
    page->sequence = said->sequence;
    page->accepted_ms = said->accepted_ms;
    page->expires_ms = said->expires_at_ms;
    page->deadline_ms = said->deadline_ms;
    error_copy_text(page->flow, sizeof page->flow, said->flow);
    return true;
}

relais_status relais_track(relais_client *client, const relais_track_query *query,
                           relais_track_page *page, relais_error *error)
{
    if (client == NULL || client->calling) {
        return error_fill(error, RELAIS_USAGE, "client", NULL, NULL);
    }
    if (query == NULL || query->id == NULL || query->id[0] == '\0') {
        return error_fill(error, RELAIS_FIELD_MISSING, "id", NULL, _("the id of a message"));
    }
    if (page == NULL || page->rows == NULL || page->capacity == 0 ||
        page->capacity > RELAIS_TRACK_PAGE) {
        return error_fill(error, RELAIS_USAGE, "capacity", NULL, _("1 to 250"));
    }
    Relais__V1__TrackQuery what = RELAIS__V1__TRACK_QUERY__INIT;
    what.id = (char *)query->id;
    what.sender = query->sender != NULL ? (char *)query->sender : what.sender;
    what.after = query->after != NULL ? (char *)query->after : what.after;
    what.limit = (uint32_t)page->capacity;
    what.missing = query->missing;
    Relais__V1__Query asked = RELAIS__V1__QUERY__INIT;
    asked.what_case = RELAIS__V1__QUERY__WHAT_TRACK;
    asked.track = &what;
    struct question question = {.query = &asked, .out_track = page};
    return question_ask(client, &question, TRACK_TIMEOUT_MS, error);
}
