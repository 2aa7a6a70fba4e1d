/* SPDX-License-Identifier: EUPL-1.2
 *
 * What becomes of a file: sent, failed, its side-car, its reason. Numbers in names of tests are the
 * invariants of verdict.h.
 */
#include "adapters/files/reason.h"
#include "adapters/files/verdict.h"
#include "tests/unit/adapters/folders.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char outbound[FOLDERS_PATH_BYTES];
static char other[FOLDERS_PATH_BYTES];
static int from;
static int to;
static struct file_mark mark;

static void set_up(void)
{
    folders_make(outbound);
    folders_make(other);
    from = open(outbound, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    to = open(other, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert(from >= 0 && to >= 0);
}

static void tear_down(void)
{
    (void)close(from);
    (void)close(to);
    folders_remove(outbound);
    folders_remove(other);
}

static struct verdict_file file_named(const char *name)
{
    struct stat about;
    ck_assert_int_eq(fstatat(from, name, &about, 0), 0);
    mark = file_mark_of(&about);
    return (struct verdict_file){.folder = from, .name = name, .mark = &mark, .id = ""};
}

START_TEST(sent_takes_the_sidecar_along)
{
    folders_write(outbound, "a.xml", "text");
    folders_write(outbound, "a.xml.json", "{}");
    struct verdict_file file = file_named("a.xml");
    ck_assert_int_eq(verdict_sent(&file, to), 0);
    ck_assert(folders_holds(other, "a.xml", "text"));
    ck_assert(folders_holds(other, "a.xml.json", "{}"));
    ck_assert_uint_eq(folders_count(outbound), 0);
}
END_TEST

START_TEST(nothing_is_overwritten_3)
{
    for (int i = 0; i < 120; i++) {
        folders_write(outbound, "a.xml", "text");
        struct verdict_file file = file_named("a.xml");
        ck_assert_int_eq(verdict_sent(&file, to), 0);
    }
    ck_assert(folders_has(other, "a-1.xml"));
    ck_assert(folders_has(other, "a-99.xml"));
    ck_assert_uint_eq(folders_count(other), 120);
}
END_TEST

/* An older side-car that lies alone in "sent" keeps its name to itself. */
START_TEST(sidecar_of_another_is_kept_3)
{
    folders_write(other, "a.xml.json", "old");
    folders_write(outbound, "a.xml", "text");
    folders_write(outbound, "a.xml.json", "new");
    struct verdict_file file = file_named("a.xml");
    ck_assert_int_eq(verdict_sent(&file, to), 0);
    ck_assert(folders_holds(other, "a.xml.json", "old"));
    ck_assert(folders_holds(other, "a-1.xml", "text"));
    ck_assert(folders_holds(other, "a-1.xml.json", "new"));
    ck_assert_uint_eq(folders_count(outbound), 0);
}
END_TEST

START_TEST(only_the_submitted_file_is_moved_1)
{
    folders_write(outbound, "a.xml", "text");
    struct verdict_file file = file_named("a.xml");
    folders_write(outbound, "new", "newer");
    ck_assert_int_eq(renameat(from, "new", from, "a.xml"), 0);
    ck_assert_int_eq(verdict_sent(&file, to), ESTALE);
    ck_assert(folders_holds(outbound, "a.xml", "newer"));
    ck_assert_uint_eq(folders_count(other), 0);
    ck_assert_int_eq(unlinkat(from, "a.xml", 0), 0);
    ck_assert_int_eq(verdict_sent(&file, to), ENOENT);
}
END_TEST

/* The states that a kill can leave: linked but not moved; moved but not unlinked. */
START_TEST(sidecar_left_behind_is_known_2)
{
    folders_write(outbound, "a.xml", "text");
    folders_write(outbound, "a.xml.json", "{}");
    ck_assert_int_eq(linkat(from, "a.xml.json", to, "a.xml.json", 0), 0);
    struct verdict_file file = file_named("a.xml");
    ck_assert_int_eq(verdict_sent(&file, to), 0);
    ck_assert(folders_has(other, "a.xml"));
    ck_assert_uint_eq(folders_count(other), 2);
    ck_assert_uint_eq(folders_count(outbound), 0);

    folders_write(outbound, "b.xml.json", "{}");
    ck_assert(!verdict_is_past(from, "b.xml.json", to));
    ck_assert_int_eq(linkat(from, "b.xml.json", to, "b-1.xml.json", 0), 0);
    ck_assert(!verdict_is_past(from, "b.xml.json", to)); /* no b.xml.json there: not looked for */
    folders_write(other, "b.xml.json", "{}");
    ck_assert(verdict_is_past(from, "b.xml.json", to));
}
END_TEST

START_TEST(failed_has_its_reason_in_both_languages)
{
    relais_error error = {.status = RELAIS_UNKNOWN_FLOW,
                          .field = "submit.parts[2].envelope.flow",
                          .wrong = "bad \xff bytes",
                          .right = "a flow"};
    folders_write(outbound, "a.xml", "text");
    folders_write(outbound, "a.xml.json", "{}");
    struct verdict_file file = file_named("a.xml");
    ck_assert_int_eq(verdict_failed(&file, to, &error, INT64_C(1794000000000)), 0);
    ck_assert(folders_holds(other, "a.xml", "text"));
    ck_assert(folders_has(other, "a.xml.json"));
    ck_assert_uint_eq(folders_count(other), 3);

    char path[FOLDERS_PATH_BYTES + 32];
    const char *status = NULL;
    const char *field = NULL;
    const char *french = NULL;
    const char *english = NULL;
    int code = 0;
    (void)snprintf(path, sizeof path, "%s/a.xml.error.json", other);
    json_t *reason = json_load_file(path, 0, NULL);
    ck_assert_int_eq(json_unpack(reason, "{s:s, s:i, s:s, s:{s:s, s:s}}", "status", &status, "code",
                                 &code, "field", &field, "text", "fr", &french, "en", &english),
                     0);
    ck_assert_str_eq(status, "RELAIS_UNKNOWN_FLOW");
    ck_assert_int_eq(code, 10);
    ck_assert_str_eq(field, "flow");
    ck_assert_str_eq(french, "cette démarche n’existe pas sur ce bus");
    ck_assert_str_eq(english, "no such flow on this bus");
    json_decref(reason);
}
END_TEST

START_TEST(folder_that_is_gone_leaves_the_file)
{
    folders_write(outbound, "a.xml", "text");
    struct verdict_file file = file_named("a.xml");
    folders_remove(other);
    ck_assert_int_ne(verdict_sent(&file, to), 0);
    ck_assert(folders_holds(outbound, "a.xml", "text"));
    folders_make(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verdict");
    TCase *cases = tcase_create("a file is put away once the broker has answered");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, sent_takes_the_sidecar_along);
    tcase_add_test(cases, nothing_is_overwritten_3);
    tcase_add_test(cases, sidecar_of_another_is_kept_3);
    tcase_add_test(cases, only_the_submitted_file_is_moved_1);
    tcase_add_test(cases, sidecar_left_behind_is_known_2);
    tcase_add_test(cases, failed_has_its_reason_in_both_languages);
    tcase_add_test(cases, folder_that_is_gone_leaves_the_file);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
