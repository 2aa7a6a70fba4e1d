/* SPDX-License-Identifier: EUPL-1.2
 *
 * The redo log as a file: invariants 1 and 2 of redo.h. What was written whole comes back; what is
 * not whole is the end when nothing follows it, and damage when a frame of its transaction does.
 */
#include "store/redo.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FRAMES = 4,
    TRANSACTION = 9,
    BLOCK = 4096,
    HEAD = 40,
    RECORD_BYTES_MOST = 20000,
    PUT_KEY = 7, /* "frame 1" */
    DEL_KEY = 4,
    FRAME_BYTES_MOST = 4 * 1024 * 1024,
};

static const uint64_t IDENTITY = UINT64_C(0x1122334455667788);

/* Of the record of each frame: within a block, to its last byte, one more, and some blocks. */
static const size_t sizes[FRAMES] = {30, BLOCK - HEAD - 8 - PUT_KEY - 8 - DEL_KEY,
                                     BLOCK - HEAD - 8 - PUT_KEY - 8 - DEL_KEY + 1, 9000};

static char path[64];
static int folder = -1;
static int copy = -1; /* of the file, in memory, to be damaged */
static struct redo redo;
static uint64_t ends[FRAMES]; /* of what the frames hold */
static uint64_t places[FRAMES];

static struct bytes text(const char *string)
{
    return (struct bytes){(const uint8_t *)string, strlen(string)};
}

