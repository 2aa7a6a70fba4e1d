/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "Dead letters": who may see and touch them, what is told, and that the counters
 * follow.
 */
#include "heard.h"

#include <stdlib.h>
#include <string.h>

#define BOX "commune-76540/etat-civil"

static void ask(struct world *world, uint64_t connection, const char *key,
                const Relais__V1__Query *what, uint64_t number)
{
    Relais__V1__Query query = *what;
    query.number = number;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(world, connection, key, &command);
}

static void ask_list(struct world *world, uint64_t connection, const char *key, const char *address,
                     uint64_t after, uint32_t limit)
{
    Relais__V1__DeadQuery dead = RELAIS__V1__DEAD_QUERY__INIT;
    dead.address = (char *)address;
    dead.after = after;
    dead.limit = limit;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    query.what_case = RELAIS__V1__QUERY__WHAT_DEAD;
    query.dead = &dead;
    ask(world, connection, key, &query, 5);
}

static const Relais__V1__Answer *answer(struct world *world, uint64_t connection, uint64_t number)
{
    world_turn(world);
    const Relais__V1__Answer *heard_answer = heard(world, connection, TOLD(ANSWER))->answer;
    ck_assert_uint_eq(heard_answer->number, number);
    return heard_answer;
}

static const Relais__V1__DeadLetters *list(struct world *world, uint64_t connection,
                                           const char *key, uint64_t after, uint32_t limit)
{
    ask_list(world, connection, key, BOX, after, limit);
    const Relais__V1__Answer *told = answer(world, connection, 5);
    ck_assert_int_eq(told->what_case, RELAIS__V1__ANSWER__WHAT_DEAD);
    return told->dead;
}

static const Relais__V1__Answer *show(struct world *world, uint64_t connection, const char *key,
                                      const char *address, uint64_t sequence)
{
    Relais__V1__DeadName name = RELAIS__V1__DEAD_NAME__INIT;
    name.address = (char *)address;
    name.sequence = sequence;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    query.what_case = RELAIS__V1__QUERY__WHAT_DEAD_LETTER;
    query.dead_letter = &name;
    ask(world, connection, key, &query, 6);
    return answer(world, connection, 6);
}

static void order(struct world *world, uint64_t connection, const char *key, bool replay,
                  const char *address, uint64_t sequence)
{
    Relais__V1__DeadName name = RELAIS__V1__DEAD_NAME__INIT;
    name.address = (char *)address;
    name.sequence = sequence;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    manage.number = 7;
    manage.what_case = replay ? RELAIS__V1__MANAGE__WHAT_REPLAY : RELAIS__V1__MANAGE__WHAT_DROP;
    manage.replay = &name;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = &manage;
    world_say(world, connection, key, &command);
}

static const Relais__V1__Answer *manage(struct world *world, uint64_t connection, const char *key,
                                        bool replay, uint64_t sequence)
{
    order(world, connection, key, replay, BOX, sequence);
    return answer(world, connection, 7);
}

static void heard_done(const Relais__V1__Answer *told)
{
    ck_assert_int_eq(told->what_case, RELAIS__V1__ANSWER__WHAT_DONE);
}

/* Connection 1 is dila's, 2 a consumer of BOX, 3 the operator's, 4 of commune-06088; `count`
 * messages were refused: sequences 1 to count. */
static void open_world(struct world *world, size_t count)
{
    world_init(world, NULL);
    greet(world, 1, DILA);
    greet_consumer(world, 2, 100);
    greet(world, 3, OPERATOR);
    greet(world, 4, NICE);
    if (count == 0) {
        return;
    }
    store_messages(world, 1, count);
    world_turn(world);
    for (size_t delivered = 0; delivered < count;) {
        delivered += heard(world, 2, TOLD(DELIVER))->deliver->n_deliveries;
    }
    for (uint64_t tag = 1; tag <= count; tag++) {
        world_nack(world, 2, 1, tag, 0, true);
    }
    world_turn(world);
    heard_settled(world, 2, 1, 1, count);
}

static void expect_counts(struct world *world, uint64_t waiting, uint64_t dead)
{
    Relais__V1__QueuesQuery queues = RELAIS__V1__QUEUES_QUERY__INIT;
    Relais__V1__StatusQuery status = RELAIS__V1__STATUS_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    query.what_case = RELAIS__V1__QUERY__WHAT_QUEUES;
    query.queues = &queues;
    queues.after = "";
    ask(world, 3, OPERATOR, &query, 8);
    const Relais__V1__Queues *told = answer(world, 3, 8)->queues;
    ck_assert_uint_eq(told->queues[0]->waiting, waiting);
    ck_assert_uint_eq(told->queues[0]->dead, dead);
    ck_assert_int_eq(told->queues[0]->waiting_bytes == 0, waiting == 0);
    query.what_case = RELAIS__V1__QUERY__WHAT_STATUS;
    query.status = &status;
    ask(world, 3, OPERATOR, &query, 9);
    const Relais__V1__Status *totals = answer(world, 3, 9)->status;
    ck_assert_uint_eq(totals->waiting, waiting);
    ck_assert_uint_eq(totals->dead, dead);
}

