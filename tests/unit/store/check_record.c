/* SPDX-License-Identifier: EUPL-1.2
 *
 * Layout 2 is frozen: these bytes are what released stores hold. And a record is refused when
 * anything about it is not what was written.
 */
#include "store/record_deadline.h"
#include "store/record_expiry.h"
#include "store/record_track.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    char text[2 * RECORD_SMALL_BYTES + 1] = "";
    for (size_t i = 0; i < size; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    ck_assert_str_eq(text, hex);
}

START_TEST(keys_have_the_bytes_of_layout_2)
{
    struct record_key key;
    struct entry_key entry = {.mailbox = 7, .lane = LANE_NORMAL, .sequence = 0x1122334455667788};
    key_entry(&key, &entry);
    expect_hex(key.data, key.size, "00000007011122334455667788");
    entry.due_ms = 1700000000000;
    key_entry(&key, &entry);
    expect_hex(key.data, key.size, "000000070000018bcfe56800011122334455667788");
    key_message(&key, 5, 258);
    expect_hex(key.data, key.size, "00000000000000050102");
    key_dead(&key, 7, 5);
    expect_hex(key.data, key.size, "000000070000000000000005");
    key_duplicate(&key, "dila", "m-1");
    expect_hex(key.data, key.size, "64696c61006d2d31");
    struct duplicate_record duplicate = {.sequence = 5, .age_ms = 1700000000000};
    key_duplicate_age(&key, &duplicate);
    expect_hex(key.data, key.size, "0000018bcfe568000000000000000005");
    key_track(&key, 5, 7);
    expect_hex(key.data, key.size, "000000000000000500000007");
    key_order_head(&key, 7, 0x1122334455667788);
    expect_hex(key.data, key.size, "000000071122334455667788");
    struct behind_key behind = {.mailbox = 7, .order = 0x1122334455667788, .sequence = 5};
    key_behind(&key, &behind);
    expect_hex(key.data, key.size, "0000000711223344556677880000000000000005");
}
END_TEST

START_TEST(values_have_the_bytes_of_layout_2)
{
    struct record_key key;
    struct small_record record;
    struct state_record state = {
        .next_sequence = 9, .last_time_ms = 1700000000000, .transaction = 12};
    key_text(&key, "state");
    record_write_state(&record, &key, &state);
    expect_hex(record.data, record.size,
               "019f7da9064945db7a00000000000000090000018bcfe56800000000000000000c");
    struct entry_key entry_key = {.mailbox = 7, .lane = LANE_LOW, .sequence = 5};
    struct entry_record entry = {.attempts = 3, .bytes = 700, .sender = 4};
    key_entry(&key, &entry_key);
    record_write_entry(&record, TABLE_READY, &key, &entry);
    expect_hex(record.data, record.size, "0163a5062429d400520000000300000000000002bc00000004");
    struct dead_record dead = {.attempts = 10,
                               .code = 7,
                               .died_ms = 1700000000000,
                               .bytes = 700,
                               .lane = LANE_NORMAL,
                               .sender = 4,
                               .reason = {(const uint8_t *)"refused", 7}};
    key_dead(&key, 7, 5);
    record_write_dead(&record, &key, &dead);
    expect_hex(record.data, record.size,
               "01792ad17e7adc1d7b0000000a000000070000018bcfe5680000000000000002bc01000000000000000"
               "00000000472656675736564");
}
END_TEST

START_TEST(values_of_an_order_have_the_bytes_of_layout_2)
{
    struct record_key key;
    struct small_record record;
    struct entry_key entry_key = {.mailbox = 7, .lane = LANE_LOW, .sequence = 5};
    struct entry_record entry = {
        .attempts = 3, .bytes = 700, .sender = 4, .order = 0x1122334455667788};
    key_entry(&key, &entry_key);
    record_write_entry(&record, TABLE_READY, &key, &entry);
    expect_hex(record.data, record.size,
               "01ec724e7a30f9c57e0000000300000000000002bc000000041122334455667788");
    key_order_head(&key, 7, 0x1122334455667788);
    record_write_order_head(&record, &key, 5);
    expect_hex(record.data, record.size, "01eeccab02fe54d2940000000000000005");
    struct behind_key place = {.mailbox = 7, .order = 0x1122334455667788, .sequence = 5};
    struct behind_record behind = {
        .attempts = 0, .bytes = 700, .lane = LANE_LOW, .due_ms = 1700000000000, .sender = 4};
    key_behind(&key, &place);
    record_write_behind(&record, &key, &behind);
    expect_hex(record.data, record.size,
               "010b99f7930a698af20000000000000000000002bc020000018bcfe5680000000004");
}
END_TEST

START_TEST(an_expiry_has_the_bytes_of_layout_2)
{
    struct record_key key;
    struct small_record record;
    const struct expiry_key name = {.at_ms = 1700000000000, .sequence = 5};
    const struct expiry_record expiry = {.order = 7, .next = 8, .again = true};
    struct expiry_record read = {0};
    key_expiry(&key, &name);
    expect_hex(key.data, key.size, "0000018bcfe568000000000000000005");
    record_write_expiry(&record, &key, &expiry);
    expect_hex(record.data, record.size, "01c25fb79c43d7f2e300000000000000070000000801");
    ck_assert(record_read_expiry(key_bytes(&key), (struct bytes){record.data, record.size}, &read));
    ck_assert_uint_eq(read.order, 7);
    ck_assert_uint_eq(read.next, 8);
    ck_assert(read.again);
}
END_TEST

