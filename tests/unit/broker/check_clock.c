/* SPDX-License-Identifier: EUPL-1.2
 *
 * broker/clock.c: broker time never goes back (invariant 1) and is told once when the machine's
 * clock does.
 */
#include "broker/clock.h"

#include <check.h>
#include <stdlib.h>

enum { DAY_MS = 24 * 3600 * 1000, NOON = 1800000000 };

START_TEST(it_is_the_machines_clock_while_that_goes_on)
{
    struct clock clock;
    int64_t behind_ms = 0;

    clock_start_at(&clock, 0, NOON, 50);
    struct moment now = clock_at(&clock, NOON + 10, 60, &behind_ms);
    ck_assert_int_eq(now.wall_ms, NOON + 10);
    ck_assert_int_eq(now.mono_ms, 60);
    ck_assert_int_eq(behind_ms, 0);
    now = clock_at(&clock, NOON + DAY_MS, 70, &behind_ms);
    ck_assert_int_eq(now.wall_ms, NOON + DAY_MS);
    ck_assert_int_eq(behind_ms, 0);
}
END_TEST

START_TEST(a_clock_set_back_a_day_does_not_take_time_with_it)
{
    struct clock clock;
    int64_t behind_ms = 0;

    clock_start_at(&clock, 0, NOON, 0);
    struct moment now = clock_at(&clock, NOON - DAY_MS + 5, 5, &behind_ms);
    ck_assert_int_eq(now.wall_ms, NOON + 5);
    ck_assert_int_eq(behind_ms, DAY_MS);
    now = clock_at(&clock, NOON - DAY_MS + 2005, 2005, &behind_ms);
    ck_assert_int_eq(now.wall_ms, NOON + 2005);
    ck_assert_int_eq(behind_ms, 0); /* told once */
    now = clock_at(&clock, NOON + 3000, 3000, &behind_ms);
    ck_assert_int_eq(now.wall_ms, NOON + 3000);
    (void)clock_at(&clock, NOON - DAY_MS, 3000, &behind_ms);
    ck_assert_int_eq(behind_ms, DAY_MS + 3000); /* a new time, told again */
}
END_TEST

START_TEST(less_than_a_second_is_no_news)
{
    struct clock clock;
    int64_t behind_ms = 0;

    clock_start_at(&clock, 0, NOON, 0);
    struct moment now = clock_at(&clock, NOON - 1000, 0, &behind_ms);
    ck_assert_int_eq(now.wall_ms, NOON);
    ck_assert_int_eq(behind_ms, 0);
    (void)clock_at(&clock, NOON - 1001, 0, &behind_ms);
    ck_assert_int_eq(behind_ms, 1001);
}
END_TEST

START_TEST(it_starts_no_earlier_than_what_the_store_has_seen)
{
    struct clock clock;
    int64_t behind_ms = 0;

    clock_start_at(&clock, NOON + DAY_MS, NOON, 100);
    struct moment now = clock_at(&clock, NOON, 100, &behind_ms);
    ck_assert_int_eq(now.wall_ms, NOON + DAY_MS);
    ck_assert_int_eq(behind_ms, DAY_MS);
}
END_TEST

START_TEST(it_never_goes_back_whatever_the_clock_does)
{
    struct clock clock;
    struct moment last;
    uint32_t state = 12345;
    int64_t real_ms = NOON;
    int64_t mono_ms = 0;

    clock_start_at(&clock, 0, real_ms, mono_ms);
    last = clock_at(&clock, real_ms, mono_ms, NULL);
    for (unsigned i = 0; i < 100000; i++) {
        state = state * 1664525U + 1013904223U;
        real_ms += (int64_t)(state >> 8) % 200001 - 100000;
        mono_ms += state % 7;
        struct moment now = clock_at(&clock, real_ms, mono_ms, NULL);
        ck_assert_int_ge(now.wall_ms - last.wall_ms, now.mono_ms - last.mono_ms);
        ck_assert_int_ge(now.wall_ms, real_ms);
        last = now;
    }
}
END_TEST

START_TEST(it_reads_the_systems_clocks)
{
    struct clock clock;

    clock_start(&clock, 0);
    struct moment first = clock_now(&clock, NULL);
    struct moment second = clock_now(&clock, NULL);
    ck_assert_int_gt(first.wall_ms, INT64_C(1600000000000));
    ck_assert_int_ge(second.wall_ms, first.wall_ms);
    ck_assert_int_ge(second.mono_ms, first.mono_ms);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *cases = tcase_create("broker time");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(cases, it_is_the_machines_clock_while_that_goes_on);
    tcase_add_test(cases, a_clock_set_back_a_day_does_not_take_time_with_it);
    tcase_add_test(cases, less_than_a_second_is_no_news);
    tcase_add_test(cases, it_starts_no_earlier_than_what_the_store_has_seen);
    tcase_add_test(cases, it_never_goes_back_whatever_the_clock_does);
    tcase_add_test(cases, it_reads_the_systems_clocks);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
