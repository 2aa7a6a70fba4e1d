/* SPDX-License-Identifier: EUPL-1.2
 *
 * See uploads.h.
 */
#include "uploads.h"

#include "core/limits.h"
#include "uploads_state.h"
#include "wire/codec.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS = 160,
    CALM_STEPS = 3000,
    NOISE_BYTES = 1024 * 1024,
    SMALL_BYTES = 900,
    STEP_MS = 40,
};

static struct directory *make_directory(void)
{
    struct directory *directory = directory_new();
    assert(directory);
    directory_add_member(directory, "dila", KIND_STATE);
    directory_add_member(directory, "commune-76540", KIND_COMMUNE);
    directory_add_service(directory, "commune-76540", "etat-civil");
    directory_add_client(directory, "dila", "s", UPLOADS_SENDER, ROLE_MAY_SEND);
    directory_add_client(directory, "commune-76540", "r", UPLOADS_RECEIVER, ROLE_MAY_RECEIVE);
    directory_add_flow(directory, "F", 0);
    directory_allow_sender(directory, "F", "dila");
    directory_allow_receiver(directory, "F", "*");
    directory_seal(directory);
    return directory;
}

static void begin_core(struct uploads *run)
{
    struct core_settings settings;
    const struct stored_mailbox mailbox = {.id = 1, .name = UPLOADS_TO, .waiting = 1};
    core_settings_init(&settings);
    settings.seed = chance_next(&run->chance);
    settings.attempts = 1000; /* what is lost is the disk's, not patience */
    run->core = core_new(&settings, make_directory(), &mailbox, run->disk.mailbox ? 1 : 0);
    assert(run->core);
}

static void lose_line(struct uploads *run, unsigned end)
{
    run->lines[end] = 0;
    run->welcomed[end] = false;
    run->attached = end == 1 ? false : run->attached;
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        struct cargo *cargo = &run->cargo[i];
        if (end == 0) {
            cargo->number = 0;
            cargo->submitted = 0;
            cargo->open = false;
            cargo->durable = cargo->next = 0;
        } else {
            cargo->tag = 0;
        }
    }
    run->last_number = end == 0 ? 0 : run->last_number;
}

/* What the broker says. */

static struct cargo *by_number(struct uploads *run, uint32_t number)
{
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        if (run->cargo[i].number == number) {
            return &run->cargo[i];
        }
    }
    return NULL;
}

static unsigned index_of(const struct uploads *run, const struct cargo *cargo)
{
    return (unsigned)(cargo - run->cargo);
}

static void hear_state(struct uploads *run, const Relais__V1__UploadState *state)
{
    struct cargo *cargo = by_number(run, state->upload);
    if (!cargo) {
        return;
    }
    uint64_t there = uploads_disk_has(&run->disk, index_of(run, cargo));
    PROMISE(run->trace, state->durable_bytes <= there, "what is said to be on disk is",
            {"said", state->durable_bytes}, {"there", there});
    if (state->reason) {
        cargo->number = 0;
        cargo->open = false;
        return;
    }
    PROMISE(run->trace, state->durable_bytes >= cargo->durable, "nothing that was on disk goes",
            {"said", state->durable_bytes}, {"before", cargo->durable});
    cargo->next = cargo->open ? cargo->next : state->durable_bytes;
    cargo->open = true;
    cargo->durable = state->durable_bytes;
}

static void hear_accepted(struct uploads *run, const Relais__V1__Accepted *accepted)
{
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        struct cargo *cargo = &run->cargo[i];
        for (size_t k = 0; cargo->submitted > 0 && k < accepted->n_numbers; k++) {
            if (cargo->submitted >= accepted->numbers[k]->first &&
                cargo->submitted <= accepted->numbers[k]->last) {
                PROMISE(run->trace, run->disk.kept[i].stored, "accepted is what is synced",
                        {"message", i});
                cargo->accepted = true;
            }
        }
    }
}

static void hear_refused(struct uploads *run, const Relais__V1__Refused *refused)
{
    for (size_t k = 0; k < refused->n_refusals; k++) {
        for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
            struct cargo *cargo = &run->cargo[i];
            if (cargo->submitted == refused->refusals[k]->number) {
                PROMISE(run->trace, !cargo->open || cargo->durable < cargo->bytes || run->disk.full,
                        "what is whole is not refused", {"message", i},
                        {"code", refused->refusals[k]->error->code});
                cargo->submitted = 0;
            }
        }
    }
}

