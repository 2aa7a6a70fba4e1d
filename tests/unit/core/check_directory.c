/* SPDX-License-Identifier: EUPL-1.2
 *
 * Who is on the bus and what may be exchanged (directory.h, invariants 1 to 4).
 */
#include "allocation.h"
#include "core/directory.h"
#include "core/limits.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char KEY[] = "0123456789abcdefghijklmnopqrstuvwxyzABCD";

static const struct directory_member *member(const struct directory *directory, const char *slug)
{
    return directory_member(directory, slug, strlen(slug));
}

START_TEST(names_are_unique_and_follow_the_grammar)
{
    struct directory *d = directory_new();
    ck_assert_int_eq(directory_add_member(d, "dila", KIND_STATE), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_member(d, "dila", KIND_COMMUNE), DIRECTORY_DUPLICATE);
    ck_assert_int_eq(directory_add_member(d, "Dila", KIND_STATE), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_add_member(d, "a--b", KIND_STATE), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_add_member(d, "x", KIND_COUNT), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_add_service(d, "dila", "greffe"), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_service(d, "dila", "greffe"), DIRECTORY_DUPLICATE);
    ck_assert_int_eq(directory_add_service(d, "dila", "a/b"), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_add_service(d, "nobody", "greffe"), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_add_client(d, "dila", "files", KEY, ROLE_MAY_SEND), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_client(d, "dila", "other", KEY, 0), DIRECTORY_DUPLICATE);
    ck_assert_int_eq(directory_add_client(d, "dila", "files", KEY + 1, 0), DIRECTORY_INVALID);
    ck_assert_int_eq(
        directory_add_client(d, "dila", "files", "\"123456789abcdefghijklmnopqrstuvwxyzABCD", 0),
        DIRECTORY_INVALID);
    ck_assert_int_eq(directory_add_client(d, "dila", "a b", KEY, 0), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_add_client(d, "dila", "files", KEY, 8), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_add_flow(d, "ETAT", 12), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_flow(d, "ETAT", 0), DIRECTORY_DUPLICATE);
    ck_assert_int_eq(directory_add_flow(d, "-ETAT", 0), DIRECTORY_INVALID);
    directory_seal(d);
    ck_assert_uint_eq(directory_members(d), 1);
    ck_assert_uint_eq(directory_flows(d), 1);
    const struct directory_client *client = directory_client(d, KEY);
    ck_assert_str_eq(client->name, "files");
    ck_assert_uint_eq(client->roles, ROLE_MAY_SEND);
    ck_assert_str_eq(directory_member_slug(client->member), "dila");
    ck_assert_ptr_eq(client->member, member(d, "dila"));
    ck_assert(directory_has_service(client->member, "greffe"));
    ck_assert(!directory_has_service(client->member, "gref"));
    ck_assert_uint_eq(directory_flow_payload_bytes(directory_flow(d, "ETAT")), 12);
    ck_assert_ptr_null(directory_flow(d, "etat"));
    ck_assert_ptr_null(member(d, "dil"));
    ck_assert_ptr_null(directory_client(d, KEY + 1));
    directory_free(d);
    directory_free(NULL);
}
END_TEST

START_TEST(what_no_rule_allows_is_refused)
{
    struct directory *d = directory_new();
    char slug[32];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(slug, sizeof slug, "m%u", i);
        ck_assert_int_eq(directory_add_member(d, slug, (enum member_kind)(i % KIND_COUNT)),
                         DIRECTORY_OK);
    }
    directory_add_flow(d, "F", 0);
    ck_assert_int_eq(directory_allow_sender(d, "F", "m130"), DIRECTORY_OK);
    ck_assert_int_eq(directory_allow_sender(d, "F", "m7"), DIRECTORY_OK);
    ck_assert_int_eq(directory_allow_sender(d, "F", "m200"), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_allow_sender(d, "F", "kind:nation"), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_allow_sender(d, "G", "*"), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_allow_receiver(d, "F", "kind:departement"), DIRECTORY_OK);
    const struct directory_flow *flow = directory_flow(d, "F");
    for (unsigned i = 0; i < 200; i++) {
        snprintf(slug, sizeof slug, "m%u", i);
        ck_assert_int_eq(directory_may_send(flow, member(d, slug)), i == 7 || i == 130);
        ck_assert_int_eq(directory_may_receive(flow, member(d, slug)),
                         i % KIND_COUNT == KIND_DEPARTEMENT);
    }
    ck_assert_int_eq(directory_allow_sender(d, "F", "*"), DIRECTORY_OK);
    ck_assert(directory_may_send(flow, member(d, "m99")));
    directory_free(d);
}
END_TEST

START_TEST(every_commune_of_the_country_fits)
{
    struct directory *d = directory_new();
    char slug[32];
    for (unsigned i = 0; i < LIMIT_DIRECTORY_MEMBERS; i++) {
        snprintf(slug, sizeof slug, "commune-%05u", i);
        ck_assert_int_eq(directory_add_member(d, slug, KIND_COMMUNE), DIRECTORY_OK);
    }
    ck_assert_int_eq(directory_add_member(d, "one-more", KIND_COMMUNE), DIRECTORY_FULL);
    ck_assert_ptr_nonnull(member(d, "commune-49999"));
    for (unsigned i = 0; i < LIMIT_MEMBER_SERVICES; i++) {
        snprintf(slug, sizeof slug, "s%u", i);
        ck_assert_int_eq(directory_add_service(d, "commune-00001", slug), DIRECTORY_OK);
    }
    ck_assert_int_eq(directory_add_service(d, "commune-00001", "more"), DIRECTORY_FULL);
    directory_free(d);
}
END_TEST

