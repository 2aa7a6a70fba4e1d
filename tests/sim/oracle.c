/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. What goes into the core, and what should come of it.
 */
#include "oracle.h"

#include "ahead.h"
#include "expiry.h"
#include "succession.h"
#include "tracking.h"
#include "withdrawal.h"

#include "agenda.h"
#include "core/limits.h"
#include "wire/body.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void oracle_init(struct oracle *oracle, struct trace *trace, struct ledger *ledger,
                 const struct town *town, const struct plan *plan)
{
    *oracle = (struct oracle){.trace = trace, .ledger = ledger, .town = town, .plan = plan};
    assert(wire_arena_init(&oracle->heard, WIRE_ARENA_BYTES) &&
           wire_arena_init(&oracle->told, WIRE_ARENA_BYTES));
}

static void forget(struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->session_capacity; i++) {
        if (oracle->sessions[i]) {
            free(oracle->sessions[i]->numbers);
            free(oracle->sessions[i]->consumers);
            free(oracle->sessions[i]);
            oracle->sessions[i] = NULL;
        }
    }
    for (size_t i = 0; i < oracle->consumer_count; i++) {
        free(oracle->consumers[i]->tags);
        free(oracle->consumers[i]);
    }
    oracle->consumer_count = oracle->open_count = 0;
    oracle->lease_first = oracle->lease_count = 0;
}

void oracle_fini(struct oracle *oracle)
{
    forget(oracle);
    free(oracle->sessions);
    free(oracle->open);
    free(oracle->consumers);
    free(oracle->leases);
    free(oracle->notes);
    wire_arena_fini(&oracle->heard);
    wire_arena_fini(&oracle->told);
}

static void find_again(struct oracle *oracle, struct message *message, uint32_t i)
{
    struct life *life = &message->lives[i];
    struct oracle_place *place = &oracle->places[message->places[i]];
    PROMISE(oracle->trace, !message->accepted || (message->stored && life->on_disk != DISK_NOTHING),
            "what was accepted is there after a crash", {"message", message->index},
            {"place", message->places[i]});
    PROMISE(oracle->trace,
            (life->on_disk != DISK_ACKED || life->ack_said) &&
                (life->on_disk != DISK_DROPPED || life->drop_said),
            "what has gone was acknowledged, or dropped", {"message", message->index});
    oracle_succession_restart(oracle, message, i);
    life->state =
        life->on_disk == DISK_NOTHING || life->on_disk == DISK_WAITING ? LIFE_FREE : LIFE_GONE;
    if (life->on_disk == DISK_WAITING) {
        place->waiting++;
        place->waiting_bytes += ledger_bytes(message);
    }
    place->dead += life->on_disk == DISK_DEAD;
}

void oracle_restart(struct oracle *oracle, const struct disk *disk)
{
    forget(oracle);
    memset(oracle->places, 0, sizeof oracle->places);
    memset(oracle->shares, 0, sizeof oracle->shares);
    oracle->totals = (struct oracle_totals){0};
    oracle->storing = oracle->storing_bytes = oracle->settling = oracle->taken = 0;
    oracle->asking = 0;
    oracle->no_room_ms = 0;
    oracle->draining = oracle->expiring = false;
    oracle->tight = false;
    for (size_t id = 0; id < disk->mailbox_count; id++) {
        if (disk->mailboxes[id].known) {
            struct oracle_place *place = &oracle->places[disk->mailboxes[id].place];
            place->opened = place->announced = true;
            place->id = (uint32_t)id;
        }
    }
    for (size_t i = 0; i < oracle->ledger->count; i++) {
        struct message *message = oracle->ledger->messages[i];
        for (uint32_t k = 0; k < message->place_count; k++) {
            find_again(oracle, message, k);
        }
    }
}

struct oracle_session *oracle_session(const struct oracle *oracle, uint64_t connection)
{
    return connection < oracle->session_capacity ? oracle->sessions[connection] : NULL;
}

struct oracle_consumer *oracle_consumer(const struct oracle *oracle,
                                        const struct oracle_session *session, uint32_t number)
{
    for (size_t i = 0; i < session->consumer_count; i++) {
        struct oracle_consumer *consumer = oracle->consumers[session->consumers[i]];
        if (consumer->number == number && !consumer->gone) {
            return consumer;
        }
    }
    return NULL;
}

