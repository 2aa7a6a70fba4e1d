/* SPDX-License-Identifier: EUPL-1.2
 *
 * The two engines are one: the same random ops, in the same batches, have the same results on both.
 * The seed of a run is printed when it fails; RELAIS_SEED repeats it.
 */
#include "tests/unit/store/bench.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BOXES = 4,
    ROUNDS = 400,
    BATCH = 12,
    RUNS = 12,
    IDS = 300,
    HELD = 4000,
    ORDERS = 5,
    UPLOADS = 6
};

static const char *const SENDERS[] = {"dila", "commune-76540", "departement-02", "nobody"};

static struct bench twins[ENGINE_COUNT];
static uint64_t state;
static struct entry_key held[HELD];
static size_t held_count;
static struct dead_key dead[HELD];
static size_t dead_count;
static uint64_t content;     /* that was handed out last */
static struct store_due due; /* the deadline that was first, when it was asked for last */

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(state >> 33) % below;
}

static struct entry_key any_held(void)
{
    if (held_count == 0 || draw(20) == 0) {
        return (struct entry_key){.mailbox = draw(BOXES + 1),
                                  .lane = (uint8_t)draw(LANE_COUNT),
                                  .due_ms = draw(3) == 0 ? twins[0].now_ms : 0,
                                  .sequence = draw(200)};
    }
    return held[draw((uint32_t)held_count)];
}

/* The same append for each engine: buffers are not shared between the two. */
static void draw_append(struct store_op out_ops[ENGINE_COUNT], char *id,
                        struct store_recipient *recipients)
{
    static char earlier[16];
    const char *supersedes = draw(4) == 0 ? earlier : NULL;
    uint32_t count = (supersedes != NULL ? 0 : 1) + draw(3);
    uint32_t first = draw(BOXES);
    size_t size = draw(10) == 0 ? 60000 + draw(20000) : draw(3000);
    const char *sender = SENDERS[draw(3)];
    const struct store_usage quota = {.messages = draw(4) == 0 ? 1 + draw(100) : 0,
                                      .bytes = draw(4) == 0 ? 1 + draw(200000) : 0};
    uint64_t order = draw(3) == 0 ? 0 : 1 + draw(ORDERS);
    bool claim = draw(2) == 0;
    int64_t expires_ms = draw(3) == 0 ? twins[0].now_ms + 1 + draw(3000) : 0;
    (void)snprintf(id, 16, "m%u", draw(IDS));
    (void)snprintf(earlier, sizeof earlier, "m%u", draw(IDS));
    for (uint32_t i = 0; i < count; i++) {
        recipients[i] =
            (struct store_recipient){.mailbox = (first + i) % BOXES + (draw(60) == 0 ? 50 : 0),
                                     .lane = (uint8_t)draw(LANE_COUNT),
                                     .due_ms = draw(4) == 0 ? twins[0].now_ms + draw(2000) : 0};
    }
    for (int i = 0; i < ENGINE_COUNT; i++) {
        out_ops[i] = op_append(id, 1 + draw(1), size, recipients, count);
        out_ops[i].append.sender = sender;
        out_ops[i].append.quota = quota;
        out_ops[i].append.supersedes = supersedes;
        out_ops[i].append.order = order;
        out_ops[i].append.claim = claim;
        out_ops[i].append.expires_ms = expires_ms;
    }
}

/* Some have a deadline, with no reminder, or two. */
static void draw_deadline(struct store_op ops[ENGINE_COUNT], struct stored_deadline *deadline)
{
    int64_t now_ms = twins[0].now_ms;
    if (draw(2) == 0) {
        return;
    }
    *deadline = (struct stored_deadline){.accepted_ms = now_ms, .from = "a/b", .flow = "F"};
    (void)snprintf(deadline->sender, sizeof deadline->sender, "%s", ops[0].append.sender);
    (void)snprintf(deadline->id, sizeof deadline->id, "%s", ops[0].append.id);
    deadline->remind_count = (uint8_t)(draw(2) * 2);
    deadline->remind_ms[0] = now_ms + draw(1000);
    deadline->remind_ms[1] = deadline->remind_ms[0] + draw(1000);
    deadline->deadline_ms = deadline->remind_ms[1] + 1 + draw(1000);
    for (int i = 0; i < ENGINE_COUNT; i++) {
        ops[i].append.deadline = deadline;
    }
}

