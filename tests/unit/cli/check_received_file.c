/* SPDX-License-Identifier: EUPL-1.2
 *
 * Names from the wire become files of one folder and nothing else (invariants 1 to 3 of
 * cli/received_file.h).
 */
#include "cli/received_file.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void set_up(void)
{
    snprintf(folder, sizeof(folder), "/tmp/relais-received-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
    static const char *const names[] = {"a.xml",  "a-2.xml",  "a-3.xml",
                                        "target", "link.xml", "link-2.xml"};
    char path[128];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}

struct name_row {
    const char *given;
    const char *name;
};

static const struct name_row name_rows[] = {
    {"acte.xml", "acte.xml"},
    {"acte d'état civil.xml", "acte d'état civil.xml"},
    {"../../etc/passwd", "_._.._etc_passwd"},
    {"/etc/passwd", "_etc_passwd"},
    {"..", "_."},
    {".", "_"},
    {".bashrc", "_bashrc"},
    {"a\\b.txt", "a_b.txt"},
    {"a\nb\033[m\x7F.txt", "a_b_[m_.txt"},
    {"a\xC2\x85"
     "b",
     "a__b"},
    {"", "the-id"},
    {NULL, "the-id"},
};

START_TEST(names_are_made_harmless)
{
    const relais_extension extension = {.name = "filename", .text = name_rows[_i].given};
    const relais_message message = {
        .id = "the-id", .extensions = &extension, .extension_count = name_rows[_i].given ? 1 : 0};
    char name[RECEIVED_NAME_BYTES];
    received_file_name(&message, name);
    ck_assert_str_eq(name, name_rows[_i].name);
}
END_TEST

START_TEST(an_id_is_made_harmless_too)
{
    const relais_message message = {.id = "../x"};
    char name[RECEIVED_NAME_BYTES];
    received_file_name(&message, name);
    ck_assert_str_eq(name, "_._x");
}
END_TEST

START_TEST(long_names_are_cut_before_the_ending)
{
    char given[600];
    char name[RECEIVED_NAME_BYTES];
    size_t used = 0;
    while (used < 500) {
        used += (size_t)snprintf(given + used, sizeof(given) - used, "é");
    }
    snprintf(given + used, sizeof(given) - used, ".xml");
    const relais_extension extension = {.name = "filename", .text = given};
    const relais_message message = {.id = "x", .extensions = &extension, .extension_count = 1};
    received_file_name(&message, name);
    size_t length = strlen(name);
    ck_assert_uint_lt(length, RECEIVED_NAME_BYTES);
    ck_assert_uint_gt(length, RECEIVED_NAME_BYTES - 4);
    ck_assert_str_eq(name + length - 4, ".xml");
    ck_assert_uint_eq((length - 4) % 2, 0);
}
END_TEST

static relais_status save(const char *filename, const char *text, char *path, size_t size)
{
    const relais_extension extensions[] = {
        {.name = "filename", .text = filename},
        {.name = "filetime", .kind = RELAIS_EXTENSION_TIME, .time_ms = 1700000000123}};
    const relais_message message = {
        .id = "x", .extensions = extensions, .extension_count = 2, .payload = {text, strlen(text)}};
    relais_error error;
    return received_file_save(&message, folder, path, size, &error);
}

static void assert_content(const char *path, const char *text)
{
    char found[64] = "";
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(found, 1, sizeof(found) - 1, file), strlen(text));
    fclose(file);
    ck_assert_str_eq(found, text);
}

START_TEST(nothing_is_overwritten)
{
    char paths[3][128];
    const char *const texts[] = {"one", "two", "three"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(save("a.xml", texts[i], paths[i], sizeof(paths[i])), RELAIS_OK);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_content(paths[i], texts[i]);
    }
    ck_assert_ptr_nonnull(strstr(paths[1], "/a-2.xml"));
    ck_assert_ptr_nonnull(strstr(paths[2], "/a-3.xml"));
}
END_TEST

START_TEST(the_file_time_is_kept)
{
    char path[128];
    struct stat about;
    ck_assert_int_eq(save("a.xml", "one", path, sizeof(path)), RELAIS_OK);
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_int_eq(about.st_mtim.tv_sec, 1700000000);
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed)
{
    char target[128];
    char link_path[128];
    char path[128];
    snprintf(target, sizeof(target), "%s/target", folder);
    snprintf(link_path, sizeof(link_path), "%s/link.xml", folder);
    ck_assert_int_eq(symlink(target, link_path), 0);
    ck_assert_int_eq(save("link.xml", "one", path, sizeof(path)), RELAIS_OK);
    ck_assert_int_ne(access(target, F_OK), 0);
    ck_assert_ptr_nonnull(strstr(path, "/link-2.xml"));
}
END_TEST

START_TEST(a_folder_that_cannot_take_files_is_told)
{
    relais_error error;
    ck_assert_int_eq(received_folder_check(folder, &error), RELAIS_OK);
    ck_assert_int_eq(received_folder_check("/nonexistent", &error), RELAIS_NOT_FOUND);
    ck_assert_str_eq(error.field, "/nonexistent");
    ck_assert_int_ne(received_folder_check("/etc/hostname", &error), RELAIS_OK);
    ck_assert_int_eq(received_folder_check("/proc/sys", &error), RELAIS_SYSTEM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli.received_file");
    TCase *names = tcase_create("names");
    tcase_add_loop_test(names, names_are_made_harmless, 0,
                        sizeof(name_rows) / sizeof(name_rows[0]));
    tcase_add_test(names, an_id_is_made_harmless_too);
    tcase_add_test(names, long_names_are_cut_before_the_ending);
    suite_add_tcase(suite, names);
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, set_up, tear_down);
    tcase_add_test(files, nothing_is_overwritten);
    tcase_add_test(files, the_file_time_is_kept);
    tcase_add_test(files, a_symbolic_link_is_not_followed);
    tcase_add_test(files, a_folder_that_cannot_take_files_is_told);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