struct life *oracle_life(const struct oracle *oracle, const struct entry_key *key,
                         struct message **out_message, unsigned *out_place)
{
    *out_message = ledger_of_sequence(oracle->ledger, key->sequence);
    *out_place = 0;
    while (*out_place < TOWN_PLACES &&
           (!oracle->places[*out_place].opened || oracle->places[*out_place].id != key->mailbox)) {
        ++*out_place;
    }
    struct life *life = *out_message ? ledger_life(*out_message, *out_place) : NULL;
    PROMISE(oracle->trace, life != NULL, "an entry belongs to a recipient of its message",
            {"mailbox", key->mailbox}, {"sequence", key->sequence});
    return life;
}

static void begin(struct oracle *oracle, enum oracle_step_kind kind)
{
    oracle->step = (struct oracle_step){.kind = kind};
}

static void consumers_end(const struct oracle *oracle, const struct oracle_session *session)
{
    for (size_t i = 0; i < session->consumer_count; i++) {
        oracle->consumers[session->consumers[i]]->ending = true;
    }
}

static void expect_cut(struct oracle *oracle, uint32_t error)
{
    oracle->step.expected.error = error;
    oracle->step.expected.close = true;
    oracle->step.dies = error == RELAIS__V1__CODE__CODE_MALFORMED;
    if (oracle->step.session) {
        consumers_end(oracle, oracle->step.session);
    }
}

static void hear_submit(struct oracle *oracle, const struct event *event,
                        const Relais__V1__Submit *submit)
{
    struct oracle_step *step = &oracle->step;
    struct oracle_session *session = step->session;
    struct body_reader body;
    if (submit->first_number != session->number_count + 1) {
        expect_cut(oracle, RELAIS__V1__CODE__CODE_FIELD_INVALID);
        return;
    }
    body_reader_init(&body, event->frames.frames + 1, event->frames.frame_count - 1);
    step->first = session->number_count;
    step->count = submit->n_parts;
    for (size_t i = 0; i < submit->n_parts; i++) {
        struct bytes envelope = {0};
        struct bytes payload = {0};
        size_t frame = 0;
        assert(body_reader_next(&body, submit->parts[i]->envelope_bytes, &envelope, &frame) &&
               body_reader_next(&body, submit->parts[i]->payload_bytes, &payload, &frame));
        session->numbers = agenda_grown(session->numbers, session->number_count,
                                        &session->number_capacity, sizeof *session->numbers);
        session->numbers[session->number_count++] =
            (struct oracle_number){.message = ledger_read(oracle->ledger, envelope)};
    }
}

static void hear_attach(struct oracle *oracle, const Relais__V1__Attach *attach)
{
    struct oracle_step *step = &oracle->step;
    unsigned place = town_place(attach->address);
    if (oracle_consumer(oracle, step->session, attach->consumer)) {
        step->expected.error = RELAIS__V1__CODE__CODE_FIELD_INVALID;
        return;
    }
    step->expected.attached = attach->consumer > 0 && place < TOWN_PLACES &&
                              attach->credit <= LIMIT_CREDIT &&
                              town_may_open(oracle->town, step->client, place);
    step->expected.detached = !step->expected.attached;
}

/* Each tag that is named and held is answered, the first that is not makes an error. */
static void hear_answer(struct oracle *oracle, Relais__V1__Range *const *tags, size_t count)
{
    struct oracle_step *step = &oracle->step;
    const struct oracle_consumer *consumer = step->consumer;
    bool unknown = false;
    for (size_t i = 0; i < count; i++) {
        uint64_t last = tags[i]->last;
        unknown =
            unknown || tags[i]->first == 0 || tags[i]->first > last || last > consumer->tag_count;
        last = last < consumer->tag_count ? last : consumer->tag_count;
        for (uint64_t tag = tags[i]->first; tag > 0 && tag <= last && !unknown; tag++) {
            unknown = consumer->tags[tag - 1].state != TAG_HELD;
        }
    }
    step->expected.error = unknown ? RELAIS__V1__CODE__CODE_UNKNOWN_DELIVERY : 0;
}

