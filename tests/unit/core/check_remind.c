/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "Deadlines": which messages have one, when the store is asked, what is said to
 * recipients and senders.
 */
#include "heard.h"

#include "core/digest.h"
#include "relais/v1/envelope.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS, TEXT_BYTES = 5000 };

static struct world world;

/* ETATCIVIL is to be acknowledged within ten days, with reminders three days and one before. */
static struct directory *directory(void)
{
    const struct flow_acknowledge acknowledge = {.within_ms = 10 * (int64_t)DAY_MS,
                                                 .remind_ms = {3 * (int64_t)DAY_MS, DAY_MS},
                                                 .remind_count = 2};
    struct directory *one = world_directory();
    ck_assert_int_eq(directory_set_acknowledge(one, "ETATCIVIL", &acknowledge), DIRECTORY_OK);
    return one;
}

static void start(void)
{
    world_init(&world, NULL);
    world_replace(&world, directory());
    greet(&world, 1, DILA);
}

static void submit(struct message *message)
{
    static uint64_t number;
    number = strcmp(message->envelope.id, "first") == 0 ? 1 : number + 1;
    world_submit(&world, 1, DILA, number, message, 1);
    world_turn(&world);
    heard_accepted(&world, 1, number, number);
}

static void submit_first(void)
{
    struct message message;
    message_init(&message, "first");
    message.envelope.from = "dila/greffe";
    submit(&message);
}

/* What the store will say: the deadline of the first message. */
static void set_due(uint8_t step)
{
    struct store_due *due = &world.shelf.due;
    *due = (struct store_due){.sequence = 7, .deadline = world.shelf.deadline};
    due->deadline.step = step;
    due->at_ms = stored_deadline_at(&due->deadline, step);
}

