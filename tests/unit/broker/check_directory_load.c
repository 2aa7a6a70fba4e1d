/* SPDX-License-Identifier: EUPL-1.2
 *
 * broker/directory_load.c: all files or none, every problem told.
 */
#include "broker/directory_load.h"
#include "tests/unit/program/folder.h"
#include "tests/unit/trust/given.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_1 "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

struct told {
    relais_error errors[8];
    size_t count;
};

static void tell(void *context, const relais_error *error)
{
    struct told *told = context;

    ck_assert_uint_lt(told->count, 8);
    told->errors[told->count++] = *error;
}

static struct told told;

static struct directory *load(void)
{
    const struct directory_listener listener = {.tell = tell, .context = &told};

    told.count = 0;
    const struct directory_folders folders = {folder_path("members"), folder_path("flows"),
                                              folder_path("entries")};

    return directory_load(&folders, &listener);
}

static void ck_told(size_t index, const char *place, const char *wrong)
{
    ck_assert_uint_lt(index, told.count);
    ck_assert_str_eq(told.errors[index].field, folder_path(place));
    ck_assert_str_eq(told.errors[index].wrong, wrong);
}

static void start(void)
{
    folder_init();
    ck_assert_int_eq(mkdir(folder_path("members"), 0700), 0);
    ck_assert_int_eq(mkdir(folder_path("flows"), 0700), 0);
    (void)folder_write("members/dila.yaml",
                       "slug: dila\nname: D\nkind: state\nservices: [s]\n"
                       "clients:\n  - {name: f, key: '" KEY_1 "', roles: [send]}\n");
    (void)folder_write("members/rouen.yaml", "slug: rouen\nname: R\nkind: commune\n");
}

#define FLOW(code, sender, receiver)                                                               \
    "code: " code "\ntitle: t\npurpose: p\nlegal_basis: l\nsenders: [" sender                      \
    "]\nreceivers: ['" receiver "']\npayload_max: 7\n"

START_TEST(what_the_files_say_is_in_the_directory)
{
    (void)folder_write("flows/a.yaml", FLOW("A", "dila", "kind:commune"));
    (void)folder_write("flows/.hidden.yaml", "nonsense");
    (void)folder_write("flows/a.yaml~", "nonsense");
    struct directory *directory = load();
    ck_assert_ptr_nonnull(directory);
    ck_assert_uint_eq(told.count, 0);
    ck_assert_uint_eq(directory_members(directory), 2);
    ck_assert_uint_eq(directory_flows(directory), 1);
    const struct directory_client *client = directory_client(directory, KEY_1);
    ck_assert_ptr_nonnull(client);
    ck_assert_str_eq(directory_member_slug(client->member), "dila");
    ck_assert_uint_eq(client->roles, ROLE_MAY_SEND);
    ck_assert(directory_has_service(client->member, "s"));
    const struct directory_flow *flow = directory_flow(directory, "A");
    const struct directory_member *rouen = directory_member(directory, "rouen", 5);
    ck_assert(directory_may_send(flow, client->member));
    ck_assert(!directory_may_send(flow, rouen));
    ck_assert(directory_may_receive(flow, rouen));
    ck_assert(!directory_may_receive(flow, client->member));
    ck_assert_uint_eq(directory_flow_payload_bytes(flow), 7);
    directory_free(directory);
}
END_TEST

START_TEST(a_deadline_is_in_the_directory)
{
    (void)folder_write(
        "flows/a.yaml",
        FLOW("A", "dila", "kind:commune") "acknowledge: {within: 15d, remind: [3d, 90m]}\n");
    struct directory *directory = load();
    ck_assert_ptr_nonnull(directory);
    const struct flow_acknowledge *asked =
        directory_flow_acknowledge(directory_flow(directory, "A"));
    ck_assert_int_eq(asked->within_ms, INT64_C(15) * 86400 * 1000);
    ck_assert_uint_eq(asked->remind_count, 2);
    ck_assert_int_eq(asked->remind_ms[0], INT64_C(3) * 86400 * 1000);
    ck_assert_int_eq(asked->remind_ms[1], INT64_C(90) * 60 * 1000);
    directory_free(directory);
}
END_TEST