static void hear_extend(struct oracle *oracle, const Relais__V1__Extend *extend)
{
    if (extend->by_ms == 0 || extend->by_ms > LIMIT_EXTEND_MS) {
        oracle->step.expected.error = RELAIS__V1__CODE__CODE_FIELD_INVALID;
        return;
    }
    hear_answer(oracle, extend->tags, extend->n_tags);
    oracle_lease_extend(oracle, extend);
}

/* Commands about a consumer. False: it is not about one. */
static bool hear_consumer(struct oracle *oracle, const Relais__V1__ToBroker *command)
{
    struct oracle_step *step = &oracle->step;
    uint32_t number = 0;
    switch (command->command_case) {
    case RELAIS__V1__TO_BROKER__COMMAND_CREDIT:
        number = command->credit->consumer;
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_DETACH:
        number = command->detach->consumer;
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_ACK:
        number = command->ack->consumer;
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_NACK:
        number = command->nack->consumer;
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_EXTEND:
        number = command->extend->consumer;
        break;
    default:
        return false;
    }
    step->consumer = oracle_consumer(oracle, step->session, number);
    if (!step->consumer || step->consumer->ending) {
        step->consumer = NULL;
        step->expected.error = RELAIS__V1__CODE__CODE_UNKNOWN_CONSUMER;
    } else if (command->command_case == RELAIS__V1__TO_BROKER__COMMAND_DETACH) {
        step->consumer->ending = true;
    } else if (command->command_case == RELAIS__V1__TO_BROKER__COMMAND_ACK) {
        hear_answer(oracle, command->ack->tags, command->ack->n_tags);
    } else if (command->command_case == RELAIS__V1__TO_BROKER__COMMAND_NACK &&
               (command->nack->delay_ms > LIMIT_DELAY_MS ||
                (command->nack->uncounted && TOWN_ADDRESSES[step->consumer->place].owner == 0))) {
        step->expected.error = RELAIS__V1__CODE__CODE_FIELD_INVALID;
        step->consumer = NULL; /* nothing happens to it */
    } else if (command->command_case == RELAIS__V1__TO_BROKER__COMMAND_NACK) {
        hear_answer(oracle, command->nack->tags, command->nack->n_tags);
    } else if (command->command_case == RELAIS__V1__TO_BROKER__COMMAND_EXTEND) {
        hear_extend(oracle, command->extend);
    }
    return true;
}

static void hear_greeted(struct oracle *oracle, const struct event *event)
{
    const Relais__V1__ToBroker *command = oracle->step.command;
    if (hear_consumer(oracle, command)) {
        return;
    }
    switch (command->command_case) {
    case RELAIS__V1__TO_BROKER__COMMAND_HELLO:
        expect_cut(oracle, RELAIS__V1__CODE__CODE_FIELD_INVALID);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_SUBMIT:
        hear_submit(oracle, event, command->submit);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_ATTACH:
        hear_attach(oracle, command->attach);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_GOODBYE:
        expect_cut(oracle, 0);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_QUERY:
        oracle_query(oracle, command->query);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_MANAGE:
        oracle_manage(oracle, command->manage);
        break;
    default:
        break;
    }
}

static uint32_t sessions_of(const struct oracle *oracle, unsigned client)
{
    uint32_t count = 0;
    for (size_t i = 0; i < oracle->open_count; i++) {
        count += oracle->sessions[oracle->open[i]]->client == client;
    }
    return count;
}

static void hear_stranger(struct oracle *oracle)
{
    struct oracle_step *step = &oracle->step;
    bool hello = step->command->command_case == RELAIS__V1__TO_BROKER__COMMAND_HELLO;
    if (step->command->command_case == RELAIS__V1__TO_BROKER__COMMAND_GOODBYE ||
        (hello && oracle->draining)) {
        step->expected.close = true;
    } else if (!hello) {
        step->expected.error = RELAIS__V1__CODE__CODE_HELLO_FIRST;
    } else if (oracle->open_count >= oracle->plan->connections ||
               sessions_of(oracle, step->client) >= oracle->plan->connections_per_key) {
        expect_cut(oracle, RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED);
    } else if (!oracle_may_connect(oracle, step->client)) {
        expect_cut(oracle, RELAIS__V1__CODE__CODE_OVER_QUOTA);
    } else {
        step->expected.welcome = true;
    }
}

