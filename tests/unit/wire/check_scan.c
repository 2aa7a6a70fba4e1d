/* SPDX-License-Identifier: EUPL-1.2
 *
 * The rules of wire/scan.h, by number, over shapes that the protocol itself does not have. What the
 * scan accepts, protobuf-c must be able to unpack: accept() checks both.
 */
#include "relais/v1/command.pb-c.h"
#include "samples.pb-c.h"
#include "wire/scan.h"
#include "writer.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

static const struct wire_limits LIMITS = {.depth = 4, .fields = 40, .elements = 20, .unknown = 5};

static struct writer writer;
static struct wire_fault fault;

static void set_up(void)
{
    writer = (struct writer){.data = malloc(WRITER_BYTES)};
    ck_assert_ptr_nonnull(writer.data);
    fault = (struct wire_fault){0};
}

static void tear_down(void)
{
    free(writer.data);
}

/* Scans what has been written from a copy of its exact size, so that ASan sees a read beyond it. */
static bool scan_as(const ProtobufCMessageDescriptor *descriptor)
{
    uint8_t *exact = malloc(writer.size > 0 ? writer.size : 1);
    bool good = false;

    ck_assert_ptr_nonnull(exact);
    memcpy(exact, writer.data, writer.size);
    good = wire_scan(descriptor, (struct bytes){exact, writer.size}, &LIMITS, &fault);
    if (good) {
        ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, writer.size, exact);

        ck_assert_ptr_nonnull(message);
        protobuf_c_message_free_unpacked(message, NULL);
    } else {
        ck_assert_ptr_nonnull(fault.what);
        ck_assert_uint_le(fault.offset, writer.size);
    }
    free(exact);
    return good;
}

static void accept(void)
{
    ck_assert_msg(scan_as(&relais__test__sample__descriptor), "%s at %s", fault.what, fault.field);
    writer.size = 0;
}

static void refuse(const char *what, const char *field)
{
    ck_assert(!scan_as(&relais__test__sample__descriptor));
    ck_assert_str_eq(fault.what, what);
    ck_assert_str_eq(fault.field, field);
    writer.size = 0;
}

START_TEST(rule_1_nesting)
{
    put_nested(&writer, 1, 3);
    ck_assert(scan_as(&relais__test__nest__descriptor));
    writer.size = 0;
    put_nested(&writer, 1, 4);
    ck_assert(!scan_as(&relais__test__nest__descriptor));
    ck_assert_str_eq(fault.what, "nested too deep");
    ck_assert_str_eq(fault.field, "inner.inner.inner.inner");
}
END_TEST

START_TEST(rule_2_fields_of_one_message)
{
    for (unsigned i = 0; i < 20; i++) {
        put_number(&writer, 6, i);
        put_text(&writer, 10, "x");
    }
    accept();
    for (unsigned i = 0; i < 20; i++) {
        put_number(&writer, 6, i);
        put_text(&writer, 10, "x");
    }
    put_number(&writer, 1, 1);
    refuse("too many fields", "");
}
END_TEST

