/* SPDX-License-Identifier: EUPL-1.2 */
/* Threads: main samples the server; one produces, one consumes. They share counters, and the
 * barrier. */
#include "tests/bench/cell.h"

#include "tests/bench/usage.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SAMPLES_MAX = 4 * 1024 * 1024,
    WINDOW_MAX = 65536,
    SAMPLE_EVERY_MS = 50,
    STAMP_BYTES = 8,
    CREDIT_MAX = 512,
    CREDIT_BYTES = 4 * 1024 * 1024, /* what a consumer may hold, whatever the size */
    STUCK_MS = 30000
};

struct samples {
    uint32_t *us;
    size_t count;
};

struct cell_state {
    pthread_barrier_t connected; /* both threads and main */
    int64_t start_us;
    int64_t length_us;
    _Atomic uint64_t sent;
    _Atomic uint64_t got;
    _Atomic bool produced;
    _Atomic bool ended;
    int64_t ended_us;   /* consumer's, before `ended` */
    uint64_t confirmed; /* producer's thread alone */
    int64_t *started_us;
    char *payload;
    struct samples confirm;
    struct samples through;
};

const char cell_host[CELL_HOST_BYTES] = "127.0.0.1";

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

_Noreturn void cell_fail(const char *what, const char *detail)
{
    (void)fprintf(stderr, "peer_%s: %s: %s\n", peer.name, what, detail != NULL ? detail : "?");
    _Exit(1);
}

void cell_ready(struct cell *cell)
{
    pthread_barrier_wait(&cell->state->connected);
    pthread_barrier_wait(&cell->state->connected); /* main has taken the time in between */
}

bool cell_going(const struct cell *cell)
{
    return now_us() - cell->state->start_us < cell->state->length_us;
}

static void add(struct samples *samples, int64_t us)
{
    if (samples->count < SAMPLES_MAX) {
        samples->us[samples->count++] = us > 0 ? (uint32_t)us : 0;
    }
}

const char *cell_next(struct cell *cell)
{
    struct cell_state *state = cell->state;
    int64_t now = now_us();
    uint64_t number = atomic_fetch_add(&state->sent, 1);
    state->started_us[number % WINDOW_MAX] = now;
    memcpy(state->payload, &now, STAMP_BYTES);
    return state->payload;
}

uint64_t cell_unconfirmed(const struct cell *cell)
{
    return cell->state->sent - cell->state->confirmed;
}

void cell_confirmed(struct cell *cell, uint64_t count)
{
    struct cell_state *state = cell->state;
    int64_t now = now_us();
    if (count > cell_unconfirmed(cell)) {
        cell_fail("confirm", "for more than was sent");
    }
    for (; count > 0; count--) {
        add(&state->confirm, now - state->started_us[state->confirmed++ % WINDOW_MAX]);
    }
}

void cell_got(struct cell *cell, const void *payload, size_t bytes)
{
    struct cell_state *state = cell->state;
    int64_t stamp = 0;
    if (bytes != cell->bytes || memcmp((const char *)payload + STAMP_BYTES,
                                       state->payload + STAMP_BYTES, bytes - STAMP_BYTES) != 0) {
        cell_fail("consume", "another payload than was sent");
    }
    memcpy(&stamp, payload, STAMP_BYTES);
    add(&state->through, now_us() - stamp);
    state->got++;
}

bool cell_drained(const struct cell *cell)
{
    const struct cell_state *state = cell->state;
    return state->produced && state->got >= state->sent;
}

static void *produce(void *context)
{
    struct cell *cell = context;
    peer.produce(cell);
    if (cell_unconfirmed(cell) != 0) {
        cell_fail("produce", "ended with messages unconfirmed");
    }
    cell->state->produced = true;
    return NULL;
}

static void *consume(void *context)
{
    struct cell *cell = context;
    peer.consume(cell);
    cell->state->ended_us = now_us();
    cell->state->ended = true;
    return NULL;
}

static int by_value(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static uint32_t percentile(struct samples *samples, unsigned percent)
{
    return samples->count == 0 ? 0 : samples->us[(samples->count - 1) * percent / 100];
}

static void fill(char *payload, size_t bytes)
{
    uint64_t state = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < bytes; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        payload[i] = (char)(state >> 32);
    }
}

