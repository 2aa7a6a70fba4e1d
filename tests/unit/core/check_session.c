/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "A session": who may come in, and what ends it.
 */
#include "heard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hello(struct world *world, uint64_t connection, const char *key, uint32_t major,
                  const char *software)
{
    Relais__V1__Hello message = RELAIS__V1__HELLO__INIT;
    message.major = major;
    message.minor = 7;
    message.software = (char *)software;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_HELLO;
    command.hello = &message;
    world_say(world, connection, key, &command);
}

static void goodbye(struct world *world, uint64_t connection, const char *key)
{
    Relais__V1__Goodbye message = RELAIS__V1__GOODBYE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_GOODBYE;
    command.goodbye = &message;
    world_say(world, connection, key, &command);
}

static void raw(struct world *world, uint64_t connection, const char *key, const char *bytes,
                size_t size)
{
    struct bytes frame = {(const uint8_t *)bytes, size};
    world_frames(world, connection, key, &frame, 1);
}

START_TEST(welcome_says_who_you_are_and_the_limits)
{
    struct world world;
    world_init(&world, NULL);
    hello(&world, 1, ROUEN, 1, "test/1");
    const Relais__V1__Welcome *welcome = heard(&world, 1, TOLD(WELCOME))->welcome;
    ck_assert_uint_eq(welcome->major, 1);
    ck_assert_str_eq(welcome->member, "commune-76540");
    ck_assert_str_eq(welcome->client, "files");
    ck_assert_uint_eq(welcome->n_roles, 2);
    ck_assert_int_eq(welcome->roles[0], RELAIS__V1__ROLE__ROLE_SEND);
    ck_assert_int_eq(welcome->roles[1], RELAIS__V1__ROLE__ROLE_RECEIVE);
    ck_assert_uint_eq(welcome->limits->payload_bytes, 1048576);
    ck_assert_uint_eq(welcome->limits->envelope_bytes, 16384);
    ck_assert_uint_eq(welcome->limits->batch_messages, 1024);
    ck_assert_uint_eq(welcome->limits->window_messages, 4096);
    ck_assert_uint_eq(welcome->limits->credit, 1024);
    ck_assert_uint_eq(welcome->limits->consumers, 64);
    ck_assert_int_eq(welcome->time_ms, world.now.wall_ms);
    ck_assert(world_noted(&world, "client.hello"));
    world_fini(&world);
}
END_TEST

START_TEST(another_major_version_is_told_which_is_spoken)
{
    struct world world;
    world_init(&world, NULL);
    hello(&world, 1, ROUEN, 2, "");
    heard_cut(&world, 1, CODE(VERSION_UNSUPPORTED), "hello.major");
    ck_assert_str_eq(world.told[0].command->error->wrong, "2");
    ck_assert_str_eq(world.told[0].command->error->right, "1");
    world_fini(&world);
}
END_TEST

START_TEST(software_has_at_most_64_bytes)
{
    struct world world;
    char software[66];
    memset(software, 's', sizeof software);
    software[65] = '\0';
    world_init(&world, NULL);
    hello(&world, 1, ROUEN, 1, software + 1);
    heard(&world, 1, TOLD(WELCOME));
    hello(&world, 2, ROUEN, 1, software);
    heard_cut(&world, 2, CODE(FIELD_INVALID), "hello.software");
    world_fini(&world);
}
END_TEST

START_TEST(anything_before_hello_gets_hello_first_and_costs_nothing)
{
    struct world world;
    world_init(&world, NULL);
    world_attach(&world, 1, ROUEN, 1, "commune-76540/etat-civil", 1);
    heard_error(heard(&world, 1, TOLD(ERROR))->error, CODE(HELLO_FIRST), "");
    raw(&world, 1, ROUEN, "", 0); /* no command at all */
    heard_error(heard(&world, 1, TOLD(ERROR))->error, CODE(HELLO_FIRST), "");
    ck_assert(!world.cut[1]);
    greet(&world, 1, ROUEN); /* now it may */
    world_fini(&world);
}
END_TEST

