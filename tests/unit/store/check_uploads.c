/* SPDX-License-Identifier: EUPL-1.2
 *
 * Stored payloads on each engine: begun, gone on with after a restart, claimed by their message
 * when they are whole and not before, read from any offset, gone with the last entry. And on the
 * disk alone: what damage does, and that the room comes back.
 */
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BOX = 7, OTHER = 9, ENVELOPE = 20, SEGMENT = STORED_SEGMENT_BYTES, MOST = 3 };

static struct bench bench;

static void open_bench(int kind)
{
    bench_init(&bench, (enum engine_kind)kind);
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    (void)bench_one(&bench, op_mailbox(OTHER, "commune-06088/etat-civil"));
}

static void shut(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static struct store_result begin(const char *id, uint64_t bytes)
{
    return bench_one(&bench, op_upload(id, bytes, MOST));
}

static struct store_result chunk(const char *id, uint64_t offset, size_t size)
{
    return bench_one(&bench, op_chunk(id, offset, size));
}

/* All of it, two segments at a time. */
static void upload(const char *id, uint64_t bytes)
{
    uint64_t offset = begin(id, bytes).upload.durable_bytes;
    while (offset < bytes) {
        uint64_t left = bytes - offset;
        size_t size = left < 2 * (size_t)SEGMENT ? (size_t)left : 2 * (size_t)SEGMENT;
        struct store_result result = chunk(id, offset, size);
        ck_assert_int_eq(result.status, STORE_DONE);
        ck_assert_uint_eq(result.upload.durable_bytes, offset + size);
        offset += size;
    }
}

static struct store_result submit(const char *id, uint64_t bytes, uint32_t recipients)
{
    static const struct store_recipient to[] = {{.mailbox = BOX, .lane = LANE_NORMAL},
                                                {.mailbox = OTHER, .lane = LANE_NORMAL}};
    struct store_op op = op_append(id, ENVELOPE, 0, to, recipients);
    op.append.stored_bytes = bytes;
    return bench_one(&bench, op);
}

static struct store_entry take(uint32_t mailbox)
{
    struct store_result result = bench_one(&bench, op_take(mailbox, 1));
    ck_assert_uint_eq(result.take.count, 1);
    struct store_entry entry = result.take.entries[0];
    result_drop(&result);
    return entry;
}

static void fetch_is(uint64_t content, const char *id, uint64_t offset, uint32_t bytes)
{
    struct store_result result = bench_one(&bench, op_fetch(content, offset, bytes));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.fetched.payload.size, bytes);
    uint32_t same = 0;
    while (same < bytes &&
           result.fetched.payload.data[same] == content_byte(id, (size_t)offset + same)) {
        same++;
    }
    ck_assert_uint_eq(same, bytes);
    result_drop(&result);
}

static enum store_status fetch_status(uint64_t content, uint64_t offset, uint32_t bytes)
{
    struct store_result result = bench_one(&bench, op_fetch(content, offset, bytes));
    result_drop(&result);
    return result.status;
}

START_TEST(a_whole_upload_comes_from_any_offset)
{
    const uint64_t bytes = 5 * (uint64_t)SEGMENT + 777;
    open_bench(_i);
    upload("big", bytes);
    ck_assert_int_eq(submit("big", bytes, 2).status, STORE_DONE);
    struct store_entry entry = take(BOX);
    ck_assert_uint_eq(entry.stored_bytes, bytes);
    ck_assert_uint_eq(take(OTHER).content, entry.content);
    fetch_is(entry.content, "big", 0, 4 * SEGMENT);
    fetch_is(entry.content, "big", SEGMENT - 3, 6);
    fetch_is(entry.content, "big", bytes - 1, 1);
    fetch_is(entry.content, "big", 3 * (uint64_t)SEGMENT, 2 * SEGMENT + 777);
    ck_assert_int_eq(fetch_status(entry.content, bytes - 1, 2), STORE_DAMAGED);
    ck_assert_int_eq(fetch_status(entry.content + 1, 0, 1), STORE_DAMAGED);
    shut();
}
END_TEST

