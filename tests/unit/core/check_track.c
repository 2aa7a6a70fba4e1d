/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "Tracking": who may ask, and what is answered.
 */
#include "core/limits.h"
#include "heard.h"

#include <stdlib.h>
#include <string.h>

static Relais__V1__TrackQuery asked_for(const char *id)
{
    Relais__V1__TrackQuery track = RELAIS__V1__TRACK_QUERY__INIT;
    track.id = (char *)id;
    return track;
}

static void ask(struct world *world, uint64_t connection, const char *key,
                Relais__V1__TrackQuery *track)
{
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    query.number = 7;
    query.what_case = RELAIS__V1__QUERY__WHAT_TRACK;
    query.track = track;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(world, connection, key, &command);
}

static const Relais__V1__Track *heard_track(struct world *world, uint64_t connection)
{
    const Relais__V1__Answer *answer = heard(world, connection, TOLD(ANSWER))->answer;
    ck_assert_uint_eq(answer->number, 7);
    ck_assert_int_eq(answer->what_case, RELAIS__V1__ANSWER__WHAT_TRACK);
    return answer->track;
}

static void heard_unknown(struct world *world, uint64_t connection, Relais__V1__Code code,
                          const char *field)
{
    const Relais__V1__Answer *answer = heard(world, connection, TOLD(ANSWER))->answer;
    ck_assert_int_eq(answer->what_case, RELAIS__V1__ANSWER__WHAT_ERROR);
    heard_error(answer->error, code, field);
}

/* A message of dila to three subscribers. */
static void start(struct world *world)
{
    struct message message;
    world_init(world, NULL);
    greet(world, 1, DILA);
    message_init(&message, "notice");
    message.envelope.flow = "PETIT";
    message.envelope.n_to = 0;
    world_submit(world, 1, DILA, 1, &message, 1);
    world_turn(world);
    heard_accepted(world, 1, 1, 1);
}

START_TEST(a_sender_sees_each_recipient)
{
    struct world world;
    Relais__V1__TrackQuery query = asked_for("notice");
    start(&world);
    ask(&world, 1, DILA, &query);
    world_turn(&world);
    const Relais__V1__Track *track = heard_track(&world, 1);
    ck_assert_str_eq(track->flow, "PETIT");
    ck_assert_uint_eq(track->n_rows, 3);
    ck_assert(!track->more);
    ck_assert_str_eq(track->rows[0]->address, "dila/greffe");
    ck_assert_int_eq(track->rows[0]->state, RELAIS__V1__TRACK_STATE__TRACK_STATE_WAITING);
    ck_assert_int_eq(track->rows[0]->code, 0);
    ck_assert_str_eq(track->rows[1]->address, "commune-76540/accueil");
    ck_assert_int_eq(track->rows[1]->state, RELAIS__V1__TRACK_STATE__TRACK_STATE_DEAD);
    ck_assert_int_eq(track->rows[1]->code, CODE(DAMAGED));
    ck_assert_uint_eq(track->n_totals, 2);
    ck_assert_int_eq(track->totals[0]->state, RELAIS__V1__TRACK_STATE__TRACK_STATE_WAITING);
    ck_assert_uint_eq(track->totals[0]->recipients, 2);
    world_fini(&world);
}
END_TEST

START_TEST(pages_follow_each_other)
{
    struct world world;
    Relais__V1__TrackQuery query = asked_for("notice");
    start(&world);
    query.limit = 2;
    query.missing = true;
    ask(&world, 1, DILA, &query);
    world_turn(&world);
    const Relais__V1__Track *track = heard_track(&world, 1);
    ck_assert_uint_eq(track->n_rows, 2);
    ck_assert(track->more);
    ck_assert_uint_eq(track->rows[0]->attempts, 1); /* the shelf says what was asked */
    query.after = "commune-76540/accueil";
    ask(&world, 1, DILA, &query);
    world_turn(&world);
    track = heard_track(&world, 1);
    ck_assert_uint_eq(track->n_rows, 1);
    ck_assert_uint_eq(track->n_totals, 0);
    ck_assert(!track->more);
    world_fini(&world);
}
END_TEST

