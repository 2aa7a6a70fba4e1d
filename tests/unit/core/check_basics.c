/* SPDX-License-Identifier: EUPL-1.2
 *
 * The small values that the core is made of: tables, ranges, tickets, buffers, effects, texts.
 */
#include "allocation.h"
#include "core/effect.h"
#include "core/ranges.h"
#include "core/refusal.h"
#include "core/table.h"
#include "core/ticket.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct number {
    uint64_t value;
};

static bool same(const void *item, const void *key)
{
    return ((const struct number *)item)->value == *(const uint64_t *)key;
}

/* Few distinct homes, so that runs wrap and collide. */
static uint64_t hash(uint64_t value)
{
    return value % 7 + 10;
}

START_TEST(table_keeps_what_is_in_it_through_removals)
{
    struct table table = {0};
    struct number numbers[300];
    bool in[300] = {false};
    uint64_t random = 1;
    for (uint64_t i = 0; i < 300; i++) {
        numbers[i].value = i;
    }
    for (int round = 0; round < 20000; round++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        size_t i = (size_t)(random >> 33) % 300;
        if (in[i]) {
            table_remove(&table, hash(i), &numbers[i]);
        } else {
            ck_assert(table_add(&table, hash(i), &numbers[i]));
        }
        in[i] = !in[i];
        uint64_t probe = (random >> 20) % 300;
        ck_assert_ptr_eq(table_find(&table, hash(probe), same, &probe),
                         in[probe] ? &numbers[probe] : NULL);
    }
    size_t cursor = 0;
    size_t seen = 0;
    while (table_next(&table, &cursor)) {
        seen++;
    }
    ck_assert_uint_eq(seen, table.count);
    table_fini(&table);
}
END_TEST

START_TEST(ranges_join_what_follows)
{
    struct ranges ranges = {0};
    for (uint64_t n = 1; n <= 500; n++) {
        ck_assert(ranges_add(&ranges, n));
    }
    ck_assert_uint_eq(ranges.count, 1);
    ck_assert_uint_eq(ranges.items[0].last, 500);
    for (uint64_t n = 502; n < 2000; n += 2) {
        ck_assert(ranges_add(&ranges, n));
    }
    ck_assert_uint_eq(ranges.count, 750);
    ranges_clear(&ranges);
    ck_assert_uint_eq(ranges.count, 0);
    ranges_fini(&ranges);
}
END_TEST

START_TEST(tickets_close_once_and_in_any_order)
{
    struct tickets tickets;
    struct ticket ticket;
    tickets_init(&tickets);
    for (uint64_t i = 1; i <= 1000; i++) {
        struct ticket *made = ticket_new(&tickets, i % 2 ? STORE_ACK : STORE_DEFER);
        ck_assert_uint_eq(made->id, i);
        made->number = i * 3;
    }
    ck_assert(!ticket_done(&tickets, 0, STORE_ACK, &ticket));
    ck_assert(!ticket_done(&tickets, 1001, STORE_ACK, &ticket));
    ck_assert(!ticket_done(&tickets, 2, STORE_ACK, &ticket)); /* another kind */
    for (uint64_t i = 1000; i > 0; i--) {
        ck_assert(ticket_done(&tickets, i, i % 2 ? STORE_ACK : STORE_DEFER, &ticket));
        ck_assert_uint_eq(ticket.number, i * 3);
        ck_assert(!ticket_done(&tickets, i, i % 2 ? STORE_ACK : STORE_DEFER, &ticket));
    }
    ck_assert_uint_eq(tickets.first, tickets.next);
    tickets_fini(&tickets);
}
END_TEST

static int released;

static void count_release(struct buffer *buffer)
{
    (void)buffer;
    released++;
}

START_TEST(a_buffer_is_released_with_its_last_reference)
{
    struct buffer buffer = {.release = count_release};
    atomic_init(&buffer.references, 1);
    released = 0;
    ck_assert_ptr_eq(buffer_ref(&buffer), &buffer);
    struct held_message message = {.envelope_buffer = &buffer, .payload_buffer = NULL};
    held_message_drop(&message);
    ck_assert_int_eq(released, 0);
    ck_assert_ptr_null(message.envelope_buffer);
    buffer_unref(&buffer);
    ck_assert_int_eq(released, 1);
    buffer_unref(NULL);
    uint8_t *data = NULL;
    ck_assert_ptr_null(buffer_new(SIZE_MAX, &data));
}
END_TEST