START_TEST(rule_3_elements)
{
    for (unsigned i = 0; i < 21; i++) {
        put_number(&writer, 6, i);
    }
    refuse("too many elements", "numbers[20]");
    put_bytes(&writer, 6, "aaaaaaaaaaaaaaaaaaaa", 20);
    accept();
    put_bytes(&writer, 6, "aaaaaaaaaaaaaaaaaaaa", 20);
    put_number(&writer, 6, 1);
    refuse("too many elements", "numbers[20]");
    put_bytes(&writer, 9, "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 21);
    refuse("too many elements", "colours[20]");
}
END_TEST

START_TEST(packed_numbers_are_whole)
{
    put_bytes(&writer, 7, "aaaabbbb", 8);
    put_bytes(&writer, 8, "aaaabbbb", 8);
    put_bytes(&writer, 6, "", 0);
    accept();
    put_bytes(&writer, 7, "aaaabbb", 7);
    refuse("length beyond the end", "fours[1]");
    put_bytes(&writer, 8, "aaaabbbbc", 9);
    refuse("length beyond the end", "eights[1]");
    put_bytes(&writer, 6, "\1\xff", 2);
    refuse("cut short", "numbers[1]");
}
END_TEST

START_TEST(rule_4_unknown_fields_in_the_whole)
{
    put_number(&writer, 100, 1);
    put_text(&writer, 101, "\xff");
    put_tag(&writer, 102, 5);
    put_raw(&writer, "aaaa", 4);
    put_tag(&writer, 103, 1);
    put_raw(&writer, "aaaabbbb", 8);
    put_bytes(&writer, 15, "\x20\x01", 2); /* unknown field 4 within Nest */
    accept();
    for (unsigned i = 0; i < 5; i++) {
        put_number(&writer, 100 + i, 1);
    }
    put_bytes(&writer, 15, "\x20\x01", 2);
    refuse("too many unknown fields", "tree");
}
END_TEST

START_TEST(rule_5_wire_types)
{
    put_tag(&writer, 1, 5);
    put_raw(&writer, "aaaa", 4);
    refuse("wire type not as declared", "number");
    put_bytes(&writer, 1, "\1", 1);
    refuse("wire type not as declared", "number");
    put_number(&writer, 4, 1);
    refuse("wire type not as declared", "text");
    put_number(&writer, 2, 1);
    refuse("wire type not as declared", "four");
    put_number(&writer, 15, 1);
    refuse("wire type not as declared", "tree");
    put_number(&writer, 10, 1);
    refuse("wire type not as declared", "texts[0]");
}
END_TEST

START_TEST(rule_6_singular_fields_once)
{
    put_number(&writer, 1, 1);
    put_number(&writer, 1, 1);
    refuse("given twice", "number");
    put_bytes(&writer, 15, "", 0);
    put_bytes(&writer, 15, "", 0);
    refuse("given twice", "tree");
    put_number(&writer, 11, 1);
    put_number(&writer, 11, 2);
    refuse("given twice", "one");
    put_number(&writer, 11, 1);
    put_text(&writer, 12, "x");
    refuse("given beside another choice", "other");
    put_text(&writer, 12, "x");
    put_number(&writer, 14, 1);
    accept();
}
END_TEST

START_TEST(rule_7_text)
{
    put_text(&writer, 4, "\xc3\xa9t\xc3\xa9");
    put_bytes(&writer, 5, "\0\xff", 2);
    accept();
    put_bytes(&writer, 4, "a\0b", 3);
    refuse("not UTF-8 text", "text");
    put_text(&writer, 10, "a");
    put_text(&writer, 10, "\xe9");
    refuse("not UTF-8 text", "texts[1]");
    put_text(&writer, 12, "\xc3");
    refuse("not UTF-8 text", "other");
}
END_TEST

START_TEST(rule_8_broken_bytes)
{
    put_tag(&writer, 0, 0);
    refuse("field number not allowed", "");
    put_varint(&writer, (uint64_t)UINT32_MAX + 9);
    refuse("field number not allowed", "");
    put_raw(&writer, "\xff\xff\xff\xff\xff\x01", 6);
    refuse("number too long", "");
    put_tag(&writer, 100, 3);
    refuse("wire type not allowed", "");
    put_tag(&writer, 100, 4);
    refuse("wire type not allowed", "");
    put_tag(&writer, 100, 6);
    refuse("wire type not allowed", "");
    put_tag(&writer, 1, 0);
    refuse("cut short", "number");
    put_raw(&writer, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12);
    refuse("number beyond 64 bits", "number");
    put_number(&writer, 1, UINT64_MAX);
    accept();
    put_tag(&writer, 4, 2);
    put_varint(&writer, 1);
    refuse("length beyond the end", "text");
    put_tag(&writer, 4, 2);
    put_varint(&writer, UINT32_MAX);
    refuse("length beyond the end", "text");
    put_tag(&writer, 4, 2);
    put_raw(&writer, "\x81\x80\x80\x80\x80\x00x", 7);
    refuse("number too long", "text");
    put_tag(&writer, 2, 5);
    put_raw(&writer, "aaa", 3);
    refuse("length beyond the end", "four");
}
END_TEST

START_TEST(an_inner_message_does_not_read_its_neighbour)
{
    put_tag(&writer, 16, 2);
    put_varint(&writer, 2);
    put_tag(&writer, 4, 2);
    put_varint(&writer, 3); /* longer than the inner message, not than the outer one */
    put_number(&writer, 1, 1);
    put_number(&writer, 14, 1);
    refuse("length beyond the end", "samples[0].text");
}
END_TEST

START_TEST(every_cut_of_a_good_message_is_safe)
{
    unsigned refused = 0;
    size_t whole = 0;

    put_number(&writer, 1, 300);
    put_text(&writer, 4, "caf\xc3\xa9");
    put_bytes(&writer, 7, "aaaabbbb", 8);
    put_bytes(&writer, 16, "\x22\x03tea\x72\x01x", 8);
    put_tag(&writer, 3, 1);
    put_raw(&writer, "aaaabbbb", 8);
    whole = writer.size;
    /* The inner sample is broken on purpose: wire type 2 for a bool. */
    ck_assert(!scan_as(&relais__test__sample__descriptor));
    ck_assert_str_eq(fault.field, "samples[0].flag");
    for (writer.size = 0; writer.size < whole; writer.size++) {
        refused += scan_as(&relais__test__sample__descriptor) ? 0 : 1;
    }
    ck_assert_uint_gt(refused, whole / 2);
}
END_TEST

START_TEST(the_path_of_a_fault_is_cut_to_its_room)
{
    static const struct wire_limits deep = {
        .depth = 60, .fields = 10, .elements = 10, .unknown = 0};

    put_nested(&writer, 1, 60);
    ck_assert(!wire_scan(&relais__test__nest__descriptor, (struct bytes){writer.data, writer.size},
                         &deep, &fault));
    ck_assert_uint_eq(strlen(fault.field), sizeof fault.field - 1);
}
END_TEST

struct sequence {
    const char *text;
    bool good;
};

static const struct sequence SEQUENCES[] = {
    {"", true},
    {"plain", true},
    {"\xc2\x80", true},
    {"\xdf\xbf", true},
    {"\xe0\xa0\x80", true},
    {"\xed\x9f\xbf", true},
    {"\xee\x80\x80", true},
    {"\xf0\x90\x80\x80", true},
    {"\xf4\x8f\xbf\xbf", true},
    {"\x80", false},
    {"\xc0\x80", false},
    {"\xc1\xbf", false},
    {"\xc2", false},
    {"\xc2"
     "a",
     false},
    {"\xe0\x9f\xbf", false},
    {"\xed\xa0\x80", false}, /* a surrogate */
    {"\xe2\x82", false},
    {"\xe2\x82"
     "a",
     false},
    {"\xf0\x8f\xbf\xbf", false},
    {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
    {"\xf5\x80\x80\x80", false},
    {"\xf0\x90\x80", false},
    {"\xfe", false},
    {"\xff", false},
};

START_TEST(text_is_what_rfc_3629_says)
{
    const struct sequence *row = &SEQUENCES[_i];
    const struct bytes text = {(const uint8_t *)row->text, strlen(row->text)};

    ck_assert_int_eq(wire_is_text(text), row->good);
}
END_TEST

START_TEST(a_nul_is_not_text)
{
    ck_assert(!wire_is_text((struct bytes){(const uint8_t *)"a\0", 2}));
    ck_assert(!wire_is_text((struct bytes){(const uint8_t *)"\0", 1}));
}
END_TEST

/* The best of several runs: a busy machine must not fail the test, a slow scan must. */
static int64_t best_scan_ns(const ProtobufCMessageDescriptor *descriptor)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < 10; i++) {
        struct timespec from;
        struct timespec to;
        int64_t took = 0;

        clock_gettime(CLOCK_MONOTONIC, &from);
        ck_assert(
            !wire_scan(descriptor, (struct bytes){writer.data, writer.size}, &LIMITS, &fault));
        clock_gettime(CLOCK_MONOTONIC, &to);
        took = (to.tv_sec - from.tv_sec) * 1000000000LL + (to.tv_nsec - from.tv_nsec);
        best = took < best ? took : best;
    }
    return best;
}

