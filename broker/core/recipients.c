/* SPDX-License-Identifier: EUPL-1.2
 *
 * See recipients.h.
 */
#include "core/recipients.h"

#include "core/mailbox.h"

#include <stdlib.h>
#include <string.h>

enum {
    RECIPIENT_BYTES = 96, /* of a subscriber: its place in the effects, the store and the ticket */
    SUPERSEDED_BYTES = 1024 * 1024, /* past recipients, who are not counted before */
};

/* The address that sends gets no copy of what it says to everybody. */
static bool is_sender(const Relais__V1__Envelope *envelope, const struct directory_address *address)
{
    size_t member_bytes = strlen(address->member);
    return strncmp(envelope->from, address->member, member_bytes) == 0 &&
           envelope->from[member_bytes] == '/' &&
           strcmp(envelope->from + member_bytes + 1, address->service) == 0;
}

static bool sender_subscribes(const struct directory *directory, const struct directory_flow *flow,
                              const Relais__V1__Envelope *envelope)
{
    size_t member_bytes = 0;
    const struct directory_member *member = NULL;
    if (!name_is_address(envelope->from, &member_bytes)) {
        return false;
    }
    member = directory_member(directory, envelope->from, member_bytes);
    return member && directory_subscribes(flow, member, envelope->from + member_bytes + 1);
}

uint32_t recipients_of(const struct directory *directory, const struct directory_flow *flow,
                       const Relais__V1__Envelope *envelope)
{
    if (envelope->n_to > 0 || envelope->supersedes[0] != '\0') {
        return (uint32_t)envelope->n_to;
    }
    uint32_t subscribers = (uint32_t)directory_subscribers(flow);
    return subscribers - (sender_subscribes(directory, flow, envelope) ? 1 : 0);
}

static struct mailbox *open_address(struct core *core, const struct directory_address *address)
{
    char name[NAME_ADDRESS_BYTES + 1];
    size_t member_bytes = strlen(address->member);
    size_t service_bytes = strlen(address->service);
    memcpy(name, address->member, member_bytes);
    name[member_bytes] = '/';
    memcpy(name + member_bytes + 1, address->service, service_bytes + 1);
    return mailbox_open(core, name);
}

/* The next recipient; *cursor begins with 0. False without memory. */
static bool open_next(struct core *core, const struct directory_flow *flow,
                      const Relais__V1__Envelope *envelope, size_t *cursor,
                      struct mailbox **out_mailbox)
{
    struct directory_address address;
    if (envelope->n_to > 0) {
        *out_mailbox = mailbox_open(core, envelope->to[(*cursor)++]);
        return *out_mailbox != NULL;
    }
    do {
        if (!directory_next_subscriber(core->directory, flow, cursor, &address)) {
            return false;
        }
    } while (is_sender(envelope, &address));
    *out_mailbox = open_address(core, &address);
    return *out_mailbox != NULL;
}

bool recipients_open(struct core *core, const struct directory_flow *flow,
                     const Relais__V1__Envelope *envelope, struct recipients *out_recipients)
{
    struct recipients recipients = {.count = recipients_of(core->directory, flow, envelope)};
    size_t cursor = 0;
    if (recipients.count > 1) {
        recipients.many = calloc(recipients.count, sizeof(struct mailbox *));
        if (!recipients.many) {
            return false;
        }
    }
    for (uint32_t i = 0; i < recipients.count; i++) {
        struct mailbox **place = recipients.many ? &recipients.many[i] : &recipients.one;
        if (!open_next(core, flow, envelope, &cursor, place)) {
            free(recipients.many);
            return false;
        }
    }
    *out_recipients = recipients;
    return true;
}

struct mailbox *recipients_at(const struct recipients *recipients, uint32_t index)
{
    return recipients->many ? recipients->many[index] : recipients->one;
}

uint8_t recipients_lane(const Relais__V1__Envelope *envelope)
{
    Relais__V1__Priority priority = envelope->priority;
    if (priority == RELAIS__V1__PRIORITY__PRIORITY_HIGH) {
        return LANE_HIGH;
    }
    return priority == RELAIS__V1__PRIORITY__PRIORITY_LOW ? LANE_LOW : LANE_NORMAL;
}

bool recipients_find(struct step *step, const Relais__V1__Envelope *envelope,
                     struct recipients *out_recipients)
{
    const struct directory_flow *flow = directory_flow(step->core->directory, envelope->flow);
    if (!recipients_open(step->core, flow, envelope, out_recipients)) {
        return false;
    }
    if (out_recipients->count == 0) {
        return true;
    }
    if (!out_recipients->many) {
        mailbox_announce(step, out_recipients->one);
        return true;
    }
    if (!mailboxes_announce(step, out_recipients->many, out_recipients->count)) {
        free(out_recipients->many);
        return false;
    }
    return true;
}

struct store_recipient *recipients_lay(struct step *step, const Relais__V1__Envelope *envelope,
                                       const struct recipients *recipients, int64_t due_ms)
{
    struct store_recipient *places =
        effects_alloc(step->effects, recipients->count * sizeof *places);
    for (uint32_t i = 0; places && i < recipients->count; i++) {
        places[i] = (struct store_recipient){.mailbox = recipients_at(recipients, i)->id,
                                             .lane = recipients_lane(envelope),
                                             .due_ms = due_ms};
    }
    return places;
}

uint64_t recipients_cost(const struct directory *directory, const struct directory_flow *flow,
                         const Relais__V1__Envelope *envelope)
{
    if (envelope->supersedes[0] != '\0') {
        return SUPERSEDED_BYTES;
    }
    bool fans_out = envelope->n_to == 0;
    return fans_out ? (uint64_t)recipients_of(directory, flow, envelope) * RECIPIENT_BYTES : 0;
}