static bool build(struct directory *d)
{
    bool good = directory_add_member(d, "dila", KIND_STATE) == DIRECTORY_OK;
    good = good && directory_add_service(d, "dila", "greffe") == DIRECTORY_OK;
    good = good && directory_add_client(d, "dila", "files", KEY, 0) == DIRECTORY_OK;
    good = good && directory_add_flow(d, "F", 0) == DIRECTORY_OK;
    good = good && directory_allow_receiver(d, "F", "dila") == DIRECTORY_OK;
    good = good && directory_subscribe(d, "F", "dila", "greffe") == DIRECTORY_OK;
    return good && directory_allow_sender(d, "F", "dila") == DIRECTORY_OK;
}

START_TEST(subscribers_are_services_that_may_receive)
{
    struct directory *d = directory_new();
    struct directory_address address;
    size_t cursor = 0;
    ck_assert_int_eq(directory_add_member(d, "dila", KIND_STATE), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_member(d, "rouen", KIND_COMMUNE), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_service(d, "dila", "greffe"), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_service(d, "rouen", "accueil"), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_flow(d, "F", 0), DIRECTORY_OK);
    ck_assert_int_eq(directory_allow_receiver(d, "F", "kind:commune"), DIRECTORY_OK);
    ck_assert_int_eq(directory_subscribe(d, "G", "rouen", "accueil"), DIRECTORY_UNKNOWN_FLOW);
    ck_assert_int_eq(directory_subscribe(d, "F", "paris", "accueil"), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_subscribe(d, "F", "rouen", "greffe"), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_subscribe(d, "F", "dila", "greffe"), DIRECTORY_NOT_ALLOWED);
    ck_assert_int_eq(directory_subscribe(d, "F", "rouen", "accueil"), DIRECTORY_OK);
    ck_assert_int_eq(directory_subscribe(d, "F", "rouen", "accueil"), DIRECTORY_DUPLICATE);
    directory_seal(d);
    const struct directory_flow *flow = directory_flow(d, "F");
    ck_assert_uint_eq(directory_subscribers(flow), 1);
    ck_assert(directory_subscribes(flow, member(d, "rouen"), "accueil"));
    ck_assert(!directory_subscribes(flow, member(d, "dila"), "greffe"));
    ck_assert(directory_next_subscriber(d, flow, &cursor, &address));
    ck_assert_str_eq(address.member, "rouen");
    ck_assert_str_eq(address.service, "accueil");
    ck_assert(!directory_next_subscriber(d, flow, &cursor, &address));
    directory_free(d);
}
END_TEST

/* Every other service, so that bits are found behind those that are not set. */
START_TEST(many_subscribers_come_in_the_order_of_their_services)
{
    enum { MANY = 1000 };
    struct directory *d = directory_new();
    struct directory_address address;
    char slug[16];
    size_t cursor = 0;
    ck_assert_int_eq(directory_add_flow(d, "F", 0), DIRECTORY_OK);
    ck_assert_int_eq(directory_allow_receiver(d, "F", "*"), DIRECTORY_OK);
    for (int i = 0; i < MANY; i++) {
        snprintf(slug, sizeof slug, "c-%d", i);
        ck_assert_int_eq(directory_add_member(d, slug, KIND_COMMUNE), DIRECTORY_OK);
        ck_assert_int_eq(directory_add_service(d, slug, "s"), DIRECTORY_OK);
        ck_assert(i % 2 == 0 || directory_subscribe(d, "F", slug, "s") == DIRECTORY_OK);
    }
    const struct directory_flow *flow = directory_flow(d, "F");
    ck_assert_uint_eq(directory_subscribers(flow), MANY / 2);
    for (int i = 1; i < MANY; i += 2) {
        snprintf(slug, sizeof slug, "c-%d", i);
        ck_assert(directory_next_subscriber(d, flow, &cursor, &address));
        ck_assert_str_eq(address.member, slug);
    }
    ck_assert(!directory_next_subscriber(d, flow, &cursor, &address));
    directory_free(d);
}
END_TEST

START_TEST(without_memory_it_says_so)
{
    bool built = false;
    size_t failures = 0;
    for (size_t n = 0; !built; n++) {
        allocation_fail(n, false);
        allocation_arm(true);
        struct directory *d = directory_new();
        built = d && build(d) && !allocation_has_failed();
        allocation_arm(false);
        directory_free(d);
        failures += allocation_has_failed();
    }
    ck_assert_uint_gt(failures, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core directory");
    TCase *tcase = tcase_create("directory");
    tcase_add_test(tcase, names_are_unique_and_follow_the_grammar);
    tcase_add_test(tcase, what_no_rule_allows_is_refused);
    tcase_add_test(tcase, every_commune_of_the_country_fits);
    tcase_add_test(tcase, subscribers_are_services_that_may_receive);
    tcase_add_test(tcase, many_subscribers_come_in_the_order_of_their_services);
    tcase_add_test(tcase, without_memory_it_says_so);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
