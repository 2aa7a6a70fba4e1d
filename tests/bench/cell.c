/* SPDX-License-Identifier: EUPL-1.2 */
/* Threads: main samples the server; the others produce or consume. They share counters, samples and
 * the barrier; a lane is its producer's alone. */
#include "tests/bench/cell.h"

#include "tests/bench/usage.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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
    _Atomic size_t count; /* may pass SAMPLES_MAX: those are not kept */
};

/* What one producer has under way. */
struct cell_lane {
    uint64_t sent;
    uint64_t confirmed;
    int64_t *started_us;
    char *payload;
};

struct cell_state {
    pthread_barrier_t connected; /* all threads and main */
    int64_t start_us;
    int64_t length_us;
    _Atomic uint64_t sent;
    _Atomic uint64_t got;
    _Atomic uint32_t producing;
    _Atomic uint32_t consuming;
    _Atomic int64_t ended_us; /* of the consumer that ended last */
    char *pattern;            /* each payload, but for its stamp */
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

static double own_cpu_seconds(void)
{
    struct rusage used = {0};
    (void)getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
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
    size_t at = atomic_fetch_add(&samples->count, 1);
    if (at < SAMPLES_MAX) {
        samples->us[at] = us > 0 ? (uint32_t)us : 0;
    }
}

const char *cell_next(struct cell *cell)
{
    struct cell_lane *lane = cell->lane;
    int64_t now = now_us();
    atomic_fetch_add(&cell->state->sent, 1);
    lane->started_us[lane->sent++ % WINDOW_MAX] = now;
    memcpy(lane->payload, &now, STAMP_BYTES);
    return lane->payload;
}

uint64_t cell_unconfirmed(const struct cell *cell)
{
    return cell->lane->sent - cell->lane->confirmed;
}

void cell_confirmed(struct cell *cell, uint64_t count)
{
    struct cell_lane *lane = cell->lane;
    int64_t now = now_us();
    if (count > cell_unconfirmed(cell)) {
        cell_fail("confirm", "for more than was sent");
    }
    for (; count > 0; count--) {
        add(&cell->state->confirm, now - lane->started_us[lane->confirmed++ % WINDOW_MAX]);
    }
}

void cell_got(struct cell *cell, const void *payload, size_t bytes)
{
    struct cell_state *state = cell->state;
    int64_t stamp = 0;
    if (bytes != cell->bytes || memcmp((const char *)payload + STAMP_BYTES,
                                       state->pattern + STAMP_BYTES, bytes - STAMP_BYTES) != 0) {
        cell_fail("consume", "another payload than was sent");
    }
    memcpy(&stamp, payload, STAMP_BYTES);
    add(&state->through, now_us() - stamp);
    state->got++;
}

bool cell_drained(const struct cell *cell)
{
    const struct cell_state *state = cell->state;
    return state->producing == 0 && state->got >= state->sent;
}

static void *produce(void *context)
{
    struct cell *cell = context;
    peer.produce(cell);
    if (cell_unconfirmed(cell) != 0) {
        cell_fail("produce", "ended with messages unconfirmed");
    }
    cell->state->producing--;
    return NULL;
}

static void *consume(void *context)
{
    struct cell *cell = context;
    struct cell_state *state = cell->state;
    peer.consume(cell);
    int64_t now = now_us();
    int64_t latest = state->ended_us;
    while (now > latest && !atomic_compare_exchange_weak(&state->ended_us, &latest, now)) {
    }
    state->consuming--;
    return NULL;
}

static int by_value(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static uint32_t percentile(const struct samples *samples, size_t count, unsigned percent)
{
    return count == 0 ? 0 : samples->us[(count - 1) * percent / 100];
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
    state->producing = cell->pairs;
    state->consuming = cell->pairs;
    state->pattern = malloc(cell->bytes);
    state->confirm.us = calloc(SAMPLES_MAX, sizeof *state->confirm.us);
    state->through.us = calloc(SAMPLES_MAX, sizeof *state->through.us);
    if (state->pattern == NULL || state->confirm.us == NULL || state->through.us == NULL ||
        pthread_barrier_init(&state->connected, NULL, 2 * cell->pairs + 1) != 0) {
        cell_fail("start", "out of memory");
    }
    fill(state->pattern, cell->bytes);
    cell->state = state;
}

static void open_lane(struct cell *cell, struct cell_lane *lane)
{
    lane->payload = malloc(cell->bytes);
    lane->started_us = calloc(WINDOW_MAX, sizeof *lane->started_us);
    if (lane->payload == NULL || lane->started_us == NULL) {
        cell_fail("start", "out of memory");
    }
    memcpy(lane->payload, cell->state->pattern, cell->bytes);
    cell->lane = lane;
}

/* Sorts, and says how many were kept. */
static size_t sort(struct samples *samples)
{
    size_t count = samples->count < SAMPLES_MAX ? samples->count : SAMPLES_MAX;
    qsort(samples->us, count, sizeof *samples->us, by_value);
    return count;
}

static void report(const struct cell *cell, struct usage used, double driver_seconds)
{
    struct cell_state *state = cell->state;
    double seconds = (double)(state->ended_us - state->start_us) / 1e6;
    double millions = (double)state->sent / 1e6;
    size_t confirms = sort(&state->confirm);
    size_t throughs = sort(&state->through);
    printf(
        "{\"peer\": \"%s\", \"bytes\": %zu, \"window\": %u, \"pairs\": %u, \"messages\": %" PRIu64
        ", \"seconds\": %.3f, \"per_second\": %.1f, \"confirm_p50_us\": %u, "
        "\"confirm_p99_us\": %u, \"through_p50_us\": %u, \"through_p99_us\": %u, "
        "\"cpu_per_million\": %.2f, \"driver_cpu_per_million\": %.2f, \"anonymous_kb\": %" PRId64
        "}\n",
        peer.name, cell->bytes, cell->window, cell->pairs, state->sent, seconds,
        (double)state->sent / seconds, percentile(&state->confirm, confirms, 50),
        percentile(&state->confirm, confirms, 99), percentile(&state->through, throughs, 50),
        percentile(&state->through, throughs, 99), used.cpu_seconds / millions,
        driver_seconds / millions, used.anonymous_kb);
}

/* Samples the server until the consumers are through; the usage in between, with the most memory
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
    } while (state->consuming > 0);
    used.cpu_seconds -= before.cpu_seconds;
    used.anonymous_kb = most_kb;
    return used;
}

/* Runs and measures the cell; its threads have ended at the end. */
static void run(struct cell *cell)
{
    struct cell each[CELL_PAIRS_MAX];
    struct cell_lane lanes[CELL_PAIRS_MAX] = {0};
    pthread_t producers[CELL_PAIRS_MAX];
    pthread_t consumers[CELL_PAIRS_MAX];
    for (uint32_t i = 0; i < cell->pairs; i++) {
        each[i] = *cell;
        each[i].number = i;
        open_lane(&each[i], &lanes[i]);
        if (pthread_create(&producers[i], NULL, produce, &each[i]) != 0 ||
            pthread_create(&consumers[i], NULL, consume, &each[i]) != 0) {
            cell_fail("start", "no thread");
        }
    }
    pthread_barrier_wait(&cell->state->connected);
    struct usage before = usage_of(cell->server);
    double driver = own_cpu_seconds();
    cell->state->start_us = now_us();
    pthread_barrier_wait(&cell->state->connected);
    struct usage used = watch(cell, before);
    driver = own_cpu_seconds() - driver;
    for (uint32_t i = 0; i < cell->pairs; i++) {
        pthread_join(producers[i], NULL);
        pthread_join(consumers[i], NULL);
    }
    report(cell, used, cell->server == getpid() ? 0 : driver); /* a limit is its own driver */
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        (void)fprintf(stderr,
                      "usage: peer_%s PORT TARGET SERVER_PID BYTES WINDOW MILLISECONDS PAIRS\n",
                      peer.name);
        return 2;
    }
    struct cell_state state = {0};
    struct cell cell = {.port = (int)strtol(argv[1], NULL, 10),
                        .target = argv[2],
                        .server = (pid_t)strtol(argv[3], NULL, 10),
                        .bytes = strtoull(argv[4], NULL, 10),
                        .window = (uint32_t)strtoul(argv[5], NULL, 10),
                        .pairs = (uint32_t)strtoul(argv[7], NULL, 10)};
    if (cell.bytes < STAMP_BYTES || cell.window < 1 || cell.window > WINDOW_MAX || cell.pairs < 1 ||
        cell.pairs > CELL_PAIRS_MAX) {
        cell_fail("arguments", "BYTES from 8, WINDOW from 1 to 65536, PAIRS from 1 to 16");
    }
    size_t held = CREDIT_BYTES / cell.bytes;
    cell.credit = held < CREDIT_MAX ? (uint32_t)held + 1 : CREDIT_MAX;
    open_state(&cell, &state, strtoll(argv[6], NULL, 10));
    if (peer.prepare != NULL) {
        peer.prepare(&cell);
    }
    run(&cell);
    if (peer.finish != NULL) {
        peer.finish(&cell);
    }
    return 0;
}