static void check_broker_made(const Relais__V1__Envelope *envelope)
{
    const char *const pairs[][2] = {
        {envelope->source, "relais://broker"},
        {envelope->from, "relais/broker"},
        {envelope->flow, "ETATCIVIL"},
        {envelope->correlation_id, "first"},
        {envelope->id, world.shelf.pass.id},
        {world.shelf.pass.name, "relais"},
        {envelope->datacontenttype, "application/json"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        ck_assert_str_eq(pairs[i][0], pairs[i][1]);
    }
    ck_assert_int_eq(envelope->priority, RELAIS__V1__PRIORITY__PRIORITY_HIGH);
}

static void check_digest(const Relais__V1__Envelope *envelope, struct bytes payload)
{
    uint8_t digest[DIGEST_BYTES];
    digest_of(payload, digest);
    ck_assert_uint_eq(envelope->payload_size, payload.size);
    ck_assert_uint_eq(envelope->payload_digest.len, sizeof digest);
    ck_assert_mem_eq(envelope->payload_digest.data, digest, sizeof digest);
}

/* What the last step said. */
static const Relais__V1__Envelope *passed(char *out_text)
{
    static Relais__V1__Envelope *envelope;
    const struct held_message *message = &world.shelf.passed;
    if (envelope) {
        relais__v1__envelope__free_unpacked(envelope, NULL);
    }
    envelope = relais__v1__envelope__unpack(NULL, message->envelope.size, message->envelope.data);
    ck_assert_ptr_nonnull(envelope);
    ck_assert_uint_lt(message->payload.size, TEXT_BYTES);
    check_broker_made(envelope);
    check_digest(envelope, message->payload);
    memcpy(out_text, message->payload.data, message->payload.size);
    out_text[message->payload.size] = '\0';
    return envelope;
}

START_TEST(messages_of_a_flow_with_a_deadline_have_one)
{
    start();
    submit_first();
    const struct stored_deadline *deadline = &world.shelf.deadline;
    int64_t end_ms = world.now.wall_ms + 10 * (int64_t)DAY_MS;
    ck_assert_str_eq(deadline->sender, "dila");
    ck_assert_str_eq(deadline->id, "first");
    ck_assert_str_eq(deadline->from, "dila/greffe");
    ck_assert_str_eq(deadline->flow, "ETATCIVIL");
    ck_assert_int_eq(deadline->accepted_ms, world.now.wall_ms);
    ck_assert_int_eq(deadline->deadline_ms, end_ms);
    ck_assert_uint_eq(deadline->remind_count, 2);
    ck_assert_int_eq(deadline->remind_ms[0], end_ms - 3 * (int64_t)DAY_MS);
    ck_assert_int_eq(deadline->remind_ms[1], end_ms - DAY_MS);
    struct message message;
    message_init(&message, "later"); /* the time runs from when it is given out */
    message.envelope.not_before_ms = world.now.wall_ms + DAY_MS;
    submit(&message);
    ck_assert_int_eq(world.shelf.deadline.deadline_ms, end_ms + DAY_MS);
    message_init(&message, "none");
    message.envelope.flow = "PETIT";
    submit(&message);
    ck_assert_str_eq(world.shelf.deadline.sender, "");
    world_fini(&world);
}
END_TEST

/* commune-76540 answers dila's client by the flow: that is not a thing to be acknowledged. */
START_TEST(an_answer_to_who_asked_has_none)
{
    struct message message;
    char *to[] = {"dila/~files"};
    start();
    submit_first();
    greet(&world, 2, ROUEN);
    message_init(&message, "answer");
    message.envelope.to = to;
    message.envelope.from = "commune-76540/etat-civil";
    world_submit(&world, 2, ROUEN, 1, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 2, 1, 1);
    ck_assert_str_eq(world.shelf.deadline.sender, "");
    world_fini(&world);
}
END_TEST

START_TEST(the_store_is_asked_when_a_step_is_due)
{
    start();
    submit_first();
    set_due(0);
    world_pass(&world, 7 * (int64_t)DAY_MS - 60000);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.dues, 0);
    ck_assert_int_le(world.effects.wake_mono_ms, world.now.mono_ms + 60000);
    ck_assert_int_gt(world.effects.wake_mono_ms, world.now.mono_ms);
    set_due(1); /* somebody has passed the first */
    world_pass(&world, 60000);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.dues, 1);
    ck_assert_uint_eq(world.shelf.passes, 0);
    world_pass(&world, DAY_MS);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.dues, 1);
    world_pass(&world, DAY_MS);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.dues, 3); /* and whether another is due */
    ck_assert_uint_eq(world.shelf.passes, 1);
    world_fini(&world);
}
END_TEST

START_TEST(a_new_broker_asks_for_what_is_there)
{
    struct core_settings settings;
    core_settings_init(&settings);
    settings.deadlines = true;
    world_init(&world, &settings);
    greet(&world, 1, DILA);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.dues, 1);
    ck_assert_int_eq(world.effects.wake_mono_ms, 0); /* none: never again */
    world_fini(&world);
}
END_TEST

START_TEST(a_reminder_says_of_what)
{
    char text[TEXT_BYTES];
    start();
    submit_first();
    set_due(0);
    world.shelf.due.deadline.after = 5;
    world.shelf.reminded[0] = 1;
    world_pass(&world, 7 * (int64_t)DAY_MS);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.passes, 1);
    const struct store_op *op = &world.shelf.pass.op;
    ck_assert_uint_eq(op->append.pass.sequence, 7);
    ck_assert_uint_eq(op->append.pass.step, 0);
    ck_assert_uint_eq(op->append.pass.max, STORED_REMINDED);
    ck_assert_uint_eq(op->append.recipient_count, 0); /* the store finds them */
    ck_assert_uint_eq(op->append.lane, LANE_HIGH);
    ck_assert_uint_eq(op->append.quota.messages, 0);
    ck_assert_str_eq(world.shelf.pass.deadline.sender, "");
    const Relais__V1__Envelope *envelope = passed(text);
    ck_assert_str_eq(envelope->type, "fr.relais.reminder");
    ck_assert_str_eq(envelope->id, "reminder-7-0-5");
    ck_assert_uint_eq(envelope->n_to, 0);
    ck_assert_str_eq(text, "{\"id\":\"first\",\"flow\":\"ETATCIVIL\",\"from\":\"dila/greffe\","
                           "\"accepted\":\"2023-11-14T22:13:20.000Z\","
                           "\"deadline\":\"2023-11-24T22:13:20.000Z\"}");
    ck_assert(world_noted(&world, "deadline.reminded"));
    world_fini(&world);
}
END_TEST