static void set_up(void)
{
    (void)snprintf(path, sizeof path, "/tmp/relais-redo-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    copy = memfd_create("redo", MFD_CLOEXEC);
    ck_assert_int_ge(folder, 0);
    ck_assert_int_ge(copy, 0);
    redo_init(&redo);
}

static void tear_down(void)
{
    redo_fini(&redo);
    (void)unlinkat(folder, REDO_NAME, 0);
    close(copy);
    close(folder);
    (void)rmdir(path);
}

static void make(uint64_t most_bytes)
{
    ck_assert_int_eq(redo_create(&redo, folder, IDENTITY, most_bytes), 0);
}

static void gather(size_t number)
{
    static uint8_t record[RECORD_BYTES_MOST];
    char key[16];
    (void)snprintf(key, sizeof key, "frame %zu", number);
    memset(record, (int)('a' + number), sizeof record);
    redo_begin(&redo);
    redo_put(&redo, TABLE_READY, text(key), (struct bytes){record, sizes[number]});
    redo_del(&redo, TABLE_LATER, text("gone"));
}

static void write_frame(size_t number, uint64_t transaction)
{
    gather(number);
    ck_assert(redo_fits(&redo));
    places[number] = redo.at;
    ends[number] = redo.at + redo.frame_bytes;
    ck_assert_int_eq(redo_write(&redo, transaction), 0);
}

static void write_frames(uint64_t transaction)
{
    for (size_t i = 0; i < FRAMES; i++) {
        write_frame(i, transaction);
    }
}

static off_t file_size(void)
{
    struct stat info;
    ck_assert_int_eq(fstatat(folder, REDO_NAME, &info, 0), 0);
    return info.st_size;
}

/* The first `size` bytes of the file. */
static void take_copy(size_t size)
{
    int fd = openat(folder, REDO_NAME, O_RDONLY | O_CLOEXEC);
    uint8_t *data = malloc(size + 1);
    ck_assert_ptr_nonnull(data);
    ck_assert_int_eq(ftruncate(copy, 0), 0);
    ck_assert_int_eq(pread(fd, data, size, 0), (ssize_t)size);
    ck_assert_int_eq(pwrite(copy, data, size, 0), (ssize_t)size);
    free(data);
    close(fd);
}

static void flip(uint64_t at, int bit)
{
    uint8_t byte = 0;
    ck_assert_int_eq(pread(copy, &byte, 1, (off_t)at), 1);
    byte ^= (uint8_t)(1U << bit);
    ck_assert_int_eq(pwrite(copy, &byte, 1, (off_t)at), 1);
}

static void expect_frame(struct bytes body, size_t number)
{
    struct redo_record record;
    char key[16];
    (void)snprintf(key, sizeof key, "frame %zu", number);
    ck_assert(redo_next(&body, &record));
    ck_assert(!record.deleted);
    ck_assert_int_eq(record.table, TABLE_READY);
    ck_assert_uint_eq(record.key.size, strlen(key));
    ck_assert_mem_eq(record.key.data, key, strlen(key));
    ck_assert_uint_eq(record.record.size, sizes[number]);
    ck_assert_uint_eq(record.record.data[0], 'a' + number);
    ck_assert_mem_eq(record.record.data, record.record.data + 1, sizes[number] - 1);
    ck_assert(redo_next(&body, &record));
    ck_assert(record.deleted);
    ck_assert_int_eq(record.table, TABLE_LATER);
    ck_assert_mem_eq(record.key.data, "gone", DEL_KEY);
    ck_assert_uint_eq(body.size, 0);
    ck_assert(!redo_next(&body, &record));
}

struct reading {
    enum redo_step last;
    size_t frames;
    uint64_t at;
};

static struct reading read_copy(uint64_t identity, uint64_t transaction)
{
    struct reading reading = {0};
    struct redo_reader reader = {.fd = copy, .identity = identity, .transaction = transaction};
    while ((reading.last = redo_read(&reader)) == REDO_FRAME) {
        expect_frame(reader.body, reading.frames);
        reading.frames++;
    }
    reading.at = reader.at;
    redo_reader_fini(&reader);
    return reading;
}

/* Each byte of the head and of the end of a frame; of what is between some. */
static uint64_t next_place(size_t frame, uint64_t at)
{
    const uint64_t edge = 60;
    return at < places[frame] + edge || at + edge >= ends[frame] ? at + 1 : at + 31;
}

static void expect(struct reading reading, enum redo_step last, size_t frames)
{
    ck_assert_int_eq(reading.last, last);
    ck_assert_uint_eq(reading.frames, frames);
}

START_TEST(what_was_written_comes_back)
{
    make(UINT64_C(1) << 20);
    ck_assert_int_eq(file_size(), REDO_FIRST_BYTES);
    write_frames(TRANSACTION);
    ck_assert_uint_eq(redo.records, FRAMES * 2);
    ck_assert_uint_eq(places[2] - places[1], BLOCK);
    ck_assert_uint_eq(places[3] - places[2], 2 * BLOCK);
    take_copy(REDO_FIRST_BYTES);
    expect(read_copy(IDENTITY, TRANSACTION), REDO_END, FRAMES);
    ck_assert_int_eq(file_size(), REDO_FIRST_BYTES);
}
END_TEST

START_TEST(a_file_that_is_cut_ends_before_the_cut)
{
    make(UINT64_C(1) << 20);
    write_frames(TRANSACTION);
    take_copy(ends[FRAMES - 1]);
    for (size_t frame = FRAMES; frame-- > 0;) {
        for (uint64_t at = places[frame]; at < ends[frame]; at = next_place(frame, at)) {
            take_copy(at);
            expect(read_copy(IDENTITY, TRANSACTION), REDO_END, frame);
        }
    }
}
END_TEST

/* A write that did not reach the disk, or reached it in part, is the last one. */
START_TEST(a_flipped_bit_is_the_end_in_the_last_frame_and_damage_in_others)
{
    make(UINT64_C(1) << 20);
    write_frames(TRANSACTION);
    take_copy(REDO_FIRST_BYTES);
    for (size_t frame = 0; frame < FRAMES; frame++) {
        enum redo_step said = frame == FRAMES - 1 ? REDO_END : REDO_DAMAGED;
        for (uint64_t at = places[frame]; at < ends[frame]; at = next_place(frame, at)) {
            int bit = (int)(at % 8);
            flip(at, bit);
            struct reading reading = read_copy(IDENTITY, TRANSACTION);
            expect(reading, said, frame);
            ck_assert_uint_eq(reading.at, places[frame]);
            flip(at, bit);
        }
    }
}
END_TEST

START_TEST(every_bit_of_a_head_counts)
{
    make(UINT64_C(1) << 20);
    write_frames(TRANSACTION);
    take_copy(REDO_FIRST_BYTES);
    for (int bit = 0; bit < HEAD * 8; bit++) {
        flip(places[1] + (uint64_t)(bit / 8), bit % 8);
        expect(read_copy(IDENTITY, TRANSACTION), REDO_DAMAGED, 1);
        flip(places[1] + (uint64_t)(bit / 8), bit % 8);
    }
}
END_TEST

START_TEST(what_belongs_elsewhere_means_nothing)
{
    make(UINT64_C(1) << 20);
    write_frames(TRANSACTION);
    take_copy(REDO_FIRST_BYTES);
    expect(read_copy(IDENTITY + 1, TRANSACTION), REDO_END, 0);
    expect(read_copy(IDENTITY, TRANSACTION + 1), REDO_END, 0);
    expect(read_copy(IDENTITY, TRANSACTION - 1), REDO_AHEAD, 0);
    /* The next transaction writes over the first. */
    ck_assert_int_eq(redo_restart(&redo), 0);
    ck_assert_uint_eq(redo.records, 0);
    write_frame(0, TRANSACTION + 1);
    take_copy(REDO_FIRST_BYTES);
    expect(read_copy(IDENTITY, TRANSACTION + 1), REDO_END, 1);
    expect(read_copy(IDENTITY, TRANSACTION + 2), REDO_END, 0);
    expect(read_copy(IDENTITY, TRANSACTION - 1), REDO_AHEAD, 0);
}
END_TEST

/* The frame that was overwritten was promised; those behind it show that it was there. */
START_TEST(a_transaction_that_lost_its_beginning_is_damaged)
{
    static const uint8_t zeros[BLOCK];
    make(UINT64_C(1) << 20);
    write_frames(TRANSACTION);
    take_copy(REDO_FIRST_BYTES);
    ck_assert_int_eq(pwrite(copy, zeros, sizeof zeros, 0), BLOCK);
    expect(read_copy(IDENTITY, TRANSACTION), REDO_DAMAGED, 0);
}
END_TEST

START_TEST(an_empty_file_and_one_of_zeros_hold_nothing)
{
    ck_assert_int_eq(ftruncate(copy, 0), 0);
    expect(read_copy(IDENTITY, TRANSACTION), REDO_END, 0);
    ck_assert_int_eq(ftruncate(copy, REDO_FIRST_BYTES), 0);
    expect(read_copy(IDENTITY, TRANSACTION), REDO_END, 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_not_an_empty_one)
{
    struct redo_reader reader = {.fd = folder, .identity = IDENTITY, .transaction = TRANSACTION};
    ck_assert_int_eq(redo_read(&reader), REDO_FAILED);
    redo_reader_fini(&reader);
}
END_TEST

static void fill_up(void)
{
    gather(0);
    while (redo_fits(&redo)) {
        ck_assert_int_eq(redo_write(&redo, TRANSACTION), 0);
        gather(0);
    }
}

START_TEST(a_full_file_says_so_and_grows_with_the_next_transaction)
{
    const uint64_t most = 600 * 1024 + 1;
    make(most);
    ck_assert(!redo_is_nearly_full(&redo));
    fill_up();
    ck_assert(redo_is_nearly_full(&redo));
    ck_assert_uint_eq(redo.at, REDO_FIRST_BYTES);
    ck_assert_int_eq(redo_restart(&redo), 0);
    ck_assert_uint_eq(redo.file_bytes, 2 * REDO_FIRST_BYTES);
    ck_assert_int_eq(file_size(), 2 * REDO_FIRST_BYTES);
    ck_assert(!redo_is_nearly_full(&redo));
    for (int i = 0; i < 2; i++) {
        fill_up();
        ck_assert_int_eq(redo_restart(&redo), 0);
        ck_assert_uint_eq(redo.file_bytes, most / BLOCK * BLOCK);
        ck_assert_int_eq(file_size(), (off_t)(most / BLOCK * BLOCK));
    }
    /* One that was not full does not grow. */
    write_frame(0, TRANSACTION + 3);
    ck_assert_int_eq(redo_restart(&redo), 0);
    ck_assert_uint_eq(redo.file_bytes, most / BLOCK * BLOCK);
}
END_TEST

START_TEST(what_grew_was_zeros_before_it_is_a_frame)
{
    make(UINT64_C(1) << 20);
    fill_up();
    ck_assert_int_eq(redo_restart(&redo), 0);
    for (size_t i = 0; i < 3; i++) {
        write_frames(TRANSACTION + 1);
    }
    int fd = openat(folder, REDO_NAME, O_RDONLY | O_CLOEXEC);
    uint8_t byte = 1;
    for (off_t at = REDO_FIRST_BYTES; at < 2 * REDO_FIRST_BYTES; at += 97) {
        ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
        ck_assert_uint_eq(byte, 0);
    }
    close(fd);
}
END_TEST

START_TEST(what_is_too_large_has_no_place)
{
    static uint8_t large[FRAME_BYTES_MOST];
    make(UINT64_C(16) << 20);
    redo_begin(&redo);
    redo_put(&redo, TABLE_MESSAGE, text("key"), (struct bytes){large, sizeof large});
    ck_assert(!redo_fits(&redo));
    redo_put(&redo, TABLE_MESSAGE, text("key"), text("small"));
    ck_assert(!redo_fits(&redo)); /* a part of a batch is none */
    redo_begin(&redo);
    redo_put(&redo, TABLE_MESSAGE, text("key"), text("small"));
    ck_assert(redo_fits(&redo));
    redo_fini(&redo);
    redo_begin(&redo);
    redo_put(&redo, TABLE_MESSAGE, text("key"), text("small"));
    ck_assert(!redo_fits(&redo)); /* there is no file */
}
END_TEST

START_TEST(a_body_that_is_no_row_of_records_is_refused)
{
    /* put | table 1 | 3 bytes of key | 2 of record */
    static const uint8_t good[] = {1, 1, 0, 3, 0, 0, 0, 2, 'k', 'e', 'y', 'a', 'b'};
    struct redo_record record;
    for (size_t size = 0; size < sizeof good; size++) {
        uint8_t *cut = malloc(size + 1); /* the sanitizer sees what is read behind it */
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, good, size);
        struct bytes body = {cut, size};
        ck_assert(!redo_next(&body, &record));
        ck_assert_uint_eq(body.size, size);
        free(cut);
    }
    static const struct {
        size_t at;
        uint8_t byte;
    } odd[] = {{0, 0},           /* neither put nor delete */
               {0, 3},           /* neither */
               {0, 2},           /* a delete that has a record */
               {1, TABLE_COUNT}, /* no table */
               {1, 255},         /* no table */
               {2, 255},         /* a key beyond the longest */
               {3, 0},           /* no key */
               {3, 4},           /* a key that takes from the record: too long by one */
               {4, 255},         /* 4 GiB */
               {7, 3}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        uint8_t data[sizeof good];
        memcpy(data, good, sizeof good);
        data[odd[i].at] = odd[i].byte;
        struct bytes body = {data, sizeof data};
        ck_assert_msg(!redo_next(&body, &record), "case %zu", i);
    }
    struct bytes body = {good, sizeof good};
    ck_assert(redo_next(&body, &record));
    ck_assert_uint_eq(record.record.size, 2);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store.redo");
    TCase *tcase = tcase_create("redo");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_was_written_comes_back);
    tcase_add_test(tcase, a_file_that_is_cut_ends_before_the_cut);
    tcase_add_test(tcase, a_flipped_bit_is_the_end_in_the_last_frame_and_damage_in_others);
    tcase_add_test(tcase, every_bit_of_a_head_counts);
    tcase_add_test(tcase, what_belongs_elsewhere_means_nothing);
    tcase_add_test(tcase, a_transaction_that_lost_its_beginning_is_damaged);
    tcase_add_test(tcase, an_empty_file_and_one_of_zeros_hold_nothing);
    tcase_add_test(tcase, a_file_that_cannot_be_read_is_not_an_empty_one);
    tcase_add_test(tcase, a_full_file_says_so_and_grows_with_the_next_transaction);
    tcase_add_test(tcase, what_grew_was_zeros_before_it_is_a_frame);
    tcase_add_test(tcase, what_is_too_large_has_no_place);
    tcase_add_test(tcase, a_body_that_is_no_row_of_records_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