/* What the step of the deadline that is next says: in time, too early, or again. */
static void draw_pass(struct store_op out_ops[ENGINE_COUNT], char *id,
                      struct store_recipient *recipients)
{
    uint8_t step = stored_deadline_step(&due.deadline, twins[0].now_ms);
    bool warns = step == due.deadline.remind_count;
    (void)snprintf(id, 16, "r%u", draw(1000));
    *recipients = (struct store_recipient){.mailbox = draw(BOXES), .lane = LANE_HIGH};
    for (int i = 0; i < ENGINE_COUNT; i++) {
        out_ops[i] = op_append(id, 1, 10, recipients, warns ? 1 : 0);
        out_ops[i].append.sender = "relais";
        out_ops[i].append.pass = (struct deadline_pass){
            .sequence = due.sequence, .at_ms = due.at_ms, .step = step, .max = 2};
    }
}

static struct store_op draw_dead(enum store_op_kind kind)
{
    if (dead_count == 0 || draw(20) == 0) {
        return op_dead(kind, draw(BOXES + 1), draw(200));
    }
    const struct dead_key *one = &dead[draw((uint32_t)dead_count)];
    return op_dead(kind, one->mailbox, one->sequence);
}

/* A few uploads of few segments, often begun anew, chunks often out of place. */
static void draw_upload(struct store_op out_ops[ENGINE_COUNT], char *id,
                        struct store_recipient *recipients)
{
    const uint64_t segment = STORED_SEGMENT_BYTES;
    uint32_t number = draw(UPLOADS);
    uint64_t bytes = (1 + number % 2) * segment + number;
    uint32_t what = draw(8);
    uint64_t offset = draw(3) * segment;
    size_t left = (size_t)(bytes > offset ? bytes - offset : 0);
    size_t size = draw(2) == 0 || left < segment ? left : (size_t)segment;
    (void)snprintf(id, 16, "u%u", number + UPLOADS * draw(3));
    *recipients = (struct store_recipient){.mailbox = draw(BOXES), .lane = LANE_NORMAL};
    for (int i = 0; i < ENGINE_COUNT; i++) {
        if (what == 0) {
            out_ops[i] = op_upload(id, bytes, 4);
        } else if (what < 5) {
            out_ops[i] = op_chunk(id, offset, size > 0 ? size : 1);
        } else if (what < 7) {
            out_ops[i] = op_append(id, 1, 0, recipients, 1);
            out_ops[i].append.stored_bytes = bytes;
        } else {
            out_ops[i] = op_fetch(content, number, 1 + number);
        }
    }
}

/* What is next is asked for, or passed. */
static void draw_due(struct store_op out_ops[ENGINE_COUNT], char *id,
                     struct store_recipient *recipients)
{
    if (due.sequence > 0 && draw(2) == 0) {
        draw_pass(out_ops, id, recipients);
        return;
    }
    out_ops[0] = (struct store_op){.kind = STORE_DUE};
    out_ops[1] = out_ops[0];
}

static struct store_op draw_named(enum store_op_kind kind, char *id)
{
    struct store_op op = {.kind = kind};
    const char *sender = SENDERS[draw(4)];
    (void)snprintf(id, 16, "m%u", draw(IDS));
    if (kind == STORE_KNOWN) {
        op.known.sender = sender;
        op.known.id = id;
    } else {
        op.cancel.sender = sender;
        op.cancel.id = id;
    }
    return op;
}

