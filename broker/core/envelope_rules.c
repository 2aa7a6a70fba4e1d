/* SPDX-License-Identifier: EUPL-1.2
 *
 * See envelope_rules.h.
 */
#include "core/envelope_rules.h"

#include "core/recipients.h"
#include "wire/codec.h"

#include <string.h>

enum {
    SOURCE_BYTES = 512,
    TYPE_BYTES = 128,
    OTHER_BYTES = 1024,
    DIGEST_BYTES = 32,
    EXTENSION_NAME_BYTES = 20,
    SIGNATURE_BYTES = 4 + 64, /* id of the key, Ed25519 */
};

struct text_rule {
    const char *name;
    size_t offset;
    size_t most;
};

#define TEXT_RULE(name, most)                                                                      \
    {                                                                                              \
#name, offsetof(Relais__V1__Envelope, name), most                                          \
    }

static const struct text_rule TEXT_RULES[] = {
    TEXT_RULE(source, SOURCE_BYTES),        TEXT_RULE(type, TYPE_BYTES),
    TEXT_RULE(subject, OTHER_BYTES),        TEXT_RULE(datacontenttype, OTHER_BYTES),
    TEXT_RULE(dataschema, OTHER_BYTES),     TEXT_RULE(correlation_id, OTHER_BYTES),
    TEXT_RULE(ordering_key, OTHER_BYTES),   TEXT_RULE(supersedes, OTHER_BYTES),
    TEXT_RULE(purpose, OTHER_BYTES),        TEXT_RULE(dataclassification, OTHER_BYTES),
    TEXT_RULE(dataregulation, OTHER_BYTES), TEXT_RULE(datacategory, OTHER_BYTES),
    TEXT_RULE(traceparent, OTHER_BYTES),
};

enum { TEXT_RULE_COUNT = sizeof TEXT_RULES / sizeof TEXT_RULES[0], TEXT_REQUIRED = 2 };

const char *envelope_part_field(struct effects *effects, size_t part, const char *tail)
{
    const char *numbered = refusal_join(effects, refusal_number(effects, part), "]", tail);
    return refusal_join(effects, "submit.parts[", numbered, "");
}

/* What was wrong in envelope.<name>; `wrong` is foreign text. */
static bool refuse(const struct envelope_subject *subject, struct refusal *out_refusal,
                   Relais__V1__Code code, const char *name, const char *wrong, const char *right)
{
    struct effects *effects = subject->step->effects;
    const char *tail = refusal_join(effects, ".envelope.", name, "");
    *out_refusal = (struct refusal){.code = code,
                                    .field = envelope_part_field(effects, subject->part, tail),
                                    .wrong = refusal_wrong(effects, wrong),
                                    .right = right};
    return false;
}

static bool invalid(const struct envelope_subject *subject, struct refusal *out_refusal,
                    const char *name, const char *wrong, const char *right)
{
    return refuse(subject, out_refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, name, wrong, right);
}

static bool missing(const struct envelope_subject *subject, struct refusal *out_refusal,
                    const char *name, const char *right)
{
    return refuse(subject, out_refusal, RELAIS__V1__CODE__CODE_FIELD_MISSING, name, "", right);
}

/* "to[3]" */
static const char *element(const struct envelope_subject *subject, const char *name, size_t i,
                           const char *tail)
{
    struct effects *effects = subject->step->effects;
    const char *numbered = refusal_join(effects, "[", refusal_number(effects, i), "]");
    return refusal_join(effects, name, numbered, tail);
}

static bool check_id(const struct envelope_subject *subject, struct refusal *out_refusal)
{
    const char *right = N_("1 to 128 printable ASCII characters without space");
    const char *id = subject->envelope->id;
    if (id[0] == '\0') {
        return missing(subject, out_refusal, "id", right);
    }
    return name_is_id(id) || invalid(subject, out_refusal, "id", id, right);
}

static bool check_texts(const struct envelope_subject *subject, struct refusal *out_refusal)
{
    struct effects *effects = subject->step->effects;
    const char *base = (const char *)subject->envelope;
    for (size_t i = 0; i < TEXT_RULE_COUNT; i++) {
        const struct text_rule *rule = &TEXT_RULES[i];
        const char *text = *(char *const *)(const void *)(base + rule->offset);
        bool absent = i < TEXT_REQUIRED && text[0] == '\0';
        if (!absent && strnlen(text, rule->most + 1) <= rule->most) {
            continue;
        }
        const char *right = refusal_join(effects, i < TEXT_REQUIRED ? "1 to " : "at most ",
                                         refusal_number(effects, rule->most), " bytes");
        return absent ? missing(subject, out_refusal, rule->name, right)
                      : invalid(subject, out_refusal, rule->name, text, right);
    }
    return true;
}

