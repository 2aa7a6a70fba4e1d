/* SPDX-License-Identifier: EUPL-1.2
 *
 * client/directory_flow.c: each rule with its error; saved and read again is the same.
 */
#include "tests/unit/program/folder.h"

#include <check.h>
#include <relais/directory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD  "code: ETATCIVIL\ntitle: Actes\npurpose: p\nlegal_basis: l\n"
#define RULES "senders: [dila]\nreceivers: ['kind:commune', '*']\n"

START_TEST(a_whole_file_is_read)
{
    relais_flow *flow = NULL;
    relais_error error = {0};

    ck_assert_int_eq(relais_flow_load(folder_write("f.yaml", HEAD RULES "payload_max: 1048576\n"),
                                      &flow, &error),
                     RELAIS_OK);
    ck_assert_str_eq(flow->code, "ETATCIVIL");
    ck_assert_str_eq(flow->title, "Actes");
    ck_assert_str_eq(flow->purpose, "p");
    ck_assert_str_eq(flow->legal_basis, "l");
    ck_assert_uint_eq(flow->sender_count, 1);
    ck_assert_str_eq(flow->senders[0], "dila");
    ck_assert_uint_eq(flow->receiver_count, 2);
    ck_assert_str_eq(flow->receivers[0], "kind:commune");
    ck_assert_str_eq(flow->receivers[1], "*");
    ck_assert_uint_eq(flow->payload_max, 1048576);
    relais_flow_free(flow);
    relais_flow_free(NULL);
}
END_TEST

static const struct {
    const char *text;
    const char *place;
    const char *wrong;
    const char *right; /* a part of it */
} wrong_files[] = {
    {"code: A B\ntitle: t\npurpose: p\nlegal_basis: l\n" RULES, ":1: code", "A B", "ETATCIVIL"},
    {"code: A\ntitle: t\npurpose: p\n" RULES, ":1: legal_basis", "missing", "required"},
    {"code: A\ntitle: t\npurpose: ''\nlegal_basis: l\n" RULES, ":3: purpose", "empty", "1 to"},
    {HEAD "senders: []\nreceivers: [a]\n", ":5: senders", "0 entries", "1 to 50000"},
    {HEAD "senders: [a]\n", ":1: receivers", "missing", "required"},
    {HEAD "senders: [a]\nreceivers: ['kind:village']\n", ":6: receivers[0]", "kind:village",
     "departement"},
    {HEAD "senders: [a, B]\nreceivers: [a]\n", ":5: senders[1]", "B", "slug"},
    {HEAD RULES "payload_max: -1\n", ":7: payload_max", "-1", "0 to"},
    {HEAD RULES "payload_max: 1M\n", ":7: payload_max", "1M", "0 to"},
    {HEAD RULES "attempts: 1001\n", ":7: attempts", "1001", "0 to 1000"},
    {HEAD RULES "lease_s: 86401\n", ":7: lease_s", "86401", "0 to 86400"},
    {HEAD RULES "acknowledge: {}\n", ":7: acknowledge.within", "missing", "required"},
    {HEAD RULES "acknowledge: {within: 15}\n", ":7: acknowledge.within", "15", "15d"},
    {HEAD RULES "acknowledge: {within: 0d}\n", ":7: acknowledge.within", "0d", "1s to"},
    {HEAD RULES "acknowledge: {within: 367d}\n", ":7: acknowledge.within", "367d", "366d"},
    {HEAD RULES "acknowledge: {within: 3w}\n", ":7: acknowledge.within", "3w", "d: 1s"},
    {HEAD RULES "acknowledge: {within: 1d, remind: [24h]}\n", ":7: acknowledge.remind[0]", "24h",
     "less than"},
    {HEAD RULES "acknowledge: {within: 9d, remind: [1d, 3d]}\n", ":7: acknowledge.remind[1]", "3d",
     "longest first"},
    {HEAD RULES "acknowledge: {within: 9d, remind: [never]}\n", ":7: acknowledge.remind[0]",
     "never", "a whole number"},
    {HEAD RULES "retention: 1\n", ":7: retention", "unknown key", "payload_max"},
};

START_TEST(every_rule_names_file_line_and_key)
{
    const char *path = folder_write("f.yaml", wrong_files[_i].text);
    relais_flow *flow = NULL;
    relais_error error = {0};
    char place[200];

    ck_assert_int_eq(relais_flow_load(path, &flow, &error), RELAIS_CONFIG_INVALID);
    ck_assert_ptr_null(flow);
    (void)snprintf(place, sizeof place, "%s%s", path, wrong_files[_i].place);
    ck_assert_str_eq(error.field, place);
    ck_assert_str_eq(error.wrong, wrong_files[_i].wrong);
    ck_assert_msg(strstr(error.right, wrong_files[_i].right) != NULL, "%s", error.right);
}
END_TEST

