/* SPDX-License-Identifier: EUPL-1.2
 *
 * The tables, without a network: which connection a descriptor stands for, and the shutdown that
 * hits nobody else. Invariants of connection.h and descriptor.h.
 */
#include "net/connection.h"
#include "net/descriptor.h"
#include "net/endings.h"
#include "net/refusals.h"
#include "net/sweep.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct connection_table *table;
static atomic_size_t total;
static int ours[2];

static void set_up(void)
{
    table = calloc(1, sizeof *table);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ours), 0);
}

static void tear_down(void)
{
    connection_table_fini(table);
    free(table);
    close(ours[0]);
    close(ours[1]);
}

START_TEST(a_number_given_before_the_accept_is_of_an_older_socket)
{
    ck_assert(connection_table_accept(table, ours[0], 10, 0));
    ck_assert_ptr_null(connection_table_add(table, 9, ours[0], &total));
    ck_assert_ptr_nonnull(connection_table_add(table, 11, ours[0], &total));
}
END_TEST

START_TEST(a_descriptor_has_one_connection)
{
    ck_assert(connection_table_accept(table, ours[0], 1, 0));
    ck_assert_ptr_nonnull(connection_table_add(table, 2, ours[0], &total));
    ck_assert_ptr_null(connection_table_add(table, 3, ours[0], &total));
}
END_TEST

START_TEST(a_closed_or_unknown_descriptor_has_none)
{
    ck_assert_ptr_null(connection_table_add(table, 2, ours[0], &total));
    ck_assert_ptr_null(connection_table_add(table, 2, -1, &total));
    ck_assert_ptr_null(connection_table_add(table, 2, 1000000, &total));
    ck_assert(connection_table_accept(table, ours[0], 1, 0));
    ck_assert_ptr_null(connection_table_release(table, ours[0]));
    ck_assert_ptr_null(connection_table_add(table, 2, ours[0], &total));
    ck_assert_ptr_null(connection_table_release(table, -1));
}
END_TEST

START_TEST(numbers_in_one_bucket_are_told_apart)
{
    const uint64_t first = 5;
    const uint64_t second = first + CONNECTION_BUCKETS;
    ck_assert(connection_table_accept(table, ours[0], 1, 0));
    ck_assert(connection_table_accept(table, ours[1], 2, 0));
    struct connection *one = connection_table_add(table, first, ours[0], &total);
    struct connection *two = connection_table_add(table, second, ours[1], &total);
    ck_assert_ptr_eq(connection_table_find(table, first), one);
    ck_assert_ptr_eq(connection_table_find(table, second), two);
    ck_assert_ptr_eq(connection_table_release(table, ours[0]), one);
    connection_table_drop(table, one, HOLD_DESCRIPTOR);
    ck_assert_ptr_null(connection_table_find(table, first));
    ck_assert_ptr_eq(connection_table_find(table, second), two);
}
END_TEST

START_TEST(a_shutdown_meant_for_another_socket_does_nothing)
{
    const uint64_t cookie = descriptor_cookie(ours[0]);
    ck_assert_uint_ne(cookie, 0);
    descriptor_shutdown(ours[0], cookie + 1);
    ck_assert_int_eq(write(ours[1], "x", 1), 1);
    char byte = 0;
    ck_assert_int_eq(read(ours[0], &byte, 1), 1);
    descriptor_shutdown(ours[0], cookie);
    ck_assert_int_eq(read(ours[1], &byte, 1), 0);
}
END_TEST