/* What goes to a client's private mailbox is an answer: its member may then have asked by this
 * flow. */
static bool may_receive(const struct directory_flow *flow, const struct directory_member *member,
                        const char *name)
{
    return name[0] == '~' ? directory_may_send(flow, member) : directory_may_receive(flow, member);
}

static bool may_send(const struct directory_flow *flow, const struct directory_member *own,
                     const char *name)
{
    return name[0] == '~' ? directory_may_receive(flow, own) : directory_may_send(flow, own);
}

/* One of `to`: exists, and the flow allows it. */
static bool check_recipient(const struct envelope_subject *subject,
                            const struct directory_flow *flow, size_t i,
                            struct refusal *out_refusal)
{
    const char *address = subject->envelope->to[i];
    size_t member_bytes = 0;
    Relais__V1__Code code = RELAIS__V1__CODE__CODE_OK;
    const char *right = "";
    const struct directory_member *member = NULL;
    if (!name_is_address(address, &member_bytes)) {
        return invalid(subject, out_refusal, element(subject, "to", i, ""), address,
                       "member/service");
    }
    const char *name = address + member_bytes + 1;
    if (!may_send(flow, subject->client->member, name)) {
        return refuse(subject, out_refusal, RELAIS__V1__CODE__CODE_SENDER_NOT_ALLOWED, "flow",
                      subject->envelope->flow, N_("a flow that allows your member to send"));
    }
    if (!(member = directory_member(subject->step->core->directory, address, member_bytes))) {
        code = RELAIS__V1__CODE__CODE_UNKNOWN_MEMBER;
        right = N_("a member of the directory");
    } else if (!directory_has_place(member, name)) {
        code = RELAIS__V1__CODE__CODE_UNKNOWN_SERVICE;
        right = N_("a service of the member");
    } else if (!may_receive(flow, member, name)) {
        code = RELAIS__V1__CODE__CODE_RECEIVER_NOT_ALLOWED;
        right = N_("a member that the flow allows to receive");
    }
    return code == RELAIS__V1__CODE__CODE_OK ||
           refuse(subject, out_refusal, code, element(subject, "to", i, ""), address, right);
}

/* Without recipients it goes to the subscribers, and to nobody is a mistake. */
static bool check_subscribers(const struct envelope_subject *subject,
                              const struct directory_flow *flow, struct refusal *out_refusal)
{
    const struct directory *directory = subject->step->core->directory;
    return recipients_of(directory, flow, subject->envelope) > 0 ||
           refuse(subject, out_refusal, RELAIS__V1__CODE__CODE_NO_SUBSCRIBER, "to", "",
                  N_("1 to 64 addresses, or a flow that services have subscribed to"));
}

static bool check_to(const struct envelope_subject *subject, const struct directory_flow *flow,
                     struct refusal *out_refusal)
{
    const Relais__V1__Envelope *envelope = subject->envelope;
    if (envelope->n_to == 0 && envelope->supersedes[0] != '\0') {
        return true; /* past recipients, whom the store knows */
    }
    if (envelope->n_to == 0) {
        return check_subscribers(subject, flow, out_refusal);
    }
    if (envelope->n_to > WIRE_RECIPIENTS) {
        return invalid(subject, out_refusal, "to",
                       refusal_number(subject->step->effects, envelope->n_to),
                       N_("1 to 64 addresses, or none: every subscriber of the flow"));
    }
    for (size_t i = 0; i < envelope->n_to; i++) {
        if (!check_recipient(subject, flow, i, out_refusal)) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(envelope->to[i], envelope->to[j]) == 0) {
                return invalid(subject, out_refusal, element(subject, "to", i, ""), envelope->to[i],
                               N_("none twice"));
            }
        }
    }
    return true;
}

/* Who may only receive by a flow may answer by it, too: check_recipient() has the last word. */
static bool may_use(const struct directory_flow *flow, const struct envelope_subject *subject)
{
    const struct directory_member *own = subject->client->member;
    return directory_may_send(flow, own) ||
           (subject->envelope->n_to > 0 && directory_may_receive(flow, own));
}

