/* SPDX-License-Identifier: EUPL-1.2
 *
 * See deadlines.h. Recipients answer to the disk at once: how an answer gets there is for other
 * runs.
 */
#include "deadlines.h"

#include "core/core.h"
#include "deadlines_disk.h"
#include "relais/v1/command.pb-c.h"
#include "relais/v1/envelope.pb-c.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDER_KEY "sender000000000000000000000000000000000f"

enum {
    STEPS = 220,
    STEP_MS = 3000,
    JUMP_MS = 70 * 1000,
    TICK_MS = 500,
    DIGEST_BYTES = 32,
    PACKED_BYTES = 512,
    SETTLE_MS = 130 * 1000, /* a clock that jumped, and a store without room, are noticed by then */
    APART_MS = 30 * 1000,
    UNLUCKY_MS = 60 * 1000,
    FULL_MS = 8 * 1000,
    REST_MS = 65 * 1000,
    CALM_MS = 210 * 1000, /* until the last deadline, and a rest */
    SLACK_MS = 2 * TICK_MS,
};

struct deadlines {
    struct trace *trace;
    struct chance chance;
    struct core *core;
    struct effects effects;
    struct moment now;
    struct deadlines_disk disk;
    uint64_t line; /* of the sender; 0: none */
    uint64_t last_line, last_number;
    bool has_deadline; /* the flow, as the broker knows it */
    bool sender_gone;
    unsigned letters; /* that may be sent so far */
};

struct calm {
    bool crashes; /* else the disk is full for a while */
    int64_t at_ms;
    bool late; /* a step may be */
};

static struct directory *make_directory(const struct deadlines *run)
{
    struct directory *directory = directory_new();
    struct flow_acknowledge rules = {.within_ms = DEADLINES_WITHIN_MS,
                                     .remind_count = DEADLINES_STEPS - 1};
    char member[DEADLINES_TEXT];
    assert(directory);
    directory_add_member(directory, "dila", KIND_STATE);
    directory_add_client(directory, "dila", "s", SENDER_KEY, ROLE_MAY_SEND);
    if (!run->sender_gone) {
        directory_add_service(directory, "dila", "greffe");
    }
    for (unsigned i = 0; i < DEADLINES_RECIPIENTS; i++) {
        (void)snprintf(member, sizeof member, "commune-%u", i);
        directory_add_member(directory, member, KIND_COMMUNE);
        directory_add_service(directory, member, "s");
    }
    directory_add_flow(directory, "F", 0);
    directory_allow_sender(directory, "F", "dila");
    directory_allow_receiver(directory, "F", "*");
    for (unsigned i = 0; i + 1 < DEADLINES_STEPS; i++) {
        rules.remind_ms[i] = DEADLINES_BEFORE_MS[i];
    }
    assert(!run->has_deadline || directory_set_acknowledge(directory, "F", &rules) == DIRECTORY_OK);
    directory_seal(directory);
    return directory;
}

static void begin_core(struct deadlines *run)
{
    struct core_settings settings;
    struct stored_mailbox mailboxes[DEADLINES_MAILBOXES];
    size_t count = 0;
    core_settings_init(&settings);
    settings.seed = chance_next(&run->chance);
    settings.deadlines = true;
    for (uint32_t id = 0; id < DEADLINES_MAILBOXES; id++) {
        unsigned place = run->disk.synced.places[id];
        if (place > 0) {
            mailboxes[count++] =
                (struct stored_mailbox){.id = id, .name = deadlines_name(place - 1)};
        }
    }
    run->core = core_new(&settings, make_directory(run), mailboxes, count);
    assert(run->core);
    run->disk.reasons++;
    run->line = run->last_number = 0;
}

static void carry_out(struct deadlines *run)
{
    assert(!run->effects.failed);
    for (size_t i = 0; i < run->effects.count; i++) {
        const struct effect *effect = &run->effects.items[i];
        if (effect->kind == EFFECT_STORE) {
            NOTE(run->trace, "to the disk", {"op", effect->store.kind},
                 {"step", effect->store.kind == STORE_APPEND ? effect->store.append.pass.step : 0});
            deadlines_disk_submit(&run->disk, &effect->store, run->has_deadline);
        }
    }
    effects_clear(&run->effects);
}

