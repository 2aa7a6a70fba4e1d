/* SPDX-License-Identifier: EUPL-1.2
 *
 * The ledger of received messages: lines, torn ends, damage, compaction, expiry. Numbers in names
 * of tests are the invariants of ledger.h.
 */
#include "adapters/files/ledger.h"
#include "tests/unit/adapters/folders.h"

#include <check.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t now_ms = INT64_C(1794000000000);

static char folder_path[FOLDERS_PATH_BYTES];
static int folder;
static relais_error error;

static void set_up(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    folders_make(folder_path);
    folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder, 0);
}

static void tear_down(void)
{
    (void)close(folder);
    folders_remove(folder_path);
}

static struct ledger_entry entry_of(uint32_t number, enum ledger_mark mark)
{
    struct ledger_entry entry = {.time_ms = now_ms, .number = number, .mark = mark};
    (void)crypto_generichash(entry.key, sizeof entry.key, (unsigned char *)&number, sizeof number,
                             NULL, 0);
    return entry;
}

static struct ledger *open_ledger(void)
{
    struct ledger *ledger = NULL;
    ck_assert_int_eq(ledger_open(folder, &ledger, &error), RELAIS_OK);
    return ledger;
}

static void record(struct ledger *ledger, uint32_t first, size_t count, enum ledger_mark mark)
{
    struct ledger_entry entries[LEDGER_BATCH];
    for (size_t i = 0; i < count; i++) {
        entries[i] = entry_of(first + (uint32_t)i, mark);
    }
    ck_assert_int_eq(ledger_record(ledger, entries, count, &error), RELAIS_OK);
}

static enum ledger_mark look(const struct ledger *ledger, uint32_t number)
{
    struct ledger_entry entry = entry_of(number, LEDGER_NONE);
    return ledger_look(ledger, entry.key);
}

static off_t file_size(void)
{
    struct stat about;
    ck_assert_int_eq(fstatat(folder, "ledger", &about, 0), 0);
    return about.st_size;
}