START_TEST(an_incomplete_upload_is_no_message)
{
    const uint64_t bytes = 3 * (uint64_t)SEGMENT;
    open_bench(_i);
    ck_assert_int_eq(submit("big", bytes, 1).status, STORE_NOT_FOUND);
    (void)begin("big", bytes);
    ck_assert_int_eq(submit("big", bytes, 1).status, STORE_NOT_FOUND);
    (void)chunk("big", 0, 2 * (size_t)SEGMENT);
    ck_assert_int_eq(submit("big", bytes, 1).status, STORE_NOT_FOUND);
    ck_assert_int_eq(submit("big", 2 * (uint64_t)SEGMENT, 1).status, STORE_NOT_FOUND);
    (void)chunk("big", 2 * (uint64_t)SEGMENT, SEGMENT);
    ck_assert_int_eq(submit("big", bytes - 1, 1).status, STORE_NOT_FOUND);
    ck_assert_int_eq(submit("big", bytes, 1).status, STORE_DONE);
    struct store_result again = submit("big", bytes, 1);
    ck_assert(again.append.duplicate);
    struct store_result known = begin("big", bytes);
    ck_assert(known.upload.accepted);
    ck_assert_uint_eq(known.upload.durable_bytes, bytes);
    shut();
}
END_TEST

START_TEST(a_chunk_elsewhere_changes_nothing)
{
    const uint64_t bytes = 4 * (uint64_t)SEGMENT + 5;
    open_bench(_i);
    ck_assert_int_eq(chunk("big", 0, SEGMENT).status, STORE_NOT_FOUND);
    (void)begin("big", bytes);
    (void)chunk("big", 0, SEGMENT);
    ck_assert_uint_eq(chunk("big", 0, SEGMENT).upload.durable_bytes, SEGMENT);
    ck_assert_uint_eq(chunk("big", 2 * (uint64_t)SEGMENT, SEGMENT).upload.durable_bytes, SEGMENT);
    ck_assert_uint_eq(chunk("big", SEGMENT, SEGMENT - 1).upload.durable_bytes, SEGMENT);
    ck_assert_uint_eq(chunk("big", SEGMENT, 4 * (size_t)SEGMENT).upload.durable_bytes, SEGMENT);
    ck_assert_uint_eq(begin("big", bytes).upload.durable_bytes, SEGMENT);
    /* Another length is another payload. */
    ck_assert_uint_eq(begin("big", bytes + 1).upload.durable_bytes, 0);
    shut();
}
END_TEST

START_TEST(a_sender_has_few_and_idle_ones_give_way)
{
    open_bench(_i);
    for (int i = 0; i < MOST; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "up-%d", i);
        ck_assert_int_eq(begin(id, 100).status, STORE_DONE);
        bench.now_ms += 1000;
    }
    ck_assert_int_eq(begin("one-more", 100).status, STORE_TOO_MANY);
    bench.now_ms += 3600 * 1000 - 2500;
    ck_assert_int_eq(begin("one-more", 100).status, STORE_DONE);
    ck_assert_int_eq(chunk("up-0", 0, 100).status, STORE_NOT_FOUND);
    ck_assert_int_eq(chunk("up-1", 0, 100).status, STORE_DONE);
    shut();
}
END_TEST

START_TEST(unfinished_uploads_count_in_the_quota)
{
    open_bench(_i);
    upload("sent", 60);
    ck_assert_int_eq(submit("sent", 60, 1).status, STORE_DONE);
    struct store_op op = op_upload("begun", 20, MOST);
    op.upload.quota = 60 + ENVELOPE + 30 + STORED_RECIPIENT_BYTES;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
    op.upload.id = "more";
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_OVER_QUOTA);
    op.upload.bytes = 10;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
    struct store_entry entry = take(BOX);
    (void)bench_one(&bench, op_ack(&entry.key));
    op.upload.id = "last";
    op.upload.bytes = 60 + ENVELOPE;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
    shut();
}
END_TEST

