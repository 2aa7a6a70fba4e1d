/* SPDX-License-Identifier: EUPL-1.2
 *
 * The invariants of wire/arena.h, by number.
 */
#include "wire/arena.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIMIT = 256 * 1024,
};

static struct wire_arena arena;

static void set_up(void)
{
    ck_assert(wire_arena_init(&arena, LIMIT));
}

static void tear_down(void)
{
    wire_arena_fini(&arena);
}

static void *get(size_t size)
{
    return arena.allocator.alloc(arena.allocator.allocator_data, size);
}

START_TEST(invariant_1_no_round_hands_out_more_than_the_limit)
{
    size_t got = 0;

    for (int round = 0; round < 3; round++) {
        got = 0;
        while (get(1000) != NULL) {
            got += 1000;
            ck_assert_uint_le(got, LIMIT);
        }
        ck_assert_uint_gt(got, LIMIT - LIMIT / 50);
        ck_assert_ptr_null(get(LIMIT));
        wire_arena_reset(&arena);
    }
    ck_assert_uint_le(arena.capacity, LIMIT);
}
END_TEST

START_TEST(sizes_that_would_wrap_are_refused)
{
    ck_assert_ptr_null(get(SIZE_MAX));
    ck_assert_ptr_null(get(SIZE_MAX - 8));
    ck_assert_ptr_null(get(LIMIT + 1));
    ck_assert_ptr_nonnull(get(LIMIT));
    ck_assert_ptr_null(get(1));
}
END_TEST

START_TEST(invariant_2_pieces_are_aligned_and_apart)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 3000, 20000, 1, 64};
    unsigned char *pieces[sizeof sizes / sizeof sizes[0]];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        pieces[i] = get(sizes[i]);
        ck_assert_ptr_nonnull(pieces[i]);
        ck_assert_uint_eq((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            ck_assert_uint_eq(pieces[i][k], i + 1);
        }
    }
}
END_TEST

START_TEST(steady_traffic_is_served_from_one_block)
{
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 100; i++) {
            ck_assert_ptr_nonnull(get(1024));
        }
        ck_assert_int_eq(arena.overflow != NULL, round == 0);
        wire_arena_reset(&arena);
        ck_assert_ptr_null(arena.overflow);
    }
}
END_TEST

START_TEST(giving_back_changes_nothing)
{
    void *piece = get(100);
    const size_t used = arena.used;

    arena.allocator.free(arena.allocator.allocator_data, piece);
    ck_assert_uint_eq(arena.used, used);
    ck_assert_ptr_ne(get(100), piece);
}
END_TEST

START_TEST(a_tiny_limit_holds_too)
{
    struct wire_arena tiny;

    ck_assert(wire_arena_init(&tiny, 0));
    ck_assert_ptr_null(tiny.allocator.alloc(&tiny, 0));
    ck_assert_ptr_null(tiny.allocator.alloc(&tiny, 1));
    wire_arena_reset(&tiny);
    wire_arena_fini(&tiny);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire.arena");
    TCase *budget = tcase_create("the budget");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(budget, set_up, tear_down);
    tcase_add_test(budget, invariant_1_no_round_hands_out_more_than_the_limit);
    tcase_add_test(budget, sizes_that_would_wrap_are_refused);
    tcase_add_test(budget, invariant_2_pieces_are_aligned_and_apart);
    tcase_add_test(budget, steady_traffic_is_served_from_one_block);
    tcase_add_test(budget, giving_back_changes_nothing);
    tcase_add_test(budget, a_tiny_limit_holds_too);
    suite_add_tcase(suite, budget);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
