/* SPDX-License-Identifier: EUPL-1.2
 *
 * client/directory_member.c: each rule with its error; saved and read again is the same.
 */
#include "tests/unit/program/folder.h"

#include <check.h>
#include <relais/directory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_1 "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define KEY_2 "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define HEAD  "slug: commune-76540\nname: Ville de Rouen\nkind: commune\n"

START_TEST(a_whole_file_is_read)
{
    const char *path = folder_write(
        "m.yaml", HEAD "siret: '21760540300013'\ninsee: '76540'\nservices: [etat-civil, accueil]\n"
                       "clients:\n  - name: files\n    key: '" KEY_1 "'\n"
                       "    roles: [send, receive]\n");
    relais_member *member = NULL;
    relais_error error = {0};

    ck_assert_int_eq(relais_member_load(path, &member, &error), RELAIS_OK);
    ck_assert_str_eq(member->slug, "commune-76540");
    ck_assert_str_eq(member->name, "Ville de Rouen");
    ck_assert_int_eq(member->kind, RELAIS_KIND_COMMUNE);
    ck_assert_str_eq(member->siret, "21760540300013");
    ck_assert_str_eq(member->insee, "76540");
    ck_assert_uint_eq(member->service_count, 2);
    ck_assert_str_eq(member->services[1], "accueil");
    ck_assert_uint_eq(member->client_count, 1);
    ck_assert_str_eq(member->clients[0].name, "files");
    ck_assert_str_eq(member->clients[0].key, KEY_1);
    ck_assert_uint_eq(member->clients[0].roles, RELAIS_ROLE_SEND | RELAIS_ROLE_RECEIVE);
    relais_member_free(member);
}
END_TEST

START_TEST(a_member_without_anything_optional_is_read)
{
    relais_member *member = NULL;
    relais_error error = {0};

    ck_assert_int_eq(relais_member_load(folder_write("m.yaml", HEAD), &member, &error), RELAIS_OK);
    ck_assert_ptr_null(member->siret);
    ck_assert_ptr_null(member->insee);
    ck_assert_uint_eq(member->service_count, 0);
    ck_assert_uint_eq(member->client_count, 0);
    relais_member_free(member);
}
END_TEST

static const struct {
    const char *text;
    const char *place;
    const char *wrong;
    const char *right; /* a part of it */
} wrong_files[] = {
    {"slug: Rouen\nname: a\nkind: commune\n", ":1: slug", "Rouen", "commune-76540"},
    {"slug: a\nname: a\nkind: village\n", ":3: kind", "village", "epci"},
    {"slug: a\nname: ''\nkind: commune\n", ":2: name", "empty", "1 to 1024"},
    {HEAD "siret: 21760540300014\n", ":4: siret", "21760540300014", "control digit"},
    {HEAD "insee: 1004\n", ":4: insee", "1004", "'01004'"},
    {"slug: a\nname: a\nkind: state\ninsee: '76540'\n", ":4: insee", "76540", "commune"},
    {HEAD "services: [a, B]\n", ":4: services[1]", "B", "a-z"},
    {HEAD "services:\n  - a\n  - a\n", ":6: services[1]", "a", "once"},
    {HEAD "clients:\n  - name: f\n    key: short\n    roles: [send]\n", ":6: clients[0].key",
     "5 bytes", "40"},
    {HEAD "clients:\n  - name: f\n    key: '~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~'\n"
          "    roles: [send]\n",
     ":6: clients[0].key", "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~", "Z85"},
    {HEAD "clients:\n  - name: f\n    key: '" KEY_1 "'\n    roles: []\n", ":7: clients[0].roles",
     "", "send, receive, operate"},
    {HEAD "clients:\n  - name: f\n    key: '" KEY_1 "'\n    roles: [admin]\n",
     ":7: clients[0].roles[0]", "admin", "operate"},
    {HEAD "clients:\n  - name: F\n    key: '" KEY_1 "'\n    roles: [send]\n", ":5: clients[0].name",
     "F", "a-z"},
    {HEAD "clients:\n  - {name: f, key: '" KEY_1 "', roles: [send]}\n"
          "  - {name: f, key: '" KEY_2 "', roles: [send]}\n",
     ":6: clients[1].name", "f", "once"},
    {HEAD "clients:\n  - {name: f, key: '" KEY_1 "', roles: [send]}\n"
          "  - {name: g, key: '" KEY_1 "', roles: [send]}\n",
     ":6: clients[1].key", KEY_1, "of its own"},
    {HEAD "secret: x\n", ":4: secret", "unknown key", "siret"},
};