START_TEST(a_deadline_has_the_bytes_of_layout_2)
{
    struct record_key key;
    struct small_record record;
    const struct deadline_key name = {.at_ms = 1700000000000, .sequence = 5};
    const struct stored_deadline deadline = {.accepted_ms = 1700000000000,
                                             .deadline_ms = 1700000000256,
                                             .remind_ms = {1700000000001},
                                             .remind_count = 1,
                                             .step = 1,
                                             .after = 7,
                                             .sender = "dila",
                                             .id = "m-1",
                                             .from = "a/b",
                                             .flow = "F"};
    struct stored_deadline read = {0};
    key_deadline(&key, &name);
    expect_hex(key.data, key.size, "0000018bcfe568000000000000000005");
    record_write_deadline(&record, &key, &deadline);
    expect_hex(
        record.data, record.size,
        "01001f4621091106880000018bcfe568000000018bcfe569000101000000070000018bcfe56801046469"
        "6c61036d2d3103612f620146");
    ck_assert(
        record_read_deadline(key_bytes(&key), (struct bytes){record.data, record.size}, &read));
    ck_assert_str_eq(read.flow, "F");
    ck_assert_uint_eq(read.after, 7);
}
END_TEST

START_TEST(values_come_back)
{
    struct record_key key;
    struct small_record record;
    struct dead_record dead = {.attempts = 10,
                               .code = 0xFFFF,
                               .died_ms = 1700000000000,
                               .bytes = UINT64_C(1) << 40,
                               .lane = LANE_LOW,
                               .reason = {(const uint8_t *)"gone", 4}};
    struct dead_record read_dead = {0};
    key_dead(&key, 7, 5);
    record_write_dead(&record, &key, &dead);
    struct bytes bytes = {record.data, record.size};
    ck_assert(record_read_dead(key_bytes(&key), bytes, &read_dead));
    ck_assert_uint_eq(read_dead.attempts, 10);
    ck_assert_uint_eq(read_dead.code, 0xFFFF);
    ck_assert_int_eq(read_dead.died_ms, 1700000000000);
    ck_assert_uint_eq(read_dead.bytes, UINT64_C(1) << 40);
    ck_assert_uint_eq(read_dead.lane, LANE_LOW);
    ck_assert_uint_eq(read_dead.reason.size, 4);
    ck_assert_mem_eq(read_dead.reason.data, "gone", 4);
}
END_TEST

START_TEST(any_flipped_bit_is_refused)
{
    struct record_key key;
    struct small_record record;
    struct bytes body = {0};
    struct duplicate_record duplicate = {.sequence = 5, .accepted_ms = 1700000000000};
    key_duplicate(&key, "dila", "m-1");
    record_write_duplicate(&record, &key, &duplicate);
    struct bytes bytes = {record.data, record.size};
    ck_assert(record_open(TABLE_DUPLICATE, key_bytes(&key), bytes, &body));
    for (size_t bit = 0; bit < record.size * 8; bit++) {
        record.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert(!record_open(TABLE_DUPLICATE, key_bytes(&key), bytes, &body));
        record.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < key.size * 8; bit++) {
        key.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert(!record_open(TABLE_DUPLICATE, key_bytes(&key), bytes, &body));
        key.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < record.size; size++) {
        bytes.size = size;
        ck_assert(!record_open(TABLE_DUPLICATE, key_bytes(&key), bytes, &body));
    }
}
END_TEST

START_TEST(a_record_of_another_table_is_refused)
{
    struct record_key key;
    struct small_record record;
    struct entry_record entry = {.attempts = 1, .bytes = 2};
    struct entry_key entry_key = {.mailbox = 1, .lane = 1, .sequence = 1};
    key_entry(&key, &entry_key);
    record_write_entry(&record, TABLE_READY, &key, &entry);
    struct bytes bytes = {record.data, record.size};
    ck_assert(record_read_entry(TABLE_READY, key_bytes(&key), bytes, &entry));
    ck_assert(!record_read_entry(TABLE_LATER, key_bytes(&key), bytes, &entry));
}
END_TEST

START_TEST(sizes_beyond_a_segment_are_not_even_read)
{
    /* As behind a broken page: a size with nothing behind it. */
    struct bytes body = {0};
    struct bytes key = {(const uint8_t *)"k", 1};
    struct bytes record = {(const uint8_t *)"\1", (size_t)1 << 32};
    ck_assert(!record_open(TABLE_MESSAGE, key, record, &body));
    key.size = (size_t)1 << 16;
    record.size = RECORD_HEAD_BYTES;
    ck_assert(!record_open(TABLE_MESSAGE, key, record, &body));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.record");
    TCase *tcase = tcase_create("record");
    tcase_add_test(tcase, keys_have_the_bytes_of_layout_2);
    tcase_add_test(tcase, values_have_the_bytes_of_layout_2);
    tcase_add_test(tcase, values_of_an_order_have_the_bytes_of_layout_2);
    tcase_add_test(tcase, a_deadline_has_the_bytes_of_layout_2);
    tcase_add_test(tcase, an_expiry_has_the_bytes_of_layout_2);
    tcase_add_test(tcase, values_come_back);
    tcase_add_test(tcase, any_flipped_bit_is_refused);
    tcase_add_test(tcase, a_record_of_another_table_is_refused);
    tcase_add_test(tcase, sizes_beyond_a_segment_are_not_even_read);
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
