/* SPDX-License-Identifier: EUPL-1.2
 *
 * Extensions of a message, and new ids.
 */
#include <check.h>
#include <relais/message.h>
#include <stdlib.h>
#include <string.h>

static const relais_extension extensions[] = {
    {.name = "filename", .text = "acte.pdf"},
    {.name = "filetime", .kind = RELAIS_EXTENSION_TIME, .time_ms = 42},
};

static const relais_message message = {.extensions = extensions, .extension_count = 2};

START_TEST(a_string_extension_is_found_by_name)
{
    ck_assert_str_eq(relais_message_extension(&message, "filename"), "acte.pdf");
    ck_assert_ptr_null(relais_message_extension(&message, "file"));
}
END_TEST

START_TEST(another_kind_is_no_string)
{
    ck_assert_ptr_null(relais_message_extension(&message, "filetime"));
    ck_assert_ptr_eq(relais_message_find_extension(&message, "filetime"), &extensions[1]);
    ck_assert_ptr_null(relais_message_find_extension(&message, "nothing"));
}
END_TEST

START_TEST(new_ids_are_hexadecimal_and_differ)
{
    char one[33];
    char other[33];
    relais_message_new_id(one);
    relais_message_new_id(other);
    ck_assert_uint_eq(strlen(one), 32);
    ck_assert_uint_eq(strspn(one, "0123456789abcdef"), 32);
    ck_assert_str_ne(one, other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.client.message");
    TCase *looking = tcase_create("looking");
    tcase_add_test(looking, a_string_extension_is_found_by_name);
    tcase_add_test(looking, another_kind_is_no_string);
    tcase_add_test(looking, new_ids_are_hexadecimal_and_differ);
    suite_add_tcase(suite, looking);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