START_TEST(bombs_are_refused_within_a_millisecond)
{
    put_nested(&writer, 1, 100000);
    ck_assert_uint_gt(writer.size, 200000);
    ck_assert_int_lt(best_scan_ns(&relais__test__nest__descriptor), 1000000);
    ck_assert_str_eq(fault.what, "nested too deep");

    writer.size = 0;
    for (unsigned i = 0; i < 1000000; i++) {
        put_bytes(&writer, 2, "", 0);
    }
    ck_assert_int_lt(best_scan_ns(&relais__test__nest__descriptor), 1000000);
    ck_assert_str_eq(fault.what, "too many elements");

    writer.size = 0;
    for (unsigned i = 0; i < 1000000; i++) {
        put_number(&writer, 15, 1);
    }
    ck_assert_int_lt(best_scan_ns(&relais__test__nest__descriptor), 1000000);
    ck_assert_str_eq(fault.what, "too many unknown fields");

    memset(writer.data, 0xff, WRITER_BYTES);
    writer.size = WRITER_BYTES;
    ck_assert_int_lt(best_scan_ns(&relais__test__nest__descriptor), 1000000);
    ck_assert_str_eq(fault.what, "number too long");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire.scan");
    TCase *rules = tcase_create("the rules by number");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(rules, set_up, tear_down);
    tcase_add_test(rules, rule_1_nesting);
    tcase_add_test(rules, rule_2_fields_of_one_message);
    tcase_add_test(rules, rule_3_elements);
    tcase_add_test(rules, packed_numbers_are_whole);
    tcase_add_test(rules, rule_4_unknown_fields_in_the_whole);
    tcase_add_test(rules, rule_5_wire_types);
    tcase_add_test(rules, rule_6_singular_fields_once);
    tcase_add_test(rules, rule_7_text);
    tcase_add_test(rules, rule_8_broken_bytes);
    tcase_add_test(rules, an_inner_message_does_not_read_its_neighbour);
    tcase_add_test(rules, every_cut_of_a_good_message_is_safe);
    tcase_add_test(rules, the_path_of_a_fault_is_cut_to_its_room);
    tcase_add_loop_test(rules, text_is_what_rfc_3629_says, 0,
                        sizeof SEQUENCES / sizeof SEQUENCES[0]);
    tcase_add_test(rules, a_nul_is_not_text);
    tcase_add_test(rules, bombs_are_refused_within_a_millisecond);
    suite_add_tcase(suite, rules);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
