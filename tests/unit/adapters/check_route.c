/* SPDX-License-Identifier: EUPL-1.2
 *
 * Where a file goes: side-cars, rules, media types, ids.
 */
#include "adapters/files/route.h"

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static relais_error error;

static char *addresses[] = {"commune-76540/etat-civil", "commune-06088/etat-civil"};
static struct config_rule rules[] = {
    {.pattern = "RCO-*.xml", .to = addresses, .to_count = 1, .flow = "RCO"},
    {.pattern = "RCO-*",
     .to = addresses,
     .to_count = 2,
     .flow = "RCO2",
     .media_type = "text/x-mine",
     .priority = RELAIS_PRIORITY_HIGH},
};
static const struct config_outbound config = {
    .rules = rules, .rule_count = 2, .from = "dila/dossiers"};

static relais_status read_text(const char *text, struct sidecar *out)
{
    error = (relais_error){.status = RELAIS_OK};
    return sidecar_read(text, strlen(text), out, &error);
}

START_TEST(first_rule_that_fits_counts)
{
    struct route route;
    ck_assert_int_eq(route_find(&config, "RCO-1.xml", NULL, &route, &error), RELAIS_OK);
    ck_assert_str_eq(route.flow, "RCO");
    ck_assert_uint_eq(route.to_count, 1);
    ck_assert_str_eq(route.media_type, "application/xml");
    ck_assert_str_eq(route.from, "dila/dossiers");
    ck_assert_str_eq(route.type, "fr.relais.file");
    ck_assert_int_eq(route_find(&config, "RCO-1.pdf", NULL, &route, &error), RELAIS_OK);
    ck_assert_str_eq(route.flow, "RCO2");
    ck_assert_str_eq(route.media_type, "text/x-mine");
    ck_assert_int_eq(route.priority, RELAIS_PRIORITY_HIGH);
    ck_assert_int_eq(route_find(&config, "rco-1.xml", NULL, &route, &error), RELAIS_FIELD_MISSING);
    ck_assert_str_eq(error.field, "to");
}
END_TEST

START_TEST(sidecar_comes_before_rules)
{
    struct sidecar sidecar;
    struct route route;
    ck_assert_int_eq(read_text("{\"to\": \"dgs/certdc\", \"flow\": \"X\", \"media_type\": \"a/b\","
                               " \"type\": \"t\", \"from\": \"dila/autre\", \"priority\": \"low\"}",
                               &sidecar),
                     RELAIS_OK);
    ck_assert_int_eq(route_find(&config, "RCO-1.xml", &sidecar, &route, &error), RELAIS_OK);
    ck_assert_str_eq(route.to[0], "dgs/certdc");
    ck_assert_str_eq(route.flow, "X");
    ck_assert_str_eq(route.media_type, "a/b");
    ck_assert_str_eq(route.type, "t");
    ck_assert_str_eq(route.from, "dila/autre");
    ck_assert_int_eq(route.priority, RELAIS_PRIORITY_LOW);
    sidecar_fini(&sidecar);
    /* what it does not say, the rule does */
    ck_assert_int_eq(read_text("{\"subject\": \"s\"}", &sidecar), RELAIS_OK);
    ck_assert_int_eq(route_find(&config, "RCO-1.xml", &sidecar, &route, &error), RELAIS_OK);
    ck_assert_str_eq(route.flow, "RCO");
    ck_assert_int_eq(route_find(&config, "x", &sidecar, &route, &error), RELAIS_FIELD_MISSING);
    sidecar_fini(&sidecar);
}
END_TEST

START_TEST(sidecar_keys_are_read)
{
    struct sidecar sidecar;
    ck_assert_int_eq(
        read_text("{\"to\": [\"a/b\", \"c/d\"], \"id\": \"x1\", \"subject\": \"é\","
                  " \"expires_at\": \"2026-12-31T23:59:59.25+01:00\","
                  " \"extensions\": {\"dossier\": \"D1\", \"pieces\": 3, \"urgent\": true}}",
                  &sidecar),
        RELAIS_OK);
    ck_assert_uint_eq(sidecar.to_count, 2);
    ck_assert_str_eq(sidecar.to[1], "c/d");
    ck_assert_str_eq(sidecar.id, "x1");
    ck_assert_str_eq(sidecar.subject, "é");
    ck_assert_int_eq(sidecar.expires_at_ms, INT64_C(1798757999250));
    ck_assert_uint_eq(sidecar.extension_count, 3);
    ck_assert_str_eq(sidecar.extensions[0].text, "D1");
    ck_assert_int_eq(sidecar.extensions[1].kind, RELAIS_EXTENSION_INTEGER);
    ck_assert_int_eq(sidecar.extensions[1].integer, 3);
    ck_assert_int_eq(sidecar.extensions[2].kind, RELAIS_EXTENSION_BOOLEAN);
    sidecar_fini(&sidecar);
}
END_TEST