START_TEST(saved_and_read_again_is_the_same)
{
    char *senders[] = {(char[]){"dila"}, (char[]){"kind:state"}};
    char *receivers[] = {(char[]){"*"}};
    const relais_flow flow = {.code = (char[]){"certificat-non-pacs"},
                              .title = (char[]){"Certificat de non-PACS"},
                              .purpose = (char[]){"état civil"},
                              .legal_basis = (char[]){"Code civil, art. 515-3-1"},
                              .senders = senders,
                              .sender_count = 2,
                              .receivers = receivers,
                              .receiver_count = 1};
    relais_flow *back = NULL;
    relais_error error = {0};
    const char *path = folder_path("f.yaml");

    ck_assert_int_eq(relais_flow_save(&flow, path, &error), RELAIS_OK);
    ck_assert_int_eq(relais_flow_load(path, &back, &error), RELAIS_OK);
    ck_assert_str_eq(back->code, flow.code);
    ck_assert_str_eq(back->purpose, flow.purpose);
    ck_assert_str_eq(back->legal_basis, flow.legal_basis);
    ck_assert_uint_eq(back->sender_count, 2);
    ck_assert_str_eq(back->senders[1], "kind:state");
    ck_assert_str_eq(back->receivers[0], "*");
    ck_assert_uint_eq(back->payload_max, 0);
    relais_flow_free(back);
}
END_TEST

START_TEST(a_deadline_is_read_and_saved)
{
    relais_flow *flow = NULL;
    relais_flow *back = NULL;
    relais_error error = {0};

    ck_assert_int_eq(
        relais_flow_load(
            folder_write("f.yaml", HEAD RULES "acknowledge: {within: 15d, remind: [3d, 90m]}\n"),
            &flow, &error),
        RELAIS_OK);
    ck_assert_str_eq(flow->acknowledge->within, "15d");
    ck_assert_uint_eq(flow->acknowledge->remind_count, 2);
    ck_assert_int_eq(relais_flow_save(flow, folder_path("g.yaml"), &error), RELAIS_OK);
    ck_assert_int_eq(relais_flow_load(folder_path("g.yaml"), &back, &error), RELAIS_OK);
    ck_assert_str_eq(back->acknowledge->remind[1], "90m");
    relais_flow_free(back);
    relais_flow_free(flow);
    ck_assert_int_eq(
        relais_flow_load(folder_write("f.yaml", HEAD RULES "acknowledge: {within: 1h}\n"), &flow,
                         &error),
        RELAIS_OK);
    ck_assert_uint_eq(flow->acknowledge->remind_count, 0);
    ck_assert_int_eq(relais_flow_save(flow, folder_path("g.yaml"), &error), RELAIS_OK);
    ck_assert_int_eq(relais_flow_load(folder_path("g.yaml"), &back, &error), RELAIS_OK);
    relais_flow_free(back);
    relais_flow_free(flow);
}
END_TEST

START_TEST(durations_have_a_unit)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"1s", 1000},
                {"90m", 5400000},
                {"48h", 172800000},
                {"366d", 31622400000},
                {"31622400s", 31622400000}};
    static const char *const bad[] = {"",   "s",  "1",    "-1d", "1.5d",        "1 d", "1dd",
                                      "d1", "0s", "367d", "1D",  "9999999999s", " 1d"};
    int64_t ms = 7;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert(relais_duration_parse(good[i].text, &ms));
        ck_assert_int_eq(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ms = 7;
        ck_assert_msg(!relais_duration_parse(bad[i], &ms), "%s", bad[i]);
        ck_assert_int_eq(ms, 7);
    }
    ck_assert(!relais_duration_parse(NULL, &ms));
}
END_TEST

START_TEST(an_open_door_is_not_saved)
{
    const relais_flow flow = {.code = (char[]){"A"},
                              .title = (char[]){"t"},
                              .purpose = (char[]){"p"},
                              .legal_basis = (char[]){"l"}};
    relais_error error = {0};

    ck_assert_int_eq(relais_flow_save(&flow, folder_path("f.yaml"), &error), RELAIS_FIELD_MISSING);
    ck_assert_str_eq(error.field, "senders");
    ck_assert_uint_eq(folder_count("yaml"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow");
    TCase *cases = tcase_create("files");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, folder_init, folder_fini);
    tcase_add_test(cases, a_whole_file_is_read);
    tcase_add_loop_test(cases, every_rule_names_file_line_and_key, 0,
                        (int)(sizeof wrong_files / sizeof wrong_files[0]));
    tcase_add_test(cases, saved_and_read_again_is_the_same);
    tcase_add_test(cases, a_deadline_is_read_and_saved);
    tcase_add_test(cases, durations_have_a_unit);
    tcase_add_test(cases, an_open_door_is_not_saved);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
