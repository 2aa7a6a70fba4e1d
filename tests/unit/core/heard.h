/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a test expects to hear next. Only for files that include check.h.
 */
#ifndef RELAIS_TESTS_CORE_HEARD_H
#define RELAIS_TESTS_CORE_HEARD_H

#include "world.h"

#include <check.h>
#include <stdio.h>

#define CODE(name) RELAIS__V1__CODE__CODE_##name
#define TOLD(name) RELAIS__V1__TO_CLIENT__COMMAND_##name

static inline const Relais__V1__ToClient *heard(struct world *world, uint64_t connection,
                                                Relais__V1__ToClient__CommandCase expected)
{
    const Relais__V1__ToClient *command = world_hear(world, connection);
    ck_assert_msg(command != NULL, "connection %u was told nothing", (unsigned)connection);
    ck_assert_int_eq(command->command_case, expected);
    return command;
}

static inline void heard_error(const Relais__V1__Error *error, Relais__V1__Code code,
                               const char *field)
{
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(error->code == code, "code %d instead of %d, field %s, wrong %s", error->code,
                  code, error->field, error->wrong);
    ck_assert_str_eq(error->field, field);
    ck_assert_msg(error->right[0] || code == CODE(KEY_REVOKED), "says what would be right");
}

/* Error, Goodbye with the same, and the cut. */
static inline void heard_cut(struct world *world, uint64_t connection, Relais__V1__Code code,
                             const char *field)
{
    heard_error(heard(world, connection, TOLD(ERROR))->error, code, field);
    heard_error(heard(world, connection, TOLD(GOODBYE))->goodbye->reason, code, field);
    ck_assert(world->cut[connection]);
    ck_assert_ptr_null(world_hear(world, connection));
}

static inline void heard_accepted(struct world *world, uint64_t connection, uint64_t first,
                                  uint64_t last)
{
    const Relais__V1__Accepted *accepted = heard(world, connection, TOLD(ACCEPTED))->accepted;
    ck_assert_uint_eq(accepted->n_numbers, 1);
    ck_assert_uint_eq(accepted->numbers[0]->first, first);
    ck_assert_uint_eq(accepted->numbers[0]->last, last);
}

static inline void heard_settled(struct world *world, uint64_t connection, uint32_t consumer,
                                 uint64_t first, uint64_t last)
{
    const Relais__V1__Settled *settled = heard(world, connection, TOLD(SETTLED))->settled;
    ck_assert_uint_eq(settled->consumer, consumer);
    ck_assert_uint_eq(settled->n_tags, 1);
    ck_assert_uint_eq(settled->tags[0]->first, first);
    ck_assert_uint_eq(settled->tags[0]->last, last);
}

static inline const Relais__V1__Deliver *heard_deliver(struct world *world, uint64_t connection,
                                                       size_t count)
{
    const Relais__V1__Deliver *deliver = heard(world, connection, TOLD(DELIVER))->deliver;
    ck_assert_uint_eq(deliver->n_deliveries, count);
    return deliver;
}

/* A connection that has been welcomed. */
static inline void greet(struct world *world, uint64_t connection, const char *key)
{
    world_hello(world, connection, key);
    heard(world, connection, TOLD(WELCOME));
}

/* Welcomed and attached to commune-76540/etat-civil as consumer 1. */
static inline void greet_consumer(struct world *world, uint64_t connection, uint32_t credit)
{
    greet(world, connection, ROUEN);
    world_attach(world, connection, ROUEN, 1, "commune-76540/etat-civil", credit);
    heard(world, connection, TOLD(ATTACHED));
}

/* Messages first .. first + count - 1 from dila, stored; connection 1 must be dila's. */
static inline void store_messages(struct world *world, uint64_t first, size_t count)
{
    char id[32];
    for (size_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, "id-%u", (unsigned)(first + i));
        world_submit_one(world, 1, first + i, id);
    }
    world_turn(world);
    heard_accepted(world, 1, first, first + count - 1);
}

/* Connection 1 submits one with an ordering key. */
static inline void submit_in_order(struct world *world, uint64_t number, const char *id)
{
    struct message message;
    message_init(&message, id);
    message.envelope.ordering_key = (char *)"dossier 1";
    world_submit(world, 1, DILA, number, &message, 1);
}

/* The main of every suite. */
#define SUITE_MAIN(title, ...)                                                                     \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        Suite *suite = suite_create(title);                                                        \
        TCase *tcase = tcase_create(title);                                                        \
        for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {                              \
            tcase_add_test(tcase, tests[i]);                                                       \
        }                                                                                          \
        suite_add_tcase(suite, tcase);                                                             \
        SRunner *runner = srunner_create(suite);                                                   \
        srunner_run_all(runner, CK_NORMAL);                                                        \
        int failed = srunner_ntests_failed(runner);                                                \
        srunner_free(runner);                                                                      \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                               \
    }

#endif
