/* SPDX-License-Identifier: EUPL-1.2
 *
 * Quotas of a member: the bucket of messages a second, connections, what the store says is enough;
 * a member's own before the broker's; and the question what is used.
 */
#include "heard.h"

#include "core/limits.h"

#include <stdlib.h>

static struct world world;

static void begin(const struct quota *quota)
{
    struct core_settings settings;
    core_settings_init(&settings);
    settings.seed = 7;
    settings.quota = *quota;
    world_init(&world, &settings);
    greet(&world, 1, DILA);
}

static void heard_over(uint64_t connection, const char *quota, const char *limit, uint32_t retry_ms)
{
    const Relais__V1__Refused *refused = heard(&world, connection, TOLD(REFUSED))->refused;
    ck_assert_uint_eq(refused->n_refusals, 1);
    heard_error(refused->refusals[0]->error, CODE(OVER_QUOTA), quota);
    ck_assert_str_eq(refused->refusals[0]->error->right, limit);
    ck_assert_uint_eq(refused->refusals[0]->error->retry_after_ms, retry_ms);
}

START_TEST(a_burst_then_the_rate)
{
    begin(&(struct quota){.rate = 10, .burst = 3});
    store_messages(&world, 1, 3);
    world_submit_one(&world, 1, 4, "d");
    heard_over(1, "quota.rate", "10", 100);
    world_submit_one(&world, 1, 5, "e"); /* its time is behind that of the other */
    heard_over(1, "quota.rate", "10", 200);
    world_pass(&world, 99);
    world_submit_one(&world, 1, 6, "f");
    heard_over(1, "quota.rate", "10", 201);
    world_pass(&world, 1);
    store_messages(&world, 7, 1);
    world_pass(&world, 3600 * 1000); /* no more than the burst gathers */
    store_messages(&world, 8, 3);
    world_submit_one(&world, 1, 11, "g");
    heard_over(1, "quota.rate", "10", 100);
    world_fini(&world);
}
END_TEST

/* Of all its clients and connections: a new one finds the bucket as it was left. */
START_TEST(the_bucket_is_the_members)
{
    begin(&(struct quota){.rate = 1});
    greet(&world, 2, DILA_SECOND);
    greet(&world, 3, AISNE);
    store_messages(&world, 1, 1);
    struct message message;
    message_init(&message, "x");
    world_submit(&world, 2, DILA_SECOND, 1, &message, 1);
    heard_over(2, "quota.rate", "1", 1000);
    message.envelope.flow = "PETIT";
    world_submit(&world, 3, AISNE, 1, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 3, 1, 1); /* another member notices nothing */
    world_closed(&world, 1);
    world_flush(&world);
    greet(&world, 4, DILA);
    message.envelope.flow = "ETATCIVIL";
    world_submit(&world, 4, DILA, 1, &message, 1);
    heard_over(4, "quota.rate", "1", 2000);
    world_fini(&world);
}
END_TEST

START_TEST(nobody_is_told_to_wait_for_ever)
{
    begin(&(struct quota){.rate = 1});
    store_messages(&world, 1, 1);
    for (unsigned i = 0; i < 100; i++) {
        world_submit_one(&world, 1, 2 + i, "x");
        heard_over(1, "quota.rate", "1", i < 59 ? (i + 1) * 1000 : 60000);
    }
    world_fini(&world);
}
END_TEST

START_TEST(connections_have_an_end)
{
    begin(&(struct quota){.connections = 2});
    greet(&world, 2, DILA_SECOND);
    world_hello(&world, 3, DILA);
    heard_cut(&world, 3, CODE(OVER_QUOTA), "quota.connections");
    greet(&world, 4, ROUEN);
    world_closed(&world, 1);
    world_flush(&world);
    greet(&world, 5, DILA);
    world_fini(&world);
}
END_TEST

START_TEST(the_store_says_enough)
{
    begin(&(struct quota){.messages = 5, .bytes = 100000});
    world.shelf.usage = (struct store_usage){.messages = 5, .bytes = 1000};
    for (uint64_t i = 1; i <= 3; i++) {
        world_submit_one(&world, 1, i, "x");
        world_turn(&world);
        heard_over(1, "quota.messages", "5", 1000U << i);
    }
    ck_assert(world_noted(&world, "quota.reached"));
    world.shelf.usage = (struct store_usage){.messages = 4, .bytes = 100000};
    world_submit_one(&world, 1, 4, "x");
    world_turn(&world);
    heard_over(1, "quota.bytes", "100000", 16000);
    world.shelf.usage = (struct store_usage){.messages = 4, .bytes = 1000};
    store_messages(&world, 5, 1);
    world.shelf.usage.messages = 5;
    world_submit_one(&world, 1, 6, "z");
    world_turn(&world);
    heard_over(1, "quota.messages", "5", 2000); /* from the beginning */
    world_fini(&world);
}
END_TEST

