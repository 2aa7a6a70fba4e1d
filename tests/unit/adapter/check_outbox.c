/* SPDX-License-Identifier: EUPL-1.2
 *
 * The outbox and the state under it. Numbers in names of tests are the invariants of outbox.h, with
 * an "s" those of state.h.
 */
#include "tests/unit/adapter/place.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct place_of_test place;
static relais_error error;

static void set_up(void)
{
    place_make(&place, PLACE_MAP_BYTES);
}

static void tear_down(void)
{
    place_remove(&place);
}

static void add(const char *id, size_t size)
{
    unsigned char *payload = malloc(size + 1);
    memset(payload, id[0], size);
    relais_message message = place_message(id, payload, size);
    place_add(&place, &message);
    free(payload);
}

/* The id of the first message at or after `sequence`, and its payload is whole. */
static void expect(uint64_t sequence, const char *id, size_t size)
{
    struct outbox_message message;
    struct record_message read;
    ck_assert_int_eq(outbox_read(&place.outbox, sequence, &message, &error), RELAIS_OK);
    ck_assert(record_read_message((relais_bytes){message.run, message.size}, &read));
    ck_assert_str_eq(read.message.id, id);
    ck_assert_uint_eq(read.message.payload.size, size);
    for (size_t i = 0; i < size; i++) {
        ck_assert_int_eq(((const char *)read.message.payload.data)[i], id[0]);
    }
    free(message.run);
}

static void expect_none(uint64_t sequence)
{
    struct outbox_message message;
    ck_assert_int_eq(outbox_read(&place.outbox, sequence, &message, &error), RELAIS_NOT_FOUND);
}

static void commit(void)
{
    ck_assert_int_eq(state_commit(place.state, &error), RELAIS_OK);
    outbox_settle(&place.outbox, true);
}

static void begin(void)
{
    ck_assert_int_eq(state_begin(place.state, &error), RELAIS_OK);
}

START_TEST(order_is_kept_over_a_restart_1)
{
    add("a", 10);
    add("b", 100000);
    add("c", 0);
    place_reopen(&place);
    ck_assert_uint_eq(place.outbox.counts.messages, 3);
    expect(0, "a", 10);
    expect(2, "b", 100000);
    expect(3, "c", 0);
    expect_none(4);
    begin();
    ck_assert_int_eq(outbox_remove(&place.outbox, 2, &error), RELAIS_OK);
    commit();
    expect(2, "c", 0);
    place_reopen(&place);
    ck_assert_uint_eq(place.outbox.counts.messages, 2);
    add("d", 1);
    expect(4, "d", 1);
}
END_TEST

START_TEST(sizes_around_a_piece_are_whole)
{
    for (size_t size = RECORD_PIECE_BYTES - 120; size < RECORD_PIECE_BYTES + 20; size++) {
        add("x", size);
        begin();
        expect(0, "x", size);
        ck_assert_int_eq(outbox_remove(&place.outbox, place.outbox.counts.next - 1, &error),
                         RELAIS_OK);
        commit();
    }
    ck_assert_uint_eq(place.outbox.counts.messages, 0);
    ck_assert_uint_eq(place.outbox.counts.bytes, 0);
}
END_TEST

START_TEST(an_aborted_change_is_none_3)
{
    struct outbox_counts before;
    add("a", 10);
    before = place.outbox.counts;
    begin();
    ck_assert_int_eq(outbox_remove(&place.outbox, 1, &error), RELAIS_OK);
    state_abort(place.state);
    outbox_settle(&place.outbox, false);
    ck_assert_mem_eq(&before, &place.outbox.counts, sizeof before);
    expect(0, "a", 10);
}
END_TEST

START_TEST(bounds_count_what_is_aside_2)
{
    relais_error why = {.status = RELAIS_UNKNOWN_FLOW, .field = "flow"};
    place.outbox.messages_max = 2;
    ck_assert(outbox_has_room(&place.outbox, 2, 100));
    add("a", 10);
    begin();
    ck_assert_int_eq(outbox_set_aside(&place.outbox, 1, &why, 5, &error), RELAIS_OK);
    commit();
    ck_assert(outbox_has_room(&place.outbox, 1, 100));
    ck_assert(!outbox_has_room(&place.outbox, 2, 100));
    place.outbox.bytes_max = place.outbox.counts.aside_bytes;
    ck_assert(!outbox_has_room(&place.outbox, 1, 1));
}
END_TEST

START_TEST(aside_with_its_reason_then_again)
{
    relais_error why = {.status = RELAIS_UNKNOWN_FLOW,
                        .field = "flow",
                        .wrong = "RCX",
                        .right = "the code of a flow"};
    struct outbox_message message;
    struct outbox_reason reason;
    add("a", 5000);
    add("b", 1);
    begin();
    ck_assert_int_eq(outbox_set_aside(&place.outbox, 1, &why, 77, &error), RELAIS_OK);
    commit();
    expect(0, "b", 1);
    place_reopen(&place);
    ck_assert_uint_eq(place.outbox.counts.aside, 1);
    ck_assert_int_eq(outbox_read_aside(&place.outbox, 0, &message, &reason, &error), RELAIS_OK);
    ck_assert_uint_eq(message.sequence, 1);
    ck_assert_int_eq(message.since_ms, 1000);
    ck_assert_int_eq(reason.since_ms, 77);
    ck_assert_int_eq(reason.error.status, RELAIS_UNKNOWN_FLOW);
    ck_assert_str_eq(reason.error.field, "flow");
    ck_assert_str_eq(reason.error.wrong, "RCX");
    ck_assert_str_eq(reason.error.right, "the code of a flow");
    free(message.run);
    begin();
    ck_assert_int_eq(outbox_again(&place.outbox, 1, 88, &error), RELAIS_OK);
    commit();
    expect(3, "a", 5000);
    ck_assert_uint_eq(place.outbox.counts.aside, 0);
    ck_assert_uint_eq(place.outbox.counts.aside_bytes, 0);
    begin();
    ck_assert_int_eq(outbox_again(&place.outbox, 1, 88, &error), RELAIS_NOT_FOUND);
    ck_assert_int_eq(outbox_drop(&place.outbox, 1, &error), RELAIS_NOT_FOUND);
    state_abort(place.state);
}
END_TEST

