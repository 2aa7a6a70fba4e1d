/* SPDX-License-Identifier: EUPL-1.2
 *
 * See upload_rules.h.
 */
#include "core/upload_rules.h"

#include "core/limits.h"
#include "core/quota.h"
#include "core/session.h"

#include <string.h>

static bool refuse(struct refusal *out_refusal, Relais__V1__Code code, const char *field,
                   const char *wrong, const char *right)
{
    *out_refusal = (struct refusal){.code = code, .field = field, .wrong = wrong, .right = right};
    return false;
}

uint64_t upload_most(const struct core *core, const struct directory_flow *flow)
{
    uint64_t most = core->settings.stored_bytes;
    uint64_t of_flow = directory_flow_payload_bytes(flow);
    return of_flow > 0 && of_flow < most ? of_flow : most;
}

static bool check_client(struct step *step, const struct session *session,
                         const struct directory_client *client, struct refusal *out_refusal)
{
    if ((client->roles & ROLE_MAY_SEND) == 0) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_ROLE_MISSING, "client.roles",
                      "without send", N_("a client with the role send"));
    }
    if (step->core->draining) {
        *out_refusal = session_draining();
        return false;
    }
    if (session->upload_count >= LIMIT_UPLOADS) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED, "upload",
                      refusal_number(step->effects, (uint64_t)session->upload_count + 1),
                      refusal_number(step->effects, LIMIT_UPLOADS));
    }
    return true;
}

static bool check_size(struct step *step, const struct directory_flow *flow, uint64_t bytes,
                       struct refusal *out_refusal)
{
    uint64_t most = upload_most(step->core, flow);
    if (bytes == 0) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_MISSING, "upload.payload_bytes", "",
                      "the bytes of the payload");
    }
    return bytes <= most ||
           refuse(out_refusal, RELAIS__V1__CODE__CODE_TOO_LARGE, "upload.payload_bytes",
                  refusal_number(step->effects, bytes), refusal_number(step->effects, most));
}

bool upload_check(struct step *step, const struct session *session,
                  const struct directory_client *client, const Relais__V1__Upload *command,
                  struct refusal *out_refusal)
{
    struct effects *effects = step->effects;
    const struct directory_flow *flow = NULL;
    if (!check_client(step, session, client, out_refusal)) {
        return false;
    }
    if (!name_is_id(command->id)) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, "upload.id",
                      refusal_wrong(effects, command->id),
                      N_("1 to 128 printable ASCII characters without space"));
    }
    flow = directory_flow(step->core->directory, command->flow);
    if (!flow) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_UNKNOWN_FLOW, "upload.flow",
                      refusal_wrong(effects, command->flow),
                      N_("the code of a flow of the directory"));
    }
    /* Who may only receive by a flow answers by it. */
    if (!directory_may_send(flow, client->member) && !directory_may_receive(flow, client->member)) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_SENDER_NOT_ALLOWED, "upload.flow",
                      refusal_wrong(effects, command->flow),
                      N_("a flow that allows your member to send"));
    }
    const struct quota quota = quota_of(step->core, client->member);
    return check_size(step, flow, command->payload_bytes, out_refusal) &&
           quota_fits(step, session->use, &quota, command->payload_bytes, out_refusal);
}