START_TEST(a_list_tells_what_is_known)
{
    struct world world;
    open_world(&world, 2);
    const Relais__V1__DeadLetters *letters = list(&world, 2, ROUEN, 0, 0);
    ck_assert_uint_eq(letters->n_letters, 2);
    ck_assert(!letters->more);
    const Relais__V1__DeadLetter *letter = letters->letters[1];
    ck_assert_uint_eq(letter->sequence, 2);
    ck_assert_int_eq(letter->code, CODE(REFUSED_BY_RECIPIENT));
    ck_assert_str_eq(letter->reason, "not?now");
    ck_assert_uint_eq(letter->attempts, 1);
    ck_assert_int_eq(letter->died_ms, world.now.wall_ms);
    ck_assert_int_eq(letter->accepted_ms, world.now.wall_ms);
    ck_assert(!letter->damaged);
    ck_assert_uint_gt(letter->bytes, 20);
    ck_assert_str_eq(letter->id, "id-2");
    ck_assert_str_eq(letter->source, "urn:test");
    ck_assert_str_eq(letter->from, "");
    ck_assert_str_eq(letter->flow, "ETATCIVIL");
    ck_assert_str_eq(letter->type, "fr.relais.test");
    const Relais__V1__Answer *one = show(&world, 3, OPERATOR, BOX, 1);
    ck_assert_uint_eq(one->dead->n_letters, 1);
    ck_assert_str_eq(one->dead->letters[0]->id, "id-1");
    world_fini(&world);
}
END_TEST

START_TEST(a_list_comes_in_pages)
{
    struct world world;
    open_world(&world, 5);
    const Relais__V1__DeadLetters *letters = list(&world, 3, OPERATOR, 0, 2);
    ck_assert_uint_eq(letters->n_letters, 2);
    ck_assert(letters->more);
    letters = list(&world, 3, OPERATOR, letters->letters[1]->sequence, UINT32_MAX);
    ck_assert_uint_eq(letters->n_letters, 3);
    ck_assert(!letters->more);
    ck_assert_uint_eq(letters->letters[0]->sequence, 3);
    ck_assert_uint_eq(list(&world, 3, OPERATOR, UINT64_MAX, 0)->n_letters, 0);
    world_fini(&world);
}
END_TEST

START_TEST(a_page_fits_in_a_command)
{
    struct world world;
    static struct message messages[90];
    static char ids[90][8];
    static char source[513];
    open_world(&world, 0);
    memset(source, 's', 512);
    for (size_t i = 0; i < 90; i++) {
        snprintf(ids[i], sizeof ids[i], "l-%d", (int)i);
        message_init(&messages[i], ids[i]);
        messages[i].envelope.source = source;
        messages[i].envelope.type = source + 512 - 128;
        messages[i].envelope.expires_at_ms = world.now.wall_ms + 1000;
    }
    world_submit(&world, 1, DILA, 1, messages, 90);
    world_turn(&world);
    for (uint64_t tag = 1; tag <= 90; tag++) {
        world_nack(&world, 2, 1, tag, 0, true);
    }
    world_turn(&world);
    const Relais__V1__DeadLetters *letters = list(&world, 3, OPERATOR, 0, 100);
    size_t count = letters->n_letters;
    ck_assert(letters->more); /* all 90 do not fit, though fewer than the limit */
    letters = list(&world, 3, OPERATOR, letters->letters[count - 1]->sequence, 100);
    ck_assert_uint_eq(letters->letters[0]->sequence, count + 1);
    ck_assert(!letters->more);
    ck_assert_uint_eq(count + letters->n_letters, 90);
    world_fini(&world);
}
END_TEST

START_TEST(a_replayed_one_is_delivered_again)
{
    struct world world;
    open_world(&world, 2);
    expect_counts(&world, 0, 2);
    heard_done(manage(&world, 3, OPERATOR, true, 2));
    const Relais__V1__Deliver *deliver = heard_deliver(&world, 2, 1);
    ck_assert_uint_eq(deliver->deliveries[0]->attempt, 1);
    ck_assert(world_noted(&world, "dead_letter.replayed"));
    expect_counts(&world, 1, 1);
    world_ack(&world, 2, ROUEN, 1, 3, 3);
    world_turn(&world);
    heard_settled(&world, 2, 1, 3, 3);
    expect_counts(&world, 0, 1);
    heard_error(manage(&world, 3, OPERATOR, true, 2)->error, CODE(UNKNOWN_DEAD_LETTER),
                "manage.replay.sequence");
    world_fini(&world);
}
END_TEST

