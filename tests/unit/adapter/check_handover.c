/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is handed over and noted. Numbers in names of tests are the invariants of handover.h.
 */
#include "adapter/handover.h"
#include "adapter/note.h"
#include "tests/unit/adapter/place.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct place_of_test place;
static struct handover handover;
static relais_error error;

static void set_up(void)
{
    place_make(&place, PLACE_MAP_BYTES);
    handover_init(&handover, place.state, &place.outbox);
}

static void tear_down(void)
{
    handover_fini(&handover);
    place_remove(&place);
}

static relais_status give(const char *id)
{
    relais_message message = place_message(id, "x", 1);
    return handover_message(&handover, &message, &error);
}

static size_t flush(void)
{
    size_t count = 0;
    ck_assert_int_eq(handover_flush(&handover, 5000, &count, &error), RELAIS_OK);
    return count;
}

START_TEST(messages_and_notes_in_one_instant_1)
{
    char buffer[8];
    size_t size = 0;
    ck_assert_int_eq(give("a"), RELAIS_OK);
    ck_assert_int_eq(handover_note(&handover, "cursor", (relais_bytes){"1", 1}, &error), RELAIS_OK);
    ck_assert_uint_eq(place.outbox.counts.messages, 0);
    handover_clear(&handover); /* a crash before the flush */
    place_reopen(&place);
    ck_assert_uint_eq(place.outbox.counts.messages, 0);
    handover_init(&handover, place.state, &place.outbox);
    ck_assert_int_eq(give("a"), RELAIS_OK);
    ck_assert_int_eq(handover_note(&handover, "cursor", (relais_bytes){"1", 1}, &error), RELAIS_OK);
    ck_assert_uint_eq(flush(), 1);
    place_reopen(&place);
    ck_assert_uint_eq(place.outbox.counts.messages, 1);
    ck_assert_int_eq(note_get(place.state, "cursor", buffer, sizeof buffer, &size), RELAIS_OK);
    handover_init(&handover, place.state, &place.outbox);
}
END_TEST

START_TEST(all_or_nothing_when_the_disk_is_full_1)
{
    struct place_of_test small;
    struct handover hand;
    char buffer[8];
    size_t size = 0;
    static char payload[600 * 1024];
    relais_message message = place_message(NULL, payload, sizeof payload);
    place_make(&small, 1024 * 1024);
    handover_init(&hand, small.state, &small.outbox);
    ck_assert_int_eq(handover_note(&hand, "cursor", (relais_bytes){"1", 1}, &error), RELAIS_OK);
    ck_assert_int_eq(handover_message(&hand, &message, &error), RELAIS_OK);
    ck_assert_int_eq(handover_message(&hand, &message, &error), RELAIS_OK);
    ck_assert_int_eq(handover_flush(&hand, 1, NULL, &error), RELAIS_STORE_FULL);
    ck_assert(!handover_is_empty(&hand)); /* it can be tried again */
    ck_assert_uint_eq(small.outbox.counts.messages, 0);
    ck_assert_int_eq(note_get(small.state, "cursor", buffer, sizeof buffer, &size),
                     RELAIS_NOT_FOUND);
    handover_fini(&hand);
    place_remove(&small);
}
END_TEST

START_TEST(an_id_of_its_own_is_taken_once)
{
    ck_assert_int_eq(give("a"), RELAIS_OK);
    ck_assert_int_eq(give("a"), RELAIS_OK);
    ck_assert_uint_eq(flush(), 1);
    ck_assert_int_eq(give("a"), RELAIS_OK);
    ck_assert_uint_eq(flush(), 0);
    ck_assert_int_eq(give(NULL), RELAIS_OK);
    ck_assert_int_eq(give(NULL), RELAIS_OK);
    ck_assert_uint_eq(flush(), 2);
    ck_assert_uint_eq(place.outbox.counts.messages, 3);
}
END_TEST

START_TEST(bounded_2)
{
    place.outbox.messages_max = 3;
    ck_assert_int_eq(give(NULL), RELAIS_OK);
    ck_assert_uint_eq(flush(), 1);
    ck_assert_int_eq(give(NULL), RELAIS_OK);
    ck_assert_int_eq(give(NULL), RELAIS_OK);
    ck_assert_int_eq(give(NULL), RELAIS_STORE_FULL);
    ck_assert_uint_eq(flush(), 2);
    ck_assert_int_eq(give(NULL), RELAIS_STORE_FULL);
    ck_assert_str_eq(error.field, "outbox");
}
END_TEST

START_TEST(what_can_never_be_sent_is_refused_at_once)
{
    relais_message message = place_message(NULL, "x", 1);
    message.type = NULL;
    ck_assert_int_eq(handover_message(&handover, &message, &error), RELAIS_FIELD_MISSING);
    ck_assert_str_eq(error.field, "type");
    message = place_message(NULL, "x", 1);
    message.flow = NULL;
    ck_assert_int_eq(handover_message(&handover, &message, &error), RELAIS_FIELD_MISSING);
    message = place_message(NULL, "x", 1);
    message.to_count = 0;
    ck_assert_int_eq(handover_message(&handover, &message, &error), RELAIS_FIELD_MISSING);
    message = place_message("", "x", 1);
    ck_assert_int_eq(handover_message(&handover, &message, &error), RELAIS_FIELD_INVALID);
    message = place_message(NULL, "x", RECORD_MESSAGE_BYTES);
    ck_assert_int_eq(handover_message(&handover, &message, &error), RELAIS_TOO_LARGE);
    ck_assert_int_eq(handover_note(&handover, "", (relais_bytes){"1", 1}, &error),
                     RELAIS_TOO_LARGE);
    ck_assert(handover_is_empty(&handover));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("adapter.handover");
    TCase *tests = tcase_create("handover");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, messages_and_notes_in_one_instant_1);
    tcase_add_test(tests, all_or_nothing_when_the_disk_is_full_1);
    tcase_add_test(tests, an_id_of_its_own_is_taken_once);
    tcase_add_test(tests, bounded_2);
    tcase_add_test(tests, what_can_never_be_sent_is_refused_at_once);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