static void step(struct deadlines *run, struct event *event)
{
    if (event) {
        core_step(run->core, run->now, event, &run->effects);
    }
    core_flush(run->core, run->now, &run->effects);
    carry_out(run);
}

/* The broker is told the time when it asked for that, and not otherwise. */
static void look_at_clock(struct deadlines *run)
{
    int64_t wake_ms = run->effects.wake_mono_ms;
    if (wake_ms > 0 && wake_ms <= run->now.mono_ms) {
        step(run, &(struct event){.kind = EVENT_TIME});
    }
}

static void pass(struct deadlines *run, int64_t ms)
{
    run->now.mono_ms += ms;
    run->now.wall_ms += ms;
    run->trace->now_ms += ms;
    look_at_clock(run);
}

/* What the sender says. */

static void speak(struct deadlines *run, const Relais__V1__ToBroker *command, struct bytes body)
{
    uint8_t *data = NULL;
    struct buffer *buffers[2] = {buffer_new(relais__v1__to_broker__get_packed_size(command), &data),
                                 NULL};
    relais__v1__to_broker__pack(command, data);
    struct bytes frames[2] = {buffers[0]->bytes, {0}};
    struct event event = {.kind = EVENT_FRAMES};
    if (body.size > 0) {
        buffers[1] = buffer_new(body.size, &data);
        memcpy(data, body.data, body.size);
        frames[1] = buffers[1]->bytes;
    }
    event.frames.connection = run->line;
    event.frames.key = SENDER_KEY;
    event.frames.frames = frames;
    event.frames.buffers = buffers;
    event.frames.frame_count = body.size > 0 ? 2 : 1;
    step(run, &event);
    buffer_unref(buffers[0]);
    buffer_unref(buffers[1]);
}

static void say_hello(struct deadlines *run)
{
    Relais__V1__Hello hello = RELAIS__V1__HELLO__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    hello.major = 1;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_HELLO;
    command.hello = &hello;
    run->line = ++run->last_line;
    speak(run, &command, (struct bytes){0});
}

static void say_submit(struct deadlines *run, unsigned letter)
{
    char *to[DEADLINES_RECIPIENTS];
    uint8_t digest[DIGEST_BYTES] = {0};
    uint8_t packed[PACKED_BYTES];
    char id[DEADLINES_TEXT];
    Relais__V1__Envelope envelope = RELAIS__V1__ENVELOPE__INIT;
    Relais__V1__Part part = RELAIS__V1__PART__INIT;
    Relais__V1__Part *parts[] = {&part};
    Relais__V1__Submit submit = RELAIS__V1__SUBMIT__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    for (unsigned i = 0; i < DEADLINES_RECIPIENTS; i++) {
        to[i] = (char *)deadlines_name(i);
    }
    (void)snprintf(id, sizeof id, "%u", letter);
    envelope.id = id;
    envelope.source = envelope.type = "sim";
    envelope.flow = "F";
    envelope.from = DEADLINES_SENDER_PLACE;
    envelope.n_to = DEADLINES_RECIPIENTS;
    envelope.to = to;
    envelope.payload_digest = (ProtobufCBinaryData){.len = sizeof digest, .data = digest};
    assert(relais__v1__envelope__get_packed_size(&envelope) <= sizeof packed);
    part.envelope_bytes = (uint32_t)relais__v1__envelope__pack(&envelope, packed);
    submit.first_number = ++run->last_number;
    submit.n_parts = 1;
    submit.parts = parts;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_SUBMIT;
    command.submit = &submit;
    run->disk.reasons += DEADLINES_STEPS;
    speak(run, &command, (struct bytes){packed, part.envelope_bytes});
}

static void send_some(struct deadlines *run)
{
    if (run->line == 0) {
        say_hello(run);
    } else {
        say_submit(run, chance_below(&run->chance, run->letters));
    }
}

/* What happens. */

static void answer(struct deadlines *run, const struct deadlines_answer *one)
{
    NOTE(run->trace, "answer", {"letter", one->letter}, {"recipient", one->recipient},
         {"state", one->state});
    deadlines_disk_answer(&run->disk, one);
}