/* The same word for what never was and for what is another's. */
/* The store looks at some recipients a time, and others have their turn between. */
START_TEST(a_long_list_comes_in_steps)
{
    struct world world;
    Relais__V1__TrackQuery query = asked_for("notice");
    start(&world);
    world.shelf.track_looks = 1;
    ask(&world, 1, DILA, &query);
    size_t tracks = world.shelf.tracks;
    world_store_one(&world);
    ck_assert_ptr_null(world_hear(&world, 1));
    ck_assert_uint_eq(world.shelf.tracks, tracks + 1);
    world_turn(&world);
    const Relais__V1__Track *track = heard_track(&world, 1);
    ck_assert_uint_eq(track->n_rows, 3);
    ck_assert_uint_eq(track->totals[0]->recipients, 2);
    ck_assert_ptr_null(world_hear(&world, 1));
    ask(&world, 1, DILA, &query);
    world_store_one(&world);
    world_closed(&world, 1); /* nobody is there for the rest */
    world_turn(&world);
    ck_assert(!core_is_storing(world.core));
    world_fini(&world);
}
END_TEST

/* Who keeps asking does not keep a broker that stops; what was asked before is answered. */
START_TEST(a_broker_that_stops_is_asked_no_more)
{
    struct world world;
    Relais__V1__TrackQuery query = asked_for("notice");
    start(&world);
    ask(&world, 1, DILA, &query);
    world_drain(&world);
    ask(&world, 1, DILA, &query);
    const Relais__V1__Answer *answer = heard(&world, 1, TOLD(ANSWER))->answer;
    ck_assert_int_eq(answer->error->code, CODE(DRAINING));
    world_turn(&world);
    ck_assert_uint_eq(heard_track(&world, 1)->n_rows, 3);
    heard(&world, 1, TOLD(GOODBYE));
    ck_assert(!core_is_storing(world.core));
    world_fini(&world);
}
END_TEST

START_TEST(what_is_anothers_is_unknown)
{
    struct world world;
    Relais__V1__TrackQuery query = asked_for("notice");
    start(&world);
    greet(&world, 2, ROUEN);
    query.sender = "dila";
    ask(&world, 2, ROUEN, &query);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.tracks, 0);
    heard_unknown(&world, 2, CODE(UNKNOWN_MESSAGE), "query.track.id");
    query.sender = "";
    ask(&world, 2, ROUEN, &query);
    world_turn(&world);
    heard_unknown(&world, 2, CODE(UNKNOWN_MESSAGE), "query.track.id");
    greet(&world, 3, OPERATOR);
    query.sender = "dila";
    ask(&world, 3, OPERATOR, &query);
    world_turn(&world);
    ck_assert_uint_eq(heard_track(&world, 3)->n_rows, 3);
    world_fini(&world);
}
END_TEST

START_TEST(what_will_not_do_is_named)
{
    struct world world;
    Relais__V1__TrackQuery query = asked_for("");
    start(&world);
    ask(&world, 1, DILA, &query);
    heard_unknown(&world, 1, CODE(FIELD_MISSING), "query.track.id");
    query = asked_for("notice");
    query.sender = "DILA";
    ask(&world, 1, DILA, &query);
    heard_unknown(&world, 1, CODE(FIELD_INVALID), "query.track.sender");
    query.sender = "";
    query.after = "commune-99999/accueil";
    ask(&world, 1, DILA, &query);
    heard_unknown(&world, 1, CODE(FIELD_INVALID), "query.track.after");
    query.after = "";
    for (int i = 0; i < LIMIT_ASKING_OF_ONE + 1; i++) {
        ask(&world, 1, DILA, &query);
    }
    heard_unknown(&world, 1, CODE(BUSY), "query.track");
    world_turn(&world);
    for (int i = 0; i < LIMIT_ASKING_OF_ONE; i++) {
        (void)heard_track(&world, 1);
    }
    world_fini(&world);
}
END_TEST

START_TEST(who_has_gone_is_not_answered)
{
    struct world world;
    Relais__V1__TrackQuery query = asked_for("notice");
    start(&world);
    ask(&world, 1, DILA, &query);
    world_closed(&world, 1);
    world_turn(&world);
    ck_assert_ptr_null(world_hear(&world, 1));
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core track", a_sender_sees_each_recipient, pages_follow_each_other,
           a_long_list_comes_in_steps, a_broker_that_stops_is_asked_no_more,
           what_is_anothers_is_unknown, what_will_not_do_is_named, who_has_gone_is_not_answered)