static size_t count_notes(const char *event)
{
    size_t count = 0;
    for (size_t i = 0; i < world.noted_count; i++) {
        count += strcmp(world.noted[i], event) == 0;
    }
    return count;
}

START_TEST(a_step_of_several_messages_is_one_line_of_the_log)
{
    start();
    submit_first();
    set_due(0);
    struct store_due again = world.shelf.due;
    again.deadline.after = 5;
    world.shelf.reminded[0] = 1;
    world_pass(&world, 7 * (int64_t)DAY_MS);
    world_store_one(&world); /* the question */
    world_store_one(&world); /* the first message */
    world.shelf.due = again;
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.passes, 2);
    ck_assert_str_eq(world.shelf.pass.id, "reminder-7-0-5");
    ck_assert_uint_eq(count_notes("deadline.reminded"), 1);
    world_fini(&world);
}
END_TEST

/* Two reminders were slept through: the later one is sent, the earlier never. */
START_TEST(what_was_slept_through_is_said_once)
{
    char text[TEXT_BYTES];
    start();
    submit_first();
    set_due(0);
    world_pass(&world, 9 * (int64_t)DAY_MS + HOUR_MS);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.passes, 1);
    ck_assert_uint_eq(world.shelf.pass.op.append.pass.step, 1);
    ck_assert_str_eq(passed(text)->id, "reminder-7-1-0");
    world_fini(&world);
}
END_TEST

static void set_missed(void)
{
    struct store_due *due = &world.shelf.due;
    set_due(2);
    due->totals[TRACK_ACKNOWLEDGED] = 40;
    due->totals[TRACK_WAITING] = 2;
    due->owing = 2;
    due->count = 2;
    due->rows[0] = (struct store_track_row){.mailbox = 1, .state = TRACK_WAITING};
    due->rows[1] = (struct store_track_row){.mailbox = 99, .state = TRACK_WAITING};
}

START_TEST(the_sender_is_warned_at_the_deadline)
{
    char text[TEXT_BYTES];
    start();
    submit_first();
    set_missed();
    world_pass(&world, 10 * (int64_t)DAY_MS);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.passes, 1);
    const struct store_op *op = &world.shelf.pass.op;
    ck_assert_uint_eq(op->append.pass.step, 2);
    ck_assert_uint_eq(op->append.recipient_count, 1);
    uint32_t to = world.shelf.pass.recipients[0].mailbox;
    ck_assert_str_eq(world.shelf.names[to], "dila/greffe");
    const Relais__V1__Envelope *envelope = passed(text);
    ck_assert_str_eq(envelope->type, "fr.relais.deadline-missed");
    ck_assert_str_eq(envelope->id, "deadline-missed-7");
    ck_assert_str_eq(envelope->to[0], "dila/greffe");
    ck_assert_ptr_nonnull(strstr(text,
                                 "\"totals\":{\"waiting\":2,\"acknowledged\":40},\"missing\":2,"
                                 "\"first\":[\"commune-76540/etat-civil\"],"
                                 "\"all\":\"relais track first --missing\"}"));
    ck_assert(world_noted(&world, "deadline.missed"));
    world_fini(&world);
}
END_TEST

static void miss(const char *from, uint32_t owing)
{
    struct message message;
    start();
    message_init(&message, "first");
    message.envelope.from = (char *)from;
    submit(&message);
    set_missed();
    world.shelf.due.owing = owing;
    world_pass(&world, 10 * (int64_t)DAY_MS);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.passes, 1);
    ck_assert_uint_eq(world.shelf.pass.op.append.recipient_count, 0);
    world_fini(&world);
}