/* Gives the flow, for the rules that hang on it. */
static const struct directory_flow *check_flow(const struct envelope_subject *subject,
                                               struct refusal *out_refusal)
{
    const char *code = subject->envelope->flow;
    const struct directory_flow *flow = NULL;
    if (code[0] == '\0') {
        missing(subject, out_refusal, "flow", N_("the code of a flow"));
    } else if (!name_is_flow(code)) {
        invalid(subject, out_refusal, "flow", code, "[A-Za-z0-9] then [A-Za-z0-9-], 1 to 64 bytes");
    } else if (!(flow = directory_flow(subject->step->core->directory, code))) {
        refuse(subject, out_refusal, RELAIS__V1__CODE__CODE_UNKNOWN_FLOW, "flow", code,
               N_("the code of a flow of the directory"));
    } else if (!may_use(flow, subject)) {
        refuse(subject, out_refusal, RELAIS__V1__CODE__CODE_SENDER_NOT_ALLOWED, "flow", code,
               N_("a flow that allows your member to send"));
        flow = NULL;
    }
    return flow;
}

/* Nobody has another client answered to. */
static bool is_own_private(const struct envelope_subject *subject, const char *address,
                           size_t member_bytes)
{
    const char *own = directory_member_slug(subject->client->member);
    return strlen(own) == member_bytes && memcmp(own, address, member_bytes) == 0 &&
           strcmp(address + member_bytes + 2, subject->client->name) == 0;
}

static bool check_own_addresses(const struct envelope_subject *subject, struct refusal *out_refusal)
{
    const Relais__V1__Envelope *envelope = subject->envelope;
    const char *own = directory_member_slug(subject->client->member);
    size_t member_bytes = 0;
    if (envelope->from[0] != '\0' &&
        (!name_is_address(envelope->from, &member_bytes) || strlen(own) != member_bytes ||
         memcmp(own, envelope->from, member_bytes) != 0)) {
        return invalid(subject, out_refusal, "from", envelope->from,
                       refusal_join(subject->step->effects, own, "/service", ""));
    }
    if (envelope->reply_to[0] == '\0') {
        return true;
    }
    if (!name_is_address(envelope->reply_to, &member_bytes)) {
        return invalid(subject, out_refusal, "reply_to", envelope->reply_to, "member/service");
    }
    return !name_is_private(envelope->reply_to, member_bytes) ||
           is_own_private(subject, envelope->reply_to, member_bytes) ||
           invalid(subject, out_refusal, "reply_to", envelope->reply_to,
                   refusal_join(subject->step->effects, own, "/~", subject->client->name));
}

/* Whether it opens and who signed it the recipients see; the broker sees that both are there. A
 * message without a payload has nothing to seal. */
static bool check_sealing(const struct envelope_subject *subject, const struct directory_flow *flow,
                          struct refusal *out_refusal)
{
    const Relais__V1__Envelope *envelope = subject->envelope;
    if (!directory_flow_requires_sealing(flow)) {
        return true;
    }
    if (envelope->signature.len != SIGNATURE_BYTES) {
        return refuse(subject, out_refusal, RELAIS__V1__CODE__CODE_NOT_SEALED, "signature", "",
                      N_("the sender's signature, 68 bytes"));
    }
    if (envelope->payload_size == 0 && envelope->n_wraps == 0) {
        return true;
    }
    return (envelope->n_to > 0 && envelope->n_wraps == envelope->n_to) ||
           refuse(subject, out_refusal, RELAIS__V1__CODE__CODE_NOT_SEALED, "wraps",
                  refusal_number(subject->step->effects, envelope->n_wraps),
                  N_("a sealed payload, and a wrap for each of `to`"));
}

static bool check_payload(const struct envelope_subject *subject, const struct directory_flow *flow,
                          struct refusal *out_refusal)
{
    struct effects *effects = subject->step->effects;
    const Relais__V1__Envelope *envelope = subject->envelope;
    uint64_t most = directory_flow_payload_bytes(flow);
    if (most > 0 && subject->payload_bytes > most) {
        *out_refusal = (struct refusal){
            .code = RELAIS__V1__CODE__CODE_TOO_LARGE,
            .field = envelope_part_field(effects, subject->part,
                                         subject->stored ? ".upload" : ".payload_bytes"),
            .wrong = refusal_number(effects, subject->payload_bytes),
            .right = refusal_number(effects, most),
        };
        return false;
    }
    if (envelope->payload_size != subject->payload_bytes) {
        return invalid(subject, out_refusal, "payload_size",
                       refusal_number(effects, envelope->payload_size),
                       refusal_number(effects, subject->payload_bytes));
    }
    if (envelope->payload_digest.len == 0) {
        return missing(subject, out_refusal, "payload_digest", "32 bytes");
    }
    return envelope->payload_digest.len == DIGEST_BYTES ||
           invalid(subject, out_refusal, "payload_digest",
                   refusal_join(effects, refusal_number(effects, envelope->payload_digest.len),
                                " bytes", ""),
                   "32 bytes");
}

