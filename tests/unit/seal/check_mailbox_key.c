/* SPDX-License-Identifier: EUPL-1.2
 *
 * Mailbox keys: records, ids, files, and files that are wrong in one place.
 */
#include "letter.h"
#include "seal/mailbox_key.h"

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct mailbox_key *key;
static char file[MAILBOX_KEY_FILE_BYTES + 1];
static size_t file_size;

static void set_up(void)
{
    struct seal_output out = {.data = (uint8_t *)file, .size = MAILBOX_KEY_FILE_BYTES};

    ck_assert_int_eq(mailbox_key_generate(LETTER_FROM_MS, LETTER_UNTIL_MS, &key), SEAL_OK);
    ck_assert(mailbox_key_write(key, &out));
    file_size = out.used;
    file[file_size] = '\0';
}

static void tear_down(void)
{
    mailbox_key_free(key);
}

static enum seal_status try_file(const char *text, size_t size)
{
    struct mailbox_key *read = NULL;
    uint8_t *exact = malloc(size + 1);
    enum seal_status status = SEAL_OK;

    ck_assert_ptr_nonnull(exact);
    memcpy(exact, text, size);
    status = mailbox_key_read((struct seal_bytes){exact, size}, &read);
    ck_assert((status == SEAL_OK) == (read != NULL));
    mailbox_key_free(read);
    free(exact);
    return status;
}

START_TEST(a_file_is_the_key)
{
    struct mailbox_key *read = NULL;

    ck_assert_int_eq(mailbox_key_read((struct seal_bytes){(const uint8_t *)file, file_size}, &read),
                     SEAL_OK);
    ck_assert_mem_eq(mailbox_key_secret(read), mailbox_key_secret(key), MAILBOX_SECRET_BYTES);
    ck_assert_mem_eq(mailbox_key_id(read), mailbox_key_id(key), MAILBOX_KEY_ID_BYTES);
    ck_assert_mem_eq(mailbox_key_public(read)->point, mailbox_key_public(key)->point,
                     MAILBOX_POINT_BYTES);
    ck_assert_int_eq(mailbox_key_public(read)->not_before_ms, LETTER_FROM_MS);
    ck_assert_int_eq(mailbox_key_public(read)->not_after_ms, LETTER_UNTIL_MS);
    mailbox_key_free(read);
}
END_TEST

START_TEST(a_file_may_have_comments)
{
    char text[2 * MAILBOX_KEY_FILE_BYTES];

    (void)snprintf(text, sizeof text, "# one\n\n%s# two", file);
    ck_assert_int_eq(try_file(text, strlen(text)), SEAL_OK);
    (void)snprintf(text, sizeof text, "%ssecret: 00", file);
    ck_assert_int_eq(try_file(text, strlen(text)), SEAL_BAD_KEY_FILE);
}
END_TEST

/* Where the value of this line begins. */
static size_t value_at(const char *name)
{
    return (size_t)(strstr(file, name) - file) + strlen(name);
}

START_TEST(a_file_cut_or_altered)
{
    const size_t begin = value_at("\n"); /* behind the comment */
    const size_t from = value_at("from-ms: ");
    const size_t until = value_at("until-ms: ");
    const size_t secret = value_at("secret: ");

    for (size_t size = 0; size + 1 < file_size; size++) { /* the last end of line is not needed */
        ck_assert_int_eq(try_file(file, size), SEAL_BAD_KEY_FILE);
    }
    for (size_t at = begin; at + 1 < file_size; at++) {
        const char was = file[at];

        file[at] = (char)(was ^ 1);
        /* it still is a key with another validity, which the id covers, and with another of the
         * five bits of a secret that X25519 does not look at */
        if ((at < from || at >= from + 13) && (at < until || at >= until + 13) &&
            at != secret + 1 && at != secret + 62) {
            ck_assert_msg(try_file(file, file_size) != SEAL_OK, "%zu of %s", at, file);
        }
        file[at] = was;
    }
    ck_assert_int_eq(try_file(file, file_size), SEAL_OK);
}
END_TEST

START_TEST(a_file_of_another_suite)
{
    *(strstr(file, "suite: 1") + 7) = '2';
    ck_assert_int_eq(try_file(file, file_size), SEAL_UNKNOWN_SUITE);
}
END_TEST

START_TEST(a_file_with_another_public_half)
{
    struct mailbox_key *other = letter_key(9);
    char hex[65];

    (void)sodium_bin2hex(hex, sizeof hex, mailbox_key_public(other)->point, 32);
    memcpy(strstr(file, "public: ") + 8, hex, 64);
    ck_assert_int_eq(try_file(file, file_size), SEAL_BAD_KEY_FILE);
    mailbox_key_free(other);
}
END_TEST

