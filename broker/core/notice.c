/* SPDX-License-Identifier: EUPL-1.2
 *
 * See notice.h.
 */
#include "core/notice.h"

#include "core/digest.h"
#include "core/directory.h"
#include "core/json.h"
#include "core/mailbox.h"
#include "core/refusal.h"
#include "relais/v1/envelope.pb-c.h"

#include <string.h>

enum {
    /* 20 addresses of 127 bytes and a few names, twice as long where they must be escaped. */
    DATA_BYTES = 4096,
    MS_PER_S = 1000,
    NANOS_PER_MS = 1000000,
};

static const char *const STATE_NAMES[TRACK_STATES] = {
    [TRACK_WAITING] = "waiting",
    [TRACK_DELIVERED] = "delivered",
    [TRACK_ACKNOWLEDGED] = "acknowledged",
    [TRACK_REFUSED] = "refused",
    [TRACK_DEAD] = "dead",
    [TRACK_EXPIRED] = "expired",
    [TRACK_SUPERSEDED] = "superseded",
    [TRACK_CANCELLED] = "cancelled",
    [TRACK_DROPPED] = "dropped",
};

static void lay_head(struct json *json, const struct stored_deadline *deadline)
{
    json_open(json, NULL, '{');
    json_text(json, "id", deadline->id);
    json_text(json, "flow", deadline->flow);
    json_text(json, "from", deadline->from[0] != '\0' ? deadline->from : deadline->sender);
    json_time(json, "accepted", deadline->accepted_ms);
    json_time(json, "deadline", deadline->deadline_ms);
}

static void lay_missed(const struct step *step, struct json *json, const struct store_due *due)
{
    lay_head(json, &due->deadline);
    json_open(json, "totals", '{');
    for (unsigned state = 1; state < TRACK_STATES; state++) {
        if (due->totals[state] > 0) {
            json_number(json, STATE_NAMES[state], due->totals[state]);
        }
    }
    json_close(json, '}');
    json_number(json, "missing", due->owing);
    json_open(json, "first", '[');
    for (uint32_t i = 0; i < due->count; i++) {
        const struct mailbox *mailbox = mailbox_numbered(step->core, due->rows[i].mailbox);
        if (mailbox) {
            json_text(json, NULL, mailbox->name);
        }
    }
    json_close(json, ']');
    json_text(json, "all",
              refusal_join(step->effects, "relais track ", due->deadline.id, " --missing"));
    json_close(json, '}');
}

/* Envelope and payload in one buffer that the op holds. */
static bool pack(struct step *step, Relais__V1__Envelope *envelope, const struct json *data,
                 struct store_op *op)
{
    uint8_t digest[DIGEST_BYTES];
    Relais__V1__Timestamp time = RELAIS__V1__TIMESTAMP__INIT;
    const struct bytes payload = {(const uint8_t *)data->text, data->size};
    digest_of(payload, digest);
    time.seconds = step->now.wall_ms / MS_PER_S;
    time.nanos = (int32_t)(step->now.wall_ms % MS_PER_S * NANOS_PER_MS);
    envelope->time = &time;
    envelope->payload_digest = (ProtobufCBinaryData){.len = sizeof digest, .data = digest};
    envelope->payload_size = payload.size;
    size_t size = relais__v1__envelope__get_packed_size(envelope);
    uint8_t *bytes = NULL;
    struct buffer *buffer = buffer_new(size + payload.size, &bytes);
    if (!buffer) {
        return false;
    }
    relais__v1__envelope__pack(envelope, bytes);
    memcpy(bytes + size, payload.data, payload.size);
    op->append.message = (struct held_message){.envelope = {bytes, size},
                                               .payload = {bytes + size, payload.size},
                                               .envelope_buffer = buffer,
                                               .payload_buffer = buffer_ref(buffer)};
    return true;
}

/* What all of them have. The id is there already, in memory of the effects. */
static bool lay(struct step *step, const struct stored_deadline *deadline,
                Relais__V1__Envelope *envelope, const struct json *data, struct store_op *op)
{
    envelope->source = "relais://broker";
    envelope->datacontenttype = "application/json";
    envelope->flow = (char *)deadline->flow;
    envelope->from = DIRECTORY_BROKER "/broker";
    envelope->correlation_id = (char *)deadline->id;
    envelope->priority = RELAIS__V1__PRIORITY__PRIORITY_HIGH;
    op->append.sender = DIRECTORY_BROKER;
    op->append.id = envelope->id;
    op->append.flow = directory_flow_hash(deadline->flow);
    op->append.lane = LANE_HIGH;
    return pack(step, envelope, data, op);
}

bool notice_remind(struct step *step, const struct store_due *due, uint8_t number,
                   struct store_op *op)
{
    Relais__V1__Envelope envelope = RELAIS__V1__ENVELOPE__INIT;
    const struct stored_deadline *deadline = &due->deadline;
    struct effects *effects = step->effects;
    char text[DATA_BYTES];
    struct json data;
    json_init(&data, text, sizeof text);
    lay_head(&data, deadline);
    json_close(&data, '}');
    const char *of_step =
        refusal_join(effects, refusal_number(effects, number), "-",
                     refusal_number(effects, stored_deadline_after(deadline, number)));
    envelope.id = (char *)refusal_join(
        effects, refusal_join(effects, "reminder-", refusal_number(effects, due->sequence), "-"),
        of_step, "");
    envelope.type = "fr.relais.reminder";
    return lay(step, deadline, &envelope, &data, op);
}

bool notice_missed(struct step *step, const struct store_due *due, struct store_op *op)
{
    Relais__V1__Envelope envelope = RELAIS__V1__ENVELOPE__INIT;
    const struct stored_deadline *deadline = &due->deadline;
    char *to[] = {(char *)deadline->from};
    char text[DATA_BYTES];
    struct json data;
    json_init(&data, text, sizeof text);
    lay_missed(step, &data, due);
    envelope.id = (char *)refusal_join(step->effects, "deadline-missed-",
                                       refusal_number(step->effects, due->sequence), "");
    envelope.type = "fr.relais.deadline-missed";
    envelope.n_to = 1;
    envelope.to = to;
    return lay(step, deadline, &envelope, &data, op);
}