START_TEST(a_dropped_one_is_gone)
{
    struct world world;
    open_world(&world, 2);
    heard_done(manage(&world, 2, ROUEN, false, 1));
    ck_assert_uint_eq(world.shelf.entry_count, 1);
    ck_assert(world_noted(&world, "dead_letter.dropped"));
    expect_counts(&world, 0, 1);
    heard_error(manage(&world, 2, ROUEN, false, 1)->error, CODE(UNKNOWN_DEAD_LETTER),
                "manage.drop.sequence");
    heard_error(show(&world, 2, ROUEN, BOX, 1)->error, CODE(UNKNOWN_DEAD_LETTER),
                "query.dead_letter.sequence");
    ck_assert_uint_eq(list(&world, 2, ROUEN, 0, 0)->n_letters, 1);
    expect_counts(&world, 0, 1);
    world_fini(&world);
}
END_TEST

START_TEST(another_member_sees_and_touches_nothing)
{
    struct world world;
    open_world(&world, 1);
    size_t asked = world.shelf.dead_lists + world.shelf.dead_reads;
    ask_list(&world, 4, NICE, BOX, 0, 0);
    heard_error(answer(&world, 4, 5)->error, CODE(NOT_YOUR_MAILBOX), "query.dead.address");
    /* The sender of the message neither; nor is a mailbox told from one that is not there. */
    ask_list(&world, 1, DILA, BOX, 0, 0);
    heard_error(answer(&world, 1, 5)->error, CODE(NOT_YOUR_MAILBOX), "query.dead.address");
    ask_list(&world, 4, NICE, "nobody/nothing", 0, 0);
    heard_error(answer(&world, 4, 5)->error, CODE(NOT_YOUR_MAILBOX), "query.dead.address");
    ask_list(&world, 4, NICE, "commune-06088x/etat-civil", 0, 0);
    heard_error(answer(&world, 4, 5)->error, CODE(NOT_YOUR_MAILBOX), "query.dead.address");
    heard_error(show(&world, 4, NICE, BOX, 1)->error, CODE(NOT_YOUR_MAILBOX),
                "query.dead_letter.address");
    heard_error(manage(&world, 4, NICE, true, 1)->error, CODE(NOT_YOUR_MAILBOX),
                "manage.replay.address");
    heard_error(manage(&world, 4, NICE, false, 1)->error, CODE(NOT_YOUR_MAILBOX),
                "manage.drop.address");
    ck_assert_uint_eq(world.shelf.dead_lists + world.shelf.dead_reads, asked);
    ck_assert_uint_eq(world.shelf.replays + world.shelf.drops, 0);
    world_fini(&world);
}
END_TEST

/* The directory of the world, but commune-76540's client may only send. */
static struct directory *directory_without_receive(void)
{
    struct directory *directory = directory_new();
    ck_assert_int_eq(directory_add_member(directory, "commune-76540", KIND_COMMUNE), DIRECTORY_OK);
    ck_assert_int_eq(
        directory_add_client(directory, "commune-76540", "files", ROUEN, ROLE_MAY_SEND),
        DIRECTORY_OK);
    directory_seal(directory);
    return directory;
}

START_TEST(without_receive_they_can_be_seen_only)
{
    struct world world;
    open_world(&world, 1);
    world_replace(&world, directory_without_receive());
    world_turn(&world);
    heard(&world, 2, TOLD(DETACHED));
    /* The service is gone from the directory, its dead letters are not. */
    ck_assert_uint_eq(list(&world, 2, ROUEN, 0, 0)->n_letters, 1);
    heard_error(manage(&world, 2, ROUEN, true, 1)->error, CODE(ROLE_MISSING), "client.roles");
    heard_error(manage(&world, 2, ROUEN, false, 1)->error, CODE(ROLE_MISSING), "client.roles");
    world_fini(&world);
}
END_TEST