void oracle_frames(struct oracle *oracle, const struct event *event, unsigned client)
{
    struct wire_fault fault = {0};
    begin(oracle, STEP_FRAMES);
    struct oracle_step *step = &oracle->step;
    step->connection = event->frames.connection;
    step->client = client;
    step->session = oracle_session(oracle, step->connection);
    wire_arena_reset(&oracle->heard);
    step->command = wire_unpack_to_broker(event->frames.frames[0], &oracle->heard, &fault);
    NOTE(oracle->trace, "broker hears", {"connection", step->connection}, {"client", client},
         {"command", step->command ? step->command->command_case : 0});
    if (step->session && step->session->over) {
        return;
    }
    if (oracle->town->client_absent[client]) {
        expect_cut(oracle, 0);
    } else if (!step->command) {
        expect_cut(oracle, RELAIS__V1__CODE__CODE_MALFORMED);
    } else if (step->session) {
        hear_greeted(oracle, event);
    } else {
        hear_stranger(oracle);
    }
}

void oracle_closed(struct oracle *oracle, uint64_t connection)
{
    begin(oracle, STEP_CLOSED);
    struct oracle_session *session = oracle_session(oracle, connection);
    NOTE(oracle->trace, "broker sees end", {"connection", connection});
    oracle->step.connection = connection;
    oracle->step.session = session;
    oracle->step.dies = session && !session->over;
    if (session) {
        consumers_end(oracle, session);
    }
}

static void stored_names(struct oracle *oracle, const struct disk_result *result)
{
    for (unsigned place = 0; place < TOWN_PLACES; place++) {
        if ((result->note.places & (1U << place)) != 0) {
            oracle->places[place].announced = result->result.status == STORE_DONE;
        }
    }
}

/* Of a message, or of a question about one. NULL: its sender has gone. */
static struct oracle_session *storing_ends(struct oracle *oracle, const struct op_note *note,
                                           bool good)
{
    struct oracle_session *session = oracle_session(oracle, note->connection);
    struct oracle_share *share = &oracle->shares[TOWN_PEOPLE[note->message->client].member];
    oracle->storing--;
    oracle->storing_bytes -= note->cost;
    share->storing--;
    share->storing_bytes -= note->cost;
    if (!session || session->over) {
        return NULL;
    }
    session->window_messages--;
    session->window_bytes -= note->cost;
    if (good && session->unconfirmed++ == 0) {
        session->unconfirmed_ms = oracle->now.mono_ms;
    }
    session->untold += !good;
    return session;
}

static void stored_known(struct oracle *oracle, const struct disk_result *result)
{
    bool known = result->result.status == STORE_DONE;
    struct oracle_session *session = storing_ends(oracle, &result->note, known);
    oracle->totals.accepted += known;
    oracle->totals.duplicates += known;
    if (session) {
        session->numbers[result->note.number - 1].state = known ? NUMBER_STORED : NUMBER_WRONG;
    }
}

static void stored_append(struct oracle *oracle, const struct disk_result *result)
{
    const struct message *message = result->note.message;
    bool good = result->result.status == STORE_DONE;
    bool over = result->result.status == STORE_OVER_QUOTA;
    bool unknown = result->result.status == STORE_UNKNOWN_EARLIER;
    struct oracle_session *session = storing_ends(oracle, &result->note, good);
    oracle_claimed(oracle, result);
    oracle->totals.accepted += good;
    oracle->totals.duplicates += good && result->result.append.duplicate;
    for (uint32_t i = 0; good && !result->result.append.duplicate && i < message->place_count;
         i++) {
        oracle->places[message->places[i]].waiting++;
        oracle->places[message->places[i]].waiting_bytes += ledger_bytes(message);
    }
    if (good && !result->result.append.duplicate && message->supersedes) {
        oracle_succession_stored(oracle, result);
    }
    if (session) {
        session->numbers[result->note.number - 1].state = good      ? NUMBER_STORED
                                                          : over    ? NUMBER_OVER
                                                          : unknown ? NUMBER_UNKNOWN
                                                                    : NUMBER_FULL;
    }
}