START_TEST(hello_is_said_once)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, ROUEN);
    world_hello(&world, 1, ROUEN);
    heard_cut(&world, 1, CODE(FIELD_INVALID), "hello");
    world_hello(&world, 1, ROUEN); /* after the cut nothing is heard any more */
    ck_assert_ptr_null(world_hear(&world, 1));
    world_closed(&world, 1);
    world_closed(&world, 1);
    world_flush(&world);
    world_fini(&world);
}
END_TEST

START_TEST(an_unknown_command_goes_on)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, ROUEN);
    raw(&world, 1, ROUEN, "\xfa\x01\x00", 3); /* field 31, empty */
    heard_error(heard(&world, 1, TOLD(ERROR))->error, CODE(UNKNOWN_COMMAND), "");
    world_attach(&world, 1, ROUEN, 1, "commune-76540/etat-civil", 1);
    heard(&world, 1, TOLD(ATTACHED));
    world_fini(&world);
}
END_TEST

START_TEST(what_cannot_be_read_is_cut)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, ROUEN);
    raw(&world, 1, ROUEN, "\xff\xff\xff", 3);
    heard_cut(&world, 1, CODE(MALFORMED), "");
    raw(&world, 2, ROUEN, "\x0a\x05\x08", 3); /* before Hello too */
    heard_cut(&world, 2, CODE(MALFORMED), "hello");
    world_frames(&world, 3, ROUEN, NULL, 0);
    heard_cut(&world, 3, CODE(MALFORMED), "");
    world_fini(&world);
}
END_TEST

START_TEST(only_submit_has_a_body)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, ROUEN);
    struct bytes frames[] = {{(const uint8_t *)"\x32\x00", 2}, {(const uint8_t *)"x", 1}};
    world_frames(&world, 1, ROUEN, frames, 2); /* an empty ack */
    heard_cut(&world, 1, CODE(MALFORMED), "");
    world_fini(&world);
}
END_TEST

START_TEST(a_key_that_is_not_there_any_more_is_sent_away)
{
    struct world world;
    world_init(&world, NULL);
    world_hello(&world, 1, STRANGER);
    heard_error(heard(&world, 1, TOLD(GOODBYE))->goodbye->reason, CODE(KEY_REVOKED), "client.key");
    ck_assert(world.cut[1]);
    world_fini(&world);
}
END_TEST

START_TEST(connections_are_limited_in_all_and_for_a_key)
{
    struct world world;
    struct core_settings settings;
    core_settings_init(&settings);
    settings.connections = 5;
    settings.connections_per_key = 3;
    world_init(&world, &settings);
    for (uint64_t i = 1; i <= 3; i++) {
        greet(&world, i, ROUEN);
    }
    world_hello(&world, 4, ROUEN);
    heard_cut(&world, 4, CODE(LIMIT_EXCEEDED), "connections of this key");
    ck_assert(world_noted(&world, "client.refused"));
    greet(&world, 5, NICE);
    greet(&world, 6, DILA);
    world_hello(&world, 7, DILA);
    heard_cut(&world, 7, CODE(LIMIT_EXCEEDED), "connections");
    world_closed(&world, 2);
    greet(&world, 8, ROUEN); /* in the place of the one that has gone */
    world_flush(&world);
    world_fini(&world);
}
END_TEST

START_TEST(goodbye_ends_it_without_a_word)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, ROUEN);
    goodbye(&world, 1, ROUEN);
    ck_assert(world.cut[1]);
    ck_assert_ptr_null(world_hear(&world, 1));
    goodbye(&world, 2, ROUEN); /* without Hello */
    ck_assert(world.cut[2]);
    world_closed(&world, 1);
    world_flush(&world);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core session", welcome_says_who_you_are_and_the_limits,
           another_major_version_is_told_which_is_spoken, software_has_at_most_64_bytes,
           anything_before_hello_gets_hello_first_and_costs_nothing, hello_is_said_once,
           an_unknown_command_goes_on, what_cannot_be_read_is_cut, only_submit_has_a_body,
           a_key_that_is_not_there_any_more_is_sent_away,
           connections_are_limited_in_all_and_for_a_key, goodbye_ends_it_without_a_word)
