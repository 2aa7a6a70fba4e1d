/* SPDX-License-Identifier: EUPL-1.2
 *
 * Dead letters at a broker that follows a script: what it tells is given, an order that was under
 * way when the line broke is said again, and an older broker is told from a refusal.
 */
#include "tests/integration/client/fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOX "commune-76540/etat-civil"

enum behaviour { TELLS, TELLS_TOO_MANY, TELLS_NOTHING_AND_MORE, DONE_TO_A_QUERY, IS_OLDER };

struct told {
    enum behaviour behaviour;
    unsigned drops_left; /* lines that break before an answer */
    unsigned asked;
    bool replay; /* the last order */
    uint64_t sequence;
    uint64_t after;
    uint32_t limit;
};

static void say_answer(struct fake_broker *broker, Relais__V1__Answer *answer)
{
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ANSWER;
    command.answer = answer;
    fake_say(broker, &command, NULL, 0);
}

static void say_letters(struct fake_broker *broker, uint64_t number, size_t count, bool more)
{
    static char long_text[600];
    Relais__V1__DeadLetter letters[3];
    Relais__V1__DeadLetter *list[3];
    memset(long_text, 's', sizeof long_text - 1);
    for (size_t i = 0; i < count; i++) {
        relais__v1__dead_letter__init(&letters[i]);
        letters[i].sequence = 41 + i;
        letters[i].code = RELAIS__V1__CODE__CODE_REFUSED_BY_RECIPIENT;
        letters[i].reason = (char *)"not\x1b[2J for us";
        letters[i].attempts = 2;
        letters[i].died_ms = 1795524338259;
        letters[i].bytes = 1234;
        letters[i].id = (char *)"id-1";
        letters[i].source = long_text;
        list[i] = &letters[i];
    }
    if (count > 1) {
        letters[1].code = (Relais__V1__Code)4711;
        letters[1].damaged = true;
    }
    Relais__V1__DeadLetters dead = RELAIS__V1__DEAD_LETTERS__INIT;
    dead.n_letters = count;
    dead.letters = list;
    dead.more = more;
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_DEAD;
    answer.dead = &dead;
    say_answer(broker, &answer);
}

static void say_done(struct fake_broker *broker, uint64_t number)
{
    Relais__V1__Done done = RELAIS__V1__DONE__INIT;
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_DONE;
    answer.done = &done;
    say_answer(broker, &answer);
}

static void say_unknown(struct fake_broker *broker, uint64_t number)
{
    Relais__V1__Error error = RELAIS__V1__ERROR__INIT;
    error.code = RELAIS__V1__CODE__CODE_UNKNOWN_DEAD_LETTER;
    error.field = (char *)"manage.drop.sequence";
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_ERROR;
    answer.error = &error;
    say_answer(broker, &answer);
}

static void answer_query(struct fake_broker *broker, struct told *told,
                         const Relais__V1__Query *query)
{
    bool one = query->what_case == RELAIS__V1__QUERY__WHAT_DEAD_LETTER;
    if (one) {
        told->sequence = query->dead_letter->sequence;
    } else {
        told->after = query->dead->after;
        told->limit = query->dead->limit;
    }
    switch (told->behaviour) {
    case TELLS_TOO_MANY:
        say_letters(broker, query->number, 3, false);
        break;
    case TELLS_NOTHING_AND_MORE:
        say_letters(broker, query->number, 0, true);
        break;
    case DONE_TO_A_QUERY:
        say_done(broker, query->number);
        break;
    default:
        say_letters(broker, query->number, one ? 1 : 2, !one);
        break;
    }
}

static bool answer_all(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    struct told *told = context;
    const Relais__V1__ToBroker *command = heard->command;
    bool order = command->command_case == RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    if (!order && command->command_case != RELAIS__V1__TO_BROKER__COMMAND_QUERY) {
        return true;
    }
    told->asked++;
    if (told->drops_left > 0) {
        told->drops_left--;
        fake_drop(broker);
    } else if (told->behaviour == IS_OLDER) {
        fake_say_error(broker, RELAIS__V1__CODE__CODE_UNKNOWN_COMMAND, 0);
    } else if (!order) {
        answer_query(broker, told, command->query);
    } else {
        const Relais__V1__Manage *manage = command->manage;
        told->replay = manage->what_case == RELAIS__V1__MANAGE__WHAT_REPLAY;
        told->sequence = told->replay ? manage->replay->sequence : manage->drop->sequence;
        if (told->sequence == 404) {
            say_unknown(broker, manage->number);
        } else {
            say_done(broker, manage->number);
        }
    }
    return false;
}

static struct told told;
static struct fake_broker *broker;
static relais_client *client;
static relais_error error;

static void open_with(enum behaviour behaviour)
{
    static struct fake_script script;
    told = (struct told){.behaviour = behaviour};
    script = (struct fake_script){.answer = answer_all, .context = &told};
    broker = fake_start(&script);
    client = fixture_open(broker);
}

