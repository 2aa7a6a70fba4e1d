/* SPDX-License-Identifier: EUPL-1.2
 *
 * Promises 1 and 2 of store.h on a disk that fails. Every call that changes the disk is this
 * program's own; the n-th fails, once, for each n until a run needs no more calls. Whatever fails:
 * no result follows, the store says why, and the next opening finds all that was accepted, none of
 * what was acknowledged, and nothing that is not whole.
 */
#include "store/redo.h"
#include "tests/unit/store/bench.h"

#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BOX = 7, STEPS = 8, EACH = 3, MESSAGES = STEPS * EACH, MOST_CALLS = 100, SHORT_WRITE = 0 };

/* How a batch becomes durable; and the calls of the disk that it takes at least. */
static const struct way {
    uint64_t redo_bytes;
    int calls;
} ways[] = {
    {0, 3},                  /* a commit */
    {UINT64_C(1) << 20, 2},  /* a frame of the log */
    {UINT64_C(48) << 10, 2}, /* a small log: commits between frames */
};
enum { WAYS = sizeof ways / sizeof ways[0] };

/* How the failing call fails. */
static const int failures[] = {EIO, ENOSPC, SHORT_WRITE};
enum { FAILURES = sizeof failures / sizeof failures[0] };

static int way_of(int number)
{
    return number % WAYS;
}

static int failure_of(int number)
{
    return failures[number / WAYS % FAILURES];
}

static int calls_of(int number)
{
    return number / WAYS / FAILURES + 1;
}

/* The log goes on after a short write, and does not grow on a full disk. */
static bool is_borne(const struct way *way, int how)
{
    return way->redo_bytes > 0 &&
           (how == SHORT_WRITE || (how == ENOSPC && way->redo_bytes > REDO_FIRST_BYTES));
}

static atomic_int calls_until_failure; /* 0: none will fail */
static atomic_int failure;
static atomic_int calls_failed;

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

static void arm(int calls, int how)
{
    atomic_store(&failure, how);
    atomic_store(&calls_failed, 0);
    atomic_store(&calls_until_failure, calls);
}

static bool is_turn(void)
{
    if (atomic_load(&calls_until_failure) == 0 || atomic_fetch_sub(&calls_until_failure, 1) != 1) {
        return false;
    }
    atomic_fetch_add(&calls_failed, 1);
    return true;
}

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* What a failing write of `size` bytes says: half of it written, or nothing. */
static ssize_t fail_write(size_t size)
{
    int how = atomic_load(&failure);
    if (how == SHORT_WRITE) {
        return (ssize_t)(size / 2);
    }
    errno = how;
    return -1;
}

