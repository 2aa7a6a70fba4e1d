/* SPDX-License-Identifier: EUPL-1.2
 *
 * Days of first-in-first-out traffic in a hurry: does the store's file stay near what is in it?
 *
 * The depth of a mailbox swings between almost nothing and DEPTH messages, sizes between 100 bytes
 * and 1 MiB; what came first goes first, some of it is deferred. The live data are the pages that
 * LMDB's trees use; the file is what it takes of the disk. The file never shrinks while the store
 * is open, so what counts is the file against the most that was ever live: at most RATIO times. The
 * duplicates' window follows the traffic's own clock, as it would over days.
 *
 * Usage: soak [--seconds N] [--depth N] [--seed N] [--control]
 * --control holds a read transaction all the while, as a backup without an end would: the file must
 * then grow beyond the bound, or the test could not see it.
 */
#include "tests/unit/store/bench.h"

#include <lmdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    BOX = 1,
    ENVELOPE = 300,
    BATCH = 64,
    MOST = 256,
    STEP_MS = 250,     /* of the traffic's clock, for each turn */
    WINDOW_MS = 60000, /* of duplicates */
    RATIO = 2,
    FLOOR_MIB = 64, /* below it a file is not worth a word */
    MEBI = 1024 * 1024,
};

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

struct soak {
    struct bench bench;
    uint64_t seed;
    uint64_t made, gone, bytes;
    uint64_t waiting;
    uint64_t depth;
    uint64_t live_most;
    double worst;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t draw(struct soak *soak, uint64_t below)
{
    soak->seed ^= soak->seed << 13;
    soak->seed ^= soak->seed >> 7;
    soak->seed ^= soak->seed << 17;
    return soak->seed % below;
}

/* As many of 100 bytes as of 100 KiB: sizes by their order of magnitude. */
static size_t draw_size(struct soak *soak)
{
    size_t most = (size_t)100 << draw(soak, 14);
    return 100 + (size_t)draw(soak, most < MEBI ? most : MEBI);
}

static void append(struct soak *soak, size_t count)
{
    static struct store_op ops[MOST];
    static char ids[MOST][32];
    static struct store_result results[MOST];
    for (size_t i = 0; i < count; i++) {
        size_t size = draw_size(soak);
        (void)snprintf(ids[i], sizeof ids[i], "s-%llu", (unsigned long long)soak->made++);
        ops[i] = op_append(ids[i], ENVELOPE, size, TO_BOX, 1);
        soak->bytes += size;
    }
    bench_do(&soak->bench, ops, count, results);
    for (size_t i = 0; i < count; i++) {
        if (results[i].status != STORE_DONE) {
            (void)fprintf(stderr, "soak: an append was refused: %d\n", (int)results[i].status);
            exit(EXIT_FAILURE);
        }
    }
    soak->waiting += count;
}

/* One in sixteen comes again later. */
static void take(struct soak *soak, uint32_t count)
{
    static struct store_op ops[MOST];
    static struct store_result results[MOST];
    struct store_result taken = bench_one(&soak->bench, op_take(BOX, count));
    uint32_t got = taken.take.count;
    for (uint32_t i = 0; i < got; i++) {
        const struct store_entry *entry = &taken.take.entries[i];
        bool again = entry->attempts == 0 && draw(soak, 16) == 0;
        ops[i] = again ? op_defer(&entry->key, 1, soak->bench.now_ms + (int64_t)draw(soak, 30000))
                       : op_ack(&entry->key);
        soak->gone += again ? 0 : 1;
        soak->waiting -= again ? 0 : 1;
    }
    result_drop(&taken);
    if (got > 0) {
        bench_do(&soak->bench, ops, got, results);
    }
}

static uint64_t file_bytes(const struct soak *soak)
{
    char name[BENCH_PATH_BYTES + 16];
    struct stat info;
    (void)snprintf(name, sizeof name, "%s/data.mdb", soak->bench.path);
    return stat(name, &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0;
}

static void measure(struct soak *soak)
{
    uint64_t used = 0;
    uint64_t limit = 0;
    store_size(soak->bench.store, &used, &limit);
    soak->live_most = used > soak->live_most ? used : soak->live_most;
    uint64_t base = soak->live_most;
    base = base > (uint64_t)FLOOR_MIB * MEBI ? base : (uint64_t)FLOOR_MIB * MEBI;
    double ratio = (double)file_bytes(soak) / (double)base;
    soak->worst = ratio > soak->worst ? ratio : soak->worst;
}

static void tell(const struct soak *soak, double since_s)
{
    uint64_t used = 0;
    uint64_t limit = 0;
    store_size(soak->bench.store, &used, &limit);
    (void)printf(
        "%6.0f s  %9llu made  %7llu waiting  %8.1f MiB through  live %7.1f MiB  most %7.1f "
        "MiB  file %7.1f MiB  worst %.2f\n",
        since_s, (unsigned long long)soak->made, (unsigned long long)soak->waiting,
        (double)soak->bytes / MEBI, (double)used / MEBI, (double)soak->live_most / MEBI,
        (double)file_bytes(soak) / MEBI, soak->worst);
    (void)fflush(stdout);
}

/* Where the depth goes: up to a height and down to one, again and again. */
static void run(struct soak *soak, double seconds)
{
    double begin_s = now_s();
    double told_s = begin_s;
    uint64_t goal = soak->depth;
    while (now_s() - begin_s < seconds) {
        bool rising = soak->waiting < goal;
        append(soak, rising ? BATCH : BATCH / 4);
        take(soak, rising ? BATCH / 4 : BATCH);
        if ((rising && soak->waiting >= goal) || (!rising && soak->waiting <= goal + BATCH)) {
            goal = rising ? draw(soak, soak->depth / 8 + 1)
                          : soak->depth / 4 + draw(soak, soak->depth * 3 / 4 + 1);
        }
        soak->bench.now_ms += STEP_MS;
        measure(soak);
        if (now_s() - told_s >= seconds / 10) {
            told_s = now_s();
            tell(soak, told_s - begin_s);
        }
    }
    tell(soak, now_s() - begin_s);
}

static uint64_t number_of(int argc, char **argv, const char *name, uint64_t preset)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return strtoull(argv[i + 1], NULL, 10);
        }
    }
    return preset;
}

