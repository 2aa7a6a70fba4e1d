/* SPDX-License-Identifier: EUPL-1.2
 *
 * Errors and directory entries as JSON: what scripts read.
 */
#include "cli/directory_json.h"
#include "cli/message_json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(an_error_keeps_its_parts)
{
    const relais_error error = {
        .status = RELAIS_UNKNOWN_FLOW, .field = "flow", .wrong = "X\"Y", .right = "A, B"};
    json_t *object = error_json(&error);
    ck_assert_str_eq(json_string_value(json_object_get(object, "status")), "RELAIS_UNKNOWN_FLOW");
    ck_assert_int_eq(json_integer_value(json_object_get(object, "number")), 10);
    ck_assert_str_eq(json_string_value(json_object_get(object, "field")), "flow");
    ck_assert_str_eq(json_string_value(json_object_get(object, "wrong")), "X\"Y");
    ck_assert_str_eq(json_string_value(json_object_get(object, "right")), "A, B");
    ck_assert_ptr_nonnull(json_string_value(json_object_get(object, "text")));
    json_decref(object);
}
END_TEST

START_TEST(a_member_shows_its_clients_and_roles)
{
    char *services[] = {"etat-civil"};
    relais_member_client clients[] = {
        {.name = "files", .key = "k", .roles = RELAIS_ROLE_SEND | RELAIS_ROLE_RECEIVE}};
    const relais_member member = {.slug = "commune-76540",
                                  .name = "Ville de Rouen",
                                  .kind = RELAIS_KIND_COMMUNE,
                                  .services = services,
                                  .service_count = 1,
                                  .clients = clients,
                                  .client_count = 1};
    json_t *object = member_json(&member);
    char *text = json_dumps(object, JSON_COMPACT);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "\"kind\":\"commune\""));
    ck_assert_ptr_nonnull(strstr(text, "\"siret\":null"));
    ck_assert_ptr_nonnull(strstr(text, "\"roles\":[\"send\",\"receive\"]"));
    free(text);
    json_decref(object);
}
END_TEST

START_TEST(roles_are_named_both_ways)
{
    const char *const names[] = {"send", "receive", "operate"};
    for (size_t i = 0; i < 3; i++) {
        unsigned role = 0;
        ck_assert(role_parse(names[i], &role));
        ck_assert_str_eq(role_name(role), names[i]);
    }
    unsigned role = 7;
    ck_assert(!role_parse("Send", &role));
    ck_assert(!role_parse("", &role));
    ck_assert_uint_eq(role, 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli.message_json");
    TCase *json = tcase_create("json");
    tcase_add_test(json, an_error_keeps_its_parts);
    tcase_add_test(json, a_member_shows_its_clients_and_roles);
    tcase_add_test(json, roles_are_named_both_ways);
    suite_add_tcase(suite, json);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