/* Of messages too: who has begun much may not fill the rest twice. */
START_TEST(messages_find_the_uploads_in_the_quota)
{
    const uint64_t message = 10 + STORED_RECIPIENT_BYTES;
    const struct store_recipient to = {.mailbox = BOX, .lane = LANE_NORMAL};
    open_bench(_i);
    upload("begun", 60);
    struct store_op op = op_append("small", 10, 0, &to, 1);
    op.append.quota.bytes = 60 + message - 1;
    struct store_result result = bench_one(&bench, op);
    ck_assert_int_eq(result.status, STORE_OVER_QUOTA);
    ck_assert_uint_eq(result.append.usage.bytes, 60);
    if (_i == ENGINE_LMDB) {
        bench_reopen(&bench);
    }
    ck_assert_uint_eq(bench_one(&bench, op_usage("dila")).usage.bytes, 60);
    op = op_append("begun", 10, 0, &to, 1); /* its own upload counts once */
    op.append.stored_bytes = 60;
    op.append.quota.bytes = 60 + message;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
    ck_assert_uint_eq(bench_one(&bench, op_usage("dila")).usage.bytes, 60 + message);
    shut();
}
END_TEST

START_TEST(what_nobody_touches_goes)
{
    open_bench(_i);
    (void)begin("left", 100);
    (void)begin("kept", 100);
    bench.now_ms += bench.settings.upload_keep_ms / 2;
    (void)begin("kept", 100);
    (void)begin("other", 100);
    bench.now_ms += bench.settings.upload_keep_ms / 2 + 1;
    (void)begin("other", 100);
    ck_assert_int_eq(chunk("left", 0, 100).status, STORE_NOT_FOUND);
    ck_assert_int_eq(chunk("kept", 0, 100).status, STORE_DONE);
    shut();
}
END_TEST

START_TEST(a_full_store_takes_no_chunk)
{
    bench_init(&bench, (enum engine_kind)_i);
    bench.settings.map_bytes = UINT64_C(8) << 20;
    bench_open(&bench);
    const uint64_t bytes = 60 * (uint64_t)SEGMENT;
    ck_assert_int_eq(begin("huge", UINT64_C(7) << 20).status, STORE_NO_ROOM);
    ck_assert_int_eq(begin("one", bytes).status, STORE_DONE);
    ck_assert_int_eq(begin("two", bytes).status, STORE_DONE);
    enum store_status status = STORE_DONE;
    for (uint64_t offset = 0; status == STORE_DONE && offset < bytes; offset += SEGMENT) {
        status = chunk("one", offset, SEGMENT).status;
        status = status == STORE_DONE ? chunk("two", offset, SEGMENT).status : status;
    }
    ck_assert_int_eq(status, STORE_NO_ROOM);
    shut();
}
END_TEST

/* On the disk. */

START_TEST(an_upload_goes_on_after_a_restart)
{
    const uint64_t bytes = 5 * (uint64_t)SEGMENT + 1;
    open_bench(ENGINE_LMDB);
    (void)begin("big", bytes);
    (void)chunk("big", 0, 2 * (size_t)SEGMENT);
    bench_reopen(&bench);
    ck_assert_uint_eq(begin("big", bytes).upload.durable_bytes, 2 * (uint64_t)SEGMENT);
    upload("big", bytes);
    ck_assert_int_eq(submit("big", bytes, 1).status, STORE_DONE);
    bench_reopen(&bench);
    struct store_entry entry = take(BOX);
    fetch_is(entry.content, "big", 0, 2 * SEGMENT);
    fetch_is(entry.content, "big", 2 * (uint64_t)SEGMENT, 3 * SEGMENT + 1);
    shut();
}
END_TEST

