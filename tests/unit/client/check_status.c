/* SPDX-License-Identifier: EUPL-1.2
 *
 * The one list of statuses is the list of the wire: same names, same numbers.
 */
#include "relais/v1/command.pb-c.h"

#include <check.h>
#include <relais/status.h>
#include <relais/version.h>
#include <stdlib.h>
#include <string.h>

START_TEST(every_code_of_the_wire_is_a_status)
{
    const ProtobufCEnumDescriptor *codes = &relais__v1__code__descriptor;
    ck_assert_uint_ge(codes->n_values, 25);
    for (unsigned i = 0; i < codes->n_values; i++) {
        const char *wire = codes->values[i].name; /* CODE_BUSY */
        const char *name = relais_status_name((relais_status)codes->values[i].value);
        ck_assert_str_eq(name + strlen("RELAIS_"), wire + strlen("CODE_"));
    }
}
END_TEST

START_TEST(every_status_below_100_is_a_code_of_the_wire)
{
    for (int number = 0; number < 100; number++) {
        bool known = strcmp(relais_status_name((relais_status)number), "RELAIS_UNKNOWN") != 0;
        bool on_wire =
            protobuf_c_enum_descriptor_get_value(&relais__v1__code__descriptor, number) != NULL;
        ck_assert_msg(known == on_wire, "number %d", number);
    }
}
END_TEST

START_TEST(a_number_outside_the_list_has_a_name_and_a_text)
{
    ck_assert_str_eq(relais_status_name((relais_status)4711), "RELAIS_UNKNOWN");
    ck_assert_str_ne(relais_status_text((relais_status)4711), "");
    ck_assert(!relais_status_is_transient((relais_status)4711));
}
END_TEST

START_TEST(what_may_pass_is_transient)
{
    ck_assert(relais_status_is_transient(RELAIS_BUSY));
    ck_assert(relais_status_is_transient(RELAIS_STORE_FULL));
    ck_assert(relais_status_is_transient(RELAIS_DRAINING));
    ck_assert(!relais_status_is_transient(RELAIS_UNKNOWN_FLOW));
    ck_assert(!relais_status_is_transient(RELAIS_OK));
}
END_TEST

START_TEST(the_version_is_that_of_the_header)
{
    ck_assert_str_eq(relais_version(), RELAIS_VERSION);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.client.status");
    TCase *list = tcase_create("list");
    tcase_add_test(list, every_code_of_the_wire_is_a_status);
    tcase_add_test(list, every_status_below_100_is_a_code_of_the_wire);
    tcase_add_test(list, a_number_outside_the_list_has_a_name_and_a_text);
    tcase_add_test(list, what_may_pass_is_transient);
    tcase_add_test(list, the_version_is_that_of_the_header);
    suite_add_tcase(suite, list);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