static struct store_op draw_take(void)
{
    struct store_op op = op_take(draw(BOXES + 1), draw(8));
    op.take.max_bytes = 1000 + draw(50000);
    return op;
}

static struct store_op draw_track(char *id)
{
    (void)snprintf(id, 16, "m%u", draw(IDS));
    struct store_op op = op_track(SENDERS[draw(4)], id, draw(3) == 0 ? draw(BOXES) : 0, draw(4));
    op.track.missing = draw(2) == 0;
    return op;
}

static void draw_op(struct store_op out_ops[ENGINE_COUNT], char *id,
                    struct store_recipient *recipients, struct stored_deadline *deadline)
{
    struct entry_key key = any_held();
    struct store_op op;
    switch (draw(24)) {
    case 0:
    case 1:
    case 2:
        draw_append(out_ops, id, recipients);
        draw_deadline(out_ops, deadline);
        return;
    case 3:
    case 4:
        op = draw_take();
        break;
    case 5:
    case 6:
        op = op_ack(&key);
        break;
    case 7:
        op = op_defer(&key, draw(9), twins[0].now_ms + draw(3000));
        break;
    case 8:
        op = op_bury(&key, "drawn");
        break;
    case 9:
    case 10:
        op = op_dead_list(draw(BOXES + 1), draw(3) == 0 ? draw(200) : 0, draw(6));
        op.dead_list.max_bytes = draw(10);
        break;
    case 11:
        op = draw_dead(STORE_DEAD_READ);
        break;
    case 12:
        op = draw_dead(draw(2) == 0 ? STORE_REPLAY : STORE_DROP);
        break;
    case 19:
    case 20:
        draw_due(out_ops, id, recipients);
        return;
    case 17:
        op = draw_track(id);
        break;
    case 13:
        op = op_usage(SENDERS[draw(4)]);
        break;
    case 14:
    case 15:
    case 16:
        draw_upload(out_ops, id, recipients);
        return;
    case 18:
        op = draw_named(STORE_CANCEL, id);
        break;
    case 22:
        op = draw_named(STORE_KNOWN, id);
        break;
    case 21:
        op = op_expire(1000);
        break;
    default:
        op = op_release(&key);
        break;
    }
    out_ops[0] = op;
    out_ops[1] = op;
}

static bool same_key(const struct entry_key *one, const struct entry_key *other)
{
    return one->mailbox == other->mailbox && one->lane == other->lane &&
           one->due_ms == other->due_ms && one->sequence == other->sequence;
}

