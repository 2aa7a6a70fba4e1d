/* SPDX-License-Identifier: EUPL-1.2
 *
 * client/profile.c: paths relative to the file, each rule with its error, a round trip.
 */
#include "tests/unit/program/folder.h"

#include <check.h>
#include <limits.h>
#include <relais/profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY  "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define HEAD "broker: tcp://bus.example.fr:5770\nbroker_key: '" KEY "'\n"

START_TEST(the_key_is_relative_to_the_profile)
{
    relais_profile profile;
    relais_error error = {0};
    const char *path =
        folder_write("p.yaml", HEAD "key: keys/a.key\nmember: commune-76540\nclient: files\n");

    ck_assert_int_eq(relais_profile_load(path, &profile, &error), RELAIS_OK);
    ck_assert_str_eq(profile.endpoint, "tcp://bus.example.fr:5770");
    ck_assert_str_eq(profile.broker_key, KEY);
    ck_assert_str_eq(profile.key_path, folder_path("keys/a.key"));
    ck_assert_str_eq(profile.member, "commune-76540");
    ck_assert_str_eq(profile.client, "files");
}
END_TEST

START_TEST(an_absolute_key_stays_and_names_are_optional)
{
    relais_profile profile;
    relais_error error = {0};

    ck_assert_int_eq(
        relais_profile_load(folder_write("p.yaml", HEAD "key: /etc/k\n"), &profile, &error),
        RELAIS_OK);
    ck_assert_str_eq(profile.key_path, "/etc/k");
    ck_assert_str_eq(profile.member, "");
}
END_TEST

START_TEST(a_relative_profile_gives_an_absolute_key)
{
    relais_profile profile;
    relais_error error = {0};
    char here[PATH_MAX];
    char expected[PATH_MAX + 16];

    ck_assert_int_eq(mkdir(folder_path("d"), 0700), 0);
    (void)folder_write("d/p.yaml", HEAD "key: k\n");
    ck_assert_int_eq(chdir(folder_path(".")), 0);
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_int_eq(relais_profile_load("d/p.yaml", &profile, &error), RELAIS_OK);
    (void)snprintf(expected, sizeof expected, "%s/d/k", here);
    ck_assert_str_eq(profile.key_path, expected);
    ck_assert_int_eq(chdir("d"), 0);
    ck_assert_int_eq(relais_profile_load("p.yaml", &profile, &error), RELAIS_OK);
    ck_assert_str_eq(profile.key_path, expected);
}
END_TEST

static const struct {
    const char *text;
    const char *place;
    const char *wrong;
} wrong_files[] = {
    {"broker: bus:5770\nbroker_key: '" KEY "'\nkey: k\n", ":1: broker", "bus:5770"},
    {"broker: tcp://bus\nbroker_key: '" KEY "'\nkey: k\n", ":1: broker", "tcp://bus"},
    {"broker: tcp://a:1\nbroker_key: abc\nkey: k\n", ":2: broker_key", "3 bytes"},
    {"broker: tcp://a:1\nbroker_key: '~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~'\nkey: k\n",
     ":2: broker_key", "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
    {HEAD, ":1: key", "missing"},
    {HEAD "key: k\nmember: Rouen\n", ":4: member", "Rouen"},
    {HEAD "key: k\nclient: a b\n", ":4: client", "a b"},
    {HEAD "key: k\nidentity: i\n", ":1: regulator", "missing"},
    {HEAD "key: k\nregulator: r\nsealed_flows: [A, 'b c']\n", ":5: sealed_flows", "b c"},
    {HEAD "key: k\npassword: p\n", ":4: password", "unknown key"},
};

START_TEST(every_rule_names_file_line_and_key)
{
    const char *path = folder_write("p.yaml", wrong_files[_i].text);
    relais_profile profile;
    relais_error error = {0};
    char place[200];

    ck_assert_int_eq(relais_profile_load(path, &profile, &error), RELAIS_CONFIG_INVALID);
    (void)snprintf(place, sizeof place, "%s%s", path, wrong_files[_i].place);
    ck_assert_str_eq(error.field, place);
    ck_assert_str_eq(error.wrong, wrong_files[_i].wrong);
    ck_assert_str_ne(error.right, "");
}
END_TEST

START_TEST(what_is_sealed_with_is_relative_to_the_profile)
{
    relais_profile profile;
    relais_profile back;
    relais_error error = {0};
    const char *path = folder_write("p.yaml", HEAD "key: k\nregulator: r.pub\nmemory: /var/seen\n"
                                                   "identity: keys/m.key\nmailbox_keys: mk\n"
                                                   "sealed_flows: [A, B]\n");

    ck_assert_int_eq(relais_profile_load(path, &profile, &error), RELAIS_OK);
    ck_assert_str_eq(profile.regulator_path, folder_path("r.pub"));
    ck_assert_str_eq(profile.memory_path, "/var/seen");
    ck_assert_str_eq(profile.identity_path, folder_path("keys/m.key"));
    ck_assert_str_eq(profile.mailbox_keys_path, folder_path("mk"));
    ck_assert_uint_eq(profile.sealed_flow_count, 2);
    ck_assert_str_eq(profile.sealed_flows[1], "B");
    ck_assert_int_eq(relais_profile_save(&profile, path, &error), RELAIS_OK);
    ck_assert_int_eq(relais_profile_load(path, &back, &error), RELAIS_OK);
    ck_assert_mem_eq(&profile, &back, sizeof profile);
}
END_TEST

START_TEST(saved_and_read_again_is_the_same)
{
    relais_profile profile = {.endpoint = "tcp://[::1]:5770",
                              .broker_key = KEY,
                              .key_path = "my key.key",
                              .member = "a",
                              .client = "b"};
    relais_profile back;
    relais_error error = {0};
    const char *path = folder_path("p.yaml");

    ck_assert_int_eq(relais_profile_save(&profile, path, &error), RELAIS_OK);
    ck_assert_int_eq(relais_profile_load(path, &back, &error), RELAIS_OK);
    ck_assert_str_eq(back.endpoint, profile.endpoint);
    ck_assert_str_eq(back.broker_key, KEY);
    ck_assert_str_eq(back.key_path, folder_path("my key.key"));
    ck_assert_str_eq(back.member, "a");
    ck_assert_str_eq(back.client, "b");
    profile.key_path[0] = '\0';
    ck_assert_int_eq(relais_profile_save(&profile, path, &error), RELAIS_CONFIG_INVALID);
    ck_assert_str_eq(error.field, "key");
}
END_TEST

START_TEST(no_profile_is_not_found)
{
    relais_profile profile;
    relais_error error = {0};

    ck_assert_int_eq(relais_profile_load(folder_path("none"), &profile, &error), RELAIS_NOT_FOUND);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("profile");
    TCase *cases = tcase_create("files");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, folder_init, folder_fini);
    tcase_add_test(cases, the_key_is_relative_to_the_profile);
    tcase_add_test(cases, an_absolute_key_stays_and_names_are_optional);
    tcase_add_test(cases, a_relative_profile_gives_an_absolute_key);
    tcase_add_loop_test(cases, every_rule_names_file_line_and_key, 0,
                        (int)(sizeof wrong_files / sizeof wrong_files[0]));
    tcase_add_test(cases, saved_and_read_again_is_the_same);
    tcase_add_test(cases, what_is_sealed_with_is_relative_to_the_profile);
    tcase_add_test(cases, no_profile_is_not_found);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