/* Until the store holds less than `bytes`. */
static bool shrinks_below(uint64_t bytes)
{
    for (int i = 0; i < 500; i++) {
        uint64_t used = 0;
        uint64_t limit = 0;
        (void)bench_one(&bench, op_upload("tick", 1 + (uint64_t)(i % 2), MOST));
        store_size(bench.store, &used, &limit);
        if (used < bytes) {
            return true;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    return false;
}

START_TEST(the_room_of_a_payload_comes_back)
{
    const uint64_t bytes = 400 * (uint64_t)SEGMENT;
    open_bench(ENGINE_LMDB);
    for (int round = 0; round < 2; round++) {
        char id[16];
        (void)snprintf(id, sizeof id, "big-%d", round);
        upload(id, bytes);
        (void)submit(id, bytes, 2);
        struct store_entry mine = take(BOX);
        struct store_entry theirs = take(OTHER);
        ck_assert_int_eq(bench_one(&bench, op_ack(&mine.key)).status, STORE_DONE);
        fetch_is(theirs.content, id, 7, SEGMENT);
        ck_assert_int_eq(bench_one(&bench, op_ack(&theirs.key)).status, STORE_DONE);
        if (round == 1) {
            bench_reopen(&bench); /* what is doomed stays so */
        }
        ck_assert(shrinks_below(bytes / 4));
        ck_assert_int_eq(fetch_status(mine.content, 0, 1), STORE_DAMAGED);
    }
    shut();
}
END_TEST

START_TEST(damage_is_never_handed_out)
{
    const uint64_t bytes = 3 * (uint64_t)SEGMENT;
    open_bench(ENGINE_LMDB);
    upload("big", bytes);
    (void)submit("big", bytes, 1);
    uint64_t content = take(BOX).content;
    bench_close(&bench);
    ck_assert(raw_flip_content(bench.path, "big", SEGMENT + 100));
    bench_open(&bench);
    fetch_is(content, "big", 0, SEGMENT);
    ck_assert_int_eq(fetch_status(content, SEGMENT, SEGMENT), STORE_DAMAGED);
    ck_assert_int_eq(fetch_status(content, SEGMENT - 1, 2), STORE_DAMAGED);
    fetch_is(content, "big", 2 * (uint64_t)SEGMENT, SEGMENT);
    shut();
}
END_TEST

START_TEST(a_dead_letter_keeps_its_payload)
{
    const uint64_t bytes = 2 * (uint64_t)SEGMENT;
    open_bench(_i);
    upload("big", bytes);
    (void)submit("big", bytes, 1);
    struct store_entry entry = take(BOX);
    ck_assert_int_eq(bench_one(&bench, op_bury(&entry.key, "no")).status, STORE_DONE);
    struct store_result read = bench_one(&bench, op_dead(STORE_DEAD_READ, BOX, entry.key.sequence));
    ck_assert_int_eq(read.status, STORE_DONE);
    ck_assert_uint_eq(read.dead.entries[0].stored_bytes, bytes);
    ck_assert_uint_eq(read.dead.entries[0].bytes, bytes + ENVELOPE);
    result_drop(&read);
    fetch_is(entry.content, "big", 0, 2 * SEGMENT);
    ck_assert_int_eq(bench_one(&bench, op_dead(STORE_REPLAY, BOX, entry.key.sequence)).status,
                     STORE_DONE);
    struct store_entry again = take(BOX);
    ck_assert_uint_eq(again.content, entry.content);
    ck_assert_int_eq(bench_one(&bench, op_bury(&again.key, "no")).status, STORE_DONE);
    ck_assert_int_eq(bench_one(&bench, op_dead(STORE_DROP, BOX, again.key.sequence)).status,
                     STORE_DONE);
    shut();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.uploads");
    TCase *tcase = tcase_create("uploads");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_whole_upload_comes_from_any_offset, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, an_incomplete_upload_is_no_message, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, a_chunk_elsewhere_changes_nothing, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, a_sender_has_few_and_idle_ones_give_way, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, unfinished_uploads_count_in_the_quota, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, messages_find_the_uploads_in_the_quota, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, what_nobody_touches_goes, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, a_full_store_takes_no_chunk, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, a_dead_letter_keeps_its_payload, 0, ENGINE_COUNT);
    tcase_add_test(tcase, an_upload_goes_on_after_a_restart);
    tcase_add_test(tcase, the_room_of_a_payload_comes_back);
    tcase_add_test(tcase, damage_is_never_handed_out);
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
