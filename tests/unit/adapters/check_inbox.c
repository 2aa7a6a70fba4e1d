/* SPDX-License-Identifier: EUPL-1.2
 *
 * Each message becomes one file, whole, once: with a kill, or a failing disk, at each system call.
 * The broker's part is played by giving every message again until it is stored or known.
 */
#include "adapters/files/inbox.h"
#include "tests/unit/adapters/faulty_disk.h"
#include "tests/unit/adapters/folders.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ITEMS = 3 };

static const int64_t now_ms = INT64_C(1794000000000);

static char path[FOLDERS_PATH_BYTES];
static char taken[FOLDERS_PATH_BYTES];
static relais_error error;

static void set_up(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    folders_make(path);
    folders_make(taken);
}

static void tear_down(void)
{
    folders_remove(path);
    folders_remove(taken);
}

static void fill(struct inbox_item items[ITEMS])
{
    static const char *const texts[ITEMS] = {"one", "two", "three"};
    static const char *const ids[ITEMS] = {"id-1", "id-2", "id-3"};
    static const char *const names[ITEMS] = {"one.xml", "two.xml", "three.xml"};
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = (struct inbox_item){.id = ids[i],
                                       .sender = "dila",
                                       .source = "relais:dila/dossiers",
                                       .address = "commune-76540/etat-civil",
                                       .filename = names[i],
                                       .has_mtime = true,
                                       .mtime_ms = now_ms - 1000,
                                       .payload = {texts[i], strlen(texts[i])}};
    }
}

static struct inbox *open_inbox(void)
{
    struct inbox *inbox = NULL;
    ck_assert_msg(inbox_open(path, NULL, now_ms, &inbox, &error) == RELAIS_OK, "%s: %s",
                  error.field, error.wrong);
    return inbox;
}

/* What the receiving software does: takes the files away. */
static void take_away(void)
{
    static const char *const names[] = {"one.xml",   "one-1.xml", "two.xml",
                                        "two-1.xml", "three.xml", "three-1.xml"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char from[FOLDERS_PATH_BYTES + 32];
        char to[FOLDERS_PATH_BYTES + 32];
        (void)snprintf(from, sizeof from, "%s/%s", path, names[i]);
        (void)snprintf(to, sizeof to, "%s/%s", taken, names[i]);
        if (rename(from, to) != 0) {
            ck_assert_int_eq(errno, ENOENT);
        }
    }
}

static void assert_each_once(const char *folder, const char *when, unsigned call)
{
    ck_assert_msg(folders_count(folder) == ITEMS, "%s call %u: %zu files", when, call,
                  folders_count(folder));
    ck_assert_msg(folders_holds(folder, "one.xml", "one"), "%s call %u", when, call);
    ck_assert_msg(folders_holds(folder, "two.xml", "two"), "%s call %u", when, call);
    ck_assert_msg(folders_holds(folder, "three.xml", "three"), "%s call %u", when, call);
}

