/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a member subscribes to. Whether the flow exists and lets the member receive is seen by
 * whoever has both files: relaisd on loading, `relais member subscribe`.
 */
#include "client/directory_state.h"

#include "program/error.h"
#include "program/locale.h"

#include <string.h>

static bool has_service(const relais_member *member, const char *service)
{
    for (size_t i = 0; i < member->service_count; i++) {
        if (strcmp(member->services[i], service) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_same(const relais_subscription *one, const relais_subscription *other)
{
    return strcmp(one->flow, other->flow) == 0 && strcmp(one->service, other->service) == 0;
}

static relais_status check_one(const relais_member *member, size_t index, relais_error *error)
{
    const relais_subscription *one = &member->subscriptions[index];

    if (one->flow == NULL || !relais_flow_code_is_valid(one->flow)) {
        return directory_blame(error, "subscriptions", index, ".flow", _("the code of a flow"),
                               one->flow);
    }
    if (one->service == NULL || !has_service(member, one->service)) {
        return directory_blame(error, "subscriptions", index, ".service",
                               _("one of the member's services"), one->service);
    }
    for (size_t i = 0; i < index; i++) {
        if (is_same(one, &member->subscriptions[i])) {
            return directory_blame(error, "subscriptions", index, "", _("each subscription once"),
                                   one->flow);
        }
    }
    return RELAIS_OK;
}

relais_status directory_check_subscriptions(const relais_member *member, relais_error *error)
{
    relais_status status = RELAIS_OK;

    if (member->subscription_count > DIRECTORY_SUBSCRIPTIONS) {
        return directory_blame(error, "subscriptions", DIRECTORY_SUBSCRIPTIONS, "",
                               _("at most 4096 subscriptions"), NULL);
    }
    for (size_t i = 0; i < member->subscription_count && status == RELAIS_OK; i++) {
        status = check_one(member, i, error);
    }
    return status;
}

bool relais_flow_allows_receiver(const relais_flow *flow, const relais_member *member)
{
    static const char by_kind[] = "kind:";

    for (size_t i = 0; i < flow->receiver_count; i++) {
        const char *rule = flow->receivers[i];
        bool kind = strncmp(rule, by_kind, strlen(by_kind)) == 0 &&
                    strcmp(rule + strlen(by_kind), relais_member_kind_name(member->kind)) == 0;

        if (kind || strcmp(rule, "*") == 0 || strcmp(rule, member->slug) == 0) {
            return true;
        }
    }
    return false;
}
