/* SPDX-License-Identifier: EUPL-1.2
 *
 * broker/process.c and broker/pulse.c: files and connections, signals, when a disk hangs.
 */
#include "broker/process.h"
#include "broker/pulse.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

START_TEST(connections_follow_the_open_files)
{
    ck_assert_uint_eq(process_connections(process_files_min() - 1, 10000), 0);
    ck_assert_uint_ge(process_connections(process_files_min(), 10000), 7);
    ck_assert_uint_lt(process_connections(1024, 10000), 1024 - 64);
    ck_assert_uint_eq(process_connections(1024, 100), 100);
    ck_assert_uint_eq(process_connections(1 << 20, 10000), 10000);
    ck_assert_uint_eq(process_connections(12064, 10000), 10000);
    ck_assert_uint_lt(process_connections(12063, 10000), 10000);
}
END_TEST

START_TEST(the_soft_limit_is_raised_to_the_hard_one)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 32;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_eq(process_raise_files(), limit.rlim_max);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_eq(limit.rlim_cur, limit.rlim_max);
}
END_TEST

START_TEST(memory_is_hidden_and_shown)
{
    struct rlimit limit;

    process_hide_memory();
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
    ck_assert_uint_eq(limit.rlim_cur, 0);
    process_show_memory();
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
}
END_TEST

START_TEST(each_process_has_another_seed)
{
    uint64_t first = 0;
    uint64_t second = 0;

    ck_assert(process_seed(&first));
    ck_assert(process_seed(&second));
    ck_assert_uint_ne(first, second);
}
END_TEST

START_TEST(signals_come_through_the_descriptor)
{
    int fd = process_signal_fd();

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(process_next_signal(fd), 0);
    ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
    ck_assert_int_eq(process_next_signal(fd), SIGHUP);
    ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
    ck_assert_int_eq(process_next_signal(fd), SIGTERM);
    ck_assert_int_eq(process_next_signal(fd), 0);
    close(fd);
}
END_TEST

START_TEST(a_bus_error_ends_with_the_stores_code)
{
    process_guard_signals();
    ck_assert_int_eq(raise(SIGPIPE), 0);
    (void)raise(SIGBUS);
}
END_TEST

START_TEST(an_idle_store_is_well_however_old_its_last_commit)
{
    struct pulse pulse;

    pulse_start(&pulse, 1000, 0);
    ck_assert(pulse_note(&pulse, 5, false, 0));
    ck_assert(pulse_note(&pulse, 5, false, 3600000));
    /* A commit that has just begun after an idle hour. */
    ck_assert(pulse_note(&pulse, 5, true, 3600001));
    ck_assert(pulse_note(&pulse, 5, true, 3600000 + PULSE_STUCK_MS - 1));
    ck_assert(!pulse_note(&pulse, 5, true, 3600000 + PULSE_STUCK_MS));
    ck_assert(pulse_note(&pulse, 3640000, true, 3640001));
}
END_TEST

START_TEST(without_a_watchdog_nothing_is_to_be_done)
{
    struct pulse pulse;

    pulse_start(&pulse, 0, 7);
    ck_assert_int_eq(pulse_next_ms(&pulse), 0);
    pulse_beat(&pulse, NULL, 100);
    pulse_start(&pulse, 500, 7);
    ck_assert_int_eq(pulse_next_ms(&pulse), 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("process");
    TCase *cases = tcase_create("process and pulse");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(cases, connections_follow_the_open_files);
    tcase_add_test(cases, the_soft_limit_is_raised_to_the_hard_one);
    tcase_add_test(cases, memory_is_hidden_and_shown);
    tcase_add_test(cases, each_process_has_another_seed);
    tcase_add_test(cases, signals_come_through_the_descriptor);
    tcase_add_exit_test(cases, a_bus_error_ends_with_the_stores_code, EXIT_STORE);
    tcase_add_test(cases, an_idle_store_is_well_however_old_its_last_commit);
    tcase_add_test(cases, without_a_watchdog_nothing_is_to_be_done);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
