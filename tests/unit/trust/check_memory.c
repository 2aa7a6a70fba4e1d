/* SPDX-License-Identifier: EUPL-1.2
 *
 * trust/memory.c: no number goes down, one text for one number, and a file that was cut is none.
 */
#include "tests/unit/trust/given.h"
#include "trust/memory.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct memory_row row_of(const char *member, int64_t sequence, const char *text)
{
    return memory_row_of(MEMORY_ENTRY, member, sequence, given_bytes(text));
}

/* Invariant 1. */
START_TEST(older_and_forked_notes_are_refused)
{
    struct memory memory;
    bool is_new = false;
    struct memory_row row = row_of("dila", 5, "five");

    memory_init(&memory);
    ck_assert_int_eq(memory_note(&memory, &row, &is_new), TRUST_OK);
    ck_assert(is_new);
    ck_assert_int_eq(memory_note(&memory, &row, &is_new), TRUST_OK);
    ck_assert(!is_new);
    row = row_of("dila", 5, "another five");
    ck_assert_int_eq(memory_note(&memory, &row, NULL), TRUST_FORKED);
    row = row_of("dila", 4, "four");
    ck_assert_int_eq(memory_note(&memory, &row, NULL), TRUST_OLDER);
    row = row_of("dila", 6, "six");
    ck_assert_int_eq(memory_note(&memory, &row, &is_new), TRUST_OK);
    ck_assert(is_new);
    row = row_of("dila", 5, "five");
    ck_assert_int_eq(memory_check(&memory, &row), TRUST_OLDER);
    /* The other kind, and another member, are matters of their own. */
    row = memory_row_of(MEMORY_MAILBOXES, "dila", 1, given_bytes("one"));
    ck_assert_int_eq(memory_note(&memory, &row, NULL), TRUST_OK);
    row = row_of("dil", 1, "one");
    ck_assert_int_eq(memory_note(&memory, &row, NULL), TRUST_OK);
    ck_assert_uint_eq(memory.count, 3);
    memory_fini(&memory);
}
END_TEST

static void fill(struct memory *memory)
{
    memory_init(memory);
    for (int i = 0; i < 500; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "m%d", i * 7919 % 500);
        struct memory_row row = row_of(name, i + 1, name);
        ck_assert_int_eq(memory_note(memory, &row, NULL), TRUST_OK);
    }
}

START_TEST(a_memory_comes_back)
{
    struct memory memory;
    struct memory back;
    char *bytes = NULL;
    char *again = NULL;
    size_t size = 0;
    size_t size_again = 0;

    fill(&memory);
    memory_init(&back);
    ck_assert_int_eq(memory_encode(&memory, &bytes, &size), TRUST_OK);
    ck_assert_int_eq(memory_decode((struct bytes){(uint8_t *)bytes, size}, &back), TRUST_OK);
    ck_assert_uint_eq(back.count, 500);
    ck_assert_int_eq(memory_encode(&back, &again, &size_again), TRUST_OK);
    ck_assert_uint_eq(size, size_again);
    ck_assert_mem_eq(bytes, again, size);
    free(bytes);
    free(again);
    memory_fini(&memory);
    memory_fini(&back);
}
END_TEST

/* Invariant 2. */
START_TEST(a_file_that_was_cut_or_lengthened_is_no_memory)
{
    struct memory memory;
    char *bytes = NULL;
    size_t size = 0;

    fill(&memory);
    ck_assert_int_eq(memory_encode(&memory, &bytes, &size), TRUST_OK);
    for (size_t cut = 0; cut < size; cut += cut + 200 < size ? 97 : 1) {
        struct memory back;

        memory_init(&back);
        ck_assert_int_eq(memory_decode((struct bytes){(uint8_t *)bytes, cut}, &back),
                         TRUST_BAD_LINE);
        memory_fini(&back);
    }
    free(bytes);
    memory_fini(&memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.trust.memory");
    TCase *memories = tcase_create("memories");
    tcase_add_test(memories, older_and_forked_notes_are_refused);
    tcase_add_test(memories, a_memory_comes_back);
    tcase_add_test(memories, a_file_that_was_cut_or_lengthened_is_no_memory);
    suite_add_tcase(suite, memories);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