static bool check_times(const struct envelope_subject *subject, struct refusal *out_refusal)
{
    struct effects *effects = subject->step->effects;
    int64_t expires_ms = subject->envelope->expires_at_ms;
    if (expires_ms < 0) {
        return invalid(subject, out_refusal, "expires_at_ms", "negative",
                       N_("0 or Unix time in milliseconds"));
    }
    if (expires_ms > 0 && expires_ms <= subject->step->now.wall_ms) {
        return refuse(subject, out_refusal, RELAIS__V1__CODE__CODE_EXPIRED, "expires_at_ms",
                      refusal_number(effects, (uint64_t)expires_ms), N_("0 or in the future"));
    }
    return subject->envelope->not_before_ms >= 0 ||
           invalid(subject, out_refusal, "not_before_ms", "negative",
                   N_("0 or Unix time in milliseconds"));
}

static bool is_extension_name(const char *name)
{
    size_t size = strnlen(name, EXTENSION_NAME_BYTES + 1);
    return size >= 1 && size <= EXTENSION_NAME_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == size;
}

/* The text of a value that is text, else "". */
static const char *extension_text(const Relais__V1__Extension *extension)
{
    switch (extension->value_case) {
    case RELAIS__V1__EXTENSION__VALUE_CE_STRING:
        return extension->ce_string;
    case RELAIS__V1__EXTENSION__VALUE_CE_URI:
        return extension->ce_uri;
    case RELAIS__V1__EXTENSION__VALUE_CE_URI_REF:
        return extension->ce_uri_ref;
    default:
        return "";
    }
}

static bool check_extensions(const struct envelope_subject *subject, struct refusal *out_refusal)
{
    const Relais__V1__Envelope *envelope = subject->envelope;
    if (envelope->n_extensions > WIRE_EXTENSIONS) {
        return invalid(subject, out_refusal, "extensions",
                       refusal_number(subject->step->effects, envelope->n_extensions),
                       "at most 32");
    }
    for (size_t i = 0; i < envelope->n_extensions; i++) {
        const Relais__V1__Extension *extension = envelope->extensions[i];
        if (!is_extension_name(extension->name)) {
            return invalid(subject, out_refusal, element(subject, "extensions", i, ".name"),
                           extension->name, "[a-z0-9]{1,20}");
        }
        if (strnlen(extension_text(extension), OTHER_BYTES + 1) > OTHER_BYTES) {
            return invalid(subject, out_refusal, element(subject, "extensions", i, ".value"),
                           extension_text(extension), "at most 1024 bytes");
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(extension->name, envelope->extensions[j]->name) == 0) {
                return invalid(subject, out_refusal, element(subject, "extensions", i, ".name"),
                               extension->name, N_("none twice"));
            }
        }
    }
    return true;
}

static bool check_supersedes(const struct envelope_subject *subject, struct refusal *out_refusal)
{
    const Relais__V1__Envelope *envelope = subject->envelope;
    const char *earlier = envelope->supersedes;
    if (earlier[0] == '\0' || (name_is_id(earlier) && strcmp(earlier, envelope->id) != 0)) {
        return true;
    }
    return invalid(subject, out_refusal, "supersedes", earlier,
                   N_("the id of an earlier message, or nothing"));
}

bool envelope_check(const struct envelope_subject *subject, struct refusal *out_refusal)
{
    if (!check_id(subject, out_refusal) || !check_texts(subject, out_refusal)) {
        return false;
    }
    const struct directory_flow *flow = check_flow(subject, out_refusal);
    return flow && check_to(subject, flow, out_refusal) &&
           check_own_addresses(subject, out_refusal) && check_payload(subject, flow, out_refusal) &&
           check_sealing(subject, flow, out_refusal) && check_times(subject, out_refusal) &&
           check_extensions(subject, out_refusal) && check_supersedes(subject, out_refusal);
}