static struct effect *add_message(struct effects *effects, enum effect_kind kind,
                                  struct buffer *buffer)
{
    struct effect *effect = effects_add(effects, kind);
    struct held_message message = {.envelope_buffer = buffer_ref(buffer)};
    if (kind == EFFECT_STORE) {
        effect->store.kind = STORE_APPEND;
        effect->store.append.message = message;
    } else {
        effect->send.messages = effects_alloc(effects, sizeof message);
        effect->send.messages[0] = message;
        effect->send.message_count = 1;
    }
    return effect;
}

START_TEST(effects_drop_what_was_sent_and_leave_what_was_stored)
{
    struct effects effects;
    struct buffer buffer = {.release = count_release};
    atomic_init(&buffer.references, 1);
    effects_init(&effects);
    add_message(&effects, EFFECT_SEND, &buffer);
    add_message(&effects, EFFECT_STORE, &buffer);
    effects_clear(&effects);
    ck_assert_uint_eq(effects.count, 0);
    ck_assert_uint_eq(atomic_load(&buffer.references), 2); /* the store has one */
    effects_fini(&effects);
}
END_TEST

START_TEST(effects_without_memory_say_so_and_leak_nothing)
{
    struct effects effects;
    struct buffer buffer = {.release = count_release};
    atomic_init(&buffer.references, 1);
    effects_init(&effects);
    add_message(&effects, EFFECT_SEND, &buffer);
    allocation_fail(0, true);
    allocation_arm(true);
    while (!effects.failed) {
        add_message(&effects, EFFECT_STORE, &buffer);
    }
    add_message(&effects, EFFECT_STORE, &buffer);
    void *large = effects_alloc(&effects, (size_t)1 << 20);
    allocation_arm(false);
    ck_assert_ptr_null(large);
    effects_fini(&effects);
    ck_assert_uint_eq(atomic_load(&buffer.references), 1);
}
END_TEST

START_TEST(effects_keep_their_memory_for_the_next_turn)
{
    struct effects effects;
    effects_init(&effects);
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 100; i++) {
            uint8_t *piece = effects_alloc(&effects, 1000);
            ck_assert_ptr_nonnull(piece);
            ck_assert_uint_eq((uintptr_t)piece % 16, 0);
            ck_assert_uint_eq(piece[0] | piece[999], 0);
            memset(piece, 0xff, 1000);
        }
        ck_assert_str_eq(effects_text(&effects, "commune"), "commune");
        effects_clear(&effects);
    }
    allocation_fail(0, true);
    allocation_arm(true);
    for (int i = 0; i < 100; i++) {
        effects_alloc(&effects, 1000);
    }
    allocation_arm(false);
    ck_assert(!effects.failed);
    effects_fini(&effects);
}
END_TEST

START_TEST(foreign_text_in_a_refusal_is_cut_and_cleaned)
{
    struct effects effects;
    char text[400];
    effects_init(&effects);
    ck_assert_str_eq(refusal_wrong(&effects, "a\x1b[31m\n\x7f\xc2\x9b b\xc3\xa9"),
                     "a?[31m???? b\xc3\xa9");
    memset(text, 'x', sizeof text);
    memcpy(text + 198, "\xe2\x82\xac", 3); /* a euro sign across the cut */
    text[399] = '\0';
    ck_assert_uint_eq(strlen(refusal_wrong(&effects, text)), 198);
    memcpy(text + 198, "xx\xe2\x82\xac", 5);
    ck_assert_uint_eq(strlen(refusal_wrong(&effects, text)), 200);
    ck_assert_str_eq(refusal_number(&effects, 0), "0");
    ck_assert_str_eq(refusal_number(&effects, UINT64_MAX), "18446744073709551615");
    ck_assert_str_eq(refusal_code_name(RELAIS__V1__CODE__CODE_BUSY), "CODE_BUSY");
    ck_assert_str_eq(refusal_code_name((Relais__V1__Code)999), "CODE_UNKNOWN");
    effects_fini(&effects);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core basics");
    TCase *tcase = tcase_create("values");
    tcase_add_test(tcase, table_keeps_what_is_in_it_through_removals);
    tcase_add_test(tcase, ranges_join_what_follows);
    tcase_add_test(tcase, tickets_close_once_and_in_any_order);
    tcase_add_test(tcase, a_buffer_is_released_with_its_last_reference);
    tcase_add_test(tcase, effects_drop_what_was_sent_and_leave_what_was_stored);
    tcase_add_test(tcase, effects_without_memory_say_so_and_leak_nothing);
    tcase_add_test(tcase, effects_keep_their_memory_for_the_next_turn);
    tcase_add_test(tcase, foreign_text_in_a_refusal_is_cut_and_cleaned);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
