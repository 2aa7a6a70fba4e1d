/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message with every field survives packing, the wire's own checks, and viewing.
 */
#include "client/envelope.h"
#include "wire/codec.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const recipients[] = {"commune-76540/etat-civil", "dgs/courrier"};

static const relais_extension extensions[] = {
    {.name = "filename", .text = "acte de naissance.pdf"},
    {.name = "empty", .text = ""},
    {.name = "count", .kind = RELAIS_EXTENSION_INTEGER, .integer = -7},
    {.name = "yes", .kind = RELAIS_EXTENSION_BOOLEAN, .integer = 1},
    {.name = "no", .kind = RELAIS_EXTENSION_BOOLEAN, .integer = 0},
    {.name = "raw", .kind = RELAIS_EXTENSION_BYTES, .bytes = {"a\0b", 3}},
    {.name = "nothing", .kind = RELAIS_EXTENSION_BYTES, .bytes = {NULL, 0}},
    {.name = "link", .kind = RELAIS_EXTENSION_URI, .text = "https://example.fr/a"},
    {.name = "ref", .kind = RELAIS_EXTENSION_URI_REF, .text = "../a"},
    {.name = "before", .kind = RELAIS_EXTENSION_TIME, .time_ms = -1},
    {.name = "after", .kind = RELAIS_EXTENSION_TIME, .time_ms = 1795521600123},
};

enum { EXTENSION_COUNT = sizeof extensions / sizeof extensions[0] };

static relais_message full_message(void)
{
    return (relais_message){
        .id = "m-1",
        .source = "https://example.fr/source",
        .type = "fr.relais.file",
        .subject = "Demande d'acte d'état civil",
        .time_ms = 1795521600456,
        .datacontenttype = "application/pdf",
        .dataschema = "https://example.fr/schema",
        .to = recipients,
        .to_count = 2,
        .flow = "ETATCIVIL",
        .from = "dila/comedec",
        .correlation_id = "c-1",
        .reply_to = "dila/retours",
        .expires_at_ms = 1895521600456,
        .not_before_ms = 1795521600457,
        .priority = RELAIS_PRIORITY_HIGH,
        .ordering_key = "dossier-12",
        .supersedes = "m-0",
        .purpose = "instruction",
        .dataclassification = "restreint",
        .dataregulation = "RGPD",
        .datacategory = "etat-civil",
        .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        .extensions = extensions,
        .extension_count = EXTENSION_COUNT,
        .payload = {"hello", 5},
    };
}

static const struct envelope_defaults defaults = {
    .id = "generated", .member = "dila", .now_ms = 1795521600000};

struct viewed {
    struct wire_arena arena;
    Relais__V1__Envelope *envelope;
    void *memory;
    relais_message message;
};

static void round_trip(const relais_message *message, struct viewed *out)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    relais_error error;
    struct wire_fault fault;
    ck_assert_int_eq(envelope_check(message, &error), RELAIS_OK);
    ck_assert_int_eq(envelope_pack(message, &defaults, &bytes, &size, &error), RELAIS_OK);
    ck_assert(wire_arena_init(&out->arena, WIRE_ARENA_BYTES));
    out->envelope = wire_unpack_envelope((struct bytes){bytes, size}, &out->arena, &fault);
    ck_assert_ptr_nonnull(out->envelope);
    out->memory = malloc(envelope_view_bytes(out->envelope)); /* exact: ASan sees one byte more */
    envelope_view(out->envelope, out->memory, &out->message);
    free(bytes);
}

static void forget(struct viewed *viewed)
{
    free(viewed->memory);
    wire_arena_fini(&viewed->arena);
}

static const size_t text_fields[] = {
    offsetof(relais_message, id),
    offsetof(relais_message, source),
    offsetof(relais_message, type),
    offsetof(relais_message, subject),
    offsetof(relais_message, datacontenttype),
    offsetof(relais_message, dataschema),
    offsetof(relais_message, flow),
    offsetof(relais_message, from),
    offsetof(relais_message, correlation_id),
    offsetof(relais_message, reply_to),
    offsetof(relais_message, ordering_key),
    offsetof(relais_message, supersedes),
    offsetof(relais_message, purpose),
    offsetof(relais_message, dataclassification),
    offsetof(relais_message, dataregulation),
    offsetof(relais_message, datacategory),
    offsetof(relais_message, traceparent),
};

static void same_texts(const relais_message *one, const relais_message *other)
{
    for (size_t i = 0; i < sizeof text_fields / sizeof text_fields[0]; i++) {
        const char *first = *(const char *const *)((const char *)one + text_fields[i]);
        const char *second = *(const char *const *)((const char *)other + text_fields[i]);
        ck_assert_ptr_nonnull(second);
        ck_assert_pstr_eq(first, second);
    }
}

START_TEST(every_field_comes_back)
{
    relais_message message = full_message();
    struct viewed viewed;
    round_trip(&message, &viewed);
    same_texts(&viewed.message, &message);
    ck_assert_uint_eq(viewed.message.to_count, 2);
    ck_assert_str_eq(viewed.message.to[0], recipients[0]);
    ck_assert_str_eq(viewed.message.to[1], recipients[1]);
    ck_assert_int_eq(viewed.message.time_ms, message.time_ms);
    ck_assert_int_eq(viewed.message.expires_at_ms, message.expires_at_ms);
    ck_assert_int_eq(viewed.message.not_before_ms, message.not_before_ms);
    ck_assert_int_eq(viewed.message.priority, RELAIS_PRIORITY_HIGH);
    forget(&viewed);
}
END_TEST

