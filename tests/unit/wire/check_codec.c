/* SPDX-License-Identifier: EUPL-1.2
 *
 * The limits of each message, at their edges and one beyond, and that a refusal allocates nothing.
 */
#include "wire/codec.h"
#include "writer.h"

#include <check.h>
#include <stdlib.h>

/* The linker's names for --wrap. NOLINTBEGIN(cert-dcl51-cpp) */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
/* NOLINTEND(cert-dcl51-cpp) */

static unsigned allocations;
static struct wire_arena arena;
static struct wire_fault fault;
static struct writer writer;

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

static void set_up(void)
{
    writer = (struct writer){.data = malloc(WRITER_BYTES)};
    ck_assert_ptr_nonnull(writer.data);
    ck_assert(wire_arena_init(&arena, WIRE_ARENA_BYTES));
}

static void tear_down(void)
{
    wire_arena_fini(&arena);
    free(writer.data);
}

static struct bytes written(void)
{
    return (struct bytes){writer.data, writer.size};
}

/* Puts what the writer holds behind `at` into a submessage `field`. */
static void wrap(size_t at, unsigned field)
{
    uint8_t head[16];
    struct writer front = {.data = head};
    const size_t inner = writer.size - at;

    put_tag(&front, field, 2);
    put_varint(&front, inner);
    ck_assert_uint_lt(writer.size + front.size, WRITER_BYTES);
    memmove(writer.data + at + front.size, writer.data + at, inner);
    memcpy(writer.data + at, head, front.size);
    writer.size += front.size;
}

static void refused_for_free(bool is_envelope, const char *what)
{
    const void *message = NULL;
    unsigned before = 0;
    unsigned after = 0;

    wire_arena_reset(&arena); /* may grow the block for what came before */
    before = allocations;
    if (is_envelope) {
        message = wire_unpack_envelope(written(), &arena, &fault);
    } else {
        message = wire_unpack_to_broker(written(), &arena, &fault);
    }
    after = allocations; /* check allocates for its assertions too */
    ck_assert_ptr_null(message);
    ck_assert_uint_eq(after, before);
    ck_assert_uint_eq(arena.used, 0);
    ck_assert_str_eq(fault.what, what);
}

static void put_submit(unsigned parts)
{
    writer.size = 0;
    put_number(&writer, 1, 1);
    for (unsigned i = 0; i < parts; i++) {
        put_bytes(&writer, 2, "\x08\x10\x10\x20", 4);
    }
    wrap(0, 2);
}

START_TEST(a_full_submit_is_read)
{
    Relais__V1__ToBroker *command = NULL;

    put_submit(WIRE_BATCH_MESSAGES);
    command = wire_unpack_to_broker(written(), &arena, &fault);
    ck_assert_ptr_nonnull(command);
    ck_assert_int_eq(command->command_case, RELAIS__V1__TO_BROKER__COMMAND_SUBMIT);
    ck_assert_uint_eq(command->submit->n_parts, WIRE_BATCH_MESSAGES);
    ck_assert_uint_eq(command->submit->parts[WIRE_BATCH_MESSAGES - 1]->envelope_bytes, 16);
    ck_assert_uint_eq(command->submit->parts[WIRE_BATCH_MESSAGES - 1]->payload_bytes, 32);

    put_submit(WIRE_BATCH_MESSAGES + 1);
    refused_for_free(false, "too many elements");
    ck_assert_str_eq(fault.field, "submit.parts[1024]");
}
END_TEST

START_TEST(an_empty_frame_is_a_command_that_nobody_knows)
{
    Relais__V1__ToBroker *command = wire_unpack_to_broker((struct bytes){NULL, 0}, &arena, &fault);

    ck_assert_ptr_nonnull(command);
    ck_assert_int_eq(command->command_case, RELAIS__V1__TO_BROKER__COMMAND__NOT_SET);
}
END_TEST

START_TEST(a_command_of_a_later_minor_version_is_tolerated)
{
    Relais__V1__ToBroker *command = NULL;

    put_text(&writer, 77, "a command to come");
    command = wire_unpack_to_broker(written(), &arena, &fault);
    ck_assert_ptr_nonnull(command);
    ck_assert_int_eq(command->command_case, RELAIS__V1__TO_BROKER__COMMAND__NOT_SET);
    ck_assert_uint_eq(command->base.n_unknown_fields, 1);
}
END_TEST

START_TEST(sixty_four_unknown_fields_and_no_more)
{
    for (unsigned i = 0; i < 64; i++) {
        put_number(&writer, 100 + i, i);
    }
    ck_assert_ptr_nonnull(wire_unpack_to_broker(written(), &arena, &fault));
    put_number(&writer, 200, 1);
    refused_for_free(false, "too many unknown fields");
}
END_TEST

START_TEST(a_command_has_64_kib)
{
    char *software = calloc(1, WIRE_COMMAND_BYTES + 1);

    ck_assert_ptr_nonnull(software);
    memset(software, 'x', WIRE_COMMAND_BYTES - 8);
    put_text(&writer, 3, software);
    wrap(0, 1);
    ck_assert_uint_eq(writer.size, WIRE_COMMAND_BYTES);
    ck_assert_ptr_nonnull(wire_unpack_to_broker(written(), &arena, &fault));
    writer.size++;
    refused_for_free(false, "too large");
    free(software);
}
END_TEST