/* Everybody acknowledges, or lets a dead letter go. */
static void answer_all(struct deadlines *run)
{
    struct deadlines_answer one = {.letter = chance_below(&run->chance, run->letters)};
    for (; one.recipient < DEADLINES_RECIPIENTS; one.recipient++) {
        bool drops = chance_is(&run->chance, 300);
        one.state = drops ? TRACK_DEAD : TRACK_ACKNOWLEDGED;
        answer(run, &one);
        one.state = TRACK_DROPPED;
        if (drops) {
            answer(run, &one);
        }
    }
}

static void answer_some(struct deadlines *run)
{
    static const enum track_state states[] = {
        TRACK_ACKNOWLEDGED, TRACK_ACKNOWLEDGED, TRACK_ACKNOWLEDGED, TRACK_REFUSED, TRACK_DEAD,
        TRACK_EXPIRED,      TRACK_SUPERSEDED,   TRACK_CANCELLED,    TRACK_WAITING, TRACK_DROPPED};
    if (chance_is(&run->chance, 100)) {
        answer_all(run);
        return;
    }
    const struct deadlines_answer one = {
        .letter = chance_below(&run->chance, run->letters),
        .recipient = chance_below(&run->chance, DEADLINES_RECIPIENTS),
        .state = states[chance_below(&run->chance, sizeof states / sizeof states[0])]};
    answer(run, &one);
}

static void collect(struct deadlines *run)
{
    struct event event = {.kind = EVENT_STORED};
    while (deadlines_disk_collect(&run->disk, &event.stored)) {
        step(run, &event);
        event = (struct event){.kind = EVENT_STORED};
    }
}

static void sync_some(struct deadlines *run)
{
    deadlines_disk_write(&run->disk, chance_between(&run->chance, 1, 4));
    if (chance_is(&run->chance, 700)) {
        deadlines_disk_sync(&run->disk);
        collect(run);
    }
}

static void crash(struct deadlines *run)
{
    NOTE(run->trace, "crash", {"waiting", run->disk.count - run->disk.first});
    core_free(run->core);
    effects_clear(&run->effects);
    run->effects.wake_mono_ms = 0;
    deadlines_disk_crash(&run->disk);
    begin_core(run);
    step(run, NULL);
}

static void change_directory(struct deadlines *run, bool has_deadline, bool sender_gone)
{
    struct event event = {.kind = EVENT_DIRECTORY};
    /* Whether the sender can be warned is judged when that is written. */
    if (run->disk.under_way == 0) {
        run->has_deadline = has_deadline;
        run->sender_gone = run->disk.sender_gone = sender_gone;
        event.directory = make_directory(run);
        step(run, &event);
    }
}

static void fate(struct deadlines *run)
{
    switch (chance_below(&run->chance, 12)) {
    case 0:
    case 1:
        crash(run);
        break;
    case 2:
        run->disk.full = !run->disk.full;
        break;
    case 3: /* the clock is set forward, or the machine slept */
        run->now.wall_ms += chance_between(&run->chance, 1, JUMP_MS);
        break;
    case 4:
        change_directory(run, chance_is(&run->chance, 700), chance_is(&run->chance, 300));
        break;
    default:
        pass(run, chance_between(&run->chance, 1, STEP_MS));
        break;
    }
}

/* Everything that waits is done. */
static void drain(struct deadlines *run)
{
    do {
        deadlines_disk_write(&run->disk, SIZE_MAX);
        deadlines_disk_sync(&run->disk);
        collect(run);
        look_at_clock(run);
    } while (run->disk.first < run->disk.count);
}

/* The step of this letter that was the latest some time ago has been said to all who can hear. */
static void check_letter(const struct deadlines *run, unsigned number)
{
    const struct deadlines_letter *letter = &run->disk.synced.letters[number];
    unsigned last = DEADLINES_STEPS - 1;
    int64_t late_ms = run->now.wall_ms - SLACK_MS;
    bool owed = false;
    for (unsigned i = 0; i < DEADLINES_RECIPIENTS; i++) {
        owed = owed || !letter->released[i];
    }
    for (unsigned s = 0; s < last; s++) {
        bool is_latest =
            deadlines_at(letter, s) <= late_ms && deadlines_at(letter, s + 1) > run->now.wall_ms;
        for (unsigned i = 0; is_latest && i < DEADLINES_RECIPIENTS; i++) {
            PROMISE(run->trace, letter->wavered[i] || (letter->reminded[i] >> s & 1U) != 0,
                    "who owes an answer is reminded", {"letter", number}, {"recipient", i},
                    {"step", s});
        }
    }
    if (deadlines_at(letter, last) <= late_ms) {
        PROMISE(run->trace, !letter->kept, "every deadline ends", {"letter", number});
        PROMISE(run->trace, !owed || letter->warned, "the sender is warned at last",
                {"letter", number});
    }
}

