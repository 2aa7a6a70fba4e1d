/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bodies as docs/protocol.md, "Frames", has them: any cut at a boundary, no other.
 */
#include "wire/body.h"

#include <check.h>
#include <stdlib.h>

static const uint8_t ALL[] = "EEEppppppEEp";

struct cut {
    size_t frames[5];
    size_t frame_count;
    bool good; /* for pieces of 3, 6, 2, 1 bytes */
};

static const size_t PIECES[] = {3, 6, 2, 1};
enum {
    PIECE_COUNT = 4,
};

static const struct cut CUTS[] = {
    {{12}, 1, true},      {{3, 6, 2, 1}, 4, true},     {{9, 3}, 2, true},     {{3, 9}, 2, true},
    {{0, 3, 9}, 3, true}, {{3, 0, 9}, 3, true},        {{12, 0}, 2, true},    {{11}, 1, false},
    {{4, 8}, 2, false},   {{3, 5, 1, 3}, 4, false},    {{3, 6, 2}, 3, false}, {{0}, 1, false},
    {{0}, 0, false},      {{3, 6, 2, 1, 1}, 5, false},
};

static bool cut_fits(const struct cut *cut)
{
    struct bytes frames[5];
    struct body_reader reader;
    size_t start = 0;
    size_t read = 0;

    for (size_t i = 0; i < cut->frame_count; i++) {
        frames[i] = (struct bytes){ALL + start, cut->frames[i]};
        start += cut->frames[i];
    }
    body_reader_init(&reader, frames, cut->frame_count);
    for (size_t i = 0; i < PIECE_COUNT; i++) {
        struct bytes piece = {0};
        size_t frame = 99;

        ck_assert(!body_reader_done(&reader) || i == 0 || start < 12);
        if (!body_reader_next(&reader, PIECES[i], &piece, &frame)) {
            return false;
        }
        ck_assert_uint_eq(piece.size, PIECES[i]);
        ck_assert_ptr_eq(piece.data, ALL + read);
        ck_assert_uint_lt(frame, cut->frame_count);
        ck_assert(piece.data >= frames[frame].data &&
                  piece.data + piece.size <= frames[frame].data + frames[frame].size);
        read += piece.size;
    }
    return body_reader_done(&reader);
}

START_TEST(a_body_may_be_cut_at_any_boundary_and_nowhere_else)
{
    ck_assert_int_eq(cut_fits(&CUTS[_i]), CUTS[_i].good);
}
END_TEST

START_TEST(empty_pieces_lie_in_the_current_frame)
{
    const struct bytes frames[] = {{ALL, 3}, {NULL, 0}, {ALL + 3, 6}};
    struct body_reader reader;
    struct bytes piece = {0};
    size_t frame = 99;

    body_reader_init(&reader, frames, 3);
    ck_assert(body_reader_next(&reader, 0, &piece, &frame));
    ck_assert_uint_eq(frame, 0);
    ck_assert(body_reader_next(&reader, 3, &piece, &frame));
    ck_assert(body_reader_next(&reader, 0, &piece, &frame));
    ck_assert_uint_eq(frame, 0);
    ck_assert_uint_eq(piece.size, 0);
    ck_assert(!body_reader_done(&reader));
    ck_assert(body_reader_next(&reader, 6, &piece, &frame));
    ck_assert_uint_eq(frame, 2);
    ck_assert(body_reader_next(&reader, 0, &piece, &frame));
    ck_assert_uint_eq(frame, 2);
    ck_assert(body_reader_done(&reader));
    ck_assert(!body_reader_next(&reader, 1, &piece, &frame));
}
END_TEST

START_TEST(without_frames_there_is_no_piece)
{
    struct body_reader reader;
    struct bytes piece = {0};
    size_t frame = 99;

    body_reader_init(&reader, NULL, 0);
    ck_assert(body_reader_done(&reader));
    ck_assert(!body_reader_next(&reader, 0, &piece, &frame));
    ck_assert(!body_reader_next(&reader, 1, &piece, &frame));
    ck_assert_uint_eq(frame, 99);
}
END_TEST

START_TEST(a_huge_size_does_not_wrap)
{
    const struct bytes frames[] = {{ALL, 3}, {ALL + 3, 9}};
    struct body_reader reader;
    struct bytes piece = {0};
    size_t frame = 99;

    body_reader_init(&reader, frames, 2);
    ck_assert(body_reader_next(&reader, 1, &piece, &frame));
    ck_assert(!body_reader_next(&reader, SIZE_MAX, &piece, &frame));
    ck_assert(!body_reader_next(&reader, SIZE_MAX - 1, &piece, &frame));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire.body");
    TCase *cuts = tcase_create("frames and pieces");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(cuts, a_body_may_be_cut_at_any_boundary_and_nowhere_else, 0,
                        sizeof CUTS / sizeof CUTS[0]);
    tcase_add_test(cuts, empty_pieces_lie_in_the_current_frame);
    tcase_add_test(cuts, without_frames_there_is_no_piece);
    tcase_add_test(cuts, a_huge_size_does_not_wrap);
    suite_add_tcase(suite, cuts);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
