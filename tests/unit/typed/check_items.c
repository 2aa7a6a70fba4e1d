/* SPDX-License-Identifier: EUPL-1.2
 *
 * Items from others: JSON and protobuf are refused where they are not what proto/flows says.
 */
#include "tests/unit/typed/conversion.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct refused {
    const char *data;
    const char *code;
    const char *field;
};

#define RECORD                                                                                     \
    "{\"death_record\":{\"family_name\":\"X\",\"sex\":\"SEX_MALE\",\"birth_date\":{},"             \
    "\"death_date\":{\"year\":2026,\"month\":1,\"day\":2}}}\n"
#define END "{\"end\":{\"records\":1}}\n"

static const struct refused refused[] = {
    {"", "empty", ""},
    {"[]\n", "json", ""},
    {"{\n", "json", ""},
    {"{\"a\":1,\"a\":2}\n", "json", ""},
    {"{\"nothing\":1}\n", "json.field", "nothing"},
    {"{\"death_record\":[]}\n", "json.value", "death_record"},
    {"{\"death_record\":{\"sex\":1}}\n", "json.value", "death_record.sex"},
    {"{\"death_record\":{\"birth_date\":{\"year\":-1}}}\n", "json.value",
     "death_record.birth_date.year"},
    {"{\"death_record\":{\"birth_date\":{\"year\":4294967296}}}\n", "json.value",
     "death_record.birth_date.year"},
    {"{\"death_record\":{\"name_cut\":1}}\n", "json.value", "death_record.name_cut"},
    {"{\"death_record\":{},\"end\":{}}\n", "json.value", "end"},
    {"{\"form\":{\"format\":\"nothing\"}}\n", "items.form", "form"},
    {"{\"form\":{\"format\":\"insee-deces\",\"quoted_titles\":\"A\"}}\n", "json.value",
     "form.quoted_titles"},
    {RECORD "{\"form\":{\"format\":\"insee-deces\"}}\n", "items.form", "form"},
    {RECORD, "items.not-whole", "end"},
    {RECORD "{\"end\":{\"records\":2}}\n", "items.not-whole", "end"},
    {RECORD END RECORD, "items.not-whole", "end"},
    {"{\"death_record\":{\"sex\":\"SEX_MALE\",\"birth_date\":{\"month\":13},\"death_date\":{}}}\n",
     "date.month", "datenaiss"},
    {"{\"death_record\":{\"sex\":\"SEX_UNDETERMINED\"}}\n", "code", "sexe"},
    {"{\"death_record\":{}}\n", "required", "nomprenom"},
    {"{\"death_record\":{\"birth_commune\":\"a\\nb\"}}\n", "text.control", "commnaiss"},
    {"{\"contact_notice\":{\"file_number\":\"1\",\"family_name\":\"X\",\"nir\":"
     "\"261058905200111\"}}\n" END,
     "items.flow", "contact_notice"},
};

START_TEST(each_refused)
{
    const struct convert_options options = {.from = "jsonl", .to = "insee-deces"};
    const struct refused *one = &refused[_i];
    struct conversion conversion;
    conversion_run(&conversion, &options, one->data, strlen(one->data), 0);
    const struct complaint *complaint = conversion_complaint(&conversion, one->code);
    ck_assert_msg(complaint != NULL, "%d: %s is not told", _i, one->code);
    ck_assert_str_eq(complaint->field, one->field);
    ck_assert_int_eq(conversion.status, RELAIS_FIELD_INVALID);
    conversion_fini(&conversion);
}
END_TEST

START_TEST(a_record_without_a_form_gets_the_formats_own)
{
    const struct convert_options options = {.from = "jsonl", .to = "insee-deces-csv"};
    struct conversion conversion;
    conversion_run(&conversion, &options, RECORD END, strlen(RECORD END), 0);
    ck_assert_int_eq(conversion.status, RELAIS_OK);
    ck_assert_str_eq(conversion.out.data,
                     "nomprenom;sexe;datenaiss;lieunaiss;commnaiss;paysnaiss;datedeces;lieudeces;"
                     "actedeces\nX*/;1;00000000;;;;20260102;;\n");
    conversion_fini(&conversion);
}
END_TEST

/* What is kept for a column that is not there, is known, has another name or comes twice has no
 * place. */
START_TEST(kept_cells_have_a_column)
{
    static const char *const kept[] = {
        "{\"name\":\"plus\",\"position\":9,\"value\":\"x\"}",
        "{\"name\":\"plus\",\"position\":10,\"value\":\"x\"}",
        "{\"name\":\"nomprenom\",\"value\":\"x\"}",
        "{\"name\":\"other\",\"position\":9,\"value\":\"x\"}",
        ("{\"name\":\"plus\",\"position\":9,\"value\":\"x\"},"
         "{\"name\":\"plus\",\"position\":9,\"value\":\"y\"}"),
    };
    const struct convert_options options = {.from = "jsonl", .to = "insee-deces-csv"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        char items[2048];
        struct conversion conversion;
        snprintf(items, sizeof(items),
                 "{\"form\":{\"format\":\"insee-deces-csv\",\"columns\":[\"nomprenom\",\"sexe\","
                 "\"datenaiss\",\"lieunaiss\",\"commnaiss\",\"paysnaiss\",\"datedeces\","
                 "\"lieudeces\",\"actedeces\",\"plus\"]}}\n%.*s,\"kept\":[%s]}\n" END,
                 (int)(strlen(RECORD) - 2), RECORD, kept[i]);
        conversion_run(&conversion, &options, items, strlen(items), 0);
        bool placed = conversion.status == RELAIS_OK;
        ck_assert_msg(placed == (i == 0), "%zu", i);
        ck_assert(placed || conversion_complaint(&conversion, "target.no-place") != NULL);
        conversion_fini(&conversion);
    }
}
END_TEST