START_TEST(the_slug_of_the_broker_is_not_for_a_member)
{
    (void)folder_write("members/relais.yaml", "slug: relais\nname: R\nkind: state\n");
    ck_assert_ptr_null(load());
    ck_told(0, "members/relais.yaml:1: slug", "relais");
}
END_TEST

START_TEST(every_problem_is_told_in_the_order_of_the_files)
{
    (void)folder_write("members/a.yaml", "slug: A\nname: a\nkind: state\n");
    (void)folder_write("flows/a.yaml", FLOW("A", "nobody", "*"));
    (void)folder_write("flows/b.yaml", FLOW("B", "dila", "gone"));
    ck_assert_ptr_null(load());
    ck_assert_uint_eq(told.count, 3);
    ck_told(0, "members/a.yaml:1: slug", "A");
    ck_told(1, "flows/a.yaml:5: senders[0]", "nobody");
    ck_told(2, "flows/b.yaml:6: receivers[0]", "gone");
}
END_TEST

START_TEST(what_is_there_twice_is_told)
{
    (void)folder_write("members/z1.yaml", "slug: dila\nname: D\nkind: state\n");
    (void)folder_write("members/z2.yaml", "slug: z\nname: D\nkind: state\nclients:\n"
                                          "  - {name: f, key: '" KEY_1 "', roles: [send]}\n");
    (void)folder_write("flows/a.yaml", FLOW("A", "dila", "*"));
    (void)folder_write("flows/b.yaml", FLOW("A", "dila", "*"));
    ck_assert_ptr_null(load());
    ck_assert_uint_eq(told.count, 3);
    ck_told(0, "members/z1.yaml:1: slug", "dila");
    ck_told(1, "members/z2.yaml:5: clients[0].key", KEY_1);
    ck_told(2, "flows/b.yaml:1: code", "A");
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_told)
{
    ck_assert_int_eq(rename(folder_path("flows"), folder_path("gone")), 0);
    ck_assert_ptr_null(load());
    ck_assert_uint_eq(told.count, 1);
    ck_told(0, "flows", "No such file or directory");
}
END_TEST

START_TEST(an_unreadable_file_fails_the_whole)
{
    ck_assert_int_eq(mkdir(folder_path("members/x.yaml"), 0700), 0);
    ck_assert_ptr_null(load());
    ck_assert_uint_eq(told.count, 1);
    ck_told(0, "members/x.yaml", "Is a directory");
}
END_TEST

static void write_note(const char *name, struct bytes text, const char *signer)
{
    static char note[NOTE_BYTES + 1];
    struct signing_key *key = given_key(signer, 1);
    const struct bytes made = given_note(text, key);

    memcpy(note, made.data, made.size);
    note[made.size] = '\0';
    (void)folder_write(name, note);
    signing_key_free(key);
}

/* SLUG's entry and sheet of mailbox keys, in files that are named after `file`. */
static void write_notes(const char *slug, const char *file)
{
    static uint8_t text[NOTE_BYTES];
    struct trust_entry *entry = given_entry();
    struct mailboxes *sheet = given_mailboxes();
    struct signing_key *key = given_key(slug, 2);
    char path[128];
    size_t size = 0;

    (void)mkdir(folder_path("entries"), 0700);
    (void)snprintf(entry->slug, sizeof entry->slug, "%s", slug);
    entry->signing_keys[0] = *signing_key_public(key);
    signing_key_free(key);
    ck_assert_int_eq(entry_encode(entry, text, &size), TRUST_OK);
    (void)snprintf(path, sizeof path, "entries/%s.entry", file);
    write_note(path, (struct bytes){text, size}, "relais-france");
    (void)snprintf(sheet->member, sizeof sheet->member, "%s", slug);
    ck_assert_int_eq(mailboxes_encode(sheet, text, &size), TRUST_OK);
    (void)snprintf(path, sizeof path, "entries/%s.mailboxes", file);
    write_note(path, (struct bytes){text, size}, slug);
}

