/* SPDX-License-Identifier: EUPL-1.2
 *
 * client/directory_identifier.c: SIRET, INSEE codes, names.
 */
#include "client/directory_state.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *text;
    bool valid;
} sirets[] = {
    {"21760540300013", true},
    {"21060088800015", true},
    {"13002526500013", true},
    {"35600000000048", true},  /* La Poste's head office: Luhn holds */
    {"35600000049837", true},  /* La Poste: sum 45, Luhn does not hold */
    {"35600000049838", false}, /* La Poste: neither */
    {"21760540300014", false},
    {"2176054030001", false},
    {"217605403000130", false},
    {"2176054030001a", false},
    {"", false},
    {" 1760540300013", false},
    {"-1760540300013", false},
    {"0009:2176054030", false},
    {"21760504300013", false},
};

START_TEST(a_siret_is_what_insee_says)
{
    ck_assert_msg(relais_siret_is_valid(sirets[_i].text) == sirets[_i].valid, "%s",
                  sirets[_i].text);
}
END_TEST

static const struct {
    const char *text;
    bool valid;
} codes[] = {
    {"01004", true},  {"76540", true},  {"95680", true},   {"2A004", true},  {"2B033", true},
    {"97105", true},  {"97411", true},  {"97801", true},   {"98735", true},  {"98818", true},
    {"75056", true},  {"13055", true},  {"00001", false},  {"20004", false}, {"96001", false},
    {"99100", false}, {"2C004", false}, {"2a004", false},  {"97901", false}, {"97000", false},
    {"98501", false}, {"7654", false},  {"765400", false}, {"", false},      {"76 40", false},
    {"01000", false}, {"97100", false}, {"A2004", false},
};

START_TEST(a_communes_code_has_its_form)
{
    ck_assert_msg(directory_is_insee(codes[_i].text) == codes[_i].valid, "%s", codes[_i].text);
}
END_TEST

START_TEST(names_are_judged_as_on_the_wire_and_null_is_none)
{
    ck_assert(relais_slug_is_valid("commune-76540"));
    ck_assert(!relais_slug_is_valid("Commune"));
    ck_assert(!relais_slug_is_valid(NULL));
    ck_assert(relais_address_is_valid("commune-76540/etat-civil"));
    ck_assert(!relais_address_is_valid("commune-76540"));
    ck_assert(!relais_address_is_valid(NULL));
    ck_assert(relais_flow_code_is_valid("CERTDC"));
    ck_assert(!relais_flow_code_is_valid("CERT DC"));
    ck_assert(!relais_flow_code_is_valid(NULL));
    ck_assert(!relais_siret_is_valid(NULL));
}
END_TEST

START_TEST(kinds_have_one_name_each)
{
    for (int i = 0; i < DIRECTORY_KINDS; i++) {
        relais_member_kind kind = RELAIS_KIND_COMMUNE;

        ck_assert(relais_member_kind_parse(relais_member_kind_name((relais_member_kind)i), &kind));
        ck_assert_int_eq((int)kind, i);
    }
    relais_member_kind kind = RELAIS_KIND_STATE;
    ck_assert(!relais_member_kind_parse("village", &kind));
    ck_assert(!relais_member_kind_parse(NULL, &kind));
    ck_assert_int_eq(kind, RELAIS_KIND_STATE);
    ck_assert_str_eq(relais_member_kind_name((relais_member_kind)6), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identifier");
    TCase *cases = tcase_create("identifiers");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(cases, a_siret_is_what_insee_says, 0,
                        (int)(sizeof sirets / sizeof sirets[0]));
    tcase_add_loop_test(cases, a_communes_code_has_its_form, 0,
                        (int)(sizeof codes / sizeof codes[0]));
    tcase_add_test(cases, names_are_judged_as_on_the_wire_and_null_is_none);
    tcase_add_test(cases, kinds_have_one_name_each);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