static void open_state(struct cell *cell, struct cell_state *state, int64_t length_ms)
{
    state->length_us = length_ms * 1000;
    state->payload = malloc(cell->bytes);
    state->started_us = calloc(WINDOW_MAX, sizeof *state->started_us);
    state->confirm.us = calloc(SAMPLES_MAX, sizeof *state->confirm.us);
    state->through.us = calloc(SAMPLES_MAX, sizeof *state->through.us);
    if (state->payload == NULL || state->started_us == NULL || state->confirm.us == NULL ||
        state->through.us == NULL || pthread_barrier_init(&state->connected, NULL, 3) != 0) {
        cell_fail("start", "out of memory");
    }
    fill(state->payload, cell->bytes);
    cell->state = state;
}

static void report(const struct cell *cell, double seconds, struct usage used)
{
    struct cell_state *state = cell->state;
    struct samples *all[] = {&state->confirm, &state->through};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        qsort(all[i]->us, all[i]->count, sizeof *all[i]->us, by_value);
    }
    printf("{\"peer\": \"%s\", \"bytes\": %zu, \"window\": %u, \"messages\": %" PRIu64
           ", \"seconds\": %.3f, \"per_second\": %.1f, \"confirm_p50_us\": %u, "
           "\"confirm_p99_us\": %u, \"through_p50_us\": %u, \"through_p99_us\": %u, "
           "\"cpu_per_million\": %.2f, \"anonymous_kb\": %" PRId64 "}\n",
           peer.name, cell->bytes, cell->window, state->sent, seconds,
           (double)state->sent / seconds, percentile(&state->confirm, 50),
           percentile(&state->confirm, 99), percentile(&state->through, 50),
           percentile(&state->through, 99), used.cpu_seconds * 1e6 / (double)state->sent,
           used.anonymous_kb);
}

/* Samples the server until the consumer is through; the usage in between, with the most memory
 * seen. */
static struct usage watch(const struct cell *cell, struct usage before)
{
    const struct cell_state *state = cell->state;
    const struct timespec pause = {.tv_nsec = SAMPLE_EVERY_MS * 1000000L};
    struct usage used;
    int64_t most_kb = 0;
    do {
        (void)nanosleep(&pause, NULL);
        used = usage_of(cell->server);
        most_kb = used.anonymous_kb > most_kb ? used.anonymous_kb : most_kb;
        if (now_us() - state->start_us > state->length_us + (int64_t)STUCK_MS * 1000) {
            cell_fail("stuck", "messages are missing after half a minute");
        }
    } while (!state->ended);
    used.cpu_seconds -= before.cpu_seconds;
    used.anonymous_kb = most_kb;
    return used;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        (void)fprintf(stderr, "usage: peer_%s PORT TARGET SERVER_PID BYTES WINDOW MILLISECONDS\n",
                      peer.name);
        return 2;
    }
    struct cell_state state = {0};
    struct cell cell = {.port = (int)strtol(argv[1], NULL, 10),
                        .target = argv[2],
                        .server = (pid_t)strtol(argv[3], NULL, 10),
                        .bytes = strtoull(argv[4], NULL, 10),
                        .window = (uint32_t)strtoul(argv[5], NULL, 10)};
    if (cell.bytes < STAMP_BYTES || cell.window < 1 || cell.window > WINDOW_MAX) {
        cell_fail("arguments", "BYTES from 8, WINDOW from 1 to 65536");
    }
    size_t held = CREDIT_BYTES / cell.bytes;
    cell.credit = held < CREDIT_MAX ? (uint32_t)held + 1 : CREDIT_MAX;
    open_state(&cell, &state, strtoll(argv[6], NULL, 10));
    if (peer.prepare != NULL) {
        peer.prepare(&cell);
    }
    pthread_t threads[2];
    if (pthread_create(&threads[0], NULL, produce, &cell) != 0 ||
        pthread_create(&threads[1], NULL, consume, &cell) != 0) {
        cell_fail("start", "no thread");
    }
    pthread_barrier_wait(&state.connected);
    struct usage before = usage_of(cell.server);
    state.start_us = now_us();
    pthread_barrier_wait(&state.connected);
    struct usage used = watch(&cell, before);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    report(&cell, (double)(state.ended_us - state.start_us) / 1e6, used);
    if (peer.finish != NULL) {
        peer.finish(&cell);
    }
    return 0;
}
