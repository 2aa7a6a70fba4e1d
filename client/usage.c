/* SPDX-License-Identifier: EUPL-1.2
 *
 * The question what a member uses of its quotas.
 */
#include <relais/operate.h>

#include "client/client_state.h"
#include "client/error.h"
#include "program/locale.h"
#include "wire/name.h"

void usage_keep(const Relais__V1__Usage *said, relais_usage *out_usage)
{
    *out_usage = (relais_usage){
        .messages = said->messages,
        .messages_quota = said->messages_quota,
        .bytes = said->bytes,
        .bytes_quota = said->bytes_quota,
        .connections = said->connections,
        .connections_quota = said->connections_quota,
        .rate_quota = said->rate_quota,
        .burst_quota = said->burst_quota,
        .burst = said->burst,
        .refused_total = said->refused_total,
    };
    error_copy_text(out_usage->member, sizeof out_usage->member, said->member);
}

relais_status relais_query_usage(relais_client *client, const char *member, int timeout_ms,
                                 relais_usage *out_usage, relais_error *error)
{
    char slug[NAME_SLUG_BYTES + 1] = "";
    relais_usage found = {0};
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__UsageQuery what = RELAIS__V1__USAGE_QUERY__INIT;
    struct question question = {.query = &query, .out_usage = &found};
    if (client == NULL || out_usage == NULL || client->calling) {
        return error_fill(error, RELAIS_USAGE, "client", NULL, NULL);
    }
    if (member != NULL && !name_is_slug(member)) {
        return error_fill(error, RELAIS_FIELD_INVALID, "member", member,
                          _("a member such as commune-76540"));
    }
    error_copy_text(slug, sizeof slug, member);
    what.member = slug;
    query.what_case = RELAIS__V1__QUERY__WHAT_MEMBER_USAGE;
    query.member_usage = &what;
    relais_status status = question_ask(client, &question, timeout_ms, error);
    if (status == RELAIS_OK) {
        *out_usage = found;
    }
    return status;
}