START_TEST(a_file_has_no_cookie)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_uint_eq(descriptor_cookie(ends[0]), 0);
    ck_assert_uint_eq(descriptor_cookie(-1), 0);
    descriptor_shutdown(ends[0], 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(an_end_is_reported_once_whatever_the_order)
{
    struct endings endings = {0};
    ck_assert(connection_table_accept(table, ours[0], 1, 0));
    struct connection *connection = connection_table_add(table, 2, ours[0], &total);
    connection->announced = true;
    endings_cut(&endings, connection, 100);
    ck_assert_ptr_eq(connection_table_release(table, ours[0]), connection);
    endings_gone(&endings, table, connection, 0);
    ck_assert_ptr_eq(endings_next(&endings, 0), connection);
    connection_table_drop(table, connection, HOLD_REPORT);
    endings_drained(&endings);
    ck_assert_ptr_null(endings_next(&endings, 0));
    /* Still known, since it is still on the list of those to be cut. */
    ck_assert_ptr_eq(connection_table_find(table, 2), connection);
    endings_tick(&endings, table, 101);
    ck_assert_ptr_null(connection_table_find(table, 2));
}
END_TEST

START_TEST(an_end_waits_for_the_last_messages_but_not_for_ever)
{
    struct endings endings = {0};
    ck_assert(connection_table_accept(table, ours[0], 1, 0));
    struct connection *connection = connection_table_add(table, 2, ours[0], &total);
    connection->announced = true;
    ck_assert_ptr_eq(connection_table_release(table, ours[0]), connection);
    endings_gone(&endings, table, connection, 7);
    ck_assert_ptr_null(endings_next(&endings, 7 + ENDINGS_READS_MAX));
    ck_assert_ptr_eq(endings_next(&endings, 8 + ENDINGS_READS_MAX), connection);
    connection_table_drop(table, connection, HOLD_REPORT);
    ck_assert_ptr_null(connection_table_find(table, 2));
}
END_TEST

START_TEST(who_was_never_announced_is_never_reported)
{
    struct endings endings = {0};
    ck_assert(connection_table_accept(table, ours[0], 1, 0));
    struct connection *connection = connection_table_add(table, 2, ours[0], &total);
    endings_cut_at_once(&endings, connection);
    char byte = 0;
    ck_assert_int_eq(read(ours[1], &byte, 1), 0);
    ck_assert_ptr_null(endings_next(&endings, 0));
    ck_assert_ptr_eq(connection_table_release(table, ours[0]), connection);
    endings_gone(&endings, table, connection, 0);
    endings_drained(&endings);
    ck_assert_ptr_null(endings_next(&endings, 0));
    ck_assert_uint_eq(table->count, 0);
}
END_TEST

START_TEST(who_says_nothing_is_sent_away_in_time)
{
    struct sweep sweep = {.message_bytes_max = 1000, .silence_ms = 10000};
    struct refusals *refusals = calloc(1, sizeof *refusals);
    struct net_event event;
    ck_assert(connection_table_accept(table, ours[0], 1, 0));
    sweep_run(&sweep, table, refusals, 10000);
    ck_assert(!refusals_next(refusals, &event));
    sweep_run(&sweep, table, refusals, 10001); /* before its time: no look */
    ck_assert(!refusals_next(refusals, &event));
    sweep_run(&sweep, table, refusals, 10000 + SWEEP_INTERVAL_MS);
    ck_assert(refusals_next(refusals, &event));
    ck_assert_str_eq(event.reason, "connected and said nothing");
    char byte = 0;
    ck_assert_int_eq(read(ours[1], &byte, 1), 0);
    sweep_run(&sweep, table, refusals, 20000);
    ck_assert(!refusals_next(refusals, &event));
    free(refusals);
}
END_TEST

START_TEST(who_has_spoken_may_be_silent)
{
    struct sweep sweep = {.message_bytes_max = 1000, .silence_ms = 10000};
    struct refusals *refusals = calloc(1, sizeof *refusals);
    struct net_event event;
    ck_assert(connection_table_accept(table, ours[0], 1, 0));
    ck_assert_ptr_nonnull(connection_table_add(table, 2, ours[0], &total));
    for (int64_t now_ms = 0; now_ms < 1000000; now_ms += 1000) {
        sweep_run(&sweep, table, refusals, now_ms);
    }
    ck_assert(!refusals_next(refusals, &event));
    free(refusals);
}
END_TEST

START_TEST(a_flood_of_refusals_stays_small)
{
    struct refusals *refusals = calloc(1, sizeof *refusals);
    struct net_event event;
    for (uint64_t i = 1; i <= 1000; i++) {
        refusals_add(refusals, "flood", i, NULL);
    }
    size_t told = 0;
    while (refusals_next(refusals, &event)) {
        told++;
        ck_assert_uint_eq(event.connection, told);
    }
    ck_assert_uint_eq(told, REFUSALS_MAX);
    free(refusals);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net connection");
    TCase *cases = tcase_create("numbers, descriptors, ends");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_number_given_before_the_accept_is_of_an_older_socket);
    tcase_add_test(cases, a_descriptor_has_one_connection);
    tcase_add_test(cases, a_closed_or_unknown_descriptor_has_none);
    tcase_add_test(cases, numbers_in_one_bucket_are_told_apart);
    tcase_add_test(cases, a_shutdown_meant_for_another_socket_does_nothing);
    tcase_add_test(cases, a_file_has_no_cookie);
    tcase_add_test(cases, an_end_is_reported_once_whatever_the_order);
    tcase_add_test(cases, an_end_waits_for_the_last_messages_but_not_for_ever);
    tcase_add_test(cases, who_was_never_announced_is_never_reported);
    tcase_add_test(cases, who_says_nothing_is_sent_away_in_time);
    tcase_add_test(cases, who_has_spoken_may_be_silent);
    tcase_add_test(cases, a_flood_of_refusals_stays_small);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
