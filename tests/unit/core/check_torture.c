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
        messages[i].envelope.from = "dila/greffe";
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

/* Which is to be acknowledged within 90 s, with a reminder 30 s before. */
static struct directory *directory(void)
{
    const struct flow_acknowledge soon = {
        .within_ms = 90000, .remind_ms = {30000}, .remind_count = 1};
    struct directory *one = world_directory();
    (void)directory_set_acknowledge(one, "ETATCIVIL", &soon);
    return one;
}

static void set_due(struct world *world, uint8_t step)
{
    struct store_due *due = &world->shelf.due;
    *due = (struct store_due){.sequence = 1, .owing = 1, .deadline = world->shelf.deadline};
    due->deadline.step = step;
    due->at_ms = stored_deadline_at(&due->deadline, step);
    world->shelf.reminded[0] = 1;
}

/* A reminder of the first message; then, when that of another is due, its end. */
static void pass_deadline(struct world *world)
{
    set_due(world, 0);
    world_pass(world, 60000);
    world_turn(world);
    struct stored_deadline first = world->shelf.deadline;
    world_submit_one(world, 1, 41, "other");
    world_turn(world);
    world->shelf.deadline = first;
    set_due(world, 1);
    world_pass(world, 60000);
    world_turn(world);
}

static void story(struct world *world)
{
    world_replace(world, directory());
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
    pass_deadline(world);
    world_pass(world, 2000);
    world_turn(world);
    world_closed(world, 3);
    world_replace(world, world_directory());
    world->shelf.no_room = true;
    world_submit_one(world, 1, 42, "last");
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
    ck_assert(failed || world.shelf.passes == 2); /* the story has that, too */
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

/* What could not be read for want of memory was not wrong: BUSY, and not MALFORMED. True: so it was
 * with the n-th allocation; *out_over: there was none. */
static bool is_busy_at(size_t n, struct message *messages, size_t count, bool *out_over)
{
    struct world world;
    bool is_busy = false;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    world.torture = true;
    allocation_fail(n, false);
    world_submit(&world, 1, DILA, 1, messages, count);
    *out_over = !allocation_has_failed();
    const Relais__V1__ToClient *told = NULL;
    while (!world.broken && (told = world_hear(&world, 1))) {
        const Relais__V1__Error *error = NULL;
        if (told->command_case == TOLD(REFUSED)) {
            error = told->refused->refusals[0]->error;
        } else if (told->command_case == TOLD(ERROR)) {
            error = told->error;
        }
        ck_assert_msg(!error || error->code == CODE(BUSY), "code %d", error->code);
        is_busy = is_busy || error;
    }
    world_fini(&world);
    return is_busy;
}

START_TEST(what_memory_was_lacking_for_may_come_again)
{
    enum { EXTENSIONS = 32, MANY = 1000 };
    static struct message messages[MANY];
    static char ids[MANY][16];
    char text[420];
    Relais__V1__Extension values[EXTENSIONS];
    Relais__V1__Extension *pointers[EXTENSIONS];
    char names[EXTENSIONS][8];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < EXTENSIONS; i++) {
        snprintf(names[i], sizeof names[i], "e%zu", i);
        relais__v1__extension__init(&values[i]);
        values[i].name = names[i];
        values[i].value_case = RELAIS__V1__EXTENSION__VALUE_CE_STRING;
        values[i].ce_string = text;
        pointers[i] = &values[i];
    }
    message_init(&messages[0], "large");
    messages[0].envelope.n_extensions = EXTENSIONS;
    messages[0].envelope.extensions = pointers;
    bool over = false;
    unsigned busy = 0;
    for (size_t n = 0; !over; n++) {
        busy += is_busy_at(n, messages, 1, &over);
    }
    ck_assert_uint_gt(busy, 0); /* the envelope */
    for (size_t i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "m-%zu", i);
        message_init(&messages[i], ids[i]);
    }
    busy = 0;
    for (size_t n = 0; busy == 0; n++) {
        busy += is_busy_at(n, messages, MANY, &over);
        ck_assert(!over);
    }
}
END_TEST

SUITE_MAIN("core torture", each_allocation_may_fail_alone, from_each_allocation_on_all_may_fail,
           a_core_that_cannot_be_made_is_null, what_memory_was_lacking_for_may_come_again)