/* Opens, stores, and ends at the fault. True: it came through. */
static bool run_with(enum faulty_kind kind, unsigned call, int rename_errno)
{
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct inbox_item items[ITEMS];
        struct inbox *inbox = NULL;
        faulty_disk_set(kind, call, 0);
        faulty_disk_refuse_rename(rename_errno);
        fill(items);
        relais_status outcome = inbox_open(path, NULL, now_ms, &inbox, &error);
        if (outcome == RELAIS_OK) {
            outcome = inbox_store(inbox, items, ITEMS, now_ms, &error);
        }
        bool expected =
            rename_errno == ENOSPC ? outcome == RELAIS_STORE_FULL : outcome == RELAIS_OK;
        _exit(expected ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_ne(WEXITSTATUS(status), 1);
    return WEXITSTATUS(status) == 0;
}

static bool run_in_child(enum faulty_kind kind, unsigned call)
{
    return run_with(kind, call, 0);
}

static void give_again(void)
{
    struct inbox_item items[ITEMS];
    struct inbox *inbox = open_inbox();
    fill(items);
    ck_assert_int_eq(inbox_store(inbox, items, ITEMS, now_ms, &error), RELAIS_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        ck_assert_int_ne(items[i].result, INBOX_LATER);
    }
    inbox_close(inbox);
}

static void fresh(void)
{
    tear_down();
    set_up();
}

static const enum faulty_kind kills[] = {FAULTY_KILL_BEFORE, FAULTY_KILL_AFTER};

START_TEST(killed_at_each_call)
{
    unsigned call = 0;
    for (bool through = false; !through; call++) {
        through = run_in_child(kills[_i], call);
        give_again();
        assert_each_once(path, "kill", call);
        fresh();
    }
    ck_assert_uint_gt(call, 20);
}
END_TEST

START_TEST(killed_at_each_call_while_software_takes_the_files)
{
    unsigned call = 0;
    for (bool through = false; !through; call++) {
        through = run_in_child(kills[_i], call);
        take_away();
        give_again();
        take_away();
        assert_each_once(taken, "kill and take", call);
        fresh();
    }
}
END_TEST

START_TEST(killed_again_at_each_call_of_the_recovery)
{
    for (unsigned first = 10; first < 34; first++) {
        bool through = false;
        for (unsigned second = 0; !through; second++) {
            (void)run_in_child(kills[_i], first);
            take_away();
            through = run_in_child(kills[_i], second);
            take_away();
            give_again();
            take_away();
            assert_each_once(taken, "kill twice", first * 1000 + second);
            fresh();
        }
    }
}
END_TEST

/* EINVAL: the way by a link and an unlink. ENOSPC: the way of the VOID line. */
START_TEST(killed_at_each_call_where_rename_does_not_work)
{
    int rename_errno = _i / 2 ? EINVAL : ENOSPC;
    unsigned call = 0;
    for (bool through = false; !through; call++) {
        through = run_with(kills[_i % 2], call, rename_errno);
        give_again();
        take_away();
        assert_each_once(taken, strerror(rename_errno), call);
        fresh();
    }
    ck_assert_uint_gt(call, 20);
}
END_TEST

static const struct {
    enum faulty_kind kind;
    int number;
} faults[] = {{FAULTY_ONCE, ENOSPC}, {FAULTY_ONCE, EIO}, {FAULTY_FROM, ENOSPC}, {FAULTY_FROM, EIO}};

/* A status that says "the state is not known" makes the program start again; else it goes on. */
START_TEST(disk_that_fails_at_each_call)
{
    bool happened = true;
    for (unsigned call = 0; happened; call++) {
        struct inbox_item items[ITEMS];
        struct inbox *inbox = open_inbox();
        bool goes_on = _i % 2 == 0; /* else it is killed after the fault */
        fill(items);
        faulty_disk_set(faults[_i / 2].kind, call, faults[_i / 2].number);
        relais_status status = inbox_store(inbox, items, ITEMS, now_ms, &error);
        happened = faulty_disk_happened();
        faulty_disk_set(FAULTY_NEVER, 0, 0);
        for (size_t i = 0; i < ITEMS && status != RELAIS_OK && status != RELAIS_STORE_FULL; i++) {
            ck_assert_int_eq(items[i].result, INBOX_LATER);
        }
        take_away();
        if (goes_on && (status == RELAIS_OK || status == RELAIS_STORE_FULL)) {
            fill(items);
            ck_assert_int_eq(inbox_store(inbox, items, ITEMS, now_ms, &error), RELAIS_OK);
        }
        inbox_close(inbox);
        take_away();
        give_again();
        take_away();
        assert_each_once(taken, strerror(faults[_i / 2].number), call);
        fresh();
    }
}
END_TEST

/* What was written before the disk was full goes in: else a batch larger than the room never would.
 */
START_TEST(full_disk_takes_what_it_can)
{
    bool one_went_in = false;
    bool happened = true;
    for (unsigned call = 0; happened; call++) {
        struct inbox_item items[ITEMS];
        struct inbox *inbox = open_inbox();
        fill(items);
        faulty_disk_set(FAULTY_ONCE, call, ENOSPC);
        relais_status status = inbox_store(inbox, items, ITEMS, now_ms, &error);
        happened = faulty_disk_happened();
        faulty_disk_set(FAULTY_NEVER, 0, 0);
        one_went_in =
            one_went_in || (status == RELAIS_STORE_FULL && items[0].result == INBOX_STORED &&
                            items[1].result == INBOX_LATER);
        inbox_close(inbox);
        fresh();
    }
    ck_assert(one_went_in);
}
END_TEST

START_TEST(known_message_is_not_written_again)
{
    struct inbox_item items[ITEMS];
    struct inbox *inbox = open_inbox();
    fill(items);
    ck_assert_int_eq(inbox_store(inbox, items, ITEMS, now_ms, &error), RELAIS_OK);
    ck_assert_int_eq(items[0].result, INBOX_STORED);
    ck_assert_int_eq(inbox_store(inbox, items, ITEMS, now_ms, &error), RELAIS_OK);
    ck_assert_int_eq(items[0].result, INBOX_DUPLICATE);
    inbox_settled(inbox, items[0].key, now_ms);
    ck_assert_int_eq(inbox_store(inbox, items, 1, now_ms, &error), RELAIS_OK);
    ck_assert_int_eq(items[0].result, INBOX_DUPLICATE);
    inbox_close(inbox);
    assert_each_once(path, "twice", 0);
}
END_TEST

START_TEST(same_id_of_another_is_another_message)
{
    struct inbox_item items[ITEMS];
    struct inbox *inbox = open_inbox();
    fill(items);
    items[1] = items[2] = items[0];
    items[1].sender = "dgs";
    items[2].payload = (relais_bytes){"other", 5};
    ck_assert_int_eq(inbox_store(inbox, items, ITEMS, now_ms, &error), RELAIS_OK);
    inbox_close(inbox);
    ck_assert(folders_holds(path, "one.xml", "one"));
    ck_assert(folders_holds(path, "one-1.xml", "one"));
    ck_assert(folders_holds(path, "one-2.xml", "other"));
}
END_TEST

START_TEST(same_message_twice_in_a_batch_is_one)
{
    struct inbox_item items[ITEMS];
    struct inbox *inbox = open_inbox();
    fill(items);
    items[1] = items[0];
    ck_assert_int_eq(inbox_store(inbox, items, 2, now_ms, &error), RELAIS_OK);
    ck_assert_int_eq(items[0].result, INBOX_STORED);
    ck_assert_int_eq(items[1].result, INBOX_LATER);
    inbox_close(inbox);
    ck_assert_uint_eq(folders_count(path), 1);
}
END_TEST

START_TEST(nothing_is_overwritten_and_no_link_followed)
{
    struct inbox_item items[ITEMS];
    struct inbox *inbox = open_inbox();
    char link[FOLDERS_PATH_BYTES + 32];
    folders_write(path, "one.xml", "mine");
    folders_write(taken, "victim", "safe");
    (void)snprintf(link, sizeof link, "%s/two.xml", path);
    ck_assert_int_eq(symlink("../victim", link), 0);
    fill(items);
    items[2].filename = "../../victim";
    ck_assert_int_eq(inbox_store(inbox, items, ITEMS, now_ms, &error), RELAIS_OK);
    inbox_close(inbox);
    ck_assert(folders_holds(path, "one.xml", "mine"));
    ck_assert(folders_holds(path, "one-1.xml", "one"));
    ck_assert(folders_holds(path, "two-1.xml", "two"));
    ck_assert(folders_holds(path, "_._.._victim", "three"));
    ck_assert(folders_holds(taken, "victim", "safe"));
}
END_TEST

START_TEST(mtime_is_the_senders)
{
    struct inbox_item items[ITEMS];
    struct stat about;
    struct inbox *inbox = open_inbox();
    char file[FOLDERS_PATH_BYTES + 32];
    fill(items);
    items[0].mtime_ms = -1500;
    ck_assert_int_eq(inbox_store(inbox, items, ITEMS, now_ms, &error), RELAIS_OK);
    inbox_close(inbox);
    (void)snprintf(file, sizeof file, "%s/two.xml", path);
    ck_assert_int_eq(stat(file, &about), 0);
    ck_assert_int_eq(about.st_mtim.tv_sec, (now_ms - 1000) / 1000);
    (void)snprintf(file, sizeof file, "%s/one.xml", path);
    ck_assert_int_eq(stat(file, &about), 0);
    ck_assert_int_eq(about.st_mtim.tv_sec, -2);
    ck_assert_int_eq(about.st_mtim.tv_nsec, 500000000);
}
END_TEST

START_TEST(a_folder_that_is_not_mounted_is_refused)
{
    struct inbox_item items[ITEMS];
    struct inbox *inbox = NULL;
    char state[FOLDERS_PATH_BYTES + 32];
    (void)snprintf(state, sizeof state, "%s/state", taken);
    ck_assert_int_eq(inbox_open(path, state, now_ms, &inbox, &error), RELAIS_OK);
    fill(items);
    ck_assert_int_eq(inbox_store(inbox, items, ITEMS, now_ms, &error), RELAIS_OK);
    inbox_close(inbox);
    folders_remove(path);
    folders_make(path);
    inbox = NULL;
    ck_assert_int_eq(inbox_open(path, state, now_ms, &inbox, &error), RELAIS_CONFIG_INVALID);
    ck_assert_ptr_null(inbox);
    ck_assert_str_ne(error.right, "");
}
END_TEST

START_TEST(two_on_one_folder_are_refused)
{
    struct inbox *first = open_inbox();
    struct inbox *second = NULL;
    ck_assert_int_eq(inbox_open(path, NULL, now_ms, &second, &error), RELAIS_ALREADY_EXISTS);
    inbox_close(first);
    first = open_inbox();
    inbox_close(first);
}
END_TEST

static TCase *crashes(void)
{
    TCase *cases = tcase_create("a kill or a failing disk at any call loses and doubles nothing");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, killed_at_each_call, 0, 2);
    tcase_add_loop_test(cases, killed_at_each_call_while_software_takes_the_files, 0, 2);
    tcase_add_loop_test(cases, killed_again_at_each_call_of_the_recovery, 0, 2);
    tcase_add_loop_test(cases, killed_at_each_call_where_rename_does_not_work, 0, 4);
    tcase_add_loop_test(cases, disk_that_fails_at_each_call, 0,
                        2 * (int)(sizeof faults / sizeof faults[0]));
    return cases;
}

static TCase *storing(void)
{
    TCase *cases = tcase_create("a message becomes one file");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, full_disk_takes_what_it_can);
    tcase_add_test(cases, known_message_is_not_written_again);
    tcase_add_test(cases, same_id_of_another_is_another_message);
    tcase_add_test(cases, same_message_twice_in_a_batch_is_one);
    tcase_add_test(cases, nothing_is_overwritten_and_no_link_followed);
    tcase_add_test(cases, mtime_is_the_senders);
    tcase_add_test(cases, a_folder_that_is_not_mounted_is_refused);
    tcase_add_test(cases, two_on_one_folder_are_refused);
    return cases;
}

int main(void)
{
    Suite *suite = suite_create("inbox");
    suite_add_tcase(suite, storing());
    suite_add_tcase(suite, crashes());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
