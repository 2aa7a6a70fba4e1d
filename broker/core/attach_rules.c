/* SPDX-License-Identifier: EUPL-1.2
 *
 * See attach_rules.h.
 */
#include "core/attach_rules.h"

#include "core/limits.h"

#include <string.h>

static bool refuse(struct refusal *out_refusal, Relais__V1__Code code, const char *field,
                   const char *wrong, const char *right)
{
    *out_refusal = (struct refusal){.code = code, .field = field, .wrong = wrong, .right = right};
    return false;
}

static bool refuse_role(struct refusal *out_refusal)
{
    return refuse(out_refusal, RELAIS__V1__CODE__CODE_ROLE_MISSING, "client.roles",
                  "without receive", N_("a client with the role receive"));
}

/* The mailbox for what is answered to one client: its own, whether it may receive or only asks. */
static bool check_private(struct step *step, const struct directory_client *client,
                          const char *name, const char *wrong, struct refusal *out_refusal)
{
    const char *own = directory_member_slug(client->member);
    if (strcmp(name, client->name) == 0) {
        return (client->roles & (ROLE_MAY_RECEIVE | ROLE_MAY_SEND)) != 0 ||
               refuse_role(out_refusal);
    }
    return refuse(out_refusal, RELAIS__V1__CODE__CODE_NOT_YOUR_MAILBOX, "attach.address", wrong,
                  refusal_join(step->effects, own, "/~", client->name));
}

bool attach_check(struct step *step, const struct directory_client *client,
                  const Relais__V1__Attach *attach, struct refusal *out_refusal)
{
    const char *wrong = refusal_wrong(step->effects, attach->address);
    size_t member_bytes = 0;
    bool good = name_is_address(attach->address, &member_bytes);
    bool is_private = good && name_is_private(attach->address, member_bytes);
    if (!is_private && (client->roles & ROLE_MAY_RECEIVE) == 0) {
        return refuse_role(out_refusal);
    }
    if (attach->address[0] == '\0') {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_MISSING, "attach.address", "",
                      "member/service");
    }
    if (!good) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, "attach.address", wrong,
                      "member/service");
    }
    const struct directory_member *member =
        directory_member(step->core->directory, attach->address, member_bytes);
    if (!member) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_UNKNOWN_MEMBER, "attach.address", wrong,
                      N_("a member of the directory"));
    }
    if (member != client->member) {
        return refuse(
            out_refusal, RELAIS__V1__CODE__CODE_NOT_YOUR_MAILBOX, "attach.address", wrong,
            refusal_join(step->effects, directory_member_slug(client->member), "/service", ""));
    }
    const char *name = attach->address + member_bytes + 1;
    if (is_private) {
        return check_private(step, client, name + 1, wrong, out_refusal);
    }
    return directory_has_service(member, name) ||
           refuse(out_refusal, RELAIS__V1__CODE__CODE_UNKNOWN_SERVICE, "attach.address", wrong,
                  N_("a service of the member"));
}

struct refusal attach_in_use(struct step *step, uint32_t consumer)
{
    return (struct refusal){.code = RELAIS__V1__CODE__CODE_FIELD_INVALID,
                            .field = "attach.consumer",
                            .wrong = refusal_number(step->effects, consumer),
                            .right = "not 0 and not in use on this connection"};
}

bool attach_check_session(struct step *step, const struct session *session,
                          const Relais__V1__Attach *attach, struct refusal *out_refusal)
{
    struct effects *effects = step->effects;
    if (attach->consumer == 0) {
        *out_refusal = attach_in_use(step, 0);
        return false;
    }
    if (session->consumer_count >= LIMIT_CONSUMERS) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED, "attach",
                      refusal_number(effects, (uint64_t)session->consumer_count + 1),
                      refusal_number(effects, LIMIT_CONSUMERS));
    }
    if (attach->credit > LIMIT_CREDIT) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED, "attach.credit",
                      refusal_number(effects, attach->credit),
                      refusal_number(effects, LIMIT_CREDIT));
    }
    return true;
}