START_TEST(signed_notes_are_with_their_members)
{
    write_notes("rouen", "rouen");
    struct directory *directory = load();
    ck_assert_ptr_nonnull(directory);
    const struct directory_notes *notes =
        directory_member_notes(directory_member(directory, "rouen", 5));
    ck_assert_int_eq(strncmp((const char *)notes->entry.data, "relais directory entry 1\n", 25), 0);
    ck_assert_uint_gt(notes->mailboxes.size, 100);
    notes = directory_member_notes(directory_member(directory, "dila", 4));
    ck_assert_uint_eq(notes->entry.size + notes->mailboxes.size, 0);
    directory_free(directory);
}
END_TEST

START_TEST(a_note_that_is_none_or_another_member_s_is_told)
{
    write_notes("dila", "rouen");
    ck_assert_ptr_null(load());
    ck_assert_uint_eq(told.count, 1);
    ck_told(0, "entries/rouen.entry", "dila");
    write_notes("rouen", "rouen");
    (void)folder_write("entries/rouen.mailboxes", "hello\n");
    ck_assert_ptr_null(load());
    ck_assert_uint_eq(told.count, 1);
    ck_told(0, "entries/rouen.mailboxes", "not a signed note");
}
END_TEST

#define SUBSCRIBER(service, flow)                                                                  \
    "slug: nice\nname: N\nkind: commune\nservices: [a]\nsubscriptions:\n  - flow: " flow           \
    "\n    service: " service "\n"

START_TEST(subscribers_are_in_the_directory)
{
    struct directory_address address;
    size_t cursor = 0;

    (void)folder_write("members/nice.yaml", SUBSCRIBER("a", "A"));
    (void)folder_write("flows/a.yaml", FLOW("A", "dila", "kind:commune"));
    struct directory *directory = load();
    ck_assert_ptr_nonnull(directory);
    const struct directory_flow *flow = directory_flow(directory, "A");
    ck_assert_uint_eq(directory_subscribers(flow), 1);
    ck_assert(directory_next_subscriber(directory, flow, &cursor, &address));
    ck_assert_str_eq(address.member, "nice");
    ck_assert_str_eq(address.service, "a");
    directory_free(directory);
}
END_TEST

START_TEST(a_subscription_that_will_not_do_is_told_with_its_place)
{
    (void)folder_write("members/nice.yaml", SUBSCRIBER("a", "A"));
    ck_assert_ptr_null(load());
    ck_assert_uint_eq(told.count, 1);
    ck_told(0, "members/nice.yaml:6: subscriptions[0].flow", "A");
    (void)folder_write("flows/a.yaml", FLOW("A", "dila", "kind:state"));
    ck_assert_ptr_null(load());
    ck_assert_uint_eq(told.count, 1);
    ck_told(0, "members/nice.yaml:6: subscriptions[0].flow", "A");
    (void)folder_write("members/nice.yaml", SUBSCRIBER("b", "A"));
    ck_assert_ptr_null(load());
    ck_assert_uint_eq(told.count, 1);
    ck_told(0, "members/nice.yaml:7: subscriptions[0].service", "b");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("directory_load");
    TCase *cases = tcase_create("folders");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, start, folder_fini);
    tcase_add_test(cases, what_the_files_say_is_in_the_directory);
    tcase_add_test(cases, a_deadline_is_in_the_directory);
    tcase_add_test(cases, the_slug_of_the_broker_is_not_for_a_member);
    tcase_add_test(cases, every_problem_is_told_in_the_order_of_the_files);
    tcase_add_test(cases, what_is_there_twice_is_told);
    tcase_add_test(cases, a_folder_that_is_not_there_is_told);
    tcase_add_test(cases, an_unreadable_file_fails_the_whole);
    tcase_add_test(cases, subscribers_are_in_the_directory);
    tcase_add_test(cases, signed_notes_are_with_their_members);
    tcase_add_test(cases, a_note_that_is_none_or_another_member_s_is_told);
    tcase_add_test(cases, a_subscription_that_will_not_do_is_told_with_its_place);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
