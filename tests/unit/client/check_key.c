/* SPDX-License-Identifier: EUPL-1.2
 *
 * Key files: modes, never over something, wrong halves, truncated, no secret in an error.
 */
#include <check.h>
#include <fcntl.h>
#include <relais/key.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32];
static char path[64];
static char public_path[64];

static void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/relais-key-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/client.key", folder);
    (void)snprintf(public_path, sizeof public_path, "%s/client.key.pub", folder);
}

static void remove_folder(void)
{
    (void)unlink(path);
    (void)unlink(public_path);
    (void)rmdir(folder);
}

static void write_file(const char *text, mode_t mode)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(write(descriptor, text, strlen(text)), (int)strlen(text));
    ck_assert_int_eq(fchmod(descriptor, mode), 0);
    ck_assert_int_eq(close(descriptor), 0);
}

static unsigned mode_of(const char *name)
{
    struct stat about;
    ck_assert_int_eq(stat(name, &about), 0);
    return about.st_mode & 07777U;
}

static void write_pair(const char *public_key, const char *secret_key, mode_t mode)
{
    char text[256];
    (void)snprintf(text, sizeof text, "public: %s\nsecret: %s\n", public_key, secret_key);
    write_file(text, mode);
}

static void expect_unreadable(const char *secret_key)
{
    relais_key key = {.public_key = "untouched"};
    relais_error error;
    ck_assert_int_eq(relais_key_load(path, &key, &error), RELAIS_KEY_UNREADABLE);
    ck_assert_str_eq(key.public_key, "untouched");
    ck_assert_str_eq(error.field, path);
    ck_assert(error.right[0] != '\0' || error.wrong[0] != '\0');
    if (secret_key != NULL) {
        ck_assert_ptr_null(strstr(error.wrong, secret_key));
        ck_assert_ptr_null(strstr(error.right, secret_key));
    }
}

START_TEST(a_new_pair_is_saved_and_read_back)
{
    relais_key key;
    relais_key loaded;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    ck_assert(relais_key_is_public(key.public_key));
    ck_assert_int_eq(relais_key_save(&key, path, &error), RELAIS_OK);
    ck_assert_uint_eq(mode_of(path), 0600);
    ck_assert_uint_eq(mode_of(public_path), 0644);
    ck_assert_int_eq(relais_key_load(path, &loaded, &error), RELAIS_OK);
    ck_assert_str_eq(loaded.public_key, key.public_key);
    ck_assert_str_eq(loaded.secret_key, key.secret_key);
    ck_assert_int_eq(relais_key_load_public(public_path, &loaded, &error), RELAIS_OK);
    ck_assert_str_eq(loaded.public_key, key.public_key);
    ck_assert_str_eq(loaded.secret_key, "");
    ck_assert_int_eq(relais_key_load_public(path, &loaded, &error), RELAIS_OK);
    ck_assert_str_eq(loaded.secret_key, "");
}
END_TEST

START_TEST(a_key_is_never_written_over_a_file)
{
    relais_key first;
    relais_key second;
    relais_key loaded;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&first, &error), RELAIS_OK);
    ck_assert_int_eq(relais_key_new(&second, &error), RELAIS_OK);
    ck_assert_int_eq(relais_key_save(&first, path, &error), RELAIS_OK);
    ck_assert_int_eq(relais_key_save(&second, path, &error), RELAIS_ALREADY_EXISTS);
    ck_assert_int_eq(relais_key_load(path, &loaded, &error), RELAIS_OK);
    ck_assert_str_eq(loaded.public_key, first.public_key);
    ck_assert_int_eq(relais_key_load_public(public_path, &loaded, &error), RELAIS_OK);
    ck_assert_str_eq(loaded.public_key, first.public_key);
}
END_TEST

START_TEST(a_key_that_others_may_read_is_not_used)
{
    static const mode_t modes[] = {0644, 0640, 0604, 0620, 0602};
    relais_key key;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    write_pair(key.public_key, key.secret_key, modes[_i]);
    expect_unreadable(key.secret_key);
    ck_assert_int_eq(chmod(path, 0400), 0);
    ck_assert_int_eq(relais_key_load(path, &key, &error), RELAIS_OK);
}
END_TEST

START_TEST(halves_that_do_not_belong_together_are_not_used)
{
    relais_key one;
    relais_key other;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&one, &error), RELAIS_OK);
    ck_assert_int_eq(relais_key_new(&other, &error), RELAIS_OK);
    write_pair(one.public_key, other.secret_key, 0600);
    expect_unreadable(other.secret_key);
}
END_TEST

START_TEST(a_truncated_file_is_not_used)
{
    char text[256];
    relais_key key;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    int size =
        snprintf(text, sizeof text, "public: %s\nsecret: %s\n", key.public_key, key.secret_key);
    for (int length = 0; length < size - 1; length++) { /* the last newline may be missing */
        char cut[256];
        memcpy(cut, text, (size_t)length);
        cut[length] = '\0';
        write_file(cut, 0600);
        expect_unreadable(key.secret_key);
    }
}
END_TEST

START_TEST(what_is_no_key_file_is_named)
{
    relais_key key;
    relais_error error;
    char large[2048];
    ck_assert_int_eq(relais_key_load("/nowhere/at.all", &key, &error), RELAIS_KEY_UNREADABLE);
    ck_assert_str_eq(error.field, "/nowhere/at.all");
    ck_assert_int_eq(relais_key_load(folder, &key, &error), RELAIS_KEY_UNREADABLE);
    memset(large, 'a', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    write_file(large, 0600);
    expect_unreadable(NULL);
    ck_assert_int_eq(relais_key_load_public(path, &key, &error), RELAIS_KEY_UNREADABLE);
}
END_TEST

START_TEST(a_public_key_is_forty_characters_of_z85)
{
    ck_assert(relais_key_is_public("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"));
    ck_assert(!relais_key_is_public(NULL));
    ck_assert(!relais_key_is_public(""));
    ck_assert(!relais_key_is_public("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf"));
    ck_assert(!relais_key_is_public("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf77"));
    ck_assert(!relais_key_is_public("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]y\"7"));
    ck_assert(!relais_key_is_public("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]y\xC3\xA9"));
    ck_assert(!relais_key_is_public("#####" /* 2^32 and more */
                                    "###################################"));
}
END_TEST

START_TEST(wiping_leaves_nothing)
{
    static const relais_key nothing;
    relais_key key;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    relais_key_wipe(&key);
    ck_assert_mem_eq(&key, &nothing, sizeof key);
    relais_key_wipe(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.client.key");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, a_new_pair_is_saved_and_read_back);
    tcase_add_test(files, a_key_is_never_written_over_a_file);
    tcase_add_loop_test(files, a_key_that_others_may_read_is_not_used, 0, 5);
    tcase_add_test(files, halves_that_do_not_belong_together_are_not_used);
    tcase_add_test(files, a_truncated_file_is_not_used);
    tcase_add_test(files, what_is_no_key_file_is_named);
    suite_add_tcase(suite, files);
    TCase *text = tcase_create("text");
    tcase_add_test(text, a_public_key_is_forty_characters_of_z85);
    tcase_add_test(text, wiping_leaves_nothing);
    suite_add_tcase(suite, text);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