START_TEST(addresses_are_checked)
{
    struct world world;
    static const struct {
        const char *address;
        Relais__V1__Code code;
    } rows[] = {
        {"", CODE(FIELD_MISSING)},
        {"no address", CODE(FIELD_INVALID)},
        {"nobody/etat-civil", CODE(UNKNOWN_MEMBER)},
        {"commune-76540/nothing", CODE(UNKNOWN_SERVICE)},
    };
    open_world(&world, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask_list(&world, 3, OPERATOR, rows[i].address, 0, 0);
        heard_error(answer(&world, 3, 5)->error, rows[i].code, "query.dead.address");
        order(&world, 3, OPERATOR, false, rows[i].address, 1);
        heard_error(answer(&world, 3, 7)->error, rows[i].code, "manage.drop.address");
    }
    /* Never used: nothing there, and nothing to ask the store. */
    ask_list(&world, 3, OPERATOR, "dila/greffe", 0, 0);
    ck_assert_uint_eq(answer(&world, 3, 5)->dead->n_letters, 0);
    heard_error(show(&world, 3, OPERATOR, "dila/greffe", 1)->error, CODE(UNKNOWN_DEAD_LETTER),
                "query.dead_letter.sequence");
    world_fini(&world);
}
END_TEST

START_TEST(a_damaged_one_is_shown_and_can_only_be_dropped)
{
    struct world world;
    open_world(&world, 1);
    world.shelf.entries[0].damaged = true;
    world.shelf.entries[0].code = STORED_CODE_DAMAGED;
    const Relais__V1__DeadLetter *letter = list(&world, 3, OPERATOR, 0, 0)->letters[0];
    ck_assert(letter->damaged);
    ck_assert_int_eq(letter->code, CODE(DAMAGED));
    ck_assert_str_eq(letter->id, "");
    ck_assert(show(&world, 3, OPERATOR, BOX, 1)->dead->letters[0]->damaged);
    heard_error(manage(&world, 3, OPERATOR, true, 1)->error, CODE(DAMAGED),
                "manage.replay.sequence");
    expect_counts(&world, 0, 1);
    heard_done(manage(&world, 3, OPERATOR, false, 1));
    expect_counts(&world, 0, 0);
    world_fini(&world);
}
END_TEST

START_TEST(a_full_store_says_try_again)
{
    struct world world;
    open_world(&world, 1);
    world.shelf.answer_no_room = true;
    const Relais__V1__Error *error = manage(&world, 3, OPERATOR, true, 1)->error;
    heard_error(error, CODE(STORE_FULL), "manage.replay");
    ck_assert_uint_gt(error->retry_after_ms, 0);
    expect_counts(&world, 0, 1);
    world_fini(&world);
}
END_TEST

START_TEST(too_many_at_once_are_busy)
{
    struct world world;
    open_world(&world, 1);
    for (int i = 0; i < 5; i++) {
        ask_list(&world, 3, OPERATOR, BOX, 0, 0);
    }
    world_flush(&world);
    const Relais__V1__Error *error = heard(&world, 3, TOLD(ANSWER))->answer->error;
    heard_error(error, CODE(BUSY), "query.dead");
    ck_assert_uint_gt(error->retry_after_ms, 0);
    ck_assert(core_is_storing(world.core));
    /* One that hangs up does not keep its places for ever. */
    world_closed(&world, 3);
    world_turn(&world);
    ck_assert(!core_is_storing(world.core));
    for (uint64_t i = 10; i < 18; i++) {
        greet(&world, i, i < 18 - 1 ? ROUEN : OPERATOR);
        for (int k = 0; k < 4; k++) {
            ask_list(&world, i, i < 18 - 1 ? ROUEN : OPERATOR, BOX, 0, 0);
        }
    }
    ask_list(&world, 2, ROUEN, BOX, 0, 0);
    world_flush(&world);
    heard_error(heard(&world, 2, TOLD(ANSWER))->answer->error, CODE(BUSY), "query.dead");
    world_turn(&world);
    ck_assert_uint_eq(list(&world, 2, ROUEN, 0, 0)->n_letters, 1);
    world_fini(&world);
}
END_TEST

START_TEST(an_order_of_a_later_version_gets_an_answer)
{
    struct world world;
    open_world(&world, 0);
    Relais__V1__Manage later = RELAIS__V1__MANAGE__INIT;
    later.number = 77;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = &later;
    world_say(&world, 3, OPERATOR, &command);
    heard_error(answer(&world, 3, 77)->error, CODE(UNKNOWN_COMMAND), "manage.what");
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core dead letters", a_list_tells_what_is_known, a_list_comes_in_pages,
           a_page_fits_in_a_command, a_replayed_one_is_delivered_again, a_dropped_one_is_gone,
           another_member_sees_and_touches_nothing, without_receive_they_can_be_seen_only,
           addresses_are_checked, a_damaged_one_is_shown_and_can_only_be_dropped,
           a_full_store_says_try_again, too_many_at_once_are_busy,
           an_order_of_a_later_version_gets_an_answer)