static void shut(void)
{
    relais_client_close(client);
    fake_stop(broker);
}

START_TEST(letters_are_given_as_told)
{
    relais_dead_letter letters[2];
    relais_dead_page page = {.letters = letters, .capacity = 2};
    open_with(TELLS);
    ck_assert_int_eq(relais_dead_list(client, BOX, 40, &page, &error), RELAIS_OK);
    ck_assert_uint_eq(told.after, 40);
    ck_assert_uint_eq(told.limit, 2);
    ck_assert_uint_eq(page.count, 2);
    ck_assert(page.more);
    ck_assert_uint_eq(letters[0].sequence, 41);
    ck_assert_int_eq(letters[0].code, RELAIS_REFUSED_BY_RECIPIENT);
    ck_assert_str_eq(letters[0].reason, "not?[2J for us");
    ck_assert_uint_eq(letters[0].attempts, 2);
    ck_assert_int_eq(letters[0].died_ms, 1795524338259);
    ck_assert_uint_eq(letters[0].bytes, 1234);
    ck_assert_str_eq(letters[0].id, "id-1");
    ck_assert_uint_eq(strlen(letters[0].source), sizeof letters[0].source - 1);
    ck_assert_str_eq(letters[0].flow, "");
    ck_assert(!letters[0].damaged);
    ck_assert_int_eq(letters[1].code, RELAIS_MALFORMED);
    ck_assert(letters[1].damaged);
    ck_assert_int_eq(relais_dead_show(client, BOX, 41, &letters[1], &error), RELAIS_OK);
    ck_assert_uint_eq(told.sequence, 41);
    ck_assert_uint_eq(letters[1].sequence, 41);
    shut();
}
END_TEST

START_TEST(orders_are_said_again_on_a_new_line)
{
    open_with(TELLS);
    told.drops_left = 1;
    ck_assert_int_eq(relais_dead_replay(client, BOX, 41, &error), RELAIS_OK);
    ck_assert_uint_eq(told.asked, 2);
    ck_assert(told.replay);
    ck_assert_uint_eq(told.sequence, 41);
    ck_assert_int_eq(relais_dead_drop(client, BOX, 42, &error), RELAIS_OK);
    ck_assert(!told.replay);
    ck_assert_uint_eq(told.sequence, 42);
    ck_assert_int_eq(relais_dead_drop(client, BOX, 404, &error), RELAIS_UNKNOWN_DEAD_LETTER);
    ck_assert_str_eq(error.field, "manage.drop.sequence");
    shut();
}
END_TEST

START_TEST(an_older_broker_is_told_from_a_refusal)
{
    relais_dead_letter letter;
    open_with(IS_OLDER);
    ck_assert_int_eq(relais_dead_show(client, BOX, 1, &letter, &error), RELAIS_UNKNOWN_COMMAND);
    ck_assert_int_eq(relais_dead_replay(client, BOX, 1, &error), RELAIS_UNKNOWN_COMMAND);
    shut();
}
END_TEST

START_TEST(an_answer_that_does_not_fit_is_malformed)
{
    static const enum behaviour wrong[] = {TELLS_TOO_MANY, TELLS_NOTHING_AND_MORE, DONE_TO_A_QUERY};
    relais_dead_letter letters[2];
    relais_dead_page page = {.letters = letters, .capacity = 2};
    open_with(wrong[_i]);
    ck_assert_int_eq(relais_dead_list(client, BOX, 0, &page, &error), RELAIS_MALFORMED);
    shut();
}
END_TEST

START_TEST(wrong_arguments_never_leave)
{
    relais_dead_letter letters[2];
    relais_dead_page page = {.letters = letters, .capacity = 101};
    open_with(TELLS);
    ck_assert_int_eq(relais_dead_list(client, BOX, 0, &page, &error), RELAIS_USAGE);
    page.capacity = 0;
    ck_assert_int_eq(relais_dead_list(client, BOX, 0, &page, &error), RELAIS_USAGE);
    ck_assert_int_eq(relais_dead_list(client, "nowhere", 0, &page, &error), RELAIS_FIELD_INVALID);
    ck_assert_int_eq(relais_dead_show(client, NULL, 1, letters, &error), RELAIS_FIELD_INVALID);
    ck_assert_int_eq(relais_dead_drop(NULL, BOX, 1, &error), RELAIS_USAGE);
    ck_assert_uint_eq(told.asked, 0);
    shut();
}
END_TEST

static void add(void *tcase)
{
    tcase_add_test(tcase, letters_are_given_as_told);
    tcase_add_test(tcase, orders_are_said_again_on_a_new_line);
    tcase_add_test(tcase, an_older_broker_is_told_from_a_refusal);
    tcase_add_loop_test(tcase, an_answer_that_does_not_fit_is_malformed, 0, 3);
    tcase_add_test(tcase, wrong_arguments_never_leave);
}

int main(void)
{
    return fixture_run("integration.client.dead", add);
}