static const struct {
    const char *text;
    const char *field;
} wrong[] = {
    {"", "line"},
    {"{", "line"},
    {"[]", ""},
    {"{\"to\": []}", "to"},
    {"{\"to\": 1}", "to"},
    {"{\"to\": [1]}", "to"},
    {"{\"flow\": 1}", "flow"},
    {"{\"recipient\": \"a/b\"}", "recipient"},
    {"{\"to\": \"a/b\", \"to\": \"c/d\"}", "line"},
    {"{\"expires_at\": \"tomorrow\"}", "expires_at"},
    {"{\"expires_at\": \"2026-12-31T23:59:59\"}", "expires_at"},
    {"{\"expires_at\": 12}", "expires_at"},
    {"{\"priority\": \"urgent\"}", "priority"},
    {"{\"extensions\": []}", "extensions"},
    {"{\"extensions\": {\"a\": 1.5}}", "extensions"},
    {"{\"extensions\": {\"a\": 3000000000}}", "extensions"},
    {"{\"extensions\": {\"filename\": \"../x\"}}", "extensions"},
    {"{\"subject\": \"\\u0000\"}", "line"},
    {"{\"subject\": \"\xff\"}", "line"},
};

START_TEST(wrong_sidecar_is_refused_with_its_key)
{
    struct sidecar sidecar;
    ck_assert_int_eq(read_text(wrong[_i].text, &sidecar), RELAIS_FIELD_INVALID);
    ck_assert_msg(strncmp(error.field, wrong[_i].field, strlen(wrong[_i].field)) == 0, "%s: %s",
                  wrong[_i].text, error.field);
    ck_assert_str_ne(error.right, "");
}
END_TEST

static bool looks(const char *text)
{
    return sidecar_looks_like(text, strlen(text));
}

START_TEST(sidecar_is_told_from_data)
{
    ck_assert(looks("{\"to\": [\"a/b\"], \"flow\": \"X\"}"));
    ck_assert(looks("{\"to\": 1}"));
    ck_assert(!looks("{\"to\": [\"a/b\"], \"nom\": \"X\"}"));
    ck_assert(!looks("{}"));
    ck_assert(!looks("[1]"));
    ck_assert(!looks("{\"to\": "));
}
END_TEST

static void make_id(const char *name, int64_t mtime_ns, const char *text, unsigned to_count,
                    char *out_id)
{
    struct route route = {
        .to = (const char *const *)addresses, .to_count = to_count, .flow = "RCO"};
    route_make_id(&route, name, mtime_ns, (relais_bytes){text, strlen(text)}, out_id);
}

START_TEST(id_is_the_same_for_the_same_file_only)
{
    char first[ROUTE_ID_CHARACTERS + 1];
    char other[ROUTE_ID_CHARACTERS + 1];
    make_id("a.xml", 5, "text", 1, first);
    make_id("a.xml", 5, "text", 1, other);
    ck_assert_str_eq(first, other);
    ck_assert_uint_eq(strlen(first), ROUTE_ID_CHARACTERS);
    make_id("b.xml", 5, "text", 1, other);
    ck_assert_str_ne(first, other);
    make_id("a.xml", 6, "text", 1, other);
    ck_assert_str_ne(first, other);
    make_id("a.xml", 5, "tex", 1, other);
    ck_assert_str_ne(first, other);
    make_id("a.xml", 5, "text", 2, other);
    ck_assert_str_ne(first, other);
    make_id("", 0, "", 0, other);
    ck_assert_uint_eq(strlen(other), ROUTE_ID_CHARACTERS);
}
END_TEST

START_TEST(media_type_goes_by_the_ending)
{
    ck_assert_str_eq(route_media_type("a.PDF"), "application/pdf");
    ck_assert_str_eq(route_media_type("a.b.json"), "application/json");
    ck_assert_str_eq(route_media_type("README"), "application/octet-stream");
    ck_assert_str_eq(route_media_type(".xml"), "application/octet-stream");
}
END_TEST

int main(void)
{
    if (sodium_init() < 0) {
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create("route");
    TCase *cases = tcase_create("a file goes where its side-car or a rule says");
    tcase_add_test(cases, first_rule_that_fits_counts);
    tcase_add_test(cases, sidecar_comes_before_rules);
    tcase_add_test(cases, sidecar_keys_are_read);
    tcase_add_loop_test(cases, wrong_sidecar_is_refused_with_its_key, 0,
                        (int)(sizeof wrong / sizeof wrong[0]));
    tcase_add_test(cases, sidecar_is_told_from_data);
    tcase_add_test(cases, id_is_the_same_for_the_same_file_only);
    tcase_add_test(cases, media_type_goes_by_the_ending);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
