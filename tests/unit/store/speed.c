/* SPDX-License-Identifier: EUPL-1.2
 *
 * How fast the LMDB engine stores, hands out and forgets, and how soon it starts with many entries
 * waiting, on the disk of TMPDIR or /tmp. Not a test: prints figures. Usage: speed [messages
 * [entries waiting at the start]]
 */
#include "tests/unit/store/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BOX = 1, ENVELOPE = 300, PAYLOAD = 1024, MOST = 1024, RESULTS = 4096 };

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void append_all(struct bench *bench, long messages, size_t batch, size_t payload)
{
    static struct store_op ops[MOST];
    static char ids[MOST][32];
    static struct store_result results[MOST];
    static long made;
    for (long done = 0; done < messages; done += (long)batch) {
        for (size_t i = 0; i < batch; i++) {
            (void)snprintf(ids[i], sizeof ids[i], "m-%ld", made++);
            ops[i] = op_append(ids[i], ENVELOPE, payload, TO_BOX, 1);
        }
        bench_do(bench, ops, batch, results);
        for (size_t i = 0; i < batch; i++) {
            if (results[i].status != STORE_DONE) {
                (void)fprintf(stderr, "an append was refused: %d\n", (int)results[i].status);
                exit(EXIT_FAILURE);
            }
        }
    }
}

/* Takes and acks until nothing is left; acks go with the next take in one submit. */
static long take_all(struct bench *bench, uint32_t most)
{
    static struct store_op ops[MOST + 1];
    static struct store_result results[MOST + 1];
    long taken = 0;
    size_t acks = 0;
    for (;;) {
        ops[acks] = op_take(BOX, most);
        bench_do(bench, ops, acks + 1, results);
        struct store_result *result = &results[acks];
        if (result->take.count == 0) {
            return taken;
        }
        acks = result->take.count;
        taken += (long)acks;
        for (size_t i = 0; i < acks; i++) {
            ops[i] = op_ack(&result->take.entries[i].key);
        }
        result_drop(result);
    }
}

static void measure(struct bench *bench, long messages, size_t batch)
{
    double begin = now_s();
    append_all(bench, messages, batch, PAYLOAD);
    double stored = now_s();
    long taken = take_all(bench, (uint32_t)batch);
    double end = now_s();
    (void)printf("batch %4zu: %ld of %d bytes stored at %.0f/s, taken and acked at %.0f/s\n", batch,
                 taken, ENVELOPE + PAYLOAD, (double)taken / (stored - begin),
                 (double)taken / (end - stored));
}

static void measure_start(struct bench *bench, long entries)
{
    double begin = now_s();
    append_all(bench, entries, MOST, 64);
    (void)printf("%ld entries stored in %.1f s\n", entries, now_s() - begin);
    begin = now_s();
    bench_close(bench);
    double closed = now_s();
    bench_open(bench);
    double opened = now_s();
    struct store_result result = bench_one(bench, op_take(BOX, 256));
    double taken = now_s();
    (void)printf("closed in %.1f ms, opened in %.1f ms, first take of %u in %.2f ms\n",
                 (closed - begin) * 1e3, (opened - closed) * 1e3, result.take.count,
                 (taken - opened) * 1e3);
    result_drop(&result);
    for (int i = 0; i < 8; i++) {
        begin = now_s();
        result = bench_one(bench, op_take(BOX, 256));
        (void)printf("take of %u behind %d held: %.2f ms\n", result.take.count, (i + 1) * 256,
                     (now_s() - begin) * 1e3);
        result_drop(&result);
    }
}

int main(int argc, char **argv)
{
    long messages = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
    long entries = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    static const size_t batches[] = {1, 64, MOST};
    struct bench bench;
    (void)setenv("TMPDIR", "/tmp", 0); /* a disk */
    bench_init(&bench, ENGINE_LMDB);
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        measure(&bench, messages, batches[i]);
    }
    if (entries > 0) {
        measure_start(&bench, entries);
    }
    bench_fini(&bench);
    return EXIT_SUCCESS;
}