static void stored_take(struct oracle *oracle, const struct disk_result *result)
{
    oracle->places[result->note.place].takes--;
    for (uint32_t i = 0; i < result->result.take.count; i++) {
        const struct store_entry *entry = &result->result.take.entries[i];
        struct message *message = NULL;
        unsigned place = 0;
        struct life *life = oracle_life(oracle, &entry->key, &message, &place);
        PROMISE(oracle->trace, life->state == LIFE_FREE, "what is taken was free",
                {"message", message->index}, {"place", place});
        life->attempts = entry->attempts;
        life->due_ms = entry->key.due_ms;
        oracle_takes(oracle, life, place);
    }
}

static void count_out(struct oracle *oracle, const struct message *message, unsigned place)
{
    oracle->places[place].waiting--;
    oracle->places[place].waiting_bytes -= ledger_bytes(message);
}

static void stored_answer(struct oracle *oracle, const struct disk_result *result)
{
    const struct op_note *note = &result->note;
    struct life *life = ledger_life(note->message, note->place);
    bool done = result->result.status == STORE_DONE;
    if (!done) {
        life->state = LIFE_UNDONE;
        oracle->no_room_ms = oracle->now.mono_ms;
    } else if (result->result.kind == STORE_DEFER) {
        life->state = LIFE_FREE;
    } else {
        life->state = LIFE_GONE;
        count_out(oracle, note->message, note->place);
        oracle->totals.acknowledged += result->result.kind == STORE_ACK;
        oracle->places[note->place].dead += result->result.kind == STORE_BURY;
    }
    if (note->connection > 0) {
        struct oracle_consumer *consumer = oracle->consumers[note->consumer];
        oracle->settling--;
        consumer->settling--;
        consumer->untold += done;
        consumer->tags[note->number - 1].state = done ? TAG_ON_DISK : TAG_OVER;
    }
}

void oracle_stored(struct oracle *oracle, const struct disk_result *result)
{
    begin(oracle, STEP_STORED);
    NOTE(oracle->trace, "disk answers", {"op", result->result.kind},
         {"status", result->result.status},
         {"message", result->note.message ? result->note.message->index : 0},
         {"place", result->note.place});
    switch (result->result.kind) {
    case STORE_MAILBOX:
    case STORE_MAILBOXES:
        stored_names(oracle, result);
        break;
    case STORE_DEAD_LIST:
    case STORE_DEAD_READ:
    case STORE_REPLAY:
    case STORE_DROP:
        oracle_stored_dead(oracle, result);
        break;
    case STORE_TRACK:
        oracle_stored_track(oracle, result);
        break;
    case STORE_CANCEL:
        oracle_stored_cancel(oracle, result);
        break;
    case STORE_EXPIRE:
        oracle_stored_expiry(oracle, result);
        break;
    case STORE_APPEND:
        stored_append(oracle, result);
        break;
    case STORE_KNOWN:
        stored_known(oracle, result);
        break;
    case STORE_TAKE:
        stored_take(oracle, result);
        break;
    default:
        stored_answer(oracle, result);
        break;
    }
}

void oracle_time(struct oracle *oracle)
{
    begin(oracle, STEP_TIME);
}

void oracle_directory(struct oracle *oracle)
{
    begin(oracle, STEP_OTHER);
    for (size_t i = 0; i < oracle->open_count; i++) {
        const struct oracle_session *session = oracle->sessions[oracle->open[i]];
        for (size_t k = 0; k < session->consumer_count; k++) {
            struct oracle_consumer *consumer = oracle->consumers[session->consumers[k]];
            consumer->ending =
                consumer->ending || !town_may_open(oracle->town, session->client, consumer->place);
        }
    }
}

void oracle_drain(struct oracle *oracle)
{
    begin(oracle, STEP_OTHER);
    oracle->draining = true;
}

void oracle_flush(struct oracle *oracle)
{
    begin(oracle, STEP_FLUSH);
}

bool oracle_is_done(const struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->ledger->count; i++) {
        const struct message *message = oracle->ledger->messages[i];
        for (uint32_t k = 0; k < message->place_count; k++) {
            if (message->stored && message->lives[k].on_disk == DISK_WAITING) {
                return false;
            }
        }
    }
    return true;
}