/* What must never be: a reader that stays. */
static MDB_txn *hold_reader(const struct soak *soak, MDB_env **out_env)
{
    MDB_txn *txn = NULL;
    if (mdb_env_create(out_env) != 0 ||
        mdb_env_open(*out_env, soak->bench.path, MDB_RDONLY | MDB_NOTLS, 0600) != 0 ||
        mdb_txn_begin(*out_env, NULL, MDB_RDONLY, &txn) != 0) {
        (void)fprintf(stderr, "soak: no reader\n");
        exit(EXIT_FAILURE);
    }
    return txn;
}

int main(int argc, char **argv)
{
    bool control = argc > 1 && strcmp(argv[argc - 1], "--control") == 0;
    struct soak soak = {.seed = number_of(argc, argv, "--seed", 20261124),
                        .depth = number_of(argc, argv, "--depth", 4000)};
    MDB_env *env = NULL;
    bench_init(&soak.bench, ENGINE_LMDB);
    soak.bench.settings.duplicate_window_ms = WINDOW_MS;
    bench_open(&soak.bench);
    (void)bench_one(&soak.bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    append(&soak, 1);
    MDB_txn *reader = control ? hold_reader(&soak, &env) : NULL;
    run(&soak, (double)number_of(argc, argv, "--seconds", 20));
    if (control) {
        mdb_txn_abort(reader);
        mdb_env_close(env);
    }
    bench_fini(&soak.bench);
    bool beyond = soak.worst > RATIO;
    (void)printf("file at most %.2f times the live data%s\n", soak.worst,
                 control ? ", with a reader that stays" : "");
    return beyond == control ? EXIT_SUCCESS : EXIT_FAILURE;
}
