/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais member subscribe|unsubscribe: which services get what is sent by a flow to nobody by name.
 */
#include "cli/command.h"
#include "cli/directory_json.h"
#include "cli/home.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <stdlib.h>
#include <string.h>

static const struct column columns[] = {
    {"slug", N_("Member"), COLUMN_TEXT},
    {"name", N_("Name"), COLUMN_TEXT},
    {"subscriptions", N_("Subscriptions"), COLUMN_TEXT},
};

/* The arguments, once they are in their parts. */
struct wish {
    struct home home;
    char *slug;
    char *service;
    char *flow;
    relais_member *member;
};

static void wish_fini(struct wish *wish)
{
    relais_member_free(wish->member);
    free(wish->slug);
}

static enum exit_code read_wish(const struct invocation *invocation, struct wish *out_wish)
{
    const char *address = invocation->options.arguments[0];
    relais_error error;
    if (!relais_address_is_valid(address)) {
        return talk_usage(invocation->command, _("\"%s\" is not an address; member/service"),
                          address);
    }
    out_wish->flow = invocation->options.arguments[1];
    if (!relais_flow_code_is_valid(out_wish->flow)) {
        return talk_usage(invocation->command,
                          _("\"%s\" is not the code of a flow; letters, digits and hyphens"),
                          out_wish->flow);
    }
    out_wish->slug = strdup(address);
    if (!out_wish->slug) {
        return talk_no_memory();
    }
    char *slash = strchr(out_wish->slug, '/');
    *slash = '\0';
    out_wish->service = slash + 1;
    if (home_find(&invocation->options, &out_wish->home, &error) != RELAIS_OK ||
        home_member(&out_wish->home, out_wish->slug, &out_wish->member, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    return CODE_DONE;
}

/* Where the subscription is; subscription_count: it is not there. */
static size_t find(const struct wish *wish)
{
    size_t i = 0;
    while (i < wish->member->subscription_count &&
           (strcmp(wish->member->subscriptions[i].flow, wish->flow) != 0 ||
            strcmp(wish->member->subscriptions[i].service, wish->service) != 0)) {
        i++;
    }
    return i;
}

static enum exit_code save(const struct invocation *invocation, const struct wish *wish)
{
    relais_error error;
    if (home_save_member(&wish->home, wish->member, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    home_reload(&wish->home, invocation);
    return talk_end(output_object(&invocation->output, columns, OPTION_COUNT(columns),
                                  member_json(wish->member)));
}

/* The flow exists and lets the member receive: a broker would refuse the file otherwise. */
static relais_status check_flow(const struct wish *wish, relais_error *error)
{
    relais_flow *flow = NULL;
    relais_status status = home_flow(&wish->home, wish->flow, &flow, error);
    if (status == RELAIS_OK && !relais_flow_allows_receiver(flow, wish->member)) {
        status = talk_fill(error, RELAIS_RECEIVER_NOT_ALLOWED, "FLOW", wish->flow,
                           _("a flow that has this member among its receivers: relais flow show"));
    }
    relais_flow_free(flow);
    return status;
}

static bool append(relais_member *member, const struct wish *wish)
{
    size_t count = member->subscription_count;
    relais_subscription *grown = realloc(member->subscriptions, (count + 1) * sizeof(*grown));
    if (!grown) {
        return false;
    }
    member->subscriptions = grown;
    grown[count] =
        (relais_subscription){.flow = strdup(wish->flow), .service = strdup(wish->service)};
    member->subscription_count++;
    return grown[count].flow && grown[count].service;
}

static enum exit_code subscribe(const struct invocation *invocation, struct wish *wish)
{
    relais_error error;
    if (find(wish) < wish->member->subscription_count) {
        talk_note(&invocation->output, _("It has subscribed already."));
        return save(invocation, wish);
    }
    if (!append(wish->member, wish)) {
        return talk_no_memory();
    }
    if (relais_member_check(wish->member, &error) != RELAIS_OK) {
        return talk_argument_error(&error);
    }
    if (check_flow(wish, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    return save(invocation, wish);
}

static enum exit_code unsubscribe(const struct invocation *invocation, struct wish *wish)
{
    relais_error error;
    relais_member *member = wish->member;
    size_t at = find(wish);
    if (at == member->subscription_count) {
        talk_fill(&error, RELAIS_NOT_FOUND, "FLOW", wish->flow,
                  _("a subscription of this service: relais member show"));
        return talk_error(&error);
    }
    free(member->subscriptions[at].flow);
    free(member->subscriptions[at].service);
    member->subscription_count--;
    memmove(member->subscriptions + at, member->subscriptions + at + 1,
            (member->subscription_count - at) * sizeof(*member->subscriptions));
    return save(invocation, wish);
}

static enum exit_code run_with(struct invocation *invocation,
                               enum exit_code (*change)(const struct invocation *, struct wish *))
{
    struct wish wish = {0};
    enum exit_code code = read_wish(invocation, &wish);
    if (code == CODE_DONE && wish.member) {
        code = change(invocation, &wish);
    }
    wish_fini(&wish);
    return code;
}

static enum exit_code run_subscribe(struct invocation *invocation)
{
    return run_with(invocation, subscribe);
}

static enum exit_code run_unsubscribe(struct invocation *invocation)
{
    return run_with(invocation, unsubscribe);
}

static const struct option_spec options[] = {OPTION_HOME, OPTION_NO_RELOAD};

const struct command command_member_subscribe = {
    .words = "member subscribe",
    .summary = N_("let a service receive what is sent to all subscribers of a flow"),
    .arguments = "ADDRESS FLOW",
    .examples = "relais member subscribe commune-76540/accueil JOURNALOFFICIEL\n",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 2,
    .arguments_max = 2,
    .argument_words = WORDS_ADDRESS,
    .run = run_subscribe,
};

const struct command command_member_unsubscribe = {
    .words = "member unsubscribe",
    .summary = N_("end that: what is sent from now on does not reach it"),
    .arguments = "ADDRESS FLOW",
    .examples = "relais member unsubscribe commune-76540/accueil JOURNALOFFICIEL\n",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 2,
    .arguments_max = 2,
    .argument_words = WORDS_ADDRESS,
    .run = run_unsubscribe,
};
