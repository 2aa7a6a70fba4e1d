/* SPDX-License-Identifier: EUPL-1.2
 *
 * A file in which one bit is not what was written: opening refuses it, or what is wrong is told, or
 * everything comes byte for byte. Never other bytes. Another process reads (witness.h): where LMDB
 * falls over a page, it dies without having told a lie.
 *
 * RELAIS_FLIP_STRIDE=1 flips in every byte; by default one in STRIDE, all of the small pages'
 * heads.
 */
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"
#include "tests/unit/store/witness.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BOX = 7, MESSAGES = 12, STRIDE = 397, PAGE = 4096, PAGE_HEAD = 16 };

/* How a process that read the file ended. */
enum outcome { REFUSED, TOLD, WHOLE, FAILED, SILENT_LOSS, WRONG_BYTES, DIED, OUTCOMES };

static const char *const names[OUTCOMES] = {
    "refused on opening", "told on taking", "whole", "failed with a problem",
    "SILENT LOSS",        "WRONG BYTES",    "died"};

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

static struct bench bench;
static char ids[MESSAGES][8];

static size_t size_of(size_t message)
{
    return message % 6 == 5 ? 70000 : 100 + message * 300;
}

static void make_store(void)
{
    bench_init(&bench, ENGINE_LMDB);
    bench.settings.map_bytes = UINT64_C(64) << 20;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    for (size_t i = 0; i < MESSAGES; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%zu", i);
        struct store_op op = op_append(ids[i], 20, size_of(i), TO_BOX, 1);
        op.append.order = i % 3; /* 0: none */
        (void)bench_one(&bench, op);
    }
    bench_close(&bench);
}

/* Which message it is, and that it is acknowledged: those behind it come then. MESSAGES: none. */
static size_t read_entry(const struct store_entry *entry)
{
    size_t message = 0;
    while (message < MESSAGES && !content_is(entry, ids[message], 20, size_of(message))) {
        message++;
    }
    struct store_op op = op_ack(&entry->key);
    bench_submit(&bench, &op, 1);
    return message;
}

/* WHOLE: nothing to complain of. */
static enum outcome read_round(bool *found, bool *told)
{
    struct store_result result;
    struct store_op op = op_take(BOX, MESSAGES * 2);
    bench_submit(&bench, &op, 1);
    if (bench_collect(&bench, &result, 1) != 1) {
        return FAILED;
    }
    *told = *told || result.status != STORE_DONE;
    for (uint32_t i = 0; i < result.take.count; i++) {
        struct store_result acked;
        size_t message = read_entry(&result.take.entries[i]);
        if (message == MESSAGES || found[message]) {
            return WRONG_BYTES;
        }
        found[message] = true;
        if (bench_collect(&bench, &acked, 1) != 1) {
            return FAILED;
        }
    }
    result_drop(&result);
    return WHOLE;
}

static enum outcome read_store(void)
{
    struct store_problem problem = {0};
    bool found[MESSAGES] = {false};
    bool told = false;
    if (!store_open_lmdb(&bench.settings, &bench.store, &problem)) {
        return problem.kind == STORE_PROBLEM_NONE ? SILENT_LOSS : REFUSED;
    }
    for (int round = 0; round < MESSAGES; round++) {
        enum outcome outcome = read_round(found, &told);
        if (outcome != WHOLE) {
            return outcome;
        }
    }
    bench_close(&bench);
    for (size_t i = 0; i < MESSAGES; i++) {
        if (!found[i] && !told) {
            return SILENT_LOSS;
        }
    }
    return told ? TOLD : WHOLE;
}

static uint8_t look(void *context, bool *out_clean)
{
    (void)context;
    enum outcome outcome = read_store();
    *out_clean = outcome == REFUSED || outcome == WHOLE || outcome == TOLD;
    return (uint8_t)outcome;
}

static long stride(void)
{
    const char *text = getenv("RELAIS_FLIP_STRIDE"); /* NOLINT(concurrency-mt-unsafe) */
    long value = text != NULL ? strtol(text, NULL, 10) : STRIDE;
    return value > 0 ? value : STRIDE;
}

START_TEST(a_flipped_bit_never_becomes_a_message)
{
    long counts[OUTCOMES] = {0};
    long step = stride();
    struct witness witness = {.look = look};
    make_store();
    char backup[BENCH_PATH_BYTES * 2];
    char file[BENCH_PATH_BYTES * 2];
    (void)snprintf(backup, sizeof backup, "%s/backup", bench.folder);
    (void)snprintf(file, sizeof file, "%s/data.mdb", bench.path);
    long size = raw_needed_bytes(bench.path);
    raw_truncate(bench.path, size);
    ck_assert_int_eq(rename(file, backup), 0);
    raw_fill(bench.path, 1, 0);
    for (long at = 0; at < size; at++) {
        bool head = at % PAGE < PAGE_HEAD && at < 40L * PAGE;
        if (at % step != 0 && !head) {
            continue;
        }
        raw_restore(bench.path, backup);
        raw_flip(bench.path, at, (int)(at * 7 / 3 % 8));
        int seen = witness_ask(&witness);
        enum outcome outcome = seen >= 0 ? (enum outcome)seen : DIED;
        counts[outcome]++;
        if (outcome == SILENT_LOSS || outcome == WRONG_BYTES) {
            (void)printf("byte %ld: %s\n", at, names[outcome]);
        }
    }
    witness_end(&witness);
    for (int i = 0; i < OUTCOMES; i++) {
        (void)printf("%-22s %ld\n", names[i], counts[i]);
    }
    (void)unlink(backup);
    bench_fini(&bench);
    ck_assert_int_eq(counts[WRONG_BYTES], 0);
    ck_assert_int_eq(counts[SILENT_LOSS], 0);
    ck_assert_int_gt(counts[TOLD], 0);
    ck_assert_int_gt(counts[REFUSED], 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.bit_flips");
    TCase *tcase = tcase_create("flips");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, a_flipped_bit_never_becomes_a_message);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