START_TEST(a_file_that_is_too_long)
{
    char *text = malloc(MAILBOX_KEY_FILE_BYTES + 2);

    ck_assert_ptr_nonnull(text);
    memset(text, '\n', MAILBOX_KEY_FILE_BYTES + 2);
    memcpy(text, file, file_size);
    ck_assert_int_eq(try_file(text, MAILBOX_KEY_FILE_BYTES), SEAL_OK);
    ck_assert_int_eq(try_file(text, MAILBOX_KEY_FILE_BYTES + 1), SEAL_BAD_KEY_FILE);
    free(text);
}
END_TEST

START_TEST(a_buffer_that_is_too_small)
{
    uint8_t room[MAILBOX_KEY_FILE_BYTES];

    for (size_t size = 0; size < file_size; size++) {
        struct seal_output out = {.data = room, .size = size};

        ck_assert(!mailbox_key_write(key, &out));
    }
}
END_TEST

START_TEST(records)
{
    uint8_t record[MAILBOX_PUBLIC_BYTES + 1];
    struct mailbox_public back;
    uint8_t id[MAILBOX_KEY_ID_BYTES];

    mailbox_public_encode(mailbox_key_public(key), record);
    ck_assert_int_eq(
        mailbox_public_decode((struct seal_bytes){record, MAILBOX_PUBLIC_BYTES}, &back), SEAL_OK);
    mailbox_public_id(&back, id);
    ck_assert_mem_eq(id, mailbox_key_id(key), sizeof id);
    for (size_t size = 0; size <= sizeof record; size++) {
        if (size != MAILBOX_PUBLIC_BYTES) {
            ck_assert_int_eq(mailbox_public_decode((struct seal_bytes){record, size}, &back),
                             SEAL_BAD_PUBLIC_KEY);
        }
    }
    for (size_t at = 0; at < MAILBOX_PUBLIC_BYTES; at++) { /* rule 2: each byte is in the id */
        record[at] ^= 1;
        if (mailbox_public_decode((struct seal_bytes){record, MAILBOX_PUBLIC_BYTES}, &back) ==
            SEAL_OK) {
            mailbox_public_id(&back, id);
            ck_assert_mem_ne(id, mailbox_key_id(key), sizeof id);
        }
        record[at] ^= 1;
    }
    record[1] = 2;
    ck_assert_int_eq(
        mailbox_public_decode((struct seal_bytes){record, MAILBOX_PUBLIC_BYTES}, &back),
        SEAL_UNKNOWN_SUITE);
}
END_TEST

START_TEST(validity)
{
    static const struct {
        int64_t from;
        int64_t until;
    } bad[] = {{0, 0}, {5, 4}, {-1, 5}, {0, MAILBOX_KEY_MOST_MS + 1}, {INT64_MAX, INT64_MIN}};
    struct mailbox_key *made = NULL;
    uint8_t record[MAILBOX_PUBLIC_BYTES];
    struct mailbox_public back;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct mailbox_public half = {bad[i].from, bad[i].until, {9}};

        ck_assert_int_eq(mailbox_key_generate(bad[i].from, bad[i].until, &made), SEAL_BAD_VALIDITY);
        mailbox_public_encode(&half, record);
        ck_assert_int_eq(mailbox_public_decode((struct seal_bytes){record, sizeof record}, &back),
                         SEAL_BAD_VALIDITY);
    }
    ck_assert_ptr_null(made);
    ck_assert_int_eq(mailbox_key_generate(0, MAILBOX_KEY_MOST_MS, &made), SEAL_OK);
    mailbox_key_free(made);
}
END_TEST

START_TEST(keys_differ)
{
    struct mailbox_key *other = NULL;

    ck_assert_int_eq(mailbox_key_generate(LETTER_FROM_MS, LETTER_UNTIL_MS, &other), SEAL_OK);
    ck_assert_mem_ne(mailbox_key_secret(other), mailbox_key_secret(key), MAILBOX_SECRET_BYTES);
    mailbox_key_free(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mailbox_key");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, a_file_is_the_key);
    tcase_add_test(all, a_file_may_have_comments);
    tcase_add_test(all, a_file_cut_or_altered);
    tcase_add_test(all, a_file_of_another_suite);
    tcase_add_test(all, a_file_with_another_public_half);
    tcase_add_test(all, a_file_that_is_too_long);
    tcase_add_test(all, a_buffer_that_is_too_small);
    tcase_add_test(all, records);
    tcase_add_test(all, validity);
    tcase_add_test(all, keys_differ);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