static void check_calm(const struct deadlines *run, unsigned from)
{
    for (unsigned i = from; i < run->letters; i++) {
        const struct deadlines_letter *letter = &run->disk.synced.letters[i];
        if (letter->stored && letter->has_deadline) {
            check_letter(run, i);
        }
    }
}

/* One thing yet: a crash, or some seconds without room, which may make a step late. */
static void be_unlucky(struct deadlines *run, struct calm *calm, int64_t at_ms)
{
    if (at_ms == calm->at_ms && calm->crashes) {
        crash(run);
    } else if (at_ms == calm->at_ms || at_ms == calm->at_ms + FULL_MS) {
        run->disk.full = at_ms == calm->at_ms && !calm->crashes;
    }
    calm->late = !calm->crashes && at_ms >= calm->at_ms && at_ms <= calm->at_ms + FULL_MS + REST_MS;
}

/* Two letters more, of which nothing may be late but for that. */
static void look_closely(struct deadlines *run)
{
    unsigned before = run->letters;
    struct calm calm = {.crashes = chance_is(&run->chance, 500)};
    calm.at_ms =
        APART_MS + TICK_MS + (int64_t)chance_below(&run->chance, UNLUCKY_MS / TICK_MS) * TICK_MS;
    run->letters = DEADLINES_LETTERS;
    if (run->line == 0) {
        say_hello(run);
    }
    for (int64_t at_ms = 0; at_ms < CALM_MS; at_ms += TICK_MS) {
        unsigned next = before + (unsigned)(at_ms / APART_MS);
        if (at_ms % APART_MS == 0 && next < DEADLINES_LETTERS) {
            say_submit(run, next);
        }
        if (chance_is(&run->chance, 40)) {
            answer_some(run);
        }
        be_unlucky(run, &calm, at_ms);
        drain(run);
        if (!calm.late) {
            check_calm(run, before);
        }
        pass(run, TICK_MS);
    }
}

static void be_calm(struct deadlines *run)
{
    run->disk.full = false;
    drain(run);
    change_directory(run, true, false);
    for (int64_t i = 0; i < SETTLE_MS; i += TICK_MS) {
        pass(run, TICK_MS);
        drain(run);
    }
    look_closely(run);
    for (unsigned i = 0; i < DEADLINES_LETTERS; i++) {
        PROMISE(run->trace, !run->disk.synced.letters[i].kept, "every deadline ends",
                {"letter", i});
    }
}

static void live(struct deadlines *run)
{
    for (uint32_t i = 0; i < STEPS; i++) {
        switch (chance_below(&run->chance, 8)) {
        case 0:
            send_some(run);
            break;
        case 1:
            answer_some(run);
            break;
        case 2:
        case 3:
        case 4:
            sync_some(run);
            break;
        default:
            fate(run);
            break;
        }
    }
    be_calm(run);
}

uint64_t deadlines_run(uint64_t seed, bool loud, struct trace *out_trace)
{
    struct deadlines *run = calloc(1, sizeof *run);
    assert(run);
    trace_init(out_trace, seed, loud);
    run->trace = out_trace;
    run->chance.state = seed;
    run->now = (struct moment){.mono_ms = 1000, .wall_ms = 1000000};
    run->has_deadline = true;
    run->letters = DEADLINES_LETTERS - 2;
    effects_init(&run->effects);
    deadlines_disk_init(&run->disk, out_trace, &run->chance);
    begin_core(run);
    step(run, NULL);
    live(run);
    uint64_t said = run->disk.synced.said;
    core_free(run->core);
    effects_clear(&run->effects);
    effects_fini(&run->effects);
    deadlines_disk_crash(&run->disk);
    free(run);
    return said;
}