static int fail_sync(void)
{
    int how = atomic_load(&failure);
    errno = how == SHORT_WRITE ? EIO : how;
    return -1;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    if (is_turn()) {
        return fail_write(size);
    }
    return ((ssize_t(*)(int, const void *, size_t, off_t))real("pwrite"))(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (is_turn()) {
        size_t size = 0;
        for (int i = 0; i < count; i++) {
            size += parts[i].iov_len;
        }
        return fail_write(size);
    }
    return ((ssize_t(*)(int, const struct iovec *, int))real("writev"))(fd, parts, count);
}

int fdatasync(int fd)
{
    return is_turn() ? fail_sync() : ((int (*)(int))real("fdatasync"))(fd);
}

int fsync(int fd)
{
    return is_turn() ? fail_sync() : ((int (*)(int))real("fsync"))(fd);
}

int ftruncate(int fd, off_t size)
{
    return is_turn() ? fail_sync() : ((int (*)(int, off_t))real("ftruncate"))(fd, size);
}

/* What a client of the store knows about each message. */
struct knowledge {
    bool submitted;
    bool accepted;
    bool ack_submitted;
    bool acked;
    bool found;
};

static struct bench bench;
static struct knowledge known[MESSAGES];
static char ids[MESSAGES][8];
static struct entry_key keys[MESSAGES];
static size_t sequence_of[MESSAGES + 2];

static size_t size_of(size_t message)
{
    return message % 4 == 0 ? 100000 : 700;
}

static void set_up(void)
{
    memset(known, 0, sizeof known);
    bench_init(&bench, ENGINE_LMDB);
    for (size_t i = 0; i < MESSAGES; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%zu", i);
    }
}

static void tear_down(void)
{
    arm(0, 0);
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

/* Appends EACH messages and takes; acks the first that was taken. False after the failure. */
static bool step(size_t from)
{
    struct store_op ops[EACH + 1];
    struct store_result results[EACH + 1];
    for (size_t i = 0; i < EACH; i++) {
        ops[i] = op_append(ids[from + i], 20, size_of(from + i), TO_BOX, 1);
        known[from + i].submitted = true;
    }
    ops[EACH] = op_take(BOX, 2);
    bench_submit(&bench, ops, EACH + 1);
    size_t got = bench_collect(&bench, results, EACH + 1);
    for (size_t i = 0; i < got && i < EACH; i++) {
        ck_assert_int_eq(results[i].status, STORE_DONE);
        known[from + i].accepted = true;
        sequence_of[results[i].append.sequence] = from + i;
    }
    if (got < EACH + 1) {
        return false;
    }
    ck_assert_uint_eq(results[EACH].take.count, 2);
    struct entry_key key = results[EACH].take.entries[0].key;
    result_drop(&results[EACH]);
    size_t message = sequence_of[key.sequence];
    keys[message] = key;
    known[message].ack_submitted = true;
    ops[0] = op_ack(&key);
    bench_submit(&bench, ops, 1);
    if (bench_collect(&bench, results, 1) < 1) {
        return false;
    }
    ck_assert_int_eq(results[0].status, STORE_DONE);
    known[message].acked = true;
    return true;
}

static void expect_silence(int how)
{
    struct store_problem problem = {0};
    struct store_result result;
    ck_assert(store_failed(bench.store, &problem));
    ck_assert_int_eq(problem.kind, STORE_PROBLEM_IO);
    int said = how == SHORT_WRITE ? EIO : how;
    /* A sync of the log that fails is a failed sync, whatever the system calls it. */
    ck_assert(problem.system_errno == said ||
              (problem.system_errno == EIO && bench.settings.redo_bytes > 0));
    ck_assert_ptr_nonnull(strstr(problem.detail, bench.path));
    /* LMDB would commit again; the store must not. */
    struct store_op op = op_append("after", 20, 30, TO_BOX, 1);
    bench_submit(&bench, &op, 1);
    ck_assert_uint_eq(store_collect(bench.store, &result, 1), 0);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static void find_all(void)
{
    struct store_result result;
    size_t count = 0;
    uint64_t found = 0;
    const struct stored_mailbox *mailboxes = store_mailboxes(bench.store, &count);
    ck_assert_uint_eq(count, 1);
    uint64_t waiting = mailboxes[0].waiting;
    do {
        result = bench_one(&bench, op_take(BOX, 5));
        ck_assert_int_eq(result.status, STORE_DONE);
        found += result.take.count;
        for (uint32_t i = 0; i < result.take.count; i++) {
            size_t message = 0;
            while (message < MESSAGES &&
                   !content_is(&result.take.entries[i], ids[message], 20, size_of(message))) {
                message++;
            }
            ck_assert_uint_lt(message, MESSAGES);
            ck_assert(!known[message].found);
            known[message].found = true;
        }
        result_drop(&result);
    } while (result.take.more);
    ck_assert_uint_eq(found, waiting);
}

START_TEST(nothing_accepted_is_lost_and_nothing_is_claimed_after_a_failure)
{
    int calls = calls_of(_i);
    int how = failure_of(_i);
    const struct way *way = &ways[way_of(_i)];
    bench.settings.redo_bytes = way->redo_bytes;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    arm(calls, how);
    bool alive = true;
    for (size_t i = 0; alive && i < STEPS; i++) {
        alive = step(i * EACH);
    }
    bool failed = atomic_load(&calls_failed) > 0;
    ck_assert(failed != alive || (alive && is_borne(way, how)));
    if (!alive) {
        expect_silence(how);
    } else if (!failed) {
        ck_assert_int_gt(calls, STEPS * 2 * way->calls);
    }
    arm(0, 0);
    bench_reopen(&bench);
    find_all();
    for (size_t i = 0; i < MESSAGES; i++) {
        if (known[i].accepted && !known[i].ack_submitted) {
            ck_assert_msg(known[i].found, "%s was accepted and is lost", ids[i]);
        }
        ck_assert(!known[i].found || known[i].submitted);
        ck_assert(!known[i].found || !known[i].acked);
    }
    /* And it works again. */
    ck_assert_int_eq(bench_one(&bench, op_append("after", 20, 30, TO_BOX, 1)).status, STORE_DONE);
}
END_TEST

/* Dead letters are replayed and dropped on a disk that fails: each is in one place afterwards, and
 * what was said to be done is done. */
enum { DEAD = 6, DEAD_CALLS_MOST = 30 };

static size_t count_dead(struct dead_key *out_dead)
{
    struct store_result result = bench_one(&bench, op_dead_list(BOX, 0, DEAD + 1));
    size_t count = result.dead.count;
    for (uint32_t i = 0; i < result.dead.count; i++) {
        ck_assert(!result.dead.entries[i].damaged);
        out_dead[i] =
            (struct dead_key){.mailbox = BOX, .sequence = result.dead.entries[i].sequence};
    }
    result_drop(&result);
    return count;
}

static void bury_all(struct dead_key *out_dead)
{
    for (size_t i = 0; i < DEAD; i++) {
        (void)bench_one(&bench, op_append(ids[i], 20, size_of(i), TO_BOX, 1));
        struct store_result result = bench_one(&bench, op_take(BOX, 1));
        struct entry_key key = result.take.entries[0].key;
        result_drop(&result);
        (void)bench_one(&bench, op_bury(&key, "dead"));
    }
    ck_assert_uint_eq(count_dead(out_dead), DEAD);
}

START_TEST(a_replay_or_a_drop_is_done_as_a_whole_or_not_at_all)
{
    int calls = calls_of(_i);
    int how = failure_of(_i);
    const struct way *way = &ways[way_of(_i)];
    struct dead_key dead[DEAD + 1];
    size_t done[2] = {0, 0};
    bool alive = true;
    bench.settings.redo_bytes = way->redo_bytes;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    bury_all(dead);
    arm(calls, how);
    for (size_t i = 0; alive && i < DEAD; i++) {
        struct store_result result;
        struct store_op op = op_dead(i % 2 == 0 ? STORE_REPLAY : STORE_DROP, BOX, dead[i].sequence);
        bench_submit(&bench, &op, 1);
        alive = bench_collect(&bench, &result, 1) == 1;
        done[i % 2] += alive ? 1 : 0;
    }
    ck_assert(alive || atomic_load(&calls_failed) > 0);
    ck_assert(!alive || calls > DEAD * way->calls || (how == SHORT_WRITE && way->redo_bytes > 0));
    arm(0, 0);
    bench_reopen(&bench);
    size_t still = count_dead(dead);
    size_t count = 0;
    const struct stored_mailbox *mailboxes = store_mailboxes(bench.store, &count);
    struct store_result result = bench_one(&bench, op_take(BOX, DEAD));
    ck_assert_uint_eq(mailboxes[0].dead, still);
    ck_assert_uint_eq(mailboxes[0].waiting, result.take.count);
    ck_assert_uint_le(done[0] + done[1], DEAD - still);
    ck_assert_uint_ge(done[0] + done[1] + 1, DEAD - still);
    ck_assert_uint_le(done[0], result.take.count);
    ck_assert_uint_ge(done[0] + 1, result.take.count);
    for (uint32_t i = 0; i < result.take.count; i++) {
        size_t message = (size_t)i * 2;
        ck_assert(content_is(&result.take.entries[i], ids[message], 20, size_of(message)));
    }
    result_drop(&result);
}
END_TEST

START_TEST(a_failure_while_making_a_store_leaves_one_that_can_be_made)
{
    struct store_problem problem = {0};
    arm(_i / FAILURES + 1, failures[_i % FAILURES]);
    bool opened = store_open_lmdb(&bench.settings, &bench.store, &problem);
    bool failed = atomic_load(&calls_failed) > 0;
    ck_assert_int_ne(opened, failed);
    if (failed) {
        ck_assert_int_ne(problem.kind, STORE_PROBLEM_NONE);
        ck_assert_int_ne(problem.kind, STORE_PROBLEM_DAMAGED);
        ck_assert_uint_gt(strlen(problem.detail), 0);
    }
    arm(0, 0);
    bench_reopen(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    ck_assert_int_eq(bench_one(&bench, op_append("m", 20, 30, TO_BOX, 1)).status, STORE_DONE);
}
END_TEST

START_TEST(a_failure_in_the_first_batch_is_one_of_the_store_or_of_the_log_alone)
{
    int how = failure_of(_i);
    struct store_op op = op_mailbox(BOX, "commune-76540/etat-civil");
    struct store_result result;
    bench.settings.redo_bytes = ways[way_of(_i)].redo_bytes;
    bench_open(&bench);
    arm(calls_of(_i), how);
    bench_submit(&bench, &op, 1);
    bool alive = bench_collect(&bench, &result, 1) == 1;
    bool failed = atomic_load(&calls_failed) > 0;
    /* Without room for a log the store does without. */
    ck_assert(alive != failed || (alive && how != EIO && bench.settings.redo_bytes > 0));
    if (!alive) {
        expect_silence(how);
    }
    arm(0, 0);
    if (alive) {
        ck_assert_int_eq(bench_one(&bench, op_append("m", 20, 30, TO_BOX, 1)).status, STORE_DONE);
        bench_reopen(&bench);
        size_t count = 0;
        ck_assert_uint_eq(store_mailboxes(bench.store, &count)->waiting, 1);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.failing_disk");
    TCase *running = tcase_create("running");
    tcase_set_timeout(running, 30);
    tcase_add_checked_fixture(running, set_up, tear_down);
    tcase_add_loop_test(running, nothing_accepted_is_lost_and_nothing_is_claimed_after_a_failure, 0,
                        MOST_CALLS * FAILURES * WAYS);
    suite_add_tcase(suite, running);
    TCase *dead = tcase_create("dead");
    tcase_add_checked_fixture(dead, set_up, tear_down);
    tcase_add_loop_test(dead, a_replay_or_a_drop_is_done_as_a_whole_or_not_at_all, 0,
                        DEAD_CALLS_MOST * FAILURES * WAYS);
    suite_add_tcase(suite, dead);
    TCase *making = tcase_create("making");
    tcase_add_checked_fixture(making, set_up, tear_down);
    tcase_add_loop_test(making, a_failure_while_making_a_store_leaves_one_that_can_be_made, 0,
                        20 * FAILURES);
    tcase_add_loop_test(making,
                        a_failure_in_the_first_batch_is_one_of_the_store_or_of_the_log_alone, 0,
                        10 * FAILURES * WAYS);
    suite_add_tcase(suite, making);
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
