/* SPDX-License-Identifier: EUPL-1.2
 *
 * Ids that are dealt with, and notes.
 */
#include "adapter/known.h"
#include "adapter/note.h"
#include "adapter/record.h"
#include "tests/unit/adapter/place.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

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

static void key_of(const char *id, unsigned char key[KNOWN_KEY_BYTES])
{
    const char *const texts[] = {"test", id};
    known_key(texts, 2, key);
}

static bool has(const char *id)
{
    unsigned char key[KNOWN_KEY_BYTES];
    key_of(id, key);
    return known_has(place.state, key);
}

static void add(const char *id, int64_t now_ms)
{
    unsigned char key[KNOWN_KEY_BYTES];
    key_of(id, key);
    ck_assert_int_eq(state_begin(place.state, &error), RELAIS_OK);
    ck_assert_int_eq(known_add(place.state, key, now_ms, &error), RELAIS_OK);
    ck_assert_int_eq(state_commit(place.state, &error), RELAIS_OK);
}

START_TEST(remembered_over_a_restart)
{
    ck_assert(!has("a"));
    add("a", 1000);
    add("a", 2000);
    place_reopen(&place);
    ck_assert(has("a"));
    ck_assert(!has("b"));
}
END_TEST

START_TEST(forgotten_when_old_1)
{
    add("a", 1000);
    add("b", 2000);
    add("c", 1000 + KNOWN_MS - 1);
    ck_assert(has("a"));
    add("d", 1000 + KNOWN_MS);
    ck_assert(!has("a"));
    ck_assert(has("b"));
    add("e", 2000 + KNOWN_MS);
    ck_assert(!has("b"));
    ck_assert(has("c"));
}
END_TEST

START_TEST(keys_do_not_run_into_each_other)
{
    unsigned char one[KNOWN_KEY_BYTES];
    unsigned char two[KNOWN_KEY_BYTES];
    const char *const first[] = {"ab", "c", NULL};
    const char *const second[] = {"a", "bc", NULL};
    known_key(first, 3, one);
    known_key(second, 3, two);
    ck_assert_mem_ne(one, two, sizeof one);
}
END_TEST

static void put_note(const char *text)
{
    ck_assert_int_eq(state_begin(place.state, &error), RELAIS_OK);
    ck_assert_int_eq(note_put(place.state, "cursor", (relais_bytes){text, strlen(text)}, &error),
                     RELAIS_OK);
    ck_assert_int_eq(state_commit(place.state, &error), RELAIS_OK);
}

START_TEST(a_note_is_kept_replaced_and_forgotten)
{
    char buffer[8];
    size_t size = 0;
    ck_assert_int_eq(note_get(place.state, "cursor", buffer, sizeof buffer, &size),
                     RELAIS_NOT_FOUND);
    put_note("12");
    put_note("345");
    place_reopen(&place);
    ck_assert_int_eq(note_get(place.state, "cursor", buffer, sizeof buffer, &size), RELAIS_OK);
    ck_assert_uint_eq(size, 3);
    ck_assert_mem_eq(buffer, "345", 3);
    ck_assert_int_eq(note_get(place.state, "cursor", buffer, 2, &size), RELAIS_TOO_LARGE);
    put_note("");
    ck_assert_int_eq(note_get(place.state, "cursor", buffer, sizeof buffer, &size),
                     RELAIS_NOT_FOUND);
}
END_TEST

START_TEST(a_damaged_note_is_not_believed)
{
    char buffer[8];
    size_t size = 0;
    MDB_val key = {6, (void *)"cursor"};
    unsigned char node[16] = {1, 2, 3, 4, 5, 6, 7, 8, '9'};
    MDB_val value = {9, node};
    ck_assert_int_eq(state_begin(place.state, &error), RELAIS_OK);
    ck_assert_int_eq(mdb_put(place.state->txn, place.state->tables[STATE_NOTE], &key, &value, 0),
                     0);
    ck_assert_int_eq(state_commit(place.state, &error), RELAIS_OK);
    ck_assert_int_eq(note_get(place.state, "cursor", buffer, sizeof buffer, &size), RELAIS_DAMAGED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("adapter.known");
    TCase *tests = tcase_create("known");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, remembered_over_a_restart);
    tcase_add_test(tests, forgotten_when_old_1);
    tcase_add_test(tests, keys_do_not_run_into_each_other);
    tcase_add_test(tests, a_note_is_kept_replaced_and_forgotten);
    tcase_add_test(tests, a_damaged_note_is_not_believed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
