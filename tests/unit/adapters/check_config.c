/* SPDX-License-Identifier: EUPL-1.2
 *
 * The configuration file: what it means, and what is wrong with a wrong one.
 */
#include "adapters/files/config.h"
#include "tests/unit/adapters/folders.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[FOLDERS_PATH_BYTES];
static char path[FOLDERS_PATH_BYTES + 32];
static relais_error error;

static void set_up(void)
{
    folders_make(folder);
    (void)snprintf(path, sizeof path, "%s/files.yaml", folder);
}

static void tear_down(void)
{
    folders_remove(folder);
}

static relais_status load(const char *text, struct config **out_config)
{
    folders_write(folder, "files.yaml", text);
    error = (relais_error){.status = RELAIS_OK};
    return config_load(path, out_config, &error);
}

static void assert_within(const char *found, const char *name)
{
    char wanted[FOLDERS_PATH_BYTES + 64];
    (void)snprintf(wanted, sizeof wanted, "%s/%s", folder, name);
    ck_assert_str_eq(found, wanted);
}

START_TEST(defaults_are_filled_in)
{
    struct config *config = NULL;
    ck_assert_int_eq(load("profile: client.yaml\noutbound:\n  folder: out\n", &config), RELAIS_OK);
    assert_within(config->profile, "client.yaml");
    assert_within(config->outbound->folder, "out");
    assert_within(config->outbound->sent, "out/sent");
    assert_within(config->outbound->failed, "out/failed");
    ck_assert_int_eq(config->outbound->completion, CONFIG_SETTLE);
    ck_assert_uint_eq(config->outbound->settle_ms, 2000);
    ck_assert_uint_eq(config->outbound->rescan_s, 10);
    ck_assert_str_eq(config->outbound->ready_suffix, ".ready");
    ck_assert_ptr_null(config->inbound);
    config_free(config);
}
END_TEST

START_TEST(everything_is_read)
{
    struct config *config = NULL;
    ck_assert_int_eq(load("profile: /etc/relais/client.yaml\n"
                          "outbound:\n"
                          "  folder: /srv/out\n"
                          "  completion: ready\n"
                          "  ready_suffix: .ok\n"
                          "  settle_ms: 500\n"
                          "  rescan_s: 60\n"
                          "  sent: gone\n"
                          "  failed: /srv/failed\n"
                          "  from: dila/dossiers\n"
                          "  rules:\n"
                          "    - pattern: 'RCO-*.xml'\n"
                          "      to: [commune-76540/etat-civil, commune-06088/etat-civil]\n"
                          "      flow: RCO\n"
                          "      media_type: application/xml\n"
                          "      priority: high\n"
                          "inbound:\n"
                          "  credit: 8\n"
                          "  mailboxes:\n"
                          "    - {address: a/b, folder: one}\n"
                          "    - {address: a/c, folder: /two}\n",
                          &config),
                     RELAIS_OK);
    ck_assert_str_eq(config->profile, "/etc/relais/client.yaml");
    ck_assert_int_eq(config->outbound->completion, CONFIG_READY);
    assert_within(config->outbound->sent, "gone");
    ck_assert_str_eq(config->outbound->failed, "/srv/failed");
    ck_assert_uint_eq(config->outbound->rule_count, 1);
    ck_assert_uint_eq(config->outbound->rules[0].to_count, 2);
    ck_assert_int_eq(config->outbound->rules[0].priority, RELAIS_PRIORITY_HIGH);
    ck_assert_uint_eq(config->inbound->credit, 8);
    ck_assert_uint_eq(config->inbound->mailbox_count, 2);
    assert_within(config->inbound->mailboxes[0].folder, "one");
    ck_assert_str_eq(config->inbound->mailboxes[1].folder, "/two");
    config_free(config);
}
END_TEST

static const struct {
    const char *text;
    const char *key;
} wrong[] = {
    {"outbound:\n  folder: x\n", ""}, /* no profile */
    {"profile: p\n", "outbound"},
    {"profile: p\noutbound:\n  folder: x\n  completoin: ready\n", "outbound"},
    {"profile: p\noutbound:\n  folder: x\n  completion: soon\n", "completion"},
    {"profile: p\noutbound:\n  folder: x\n  settle_ms: 99999999\n", "outbound.settle_ms"},
    {"profile: p\noutbound:\n  folder: x\n  rescan_s: -1\n", "rescan_s"},
    {"profile: p\noutbound:\n  folder: x\n  from: nobody\n", "outbound.from"},
    {"profile: p\noutbound:\n  folder: x\n  ready_suffix: .json\n", "outbound.ready_suffix"},
    {"profile: p\noutbound:\n  folder: x\n  rules:\n    - {pattern: a, to: [b], flow: c}\n",
     "outbound.rules[0].to[0]"},
    {"profile: p\noutbound:\n  folder: x\n  rules:\n    - {pattern: a, to: [b/c], flow: '?'}\n",
     "outbound.rules[0].flow"},
    {"profile: p\noutbound:\n  folder: x\n  rules:\n    - {pattern: a, to: [], flow: c}\n", "to"},
    {"profile: p\ninbound:\n  address: a/b\n", "inbound"},
    {"profile: p\ninbound:\n  folder: a\n", "inbound"},
    {"profile: p\ninbound:\n  address: ab\n  folder: a\n", "inbound.address"},
    {"profile: p\ninbound:\n  address: a/b\n  folder: a\n  credit: 5000\n", "inbound.credit"},
    {"profile: p\ninbound:\n  state: s\n  mailboxes:\n    - {address: a/b, folder: y}\n"
     "    - {address: a/c, folder: z}\n",
     "inbound.state"},
    {"profile: p\ninbound:\n  mailboxes:\n    - {address: x, folder: y}\n",
     "inbound.mailboxes[0].address"},
    {"profile: p\ninbound:\n  address: a/b\n  folder: a\n  mailboxes:\n"
     "    - {address: a/b, folder: y}\n",
     "inbound"},
};

START_TEST(wrong_configuration_is_named)
{
    struct config *config = NULL;
    ck_assert_int_eq(load(wrong[_i].text, &config), RELAIS_CONFIG_INVALID);
    ck_assert_ptr_null(config);
    ck_assert_msg(strstr(error.field, "files.yaml") != NULL, "%s", error.field);
    ck_assert_msg(strstr(error.field, wrong[_i].key) != NULL, "%s: %s", wrong[_i].key, error.field);
    ck_assert_str_ne(error.right, "");
}
END_TEST

START_TEST(missing_file_is_not_found)
{
    struct config *config = NULL;
    ck_assert_int_eq(config_load(path, &config, &error), RELAIS_NOT_FOUND);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *cases = tcase_create("the configuration says what it means");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, defaults_are_filled_in);
    tcase_add_test(cases, everything_is_read);
    tcase_add_loop_test(cases, wrong_configuration_is_named, 0,
                        (int)(sizeof wrong / sizeof wrong[0]));
    tcase_add_test(cases, missing_file_is_not_found);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