static bool same_bytes(struct bytes one, struct bytes other)
{
    return one.size == other.size && (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}

static void compare_entries(const struct store_result *left, const struct store_result *right)
{
    ck_assert_uint_eq(left->take.count, right->take.count);
    ck_assert_int_eq(left->take.more, right->take.more);
    ck_assert_int_eq(left->take.next_due_ms, right->take.next_due_ms);
    for (uint32_t i = 0; i < left->take.count; i++) {
        const struct store_entry *one = &left->take.entries[i];
        const struct store_entry *other = &right->take.entries[i];
        ck_assert(same_key(&one->key, &other->key));
        ck_assert_uint_eq(one->attempts, other->attempts);
        ck_assert_int_eq(one->accepted_ms, other->accepted_ms);
        ck_assert_uint_eq(one->content, other->content);
        ck_assert_uint_eq(one->stored_bytes, other->stored_bytes);
        content = one->content > 0 ? one->content : content;
        ck_assert(same_bytes(one->message.envelope, other->message.envelope));
        ck_assert(same_bytes(one->message.payload, other->message.payload));
        if (held_count < HELD) {
            held[held_count++] = one->key;
        }
    }
}

static void compare_dead(const struct store_result *left, const struct store_result *right,
                         uint32_t mailbox)
{
    ck_assert_uint_eq(left->dead.count, right->dead.count);
    ck_assert_int_eq(left->dead.more, right->dead.more);
    for (uint32_t i = 0; i < left->dead.count; i++) {
        const struct store_dead *one = &left->dead.entries[i];
        const struct store_dead *other = &right->dead.entries[i];
        ck_assert_uint_eq(one->sequence, other->sequence);
        ck_assert_uint_eq(one->attempts, other->attempts);
        ck_assert_uint_eq(one->code, other->code);
        ck_assert_int_eq(one->died_ms, other->died_ms);
        ck_assert_int_eq(one->accepted_ms, other->accepted_ms);
        ck_assert_int_eq(one->expires_ms, other->expires_ms);
        ck_assert_uint_eq(one->bytes, other->bytes);
        ck_assert_uint_eq(one->stored_bytes, other->stored_bytes);
        ck_assert_str_eq(one->reason, other->reason);
        ck_assert_uint_eq(one->history_count, other->history_count);
        for (uint32_t k = 0; k < one->history_count; k++) {
            ck_assert_uint_eq(one->history[k].number, other->history[k].number);
            ck_assert_str_eq(one->history[k].reason, other->history[k].reason);
        }
        ck_assert_int_eq(one->damaged, other->damaged);
        ck_assert(same_bytes(one->message.envelope, other->message.envelope));
        ck_assert(same_bytes(one->message.payload, other->message.payload));
        if (dead_count < HELD) {
            dead[dead_count++] = (struct dead_key){.mailbox = mailbox, .sequence = one->sequence};
        }
    }
}

static void compare_usage(const struct store_usage *left, const struct store_usage *right)
{
    ck_assert_uint_eq(left->messages, right->messages);
    ck_assert_uint_eq(left->bytes, right->bytes);
}

static void compare_track(const struct store_result *left, const struct store_result *right)
{
    ck_assert_uint_eq(left->track.sequence, right->track.sequence);
    ck_assert_int_eq(left->track.accepted_ms, right->track.accepted_ms);
    ck_assert_uint_eq(left->track.count, right->track.count);
    ck_assert_int_eq(left->track.more, right->track.more);
    ck_assert_int_eq(left->track.deadline_ms, right->track.deadline_ms);
    for (uint32_t i = 0; i < left->track.count; i++) {
        const struct store_track_row *one = &left->track.rows[i];
        const struct store_track_row *other = &right->track.rows[i];
        ck_assert_uint_eq(one->mailbox, other->mailbox);
        ck_assert_int_eq(one->state, other->state);
        ck_assert_uint_eq(one->attempts, other->attempts);
        ck_assert_uint_eq(one->code, other->code);
        ck_assert_int_eq(one->since_ms, other->since_ms);
    }
    for (int i = 0; i < TRACK_STATES; i++) {
        ck_assert_uint_eq(left->track.totals[i], right->track.totals[i]);
    }
}

static void compare_due(const struct store_due *left, const struct store_due *right)
{
    ck_assert_uint_eq(left->sequence, right->sequence);
    ck_assert_int_eq(left->at_ms, right->at_ms);
    ck_assert_uint_eq(left->deadline.step, right->deadline.step);
    ck_assert_uint_eq(left->deadline.after, right->deadline.after);
    ck_assert_str_eq(left->deadline.id, right->deadline.id);
    ck_assert_str_eq(left->deadline.sender, right->deadline.sender);
    ck_assert_int_eq(left->deadline.deadline_ms, right->deadline.deadline_ms);
    ck_assert_uint_eq(left->owing, right->owing);
    ck_assert_uint_eq(left->count, right->count);
    for (uint32_t i = 0; i < left->count; i++) {
        ck_assert_uint_eq(left->rows[i].mailbox, right->rows[i].mailbox);
        ck_assert_int_eq(left->rows[i].state, right->rows[i].state);
    }
    for (int i = 0; i < TRACK_STATES; i++) {
        ck_assert_uint_eq(left->totals[i], right->totals[i]);
    }
    due = *left;
}

static void compare_replaced(const struct store_result *left, const struct store_result *right)
{
    ck_assert_uint_eq(left->append.replaced_count, right->append.replaced_count);
    for (uint32_t i = 0; i < left->append.replaced_count; i++) {
        const struct store_replaced *one = &left->append.replaced[i];
        const struct store_replaced *other = &right->append.replaced[i];
        ck_assert_uint_eq(one->mailbox, other->mailbox);
        ck_assert_int_eq(one->added, other->added);
        ck_assert_int_eq(one->gone, other->gone);
        ck_assert_uint_eq(one->bytes, other->bytes);
        ck_assert_int_eq(one->turn.passed, other->turn.passed);
        ck_assert_int_eq(one->turn.due_ms, other->turn.due_ms);
    }
}

/* A content that nobody refers to any more may be erased by and by. */
static bool is_erased_later(const struct store_result *left, const struct store_result *right)
{
    return left->kind == STORE_FETCH && left->status == STORE_DAMAGED &&
           right->status == STORE_DONE;
}

static void compare_claimed(const struct store_result *left, const struct store_result *right,
                            const struct store_op *op)
{
    ck_assert_int_eq(left->append.claimed, right->append.claimed);
    ck_assert(same_bytes(left->append.message.envelope, right->append.message.envelope));
    ck_assert(same_bytes(left->append.message.payload, right->append.message.payload));
    if (left->append.claimed && held_count < HELD) {
        held[held_count++] = (struct entry_key){.mailbox = op->append.recipients[0].mailbox,
                                                .lane = op->append.recipients[0].lane,
                                                .sequence = left->append.sequence};
    }
}

static void compare_cancelled(const struct store_cancelled *left,
                              const struct store_cancelled *right)
{
    ck_assert_uint_eq(left->withdrawn, right->withdrawn);
    ck_assert_uint_eq(left->too_late, right->too_late);
    ck_assert_uint_eq(left->count, right->count);
    ck_assert_uint_eq(left->bytes, right->bytes);
    for (uint32_t i = 0; i < left->count; i++) {
        ck_assert_uint_eq(left->mailboxes[i], right->mailboxes[i]);
    }
}

/* All that is late, in whatever order. */
static void compare_expired(const struct store_expiry *left, const struct store_expiry *right)
{
    uint64_t sums[2][3] = {{0}};
    const struct store_expiry *const both[] = {left, right};
    ck_assert_uint_eq(left->count, right->count);
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < both[side]->count; i++) {
            const struct store_expired *one = &both[side]->entries[i];
            sums[side][0] += one->sequence * one->sequence;
            sums[side][1] += one->mailbox * one->sequence;
            sums[side][2] += one->bytes + one->attempts;
        }
    }
    ck_assert_mem_eq(sums[0], sums[1], sizeof sums[0]);
}

