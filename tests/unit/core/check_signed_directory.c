/* SPDX-License-Identifier: EUPL-1.2
 *
 * core/signed_directory.c: notes are handed on as they were given, in the order of the question, as
 * many as fit.
 */
#include "heard.h"

#include "core/limits.h"

#include <stdlib.h>
#include <string.h>

static uint8_t large[LIMIT_MAILBOXES_BYTES];

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static struct directory *directory_with_notes(void)
{
    struct directory *d = directory_new();
    const struct directory_notes small = {.entry = bytes_of("entry of dila")};
    const struct directory_notes most = {{large, LIMIT_ENTRY_BYTES}, {large, sizeof large}};
    const struct directory_notes more = {{large, LIMIT_ENTRY_BYTES + 1}, {NULL, 0}};
    memset(large, 'x', sizeof large);
    directory_add_member(d, "dila", KIND_STATE);
    directory_add_member(d, "commune-76540", KIND_COMMUNE);
    directory_add_member(d, "commune-06088", KIND_COMMUNE);
    directory_add_client(d, "dila", "files", DILA, ROLE_MAY_SEND);
    ck_assert_int_eq(directory_set_notes(d, "dila", &small), DIRECTORY_OK);
    ck_assert_int_eq(directory_set_notes(d, "commune-76540", &more), DIRECTORY_FULL);
    ck_assert_int_eq(directory_set_notes(d, "commune-76540", &most), DIRECTORY_OK);
    ck_assert_int_eq(directory_set_notes(d, "nobody", &most), DIRECTORY_INVALID);
    directory_seal(d);
    return d;
}

static const Relais__V1__Answer *ask(struct world *world, char **members, size_t count)
{
    Relais__V1__DirectoryQuery what = RELAIS__V1__DIRECTORY_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    what.members = members;
    what.n_members = count;
    query.number = 3;
    query.what_case = RELAIS__V1__QUERY__WHAT_DIRECTORY;
    query.directory = &what;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(world, 1, DILA, &command);
    const Relais__V1__Answer *answer = heard(world, 1, TOLD(ANSWER))->answer;
    ck_assert_uint_eq(answer->number, 3);
    return answer;
}

static void begin(struct world *world)
{
    world_init(world, NULL);
    greet(world, 1, DILA);
    world_replace(world, directory_with_notes());
    world_turn(world);
}

START_TEST(notes_come_as_they_were_given)
{
    struct world world;
    char *members[] = {"nobody", "dila", "commune-06088"};
    begin(&world);
    const Relais__V1__SignedDirectory *told = ask(&world, members, 3)->directory;
    ck_assert_uint_eq(told->n_members, 3);
    ck_assert(!told->more);
    ck_assert_str_eq(told->members[0]->member, "nobody");
    ck_assert_uint_eq(told->members[0]->entry.len, 0);
    ck_assert_str_eq(told->members[1]->member, "dila");
    ck_assert_uint_eq(told->members[1]->entry.len, strlen("entry of dila"));
    ck_assert_mem_eq(told->members[1]->entry.data, "entry of dila", strlen("entry of dila"));
    ck_assert_uint_eq(told->members[1]->mailboxes.len, 0);
    world_fini(&world);
}
END_TEST

START_TEST(what_does_not_fit_is_asked_for_again)
{
    struct world world;
    char *members[] = {"dila", "commune-76540", "commune-76540"};
    begin(&world);
    const Relais__V1__SignedDirectory *told = ask(&world, members, 3)->directory;
    ck_assert_uint_eq(told->n_members, 2);
    ck_assert(told->more);
    ck_assert_uint_eq(told->members[1]->entry.len, LIMIT_ENTRY_BYTES);
    ck_assert_uint_eq(told->members[1]->mailboxes.len, LIMIT_MAILBOXES_BYTES);
    ck_assert(!ask(&world, members + 2, 1)->directory->more);
    world_fini(&world);
}
END_TEST

START_TEST(a_question_that_is_none_is_refused)
{
    struct world world;
    char *members[LIMIT_DIRECTORY_ASKED + 1];
    char *wrong[] = {"dila", "Not a slug"};
    begin(&world);
    for (size_t i = 0; i <= LIMIT_DIRECTORY_ASKED; i++) {
        members[i] = "dila";
    }
    heard_error(ask(&world, members, 0)->error, CODE(FIELD_INVALID), "query.directory.members");
    heard_error(ask(&world, members, LIMIT_DIRECTORY_ASKED + 1)->error, CODE(FIELD_INVALID),
                "query.directory.members");
    heard_error(ask(&world, wrong, 2)->error, CODE(FIELD_INVALID), "query.directory.members");
    ck_assert_uint_eq(ask(&world, members, LIMIT_DIRECTORY_ASKED)->directory->n_members,
                      LIMIT_DIRECTORY_ASKED);
    world_fini(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.core.signed_directory");
    TCase *asking = tcase_create("asking");
    tcase_add_test(asking, notes_come_as_they_were_given);
    tcase_add_test(asking, what_does_not_fit_is_asked_for_again);
    tcase_add_test(asking, a_question_that_is_none_is_refused);
    suite_add_tcase(suite, asking);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