START_TEST(every_rule_names_file_line_and_key)
{
    const char *path = folder_write("m.yaml", wrong_files[_i].text);
    relais_member *member = NULL;
    relais_error error = {0};
    char place[200];

    ck_assert_int_eq(relais_member_load(path, &member, &error), RELAIS_CONFIG_INVALID);
    ck_assert_ptr_null(member);
    (void)snprintf(place, sizeof place, "%s%s", path, wrong_files[_i].place);
    ck_assert_str_eq(error.field, place);
    ck_assert_str_eq(error.wrong, wrong_files[_i].wrong);
    ck_assert_msg(strstr(error.right, wrong_files[_i].right) != NULL, "%s", error.right);
}
END_TEST

START_TEST(saved_and_read_again_is_the_same)
{
    char *services[] = {(char[]){"etat-civil"}, (char[]){"no"}};
    relais_member_client clients[] = {
        {.name = (char[]){"files"}, .key = (char[]){KEY_1}, .roles = 7},
        {.name = (char[]){"soft"}, .key = (char[]){KEY_2}, .roles = RELAIS_ROLE_OPERATE}};
    const relais_member member = {.slug = (char[]){"a"},
                                  .name = (char[]){"Communauté d'agglomération: \"Côte\" #1"},
                                  .kind = RELAIS_KIND_EPCI,
                                  .siret = (char[]){"21760540300013"},
                                  .services = services,
                                  .service_count = 2,
                                  .clients = clients,
                                  .client_count = 2};
    relais_member *back = NULL;
    relais_error error = {0};
    const char *path = folder_path("a.yaml");

    ck_assert_int_eq(relais_member_save(&member, path, &error), RELAIS_OK);
    ck_assert_int_eq(relais_member_load(path, &back, &error), RELAIS_OK);
    ck_assert_str_eq(back->name, member.name);
    ck_assert_int_eq(back->kind, RELAIS_KIND_EPCI);
    ck_assert_str_eq(back->siret, member.siret);
    ck_assert_ptr_null(back->insee);
    ck_assert_str_eq(back->services[1], "no");
    ck_assert_str_eq(back->clients[1].key, KEY_2);
    ck_assert_uint_eq(back->clients[0].roles, 7);
    ck_assert_uint_eq(back->clients[1].roles, RELAIS_ROLE_OPERATE);
    relais_member_free(back);
}
END_TEST

START_TEST(what_is_wrong_is_not_saved)
{
    const relais_member member = {.slug = (char[]){"-"}, .name = (char[]){"a"}};
    relais_error error = {0};

    ck_assert_int_eq(relais_member_save(&member, folder_path("a.yaml"), &error),
                     RELAIS_FIELD_INVALID);
    ck_assert_str_eq(error.field, "slug");
    ck_assert_uint_eq(folder_count("yaml"), 0);
}
END_TEST

START_TEST(a_missing_part_is_told_from_a_wrong_one)
{
    const relais_member nameless = {.slug = (char[]){"a"}};
    const relais_member empty = {0};
    relais_error error = {0};

    ck_assert_int_eq(relais_member_check(&empty, &error), RELAIS_FIELD_MISSING);
    ck_assert_str_eq(error.field, "slug");
    ck_assert_int_eq(relais_member_check(&nameless, &error), RELAIS_FIELD_MISSING);
    ck_assert_str_eq(error.field, "name");
    relais_member_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("member");
    TCase *cases = tcase_create("files");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, folder_init, folder_fini);
    tcase_add_test(cases, a_whole_file_is_read);
    tcase_add_test(cases, a_member_without_anything_optional_is_read);
    tcase_add_loop_test(cases, every_rule_names_file_line_and_key, 0,
                        (int)(sizeof wrong_files / sizeof wrong_files[0]));
    tcase_add_test(cases, saved_and_read_again_is_the_same);
    tcase_add_test(cases, what_is_wrong_is_not_saved);
    tcase_add_test(cases, a_missing_part_is_told_from_a_wrong_one);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