/* What is not about one mailbox. */
static bool is_of_sender(enum store_op_kind kind)
{
    return kind == STORE_CANCEL || kind == STORE_USAGE || kind == STORE_TRACK ||
           kind == STORE_EXPIRE;
}

static void compare_sender(const struct store_result *left, const struct store_result *right)
{
    if (left->kind == STORE_CANCEL) {
        compare_cancelled(&left->cancel, &right->cancel);
    } else if (left->kind == STORE_TRACK) {
        compare_track(left, right);
    } else if (left->kind == STORE_EXPIRE) {
        compare_expired(&left->expiry, &right->expiry);
    } else {
        compare_usage(&left->usage, &right->usage);
    }
}

static void compare(struct store_result *left, struct store_result *right,
                    const struct store_op *op)
{
    ck_assert_int_eq(left->kind, right->kind);
    if (is_erased_later(left, right)) {
        result_drop(right);
        return;
    }
    ck_assert_int_eq(left->status, right->status);
    if (left->kind == STORE_APPEND) {
        ck_assert_uint_eq(left->append.sequence, right->append.sequence);
        ck_assert_int_eq(left->append.duplicate, right->append.duplicate);
        compare_claimed(left, right, op);
        compare_replaced(left, right);
        compare_usage(&left->append.usage, &right->append.usage);
        compare_usage(&left->append.quota, &right->append.quota);
    } else if (is_of_sender(left->kind)) {
        compare_sender(left, right);
    } else if (left->kind == STORE_DUE) {
        compare_due(left->due, right->due);
    } else if (left->kind == STORE_TAKE) {
        compare_entries(left, right);
    } else if (left->kind == STORE_DEAD_LIST || left->kind == STORE_DEAD_READ) {
        compare_dead(left, right,
                     left->kind == STORE_DEAD_LIST ? op->dead_list.mailbox : op->dead.mailbox);
    } else if (left->kind == STORE_ACK || left->kind == STORE_BURY) {
        ck_assert_int_eq(left->turn.passed, right->turn.passed);
        ck_assert_int_eq(left->turn.due_ms, right->turn.due_ms);
    } else if (left->kind == STORE_UPLOAD || left->kind == STORE_CHUNK) {
        ck_assert_uint_eq(left->upload.durable_bytes, right->upload.durable_bytes);
        ck_assert_int_eq(left->upload.accepted, right->upload.accepted);
    } else if (left->kind == STORE_FETCH) {
        ck_assert(same_bytes(left->fetched.payload, right->fetched.payload));
    } else if (left->kind == STORE_REPLAY) {
        ck_assert_uint_eq(left->replayed_bytes, right->replayed_bytes);
    }
    result_drop(left);
    result_drop(right);
}