START_TEST(without_an_address_the_log_alone_says_so)
{
    miss("", 2);
    ck_assert(world_noted(&world, "deadline.missed"));
    miss("dila/gone", 2);
    miss("dila/greffe", 0); /* everybody has answered */
    ck_assert(!world_noted(&world, "deadline.missed"));
}
END_TEST

START_TEST(a_full_store_is_asked_again_later)
{
    start();
    submit_first();
    set_due(0);
    world.shelf.pass_status = STORE_NO_ROOM;
    world_pass(&world, 7 * (int64_t)DAY_MS);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.passes, 1);
    ck_assert(world_noted(&world, "deadline.waits"));
    ck_assert_int_eq(world.effects.wake_mono_ms, world.now.mono_ms + 60000);
    world_pass(&world, 59000);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.passes, 1);
    world_pass(&world, 1000);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.passes, 2);
    world_fini(&world);
}
END_TEST

START_TEST(a_draining_broker_begins_nothing)
{
    start();
    submit_first();
    set_due(0);
    world_drain(&world);
    world_pass(&world, 7 * (int64_t)DAY_MS);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.dues, 0);
    world_fini(&world);
}
END_TEST

START_TEST(who_is_reminded_is_counted_and_given_it)
{
    start();
    submit_first();
    set_due(0);
    world.shelf.reminded[0] = 1;
    world_pass(&world, 7 * (int64_t)DAY_MS);
    size_t takes = world.shelf.takes;
    world_turn(&world);
    greet_consumer(&world, 2, 10);
    world_turn(&world);
    ck_assert_uint_gt(world.shelf.takes, takes);
    world_fini(&world);
}
END_TEST

START_TEST(tracking_tells_the_deadline)
{
    Relais__V1__TrackQuery track = RELAIS__V1__TRACK_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    start();
    submit_first();
    track.id = "first";
    query.what_case = RELAIS__V1__QUERY__WHAT_TRACK;
    query.track = &track;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(&world, 1, DILA, &command);
    world_turn(&world);
    ck_assert_int_eq(heard(&world, 1, TOLD(ANSWER))->answer->track->deadline_ms,
                     world.now.wall_ms + 10 * (int64_t)DAY_MS);
    world_fini(&world);
}
END_TEST

START_TEST(rules_that_cannot_be_kept_are_refused)
{
    struct directory *one = world_directory();
    struct flow_acknowledge rules = {.within_ms = 1000, .remind_ms = {1000}, .remind_count = 1};
    ck_assert_int_eq(directory_set_acknowledge(one, "ETATCIVIL", &rules), DIRECTORY_INVALID);
    rules =
        (struct flow_acknowledge){.within_ms = 1000, .remind_ms = {100, 100}, .remind_count = 2};
    ck_assert_int_eq(directory_set_acknowledge(one, "ETATCIVIL", &rules), DIRECTORY_INVALID);
    rules.remind_ms[1] = 99;
    ck_assert_int_eq(directory_set_acknowledge(one, "ETATCIVIL", &rules), DIRECTORY_OK);
    ck_assert_int_eq(directory_set_acknowledge(one, "NOTHING", &rules), DIRECTORY_INVALID);
    directory_free(one);
    one = directory_new();
    ck_assert_int_eq(directory_add_member(one, "relais", KIND_STATE), DIRECTORY_INVALID);
    directory_free(one);
}
END_TEST

SUITE_MAIN("core remind", messages_of_a_flow_with_a_deadline_have_one,
           an_answer_to_who_asked_has_none, the_store_is_asked_when_a_step_is_due,
           a_new_broker_asks_for_what_is_there, a_reminder_says_of_what,
           a_step_of_several_messages_is_one_line_of_the_log, what_was_slept_through_is_said_once,
           the_sender_is_warned_at_the_deadline, without_an_address_the_log_alone_says_so,
           a_full_store_is_asked_again_later, a_draining_broker_begins_nothing,
           who_is_reminded_is_counted_and_given_it, tracking_tells_the_deadline,
           rules_that_cannot_be_kept_are_refused)