static void cut_at(off_t size)
{
    int fd = openat(folder, "ledger", O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    (void)close(fd);
}

static void append(const char *bytes, size_t size)
{
    int fd = openat(folder, "ledger", O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    (void)close(fd);
}

START_TEST(line_is_read_as_written)
{
    struct ledger_entry entry = entry_of(77, LEDGER_INTENDED);
    struct ledger_entry again;
    char line[LEDGER_LINE_BYTES];
    ledger_line_write(&entry, line);
    ck_assert_int_eq(line[LEDGER_LINE_BYTES - 1], '\n');
    ck_assert(ledger_line_read(line, &again));
    ck_assert_mem_eq(&entry, &again, sizeof entry);
}
END_TEST

START_TEST(line_with_any_changed_byte_is_not_read)
{
    struct ledger_entry entry = entry_of(77, LEDGER_DELIVERED);
    struct ledger_entry again;
    char line[LEDGER_LINE_BYTES];
    for (size_t at = 0; at < LEDGER_LINE_BYTES; at++) {
        for (int change = 1; change < 256; change++) {
            ledger_line_write(&entry, line);
            line[at] = (char)(line[at] ^ change);
            ck_assert_msg(!ledger_line_read(line, &again), "byte %zu xor %d", at, change);
        }
    }
}
END_TEST

START_TEST(recorded_is_known_after_reopening)
{
    struct ledger *ledger = open_ledger();
    record(ledger, 1, 64, LEDGER_INTENDED);
    record(ledger, 65, 10, LEDGER_DELIVERED);
    ledger_close(ledger);
    ledger = open_ledger();
    ck_assert_uint_eq(ledger_count(ledger), 74);
    ck_assert_int_eq(look(ledger, 1), LEDGER_INTENDED);
    ck_assert_int_eq(look(ledger, 70), LEDGER_DELIVERED);
    ck_assert_int_eq(look(ledger, 1000), LEDGER_NONE);
    ledger_close(ledger);
}
END_TEST

START_TEST(last_line_counts_2)
{
    struct ledger *ledger = open_ledger();
    record(ledger, 1, 1, LEDGER_INTENDED);
    record(ledger, 1, 1, LEDGER_VOID);
    record(ledger, 2, 1, LEDGER_INTENDED);
    record(ledger, 2, 1, LEDGER_DELIVERED);
    ledger_close(ledger);
    ledger = open_ledger();
    ck_assert_int_eq(look(ledger, 1), LEDGER_NONE);
    ck_assert_int_eq(look(ledger, 2), LEDGER_DELIVERED);
    ledger_close(ledger);
}
END_TEST

/* A cut at every byte of the last batch. */
START_TEST(torn_end_is_cut_off_3)
{
    struct ledger *ledger = open_ledger();
    record(ledger, 1, 10, LEDGER_DELIVERED);
    off_t whole = file_size();
    ledger_close(ledger);
    for (off_t cut = 0; cut < (off_t)3 * LEDGER_LINE_BYTES; cut++) {
        ledger = open_ledger();
        record(ledger, 100, 3, LEDGER_INTENDED);
        ledger_close(ledger);
        cut_at(whole + cut);
        ledger = open_ledger();
        ck_assert_uint_eq(ledger_count(ledger), 10 + (size_t)(cut / LEDGER_LINE_BYTES));
        ledger_close(ledger);
        ck_assert_int_eq(file_size(), whole + cut / LEDGER_LINE_BYTES * LEDGER_LINE_BYTES);
        cut_at(whole);
    }
}
END_TEST

START_TEST(holes_in_the_last_batch_are_a_torn_end_3)
{
    char zeros[40 * LEDGER_LINE_BYTES] = {0};
    struct ledger *ledger = open_ledger();
    record(ledger, 1, 10, LEDGER_DELIVERED);
    ledger_close(ledger);
    append(zeros, sizeof zeros);
    ledger = open_ledger();
    ck_assert_uint_eq(ledger_count(ledger), 10);
    record(ledger, 11, 1, LEDGER_DELIVERED);
    ledger_close(ledger);
    ledger = open_ledger();
    ck_assert_uint_eq(ledger_count(ledger), 11);
    ledger_close(ledger);
}
END_TEST

START_TEST(damage_is_refused_3)
{
    struct ledger *ledger = open_ledger();
    for (uint32_t i = 0; i < 10; i++) {
        record(ledger, i * 64, 64, LEDGER_DELIVERED);
    }
    ledger_close(ledger);
    int fd = openat(folder, "ledger", O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, "x", 1, (off_t)5 * LEDGER_LINE_BYTES + 10), 1);
    (void)close(fd);
    ledger = NULL;
    ck_assert_int_eq(ledger_open(folder, &ledger, &error), RELAIS_CONFIG_INVALID);
    ck_assert_ptr_null(ledger);
    ck_assert_ptr_nonnull(strstr(error.wrong, "6"));
    ck_assert_str_ne(error.right, "");
}
END_TEST

START_TEST(compaction_keeps_what_counts)
{
    struct ledger *ledger = open_ledger();
    for (uint32_t i = 0; i < 100; i++) {
        record(ledger, 0, 64, LEDGER_INTENDED);
    }
    record(ledger, 1000, 1, LEDGER_DELIVERED);
    ck_assert(ledger_is_wasteful(ledger));
    ck_assert_int_eq(ledger_compact(ledger, now_ms, &error), RELAIS_OK);
    ck_assert(!ledger_is_wasteful(ledger));
    ck_assert_int_eq(file_size(), (off_t)65 * LEDGER_LINE_BYTES);
    record(ledger, 2000, 1, LEDGER_DELIVERED);
    ledger_close(ledger);
    ledger = open_ledger();
    ck_assert_uint_eq(ledger_count(ledger), 66);
    ck_assert_int_eq(look(ledger, 63), LEDGER_INTENDED);
    ck_assert_int_eq(look(ledger, 2000), LEDGER_DELIVERED);
    ledger_close(ledger);
}
END_TEST

START_TEST(entries_expire_4)
{
    struct ledger *ledger = open_ledger();
    record(ledger, 1, 3, LEDGER_DELIVERED);
    struct ledger_entry settled = entry_of(1, LEDGER_NONE);
    ledger_note(ledger, settled.key, LEDGER_SETTLED, now_ms);
    record(ledger, 10, 1, LEDGER_INTENDED);
    ck_assert_int_eq(ledger_compact(ledger, now_ms + LEDGER_SETTLED_MS - 1, &error), RELAIS_OK);
    ck_assert_int_eq(look(ledger, 1), LEDGER_SETTLED);
    ck_assert_int_eq(ledger_compact(ledger, now_ms + LEDGER_SETTLED_MS + 1, &error), RELAIS_OK);
    ck_assert_int_eq(look(ledger, 1), LEDGER_NONE);
    ck_assert_int_eq(look(ledger, 2), LEDGER_DELIVERED);
    ck_assert_int_eq(ledger_compact(ledger, now_ms + LEDGER_DELIVERED_MS + 1, &error), RELAIS_OK);
    ck_assert_int_eq(look(ledger, 2), LEDGER_NONE);
    ck_assert_int_eq(look(ledger, 10), LEDGER_INTENDED);
    ledger_close(ledger);
}
END_TEST

static void forget_odd(void *context, struct ledger_entry *entry)
{
    size_t *visited = context;
    (*visited)++;
    entry->mark = entry->number % 2 ? LEDGER_VOID : LEDGER_SETTLED;
}

START_TEST(each_visits_all_and_forgets)
{
    struct ledger *ledger = open_ledger();
    size_t visited = 0;
    for (uint32_t i = 0; i < 200; i++) {
        record(ledger, i * 64, 64, LEDGER_DELIVERED);
    }
    ledger_each(ledger, forget_odd, &visited);
    ck_assert_uint_eq(visited, 12800);
    ck_assert_uint_eq(ledger_count(ledger), 6400);
    for (uint32_t i = 0; i < 12800; i++) {
        ck_assert_int_eq(look(ledger, i), i % 2 ? LEDGER_NONE : LEDGER_SETTLED);
    }
    ledger_close(ledger);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger");
    TCase *cases = tcase_create("what was received is remembered");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, line_is_read_as_written);
    tcase_add_test(cases, line_with_any_changed_byte_is_not_read);
    tcase_add_test(cases, recorded_is_known_after_reopening);
    tcase_add_test(cases, last_line_counts_2);
    tcase_add_test(cases, torn_end_is_cut_off_3);
    tcase_add_test(cases, holes_in_the_last_batch_are_a_torn_end_3);
    tcase_add_test(cases, damage_is_refused_3);
    tcase_add_test(cases, compaction_keeps_what_counts);
    tcase_add_test(cases, entries_expire_4);
    tcase_add_test(cases, each_visits_all_and_forgets);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