static void round_of(uint32_t count)
{
    struct store_op ops[ENGINE_COUNT][BATCH];
    struct store_result results[ENGINE_COUNT][BATCH];
    char ids[BATCH][16];
    struct store_recipient recipients[BATCH][3];
    static struct stored_deadline deadlines[BATCH];
    const struct store_op *asked[BATCH];
    size_t expected = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct store_op pair[ENGINE_COUNT];
        draw_op(pair, ids[i], recipients[i], &deadlines[i]);
        ops[0][i] = pair[0];
        ops[1][i] = pair[1];
        if (pair[0].kind != STORE_RELEASE) {
            asked[expected++] = &ops[0][i];
        }
    }
    for (int i = 0; i < ENGINE_COUNT; i++) {
        bench_do(&twins[i], ops[i], count, results[i]);
    }
    for (size_t i = 0; i < expected; i++) {
        compare(&results[0][i], &results[1][i], asked[i]);
    }
}

START_TEST(both_engines_answer_the_same)
{
    const char *text = getenv("RELAIS_SEED"); /* NOLINT(concurrency-mt-unsafe) */
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)_i * 7919 + 1;
    (void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    state = seed;
    held_count = 0;
    dead_count = 0;
    content = 0;
    due = (struct store_due){0};
    for (int i = 0; i < ENGINE_COUNT; i++) {
        bench_init(&twins[i], (enum engine_kind)i);
        twins[i].settings.duplicate_window_ms = 5000;
        bench_open(&twins[i]);
        for (uint32_t box = 0; box < BOXES; box++) {
            (void)bench_one(&twins[i], op_mailbox(box, "a/b"));
        }
    }
    for (int i = 0; i < ROUNDS; i++) {
        round_of(1 + draw(BATCH));
        twins[0].now_ms += draw(200);
        twins[1].now_ms = twins[0].now_ms;
    }
    for (int i = 0; i < ENGINE_COUNT; i++) {
        bench_fini(&twins[i]);
    }
    ck_assert_int_eq(bench_live_buffers(), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.twins");
    TCase *tcase = tcase_create("twins");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, both_engines_answer_the_same, 0, RUNS);
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
