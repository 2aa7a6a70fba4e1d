/* SPDX-License-Identifier: EUPL-1.2
 *
 * Memory runs out at every single allocation of a story that visits all of the core: it says BUSY
 * or effects->failed, never crashes, never leaks (the sanitizer looks), never breaks a promise (the
 * oracle looks).
 */
#include "allocation.h"
#include "heard.h"

#include <stdlib.h>
#include <string.h>

static const char MAILBOX[] = "commune-76540/etat-civil";

static void ask_queues(struct world *world, uint64_t connection)
{
    Relais__V1__QueuesQuery queues = RELAIS__V1__QUEUES_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    query.what_case = RELAIS__V1__QUERY__WHAT_QUEUES;
    query.queues = &queues;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(world, connection, ROUEN, &command);
}

static void send(struct world *world)
{
    struct message messages[40];
    char ids[40][8];
    char *to[] = {"commune-06088/etat-civil", "commune-76540/accueil", (char *)MAILBOX};
    for (size_t i = 0; i < 40; i++) {
        snprintf(ids[i], sizeof ids[i], "t-%d", (int)i);
        message_init(&messages[i], ids[i]);
    }
    messages[3].envelope.to = to;
    messages[3].envelope.n_to = 3;
    messages[5].envelope.flow = "WRONG";
    messages[7].envelope.not_before_ms = world->now.wall_ms + 500;
    messages[9].envelope.expires_at_ms = world->now.wall_ms + 20000;
    world_submit(world, 1, DILA, 1, messages, 40);
}

/* Lists what was refused; replays one that is there, and one that is not. */
static void manage_dead(struct world *world, uint64_t connection)
{
    Relais__V1__DeadQuery list = RELAIS__V1__DEAD_QUERY__INIT;
    list.address = (char *)MAILBOX;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    query.what_case = RELAIS__V1__QUERY__WHAT_DEAD;
    query.dead = &list;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(world, connection, ROUEN, &command);
    world_turn(world);
    const struct shelf_entry *dead = shelf_first_dead(&world->shelf);
    Relais__V1__DeadName name = RELAIS__V1__DEAD_NAME__INIT;
    name.address = (char *)MAILBOX;
    name.sequence = dead ? dead->key.sequence : 1;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    manage.what_case = RELAIS__V1__MANAGE__WHAT_REPLAY;
    manage.replay = &name;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = &manage;
    world_say(world, connection, ROUEN, &command);
    world_say(world, connection, ROUEN, &command);
    world_turn(world);
}

static void story(struct world *world)
{
    world_hello(world, 1, DILA);
    send(world);
    world_turn(world);
    for (uint64_t i = 2; i < 5; i++) {
        world_hello(world, i, ROUEN);
        world_attach(world, i, ROUEN, 1, MAILBOX, 100);
    }
    world_attach(world, 2, ROUEN, 2, "commune-76540/accueil", 10);
    world_turn(world);
    world_ack(world, 2, ROUEN, 1, 1, 3);
    world_ack(world, 2, ROUEN, 1, 5, 5);
    world_nack(world, 3, 1, 1, 100, false);
    world_nack(world, 3, 1, 2, 0, true);
    world_ack(world, 3, ROUEN, 1, 99, 99);
    world_detach(world, 4, ROUEN, 1);
    world_turn(world);
    ask_queues(world, 2);
    manage_dead(world, 2);
    world_pass(world, 120000);
    world_turn(world);
    world_pass(world, 2000);
    world_turn(world);
    world_closed(world, 3);
    world_replace(world, world_directory());
    world->shelf.no_room = true;
    world_submit_one(world, 1, 41, "last");
    world_turn(world);
    world_drain(world);
    world_turn(world);
    world_closed(world, 1);
    world_flush(world);
}

/* False once the story comes to its end without a failure. */
static bool fails_at(size_t n, bool all)
{
    struct world world;
    world_init(&world, NULL);
    world.torture = true;
    allocation_fail(n, all);
    story(&world);
    bool failed = allocation_has_failed();
    world_fini(&world);
    return failed;
}

START_TEST(each_allocation_may_fail_alone)
{
    size_t n = 0;
    while (fails_at(n, false)) {
        n++;
    }
    ck_assert_uint_gt(n, 100);
}
END_TEST

START_TEST(from_each_allocation_on_all_may_fail)
{
    size_t n = 0;
    while (fails_at(n, true)) {
        n++;
    }
    ck_assert_uint_gt(n, 100);
}
END_TEST

START_TEST(a_core_that_cannot_be_made_is_null)
{
    struct core_settings settings;
    static const struct stored_mailbox stored[] = {
        {.id = 1, .name = "a/b"}, {.id = 2, .name = "a/c"}, {.id = 3, .name = "a/d"}};
    core_settings_init(&settings);
    bool made = false;
    size_t n = 0;
    for (; !made; n++) {
        struct directory *directory = world_directory();
        allocation_fail(n, false);
        allocation_arm(true);
        struct core *core = core_new(&settings, directory, stored, 3);
        allocation_arm(false);
        made = core != NULL;
        core_free(core);
    }
    ck_assert_uint_gt(n, 6);
}
END_TEST

SUITE_MAIN("core torture", each_allocation_may_fail_alone, from_each_allocation_on_all_may_fail,
           a_core_that_cannot_be_made_is_null)