/* Flips a byte of the piece of a message, as a disk does. */
static void damage(uint64_t sequence, uint32_t piece)
{
    unsigned char at[12] = {0};
    MDB_val key = {sizeof at, at};
    MDB_val value;
    unsigned char node[RECORD_NODE_BYTES];
    state_put_be64(at, sequence);
    at[11] = (unsigned char)piece;
    begin();
    ck_assert_int_eq(mdb_get(place.state->txn, place.state->tables[STATE_QUEUE], &key, &value), 0);
    memcpy(node, value.mv_data, value.mv_size);
    node[value.mv_size - 1] ^= 1;
    value.mv_data = node;
    ck_assert_int_eq(mdb_put(place.state->txn, place.state->tables[STATE_QUEUE], &key, &value, 0),
                     0);
    commit();
}

START_TEST(a_damaged_message_is_seen_and_set_aside)
{
    struct outbox_message message;
    struct outbox_reason reason;
    relais_error why = {.status = RELAIS_DAMAGED};
    for (uint32_t piece = 0; piece < 3; piece++) {
        uint64_t sequence = place.outbox.counts.next;
        add("a", 5000);
        damage(sequence, piece);
        ck_assert_int_eq(outbox_read(&place.outbox, sequence, &message, &error), RELAIS_DAMAGED);
        ck_assert_uint_eq(message.sequence, sequence);
        begin();
        ck_assert_int_eq(outbox_set_aside(&place.outbox, sequence, &why, 1, &error), RELAIS_OK);
        commit();
        expect_none(0);
        ck_assert_int_eq(outbox_read_aside(&place.outbox, sequence, &message, &reason, &error),
                         RELAIS_OK);
        ck_assert_int_eq(reason.error.status, RELAIS_DAMAGED);
        free(message.run);
    }
    place_reopen(&place);
    ck_assert_uint_eq(place.outbox.counts.aside, 3);
}
END_TEST

START_TEST(a_full_map_loses_nothing_s2)
{
    struct place_of_test small;
    relais_status status = RELAIS_OK;
    unsigned char body[20000] = {0};
    uint64_t count = 0;
    place_make(&small, 1024 * 1024);
    while (status == RELAIS_OK && count < 1000) {
        ck_assert_int_eq(state_begin(small.state, &error), RELAIS_OK);
        status = outbox_add(&small.outbox, (relais_bytes){body, sizeof body}, 1, &error);
        if (status == RELAIS_OK) {
            status = state_commit(small.state, &error);
        } else {
            state_abort(small.state);
        }
        outbox_settle(&small.outbox, status == RELAIS_OK);
        count += status == RELAIS_OK ? 1 : 0;
    }
    ck_assert_int_eq(status, RELAIS_STORE_FULL);
    ck_assert(!small.state->failed);
    ck_assert_uint_eq(small.outbox.counts.messages, count);
    for (uint64_t i = 1; i <= count; i++) { /* there is room to take off */
        ck_assert_int_eq(state_begin(small.state, &error), RELAIS_OK);
        ck_assert_int_eq(outbox_remove(&small.outbox, i, &error), RELAIS_OK);
        ck_assert_int_eq(state_commit(small.state, &error), RELAIS_OK);
        outbox_settle(&small.outbox, true);
    }
    place_reopen(&small);
    ck_assert_uint_eq(small.outbox.counts.messages, 0);
    place_remove(&small);
}
END_TEST

START_TEST(one_process_a_folder_s3)
{
    struct state *second = NULL;
    ck_assert_int_eq(state_open(place.path, PLACE_MAP_BYTES, &second, &error),
                     RELAIS_ALREADY_EXISTS);
    ck_assert_str_eq(error.field, place.path);
}
END_TEST

START_TEST(a_file_that_was_cut_is_refused)
{
    char path[sizeof place.path + 16];
    struct state *again = NULL;
    add("a", 500000);
    (void)snprintf(path, sizeof path, "%s/data.mdb", place.path);
    state_close(place.state);
    ck_assert_int_eq(truncate(path, 8192), 0);
    place.state = NULL;
    ck_assert_int_eq(state_open(place.path, PLACE_MAP_BYTES, &again, &error),
                     RELAIS_CONFIG_INVALID);
    ck_assert_int_eq(truncate(path, 100), 0);
    ck_assert_int_ne(state_open(place.path, PLACE_MAP_BYTES, &again, &error), RELAIS_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("adapter.outbox");
    TCase *tests = tcase_create("outbox");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, order_is_kept_over_a_restart_1);
    tcase_add_test(tests, sizes_around_a_piece_are_whole);
    tcase_add_test(tests, an_aborted_change_is_none_3);
    tcase_add_test(tests, bounds_count_what_is_aside_2);
    tcase_add_test(tests, aside_with_its_reason_then_again);
    tcase_add_test(tests, a_damaged_message_is_seen_and_set_aside);
    tcase_add_test(tests, a_full_map_loses_nothing_s2);
    tcase_add_test(tests, one_process_a_folder_s3);
    tcase_add_test(tests, a_file_that_was_cut_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