static void hear_deliver(struct uploads *run, const Relais__V1__Deliver *deliver,
                         const struct held_message *messages)
{
    for (size_t k = 0; k < deliver->n_deliveries; k++) {
        /* The envelope begins with its id. */
        unsigned i = (unsigned)(messages[k].envelope.data[2] - '0') % UPLOADS_MESSAGES;
        PROMISE(run->trace,
                run->disk.kept[i].stored &&
                    deliver->deliveries[k]->stored_bytes == run->cargo[i].bytes,
                "what is delivered is whole on disk", {"message", i},
                {"said", deliver->deliveries[k]->stored_bytes});
        run->cargo[i].tag = deliver->first_tag + k;
    }
}

static void hear_fetched(struct uploads *run, const Relais__V1__Fetched *fetched,
                         const struct held_message *messages, size_t count)
{
    for (unsigned i = 0; i < UPLOADS_MESSAGES && !fetched->reason; i++) {
        struct cargo *cargo = &run->cargo[i];
        if (cargo->tag != fetched->tag || fetched->offset != cargo->got) {
            continue;
        }
        assert(count == 1);
        struct bytes bytes = messages[0].payload;
        PROMISE(run->trace,
                cargo->got + bytes.size <= cargo->bytes &&
                    memcmp(bytes.data, uploads_bytes(run, i, cargo->got), bytes.size) == 0,
                "what is fetched is what was sent", {"message", i}, {"offset", cargo->got});
        cargo->got += bytes.size;
    }
}

static void hear(struct uploads *run, const struct effect *effect)
{
    struct bytes packed = effect->send.command;
    unsigned end = effect->send.connection == run->lines[0] ? 0 : 1;
    if (effect->send.connection != run->lines[end]) {
        return;
    }
    Relais__V1__ToClient *said = relais__v1__to_client__unpack(NULL, packed.size, packed.data);
    assert(said);
    NOTE(run->trace, "told", {"end", end}, {"command", said->command_case});
    switch (said->command_case) {
    case RELAIS__V1__TO_CLIENT__COMMAND_WELCOME:
        run->welcomed[end] = true;
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ATTACHED:
        run->attached = true;
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_UPLOAD_STATE:
        hear_state(run, said->upload_state);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ACCEPTED:
        hear_accepted(run, said->accepted);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_REFUSED:
        hear_refused(run, said->refused);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_DELIVER:
        hear_deliver(run, said->deliver, effect->send.messages);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_FETCHED:
        hear_fetched(run, said->fetched, effect->send.messages, effect->send.message_count);
        break;
    default:
        break;
    }
    relais__v1__to_client__free_unpacked(said, NULL);
}

static void check_window(const struct uploads *run)
{
    uint64_t bytes = 0;
    for (size_t i = run->disk.first; i < run->disk.count; i++) {
        const struct store_op *op = &run->disk.queue[i].op;
        bytes += op->kind == STORE_CHUNK ? op->chunk.message.payload.size : 0;
    }
    PROMISE(run->trace, bytes <= (uint64_t)LIMIT_UPLOAD_WINDOW_BYTES * (1 + run->last_line / 2),
            "no more than the window is on its way", {"bytes", bytes});
}

static void carry_out(struct uploads *run)
{
    assert(!run->effects.failed);
    for (size_t i = 0; i < run->effects.count; i++) {
        const struct effect *effect = &run->effects.items[i];
        if (effect->kind == EFFECT_SEND) {
            hear(run, effect);
        } else if (effect->kind == EFFECT_STORE) {
            uploads_disk_submit(&run->disk, &effect->store);
        } else if (effect->kind == EFFECT_CLOSE) {
            unsigned end = effect->close.connection == run->lines[0] ? 0 : 1;
            PROMISE(run->trace, effect->close.connection != run->lines[end],
                    "nobody is cut who keeps to the page", {"end", end});
        }
    }
    effects_clear(&run->effects);
    check_window(run);
}

void uploads_step(struct uploads *run, struct event *event)
{
    core_step(run->core, run->now, event, &run->effects);
    core_flush(run->core, run->now, &run->effects);
    carry_out(run);
}

static uint64_t under_way(const struct uploads *run)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        bytes += run->cargo[i].open ? run->cargo[i].next - run->cargo[i].durable : 0;
    }
    return bytes;
}

static void send_some(struct uploads *run)
{
    unsigned i = chance_below(&run->chance, UPLOADS_MESSAGES);
    struct cargo *cargo = &run->cargo[i];
    bool early = !run->calm && chance_is(&run->chance, 60);
    if (run->lines[0] == 0) {
        uploads_say_hello(run, 0);
    } else if (!run->welcomed[0] || cargo->accepted || cargo->submitted > 0) {
        return;
    } else if (cargo->number == 0) {
        uploads_say_upload(run, i);
    } else if (cargo->open && (cargo->durable == cargo->bytes || early)) {
        uploads_say_submit(run, i);
    } else if (cargo->open && cargo->next < cargo->bytes &&
               under_way(run) + LIMIT_CHUNK_BYTES <= LIMIT_UPLOAD_WINDOW_BYTES) {
        uploads_say_chunk(run, i);
    }
}