START_TEST(every_extension_comes_back_with_its_kind)
{
    relais_message message = full_message();
    struct viewed viewed;
    round_trip(&message, &viewed);
    ck_assert_uint_eq(viewed.message.extension_count, EXTENSION_COUNT);
    const relais_extension *got = &viewed.message.extensions[_i];
    const relais_extension *want = &extensions[_i];
    ck_assert_str_eq(got->name, want->name);
    ck_assert_int_eq(got->kind, want->kind);
    ck_assert_pstr_eq(got->text, want->text);
    ck_assert_int_eq(got->integer, want->integer);
    ck_assert_int_eq(got->time_ms, want->time_ms);
    ck_assert_uint_eq(got->bytes.size, want->bytes.size);
    if (want->bytes.size > 0) {
        ck_assert_mem_eq(got->bytes.data, want->bytes.data, want->bytes.size);
    }
    forget(&viewed);
}
END_TEST

START_TEST(what_is_left_open_is_filled_in)
{
    relais_message message = {
        .type = "fr.relais.note", .to = recipients, .to_count = 1, .flow = "NOTE"};
    struct viewed viewed;
    round_trip(&message, &viewed);
    ck_assert_str_eq(viewed.message.id, "generated");
    ck_assert_str_eq(viewed.message.source, "relais:dila");
    ck_assert_int_eq(viewed.message.time_ms, defaults.now_ms);
    ck_assert_ptr_null(viewed.message.subject);
    ck_assert_ptr_null(viewed.message.from);
    ck_assert_int_eq(viewed.message.priority, RELAIS_PRIORITY_NORMAL);
    forget(&viewed);
    message.from = "dila/comedec";
    round_trip(&message, &viewed);
    ck_assert_str_eq(viewed.message.source, "relais:dila/comedec");
    forget(&viewed);
}
END_TEST

START_TEST(the_digest_is_blake2b_256)
{
    /* BLAKE2b-256 of "abc", as b2sum -l 256 gives it */
    static const uint8_t known[RELAIS_DIGEST_BYTES] = {
        0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef,
        0x3f, 0xee, 0x98, 0x57, 0x9b, 0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb,
        0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19};
    relais_message message = full_message();
    struct viewed viewed;
    message.payload = (relais_bytes){"abc", 3};
    round_trip(&message, &viewed);
    ck_assert_uint_eq(viewed.envelope->payload_digest.len, RELAIS_DIGEST_BYTES);
    ck_assert_mem_eq(viewed.envelope->payload_digest.data, known, sizeof known);
    ck_assert_uint_eq(viewed.envelope->payload_size, 3);
    forget(&viewed);
}
END_TEST

START_TEST(an_empty_payload_has_a_digest_too)
{
    relais_message message = full_message();
    struct viewed viewed;
    message.payload = (relais_bytes){NULL, 0};
    round_trip(&message, &viewed);
    ck_assert_uint_eq(viewed.envelope->payload_digest.len, RELAIS_DIGEST_BYTES);
    ck_assert_uint_eq(viewed.envelope->payload_size, 0);
    forget(&viewed);
}
END_TEST

START_TEST(foreign_times_never_overflow)
{
    static const int64_t seconds[] = {INT64_MIN, INT64_MAX, -62135596801, 253402300800};
    Relais__V1__Envelope envelope = RELAIS__V1__ENVELOPE__INIT;
    Relais__V1__Timestamp time = RELAIS__V1__TIMESTAMP__INIT;
    relais_message message;
    char memory[1];
    time.seconds = seconds[_i];
    envelope.time = &time;
    envelope_view(&envelope, memory, &message);
    ck_assert_int_eq(message.time_ms, 0);
    time.seconds = 5;
    time.nanos = -1;
    envelope_view(&envelope, memory, &message);
    ck_assert_int_eq(message.time_ms, 0);
}
END_TEST

START_TEST(an_envelope_beyond_the_limit_is_refused)
{
    char texts[RELAIS_EXTENSIONS_MAX][1025];
    char names[RELAIS_EXTENSIONS_MAX][8];
    relais_extension many[RELAIS_EXTENSIONS_MAX];
    relais_message message = full_message();
    uint8_t *bytes = NULL;
    size_t size = 0;
    relais_error error;
    for (size_t i = 0; i < RELAIS_EXTENSIONS_MAX; i++) {
        memset(texts[i], 'x', 1024);
        texts[i][1024] = '\0';
        names[i][0] = (char)('a' + i / 10);
        names[i][1] = (char)('0' + i % 10);
        names[i][2] = '\0';
        many[i] = (relais_extension){.name = names[i], .text = texts[i]};
    }
    message.extensions = many;
    message.extension_count = RELAIS_EXTENSIONS_MAX;
    ck_assert_int_eq(envelope_check(&message, &error), RELAIS_OK);
    ck_assert_int_eq(envelope_pack(&message, &defaults, &bytes, &size, &error), RELAIS_TOO_LARGE);
    ck_assert_str_eq(error.field, "envelope");
    ck_assert_ptr_null(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.client.envelope");
    TCase *trip = tcase_create("round trip");
    tcase_add_test(trip, every_field_comes_back);
    tcase_add_loop_test(trip, every_extension_comes_back_with_its_kind, 0, EXTENSION_COUNT);
    tcase_add_test(trip, what_is_left_open_is_filled_in);
    tcase_add_test(trip, the_digest_is_blake2b_256);
    tcase_add_test(trip, an_empty_payload_has_a_digest_too);
    tcase_add_loop_test(trip, foreign_times_never_overflow, 0, 4);
    tcase_add_test(trip, an_envelope_beyond_the_limit_is_refused);
    suite_add_tcase(suite, trip);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
