/* SPDX-License-Identifier: EUPL-1.2
 *
 * Batches that find LMDB's map full while earlier ones are in the redo log and not committed: the
 * n-th put or commit says so, once or some times, for each n until a run needs no more. Whatever
 * the store does then, it loses nothing that it accepted, and opens again.
 */
#include "tests/unit/store/bench.h"

#include <check.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

enum { BOX = 7, MESSAGES = 6, PUTS_MOST = 90, COMMITS_MOST = 8 };

static const int times[] = {1, 2, 1000};
enum { TIMES = sizeof times / sizeof times[0] };

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

static struct bench bench;
static char ids[MESSAGES][8];
static bool accepted[MESSAGES];
static bool acked[MESSAGES];

struct failing {
    atomic_int calls; /* until the first that fails; 0: none will */
    atomic_int left;  /* that fail then */
};
static struct failing puts_failing;
static struct failing commits_failing;

static void arm(struct failing *failing, int calls, int left)
{
    atomic_store(&failing->left, left);
    atomic_store(&failing->calls, calls);
}

static bool is_turn(struct failing *failing)
{
    int calls = atomic_load(&failing->calls);
    if (calls == 0) {
        return false;
    }
    if (calls > 1) {
        atomic_store(&failing->calls, calls - 1);
        return false;
    }
    return atomic_fetch_sub(&failing->left, 1) > 0;
}

static bool has_failed(const struct failing *failing)
{
    return atomic_load(&failing->calls) == 1;
}

int mdb_put(MDB_txn *txn, MDB_dbi table, MDB_val *key, MDB_val *value, unsigned flags)
{
    static int (*real)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *, unsigned);
    if (is_turn(&puts_failing)) {
        return MDB_MAP_FULL;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "mdb_put");
    return real(txn, table, key, value, flags);
}

int mdb_txn_commit(MDB_txn *txn)
{
    static int (*real)(MDB_txn *);
    if (is_turn(&commits_failing)) {
        mdb_txn_abort(txn); /* as the library does when it fails */
        return MDB_MAP_FULL;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "mdb_txn_commit");
    return real(txn);
}

static void set_up(void)
{
    memset(accepted, 0, sizeof accepted);
    memset(acked, 0, sizeof acked);
    bench_init(&bench, ENGINE_LMDB);
    bench.settings.map_bytes = UINT64_C(64) << 20;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    for (size_t i = 0; i < MESSAGES; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%zu", i);
    }
}

static void tear_down(void)
{
    arm(&puts_failing, 0, 0);
    arm(&commits_failing, 0, 0);
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static size_t message_of(const struct store_entry *entry)
{
    size_t message = 0;
    while (message < MESSAGES && !content_is(entry, ids[message], 20, 300)) {
        message++;
    }
    ck_assert_uint_lt(message, MESSAGES);
    return message;
}

/* Acknowledges the message that comes first. False: the store has given up. */
static bool ack_one(void)
{
    struct store_result result;
    struct store_op op = op_take(BOX, 1);
    bench_submit(&bench, &op, 1);
    if (bench_collect(&bench, &result, 1) != 1) {
        return false;
    }
    if (result.take.count == 0) {
        result_drop(&result);
        return true;
    }
    size_t message = message_of(&result.take.entries[0]);
    op = op_ack(&result.take.entries[0].key);
    result_drop(&result);
    acked[message] = true; /* from when it is asked for */
    bench_submit(&bench, &op, 1);
    return bench_collect(&bench, &result, 1) == 1;
}

static bool append(size_t message)
{
    struct store_result result;
    struct store_op op = op_append(ids[message], 20, 300, TO_BOX, 1);
    bench_submit(&bench, &op, 1);
    if (bench_collect(&bench, &result, 1) != 1) {
        return false;
    }
    accepted[message] = result.status == STORE_DONE;
    result_drop(&result);
    return true;
}

static void run(void)
{
    bool alive = true;
    for (size_t i = 0; alive && i < MESSAGES; i++) {
        alive = append(i) && (i % 3 != 2 || ack_one());
    }
    /* Commits what is open. */
    struct store_result result;
    struct store_op op = {.kind = STORE_CHECK, .check = {true, 1 << 20}};
    if (alive) {
        bench_submit(&bench, &op, 1);
        if (bench_collect(&bench, &result, 1) == 1) {
            result_drop(&result);
        }
    }
}

static void expect_all(void)
{
    bool found[MESSAGES] = {false};
    struct store_result result = bench_one(&bench, op_take(BOX, MESSAGES + 1));
    ck_assert_int_eq(result.status, STORE_DONE);
    for (uint32_t i = 0; i < result.take.count; i++) {
        found[message_of(&result.take.entries[i])] = true;
    }
    result_drop(&result);
    for (size_t i = 0; i < MESSAGES; i++) {
        ck_assert_msg(!accepted[i] || acked[i] || found[i], "%s was accepted and is lost", ids[i]);
    }
}

START_TEST(a_put_that_finds_the_map_full_costs_nothing_that_was_accepted)
{
    int calls = _i / TIMES + 1;
    arm(&puts_failing, calls, times[_i % TIMES]);
    run();
    ck_assert(has_failed(&puts_failing) || calls > MESSAGES * 4);
    arm(&puts_failing, 0, 0);
    bench_reopen(&bench);
    expect_all();
}
END_TEST

START_TEST(a_commit_that_finds_the_map_full_costs_nothing_that_was_accepted)
{
    arm(&commits_failing, _i / TIMES + 1, times[_i % TIMES]);
    run();
    arm(&commits_failing, 0, 0);
    bench_reopen(&bench);
    expect_all();
}
END_TEST

/* A put, and then the commit that would make room. */
START_TEST(both_cost_nothing_that_was_accepted)
{
    arm(&puts_failing, _i / TIMES + 1, 1);
    arm(&commits_failing, 1, times[_i % TIMES]);
    run();
    arm(&puts_failing, 0, 0);
    arm(&commits_failing, 0, 0);
    bench_reopen(&bench);
    expect_all();
    ck_assert_int_eq(bench_one(&bench, op_append("after", 20, 300, TO_BOX, 1)).status, STORE_DONE);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.full_map");
    TCase *tcase = tcase_create("full map");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_put_that_finds_the_map_full_costs_nothing_that_was_accepted, 0,
                        PUTS_MOST * TIMES);
    tcase_add_loop_test(tcase, a_commit_that_finds_the_map_full_costs_nothing_that_was_accepted, 0,
                        COMMITS_MOST * TIMES);
    tcase_add_loop_test(tcase, both_cost_nothing_that_was_accepted, 0, PUTS_MOST * TIMES);
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