static void receive_some(struct uploads *run)
{
    struct cargo *cargo = &run->cargo[chance_below(&run->chance, UPLOADS_MESSAGES)];
    if (run->lines[1] == 0) {
        uploads_say_hello(run, 1);
    } else if (run->welcomed[1] && !run->attached) {
        uploads_say_attach(run);
    } else if (cargo->tag > 0 && cargo->got < cargo->bytes &&
               (run->calm || !chance_is(&run->chance, 50))) {
        uploads_say_fetch(run, cargo);
    } else if (cargo->tag > 0) {
        uploads_say_answer(run, cargo);
    }
}

/* What happens to them. */

static void sync_some(struct uploads *run, uint32_t most)
{
    struct event event = {.kind = EVENT_STORED};
    while (most-- > 0 && uploads_disk_sync(&run->disk, &event.stored)) {
        if (event.stored.kind != STORE_RELEASE) {
            uploads_step(run, &event);
        }
        event = (struct event){.kind = EVENT_STORED};
    }
}

static void crash(struct uploads *run)
{
    NOTE(run->trace, "crash", {"waiting", run->disk.count - run->disk.first});
    core_free(run->core);
    effects_clear(&run->effects);
    uploads_disk_crash(&run->disk);
    begin_core(run);
    lose_line(run, 0);
    lose_line(run, 1);
}

static void cut(struct uploads *run, unsigned end)
{
    struct event event = {.kind = EVENT_CLOSED, .closed = run->lines[end]};
    if (run->lines[end] > 0) {
        lose_line(run, end);
        uploads_step(run, &event);
    }
}

static void pass(struct uploads *run, int64_t ms)
{
    struct event event = {.kind = EVENT_TIME};
    run->now.mono_ms += ms;
    run->now.wall_ms += ms;
    run->trace->now_ms += ms;
    uploads_step(run, &event);
}

static void fate(struct uploads *run)
{
    switch (chance_below(&run->chance, 12)) {
    case 0:
        crash(run);
        break;
    case 1:
    case 2:
        cut(run, chance_below(&run->chance, UPLOADS_ENDS));
        break;
    case 3:
        run->disk.full = !run->disk.full;
        break;
    default:
        pass(run, chance_between(&run->chance, 1, 20 * STEP_MS));
        break;
    }
}

static bool is_done(const struct uploads *run)
{
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        if (!run->cargo[i].accepted || !run->disk.kept[i].acked) {
            return false;
        }
    }
    return !core_is_storing(run->core);
}

static void live(struct uploads *run)
{
    for (uint32_t i = 0; i < STEPS; i++) {
        switch (chance_below(&run->chance, 8)) {
        case 0:
        case 1:
        case 2:
            send_some(run);
            break;
        case 3:
        case 4:
            receive_some(run);
            break;
        case 5:
        case 6:
            sync_some(run, chance_between(&run->chance, 1, 6));
            break;
        default:
            fate(run);
            break;
        }
    }
    run->calm = true;
    run->disk.full = false;
    for (uint32_t i = 0; i < CALM_STEPS && !is_done(run); i++) {
        send_some(run);
        receive_some(run);
        sync_some(run, UINT32_MAX);
        pass(run, STEP_MS * 10);
    }
    PROMISE(run->trace, is_done(run), "everything is accepted and arrives, and nothing is left",
            {"storing", core_is_storing(run->core)});
}

static void make_cargo(struct uploads *run)
{
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        run->cargo[i].bytes = chance_is(&run->chance, 300)
                                  ? chance_between(&run->chance, 1, 3 * LIMIT_CHUNK_BYTES)
                                  : chance_between(&run->chance, 1, SMALL_BYTES);
    }
}

uint64_t uploads_run(uint64_t seed, bool loud, struct trace *out_trace)
{
    struct uploads *run = calloc(1, sizeof *run);
    assert(run);
    trace_init(out_trace, seed, loud);
    run->trace = out_trace;
    run->chance.state = seed;
    run->now = (struct moment){.mono_ms = 1000, .wall_ms = 1000000};
    run->noise = malloc(NOISE_BYTES);
    assert(run->noise);
    for (size_t i = 0; i < NOISE_BYTES; i++) {
        run->noise[i] = (uint8_t)(i * 2654435761U >> 13);
    }
    make_cargo(run);
    effects_init(&run->effects);
    uploads_disk_init(&run->disk, out_trace);
    begin_core(run);
    live(run);
    core_free(run->core);
    effects_fini(&run->effects);
    uploads_disk_fini(&run->disk);
    free(run->noise);
    free(run);
    return UPLOADS_MESSAGES;
}