START_TEST(the_deepest_answer_is_read)
{
    Relais__V1__ToClient *command = NULL;

    put_bytes(&writer, 1, "\x08\x10\x10\x20", 4); /* Part in Delivery in Deliver in ToClient */
    wrap(0, 3);
    wrap(0, 6);
    command = wire_unpack_to_client(written(), &arena, &fault);
    ck_assert_ptr_nonnull(command);
    ck_assert_uint_eq(command->deliver->deliveries[0]->part->payload_bytes, 32);
}
END_TEST

START_TEST(the_worst_command_fits_the_budget)
{
    const unsigned refusals = WIRE_BATCH_MESSAGES;
    Relais__V1__ToClient *command = NULL;

    for (unsigned i = 0; i < refusals; i++) { /* three strings each, one allocation a string */
        const size_t at = writer.size;

        put_number(&writer, 1, 14);
        put_text(&writer, 2, "parts[0]");
        put_text(&writer, 3, "0123456789abcdef");
        put_text(&writer, 4, "0123456789abcdef");
        wrap(at, 2);
        wrap(at, 1);
    }
    wrap(0, 3);
    ck_assert_uint_le(writer.size, WIRE_COMMAND_BYTES);
    command = wire_unpack_to_client(written(), &arena, &fault);
    ck_assert_ptr_nonnull(command);
    ck_assert_uint_eq(command->refused->n_refusals, refusals);
    ck_assert_str_eq(command->refused->refusals[refusals - 1]->error->right, "0123456789abcdef");
}
END_TEST

START_TEST(packed_roles_are_read)
{
    Relais__V1__ToClient *command = NULL;

    put_bytes(&writer, 6, "\1\2\3", 3);
    wrap(0, 1);
    command = wire_unpack_to_client(written(), &arena, &fault);
    ck_assert_ptr_nonnull(command);
    ck_assert_uint_eq(command->welcome->n_roles, 3);
    ck_assert_int_eq(command->welcome->roles[2], RELAIS__V1__ROLE__ROLE_OPERATE);
}
END_TEST

START_TEST(an_envelope_has_64_recipients)
{
    Relais__V1__Envelope *envelope = NULL;

    put_text(&writer, 1, "id-1");
    for (unsigned i = 0; i < WIRE_RECIPIENTS; i++) {
        put_text(&writer, 20, "dila/annonces");
    }
    put_bytes(&writer, 8, "\x42\x02\x08\x01", 4); /* an extension with a time: the deepest */
    envelope = wire_unpack_envelope(written(), &arena, &fault);
    ck_assert_ptr_nonnull(envelope);
    ck_assert_uint_eq(envelope->n_to, WIRE_RECIPIENTS);
    ck_assert_int_eq(envelope->extensions[0]->ce_timestamp->seconds, 1);
    put_text(&writer, 20, "dila/annonces");
    refused_for_free(true, "too many elements");
    ck_assert_str_eq(fault.field, "to[64]");
}
END_TEST

START_TEST(an_envelope_has_16_kib)
{
    writer.size = WIRE_ENVELOPE_BYTES + 1;
    memset(writer.data, 0, writer.size);
    refused_for_free(true, "too large");
    writer.size = WIRE_ENVELOPE_BYTES;
    refused_for_free(true, "field number not allowed");
}
END_TEST

START_TEST(two_commands_in_one_frame_are_refused)
{
    put_bytes(&writer, 1, "", 0);
    put_bytes(&writer, 2, "", 0);
    refused_for_free(false, "given beside another choice");
    ck_assert_str_eq(fault.field, "submit");
}
END_TEST

START_TEST(a_command_beyond_the_budget_is_refused)
{
    struct wire_arena small;

    ck_assert(wire_arena_init(&small, 4096));
    put_submit(WIRE_BATCH_MESSAGES);
    ck_assert_ptr_null(wire_unpack_to_broker(written(), &small, &fault));
    ck_assert_str_eq(fault.what, "does not fit in memory");
    wire_arena_fini(&small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire.codec");
    TCase *limits = tcase_create("the limits of each message");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(limits, set_up, tear_down);
    tcase_add_test(limits, a_full_submit_is_read);
    tcase_add_test(limits, an_empty_frame_is_a_command_that_nobody_knows);
    tcase_add_test(limits, a_command_of_a_later_minor_version_is_tolerated);
    tcase_add_test(limits, sixty_four_unknown_fields_and_no_more);
    tcase_add_test(limits, a_command_has_64_kib);
    tcase_add_test(limits, the_deepest_answer_is_read);
    tcase_add_test(limits, the_worst_command_fits_the_budget);
    tcase_add_test(limits, packed_roles_are_read);
    tcase_add_test(limits, an_envelope_has_64_recipients);
    tcase_add_test(limits, an_envelope_has_16_kib);
    tcase_add_test(limits, two_commands_in_one_frame_are_refused);
    tcase_add_test(limits, a_command_beyond_the_budget_is_refused);
    suite_add_tcase(suite, limits);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