/* Each byte of a payload changed to each of some others: refused, or a payload that survives. */
START_TEST(altered_protobuf)
{
    const struct convert_options there = {.from = "jsonl", .to = "protobuf"};
    const struct convert_options options = {.from = "protobuf", .to = "protobuf"};
    struct conversion items;
    conversion_run(&items, &there, RECORD END, strlen(RECORD END), 0);
    ck_assert_int_eq(items.status, RELAIS_OK);
    char *altered = malloc(items.out.size);
    ck_assert_ptr_nonnull(altered);
    for (size_t at = 0; at < items.out.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bool was_refused = false;
            memcpy(altered, items.out.data, items.out.size);
            altered[at] = (char)((unsigned char)altered[at] ^ 1U << bit);
            ck_assert_msg(
                conversion_survives(&options, "jsonl", altered, items.out.size, 0, &was_refused),
                "byte %zu, bit %u", at, bit);
        }
    }
    free(altered);
    conversion_fini(&items);
}
END_TEST

START_TEST(texts_of_protobuf_are_whole_and_utf8)
{
    static const char nul[] = "\x08\x52\x06\x0a\x04"
                              "A\0BC";
    static const char latin[] = "\x06\x52\x04\x0a\x02"
                                "A\xE9";
    static const char large[] = "\xFF\xFF\xFF\x7F";
    static const char endless[] = "\xFF\xFF\xFF\xFF\xFF\xFF";
    const struct {
        const char *data;
        size_t size;
        const char *code;
    } all[] = {{nul, sizeof(nul) - 1, "protobuf"},
               {latin, sizeof(latin) - 1, "protobuf"},
               {large, sizeof(large) - 1, "item.too-large"},
               {endless, sizeof(endless) - 1, "protobuf"},
               {"\x05", 1, "items.not-whole"}};
    const struct convert_options options = {.from = "protobuf", .to = "jsonl"};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct conversion conversion;
        conversion_run(&conversion, &options, all[i].data, all[i].size, 0);
        ck_assert_int_eq(conversion.status, RELAIS_FIELD_INVALID);
        ck_assert_msg(conversion_complaint(&conversion, all[i].code) != NULL, "%zu", i);
        conversion_fini(&conversion);
    }
}
END_TEST

/* What would take a hundred times its size in memory is refused before. */
START_TEST(many_small_things)
{
    static const struct {
        const char *from;
        const char *head;
        const char *each;
        const char *tail;
        const char *code;
    } all[] = {
        {"jsonl", "{\"kept\":[", "{},", "{}]}\n", "item.too-large"},
        {"jsonl", "{\"kept\":", "[", "\n", "item.too-large"},
        {"jsonl", "{\"form\":{\"columns\":[", "\"\",", "\"\"]}}\n", "item.too-large"},
        {"protobuf", "\xE0\xA7\x12", "\xF2\x01\x00", "", "protobuf"}, /* 300,000 bytes of kept */
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct convert_options options = {.from = all[i].from, .to = all[i].from};
        struct text data;
        struct conversion conversion;
        text_init(&data, 8 * 1024 * 1024);
        text_string(&data, all[i].head);
        for (int k = 0; k < 100000; k++) {
            text_append(&data, all[i].each, i == 3 ? 3 : strlen(all[i].each));
        }
        text_string(&data, all[i].tail);
        conversion_run(&conversion, &options, data.data, data.size, 0);
        ck_assert_int_eq(conversion.status, RELAIS_FIELD_INVALID);
        ck_assert_msg(conversion_complaint(&conversion, all[i].code) != NULL, "%zu", i);
        conversion_fini(&conversion);
        text_fini(&data);
    }
}
END_TEST

START_TEST(formats_have_names_and_summaries)
{
    size_t count = 0;
    while (convert_format_name(count)) {
        ck_assert_str_ne(convert_format_summary(count), "");
        count++;
    }
    ck_assert_uint_ge(count, 9);
    ck_assert_ptr_null(convert_format_summary(count));
    const struct convert_options options = {.from = "nothing", .to = "jsonl"};
    const struct convert_events events = {0};
    struct convert *convert = NULL;
    ck_assert_int_eq(convert_new(&options, &events, &convert), RELAIS_USAGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("items");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 30);
    tcase_add_loop_test(all, each_refused, 0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(all, a_record_without_a_form_gets_the_formats_own);
    tcase_add_test(all, kept_cells_have_a_column);
    tcase_add_test(all, altered_protobuf);
    tcase_add_test(all, texts_of_protobuf_are_whole_and_utf8);
    tcase_add_test(all, many_small_things);
    tcase_add_test(all, formats_have_names_and_summaries);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
