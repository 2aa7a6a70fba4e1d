/* SPDX-License-Identifier: EUPL-1.2
 *
 * What all connections may have unsent: within it nobody goes; beyond it the one that holds the
 * most, and no more than must.
 */
#include "net/budget.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES = 6, LIMIT = 1000, SAME_KEY = 3 /* from this on, all lines are of one key */ };

static struct connection_table table;
static struct endings endings;
static atomic_size_t unsent;
static struct connection *lines[LINES];
static int ends[LINES];
static struct budget budget;

static void set_up(void)
{
    table = (struct connection_table){0};
    endings = (struct endings){0};
    atomic_init(&unsent, 0);
    budget = (struct budget){.unsent = &unsent, .bytes = LIMIT};
    for (int i = 0; i < LINES; i++) {
        int pair[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        ends[i] = pair[1];
        ck_assert(connection_table_accept(&table, pair[0], (uint64_t)i + 1, 0));
        lines[i] = connection_table_add(&table, (uint64_t)i + 10, pair[0], &unsent);
        ck_assert_ptr_nonnull(lines[i]);
        char key[NET_KEY_CHARACTERS + 1] = {0};
        memset(key, 'a' + (i < SAME_KEY ? i : SAME_KEY), NET_KEY_CHARACTERS);
        (void)connection_table_name(&table, lines[i], key);
    }
}

static void shut(void)
{
    for (int i = 0; i < LINES; i++) {
        (void)close(lines[i]->descriptor);
        (void)close(ends[i]);
    }
    connection_table_fini(&table);
}

static void hold(int line, size_t bytes)
{
    atomic_fetch_add(&lines[line]->outflow->bytes, bytes);
    atomic_fetch_add(&unsent, bytes);
}

static bool make_room(int line, size_t bytes)
{
    return budget_make_room(&budget, &table, &endings, lines[line], bytes);
}

START_TEST(within_it_nobody_goes)
{
    set_up();
    hold(0, 600);
    hold(1, 300);
    ck_assert(make_room(2, 100));
    ck_assert(make_room(0, 100));
    ck_assert_uint_eq(budget.evicted, 0);
    budget.bytes = 0; /* no end */
    ck_assert(make_room(0, 1000000));
    shut();
}
END_TEST

START_TEST(the_one_with_the_most_goes)
{
    set_up();
    hold(0, 300);
    hold(1, 600);
    hold(2, 90);
    ck_assert(make_room(2, 200));
    ck_assert(lines[1]->cut && !lines[0]->cut && !lines[2]->cut);
    ck_assert_uint_eq(budget.evicted, 1);
    /* Its bytes are still there, and do not count any more. */
    ck_assert(make_room(2, 600));
    ck_assert_uint_eq(budget.evicted, 1);
    shut();
}
END_TEST

START_TEST(who_asks_for_the_most_goes_itself)
{
    set_up();
    hold(0, 300);
    hold(1, 300);
    hold(2, 290);
    ck_assert(!make_room(2, 200));
    ck_assert(!lines[0]->cut && !lines[1]->cut);
    shut();
}
END_TEST

START_TEST(as_many_go_as_must)
{
    set_up();
    hold(0, 480);
    hold(1, 500);
    ck_assert(make_room(2, 470)); /* one is enough */
    ck_assert(lines[1]->cut && !lines[0]->cut);
    ck_assert(!make_room(2, 1001)); /* more than there is for all */
    shut();
}
END_TEST

/* Each of its lines holds less than the honest one. */
START_TEST(many_light_lines_of_one_key_are_no_advantage)
{
    set_up();
    hold(0, 300);
    hold(3, 200);
    hold(4, 250);
    hold(5, 150);
    ck_assert(make_room(0, 150));
    ck_assert(lines[4]->cut && !lines[0]->cut && !lines[3]->cut && !lines[5]->cut);
    ck_assert(!make_room(3, 500));
    ck_assert(!lines[0]->cut);
    shut();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net.budget");
    TCase *tcase = tcase_create("budget");
    tcase_add_test(tcase, within_it_nobody_goes);
    tcase_add_test(tcase, the_one_with_the_most_goes);
    tcase_add_test(tcase, who_asks_for_the_most_goes_itself);
    tcase_add_test(tcase, as_many_go_as_must);
    tcase_add_test(tcase, many_light_lines_of_one_key_are_no_advantage);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
