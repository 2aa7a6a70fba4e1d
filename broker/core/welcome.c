/* SPDX-License-Identifier: EUPL-1.2
 *
 * See welcome.h.
 */
#include "core/welcome.h"

#include "core/limits.h"
#include "core/reply.h"
#include "wire/codec.h"

#include <string.h>

enum { MAJOR = 1, MINOR = 2, ROLES = 3 };

static bool refuse(struct refusal *out_refusal, Relais__V1__Code code, const char *field,
                   const char *wrong, const char *right)
{
    *out_refusal = (struct refusal){.code = code, .field = field, .wrong = wrong, .right = right};
    return false;
}

bool welcome_check(struct step *step, const Relais__V1__Hello *hello, uint32_t of_key,
                   struct refusal *out_refusal)
{
    const struct core *core = step->core;
    struct effects *effects = step->effects;
    if (hello->major != MAJOR) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_VERSION_UNSUPPORTED, "hello.major",
                      refusal_number(effects, hello->major), refusal_number(effects, MAJOR));
    }
    if (strlen(hello->software) > SOFTWARE_BYTES) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, "hello.software",
                      refusal_wrong(effects, hello->software), "at most 64 bytes");
    }
    if (core->sessions.count >= core->settings.connections) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED, "connections",
                      refusal_number(effects, (uint64_t)core->sessions.count + 1),
                      refusal_number(effects, core->settings.connections));
    }
    if (of_key >= core->settings.connections_per_key) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED, "connections of this key",
                      refusal_number(effects, (uint64_t)of_key + 1),
                      refusal_number(effects, core->settings.connections_per_key));
    }
    return true;
}

static size_t lay_roles(unsigned roles, Relais__V1__Role *out_roles)
{
    size_t count = 0;
    if (roles & ROLE_MAY_SEND) {
        out_roles[count++] = RELAIS__V1__ROLE__ROLE_SEND;
    }
    if (roles & ROLE_MAY_RECEIVE) {
        out_roles[count++] = RELAIS__V1__ROLE__ROLE_RECEIVE;
    }
    if (roles & ROLE_MAY_OPERATE) {
        out_roles[count++] = RELAIS__V1__ROLE__ROLE_OPERATE;
    }
    return count;
}

void welcome_send(struct step *step, uint64_t connection, const struct directory_client *client)
{
    Relais__V1__Role roles[ROLES];
    Relais__V1__Limits limits = RELAIS__V1__LIMITS__INIT;
    limits.payload_bytes = step->core->settings.payload_bytes;
    limits.envelope_bytes = WIRE_ENVELOPE_BYTES;
    limits.batch_messages = WIRE_BATCH_MESSAGES;
    limits.batch_bytes = LIMIT_BATCH_BYTES;
    limits.window_messages = LIMIT_WINDOW_MESSAGES;
    limits.window_bytes = LIMIT_WINDOW_BYTES;
    limits.credit = LIMIT_CREDIT;
    limits.consumers = LIMIT_CONSUMERS;
    limits.stored_bytes = step->core->settings.stored_bytes;
    Relais__V1__Welcome welcome = RELAIS__V1__WELCOME__INIT;
    welcome.major = MAJOR;
    welcome.minor = MINOR;
    welcome.software = step->core->software;
    welcome.member = (char *)directory_member_slug(client->member);
    welcome.client = (char *)client->name;
    welcome.n_roles = lay_roles(client->roles, roles);
    welcome.roles = roles;
    welcome.limits = &limits;
    welcome.time_ms = step->now.wall_ms;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_WELCOME;
    command.welcome = &welcome;
    reply_send(step, connection, &command);
}