START_TEST(what_never_fits_is_not_to_come_again)
{
    begin(&(struct quota){.bytes = 100});
    world_submit_one(&world, 1, 1, "x");
    heard_over(1, "quota.bytes", "100", 0);
    world_fini(&world);
}
END_TEST

static struct directory *with_quota(void)
{
    struct directory *directory = directory_new();
    struct quota quota = {.messages = QUOTA_NOT_TOLD,
                          .bytes = 0,
                          .rate = 5,
                          .burst = QUOTA_NOT_TOLD,
                          .connections = QUOTA_NOT_TOLD};
    ck_assert_int_eq(directory_add_member(directory, "dila", KIND_STATE), DIRECTORY_OK);
    ck_assert_int_eq(directory_add_member(directory, "commune-76540", KIND_COMMUNE), DIRECTORY_OK);
    ck_assert_int_eq(directory_set_quota(directory, "dila", &quota), DIRECTORY_OK);
    ck_assert_int_eq(directory_set_quota(directory, "nobody", &quota), DIRECTORY_INVALID);
    ck_assert_int_eq(directory_add_client(directory, "dila", "files", DILA, ROLE_MAY_SEND),
                     DIRECTORY_OK);
    directory_seal(directory);
    return directory;
}

static void ask(uint64_t connection, const char *key, uint64_t number, const char *member)
{
    Relais__V1__UsageQuery what = RELAIS__V1__USAGE_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    what.member = (char *)member;
    query.number = number;
    query.what_case = RELAIS__V1__QUERY__WHAT_MEMBER_USAGE;
    query.member_usage = &what;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(&world, connection, key, &command);
    world_turn(&world);
}

START_TEST(its_own_quotas_come_before_the_brokers)
{
    begin(&(struct quota){.messages = 7, .bytes = 100000, .rate = 1, .burst = 2});
    world_replace(&world, with_quota());
    world.shelf.usage = (struct store_usage){.messages = 3, .bytes = 999};
    ask(1, DILA, 1, "");
    const Relais__V1__Usage *usage = heard(&world, 1, TOLD(ANSWER))->answer->usage;
    ck_assert_ptr_nonnull(usage);
    ck_assert_str_eq(usage->member, "dila");
    ck_assert_uint_eq(usage->messages, 3);
    ck_assert_uint_eq(usage->messages_quota, 7);
    ck_assert_uint_eq(usage->bytes, 999);
    ck_assert_uint_eq(usage->bytes_quota, 0);
    ck_assert_uint_eq(usage->rate_quota, 5);
    ck_assert_uint_eq(usage->burst_quota, 2);
    ck_assert_uint_eq(usage->burst, 2);
    ck_assert_uint_eq(usage->connections, 1);
    world_fini(&world);
}
END_TEST

START_TEST(only_operators_ask_about_others)
{
    begin(&(struct quota){0});
    greet(&world, 2, OPERATOR);
    ask(1, DILA, 1, "commune-76540");
    heard_error(heard(&world, 1, TOLD(ANSWER))->answer->error, CODE(ROLE_MISSING),
                "query.member_usage.member");
    ask(1, DILA, 2, "dila");
    ck_assert_ptr_nonnull(heard(&world, 1, TOLD(ANSWER))->answer->usage);
    ask(2, OPERATOR, 1, "commune-76540");
    ck_assert_str_eq(heard(&world, 2, TOLD(ANSWER))->answer->usage->member, "commune-76540");
    ask(2, OPERATOR, 2, "nobody");
    heard_error(heard(&world, 2, TOLD(ANSWER))->answer->error, CODE(UNKNOWN_MEMBER),
                "query.member_usage.member");
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core.quota", a_burst_then_the_rate, the_bucket_is_the_members,
           nobody_is_told_to_wait_for_ever, connections_have_an_end, the_store_says_enough,
           what_never_fits_is_not_to_come_again, its_own_quotas_come_before_the_brokers,
           only_operators_ask_about_others)
