/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "Backup and check": operators alone, one at a time, told to the end; a check
 * goes on in steps, and what it sets aside is counted.
 */
#include "heard.h"

#include <stdlib.h>
#include <string.h>

static void say(struct world *world, uint64_t connection, const char *key,
                const Relais__V1__Manage *manage)
{
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = (Relais__V1__Manage *)manage;
    world_say(world, connection, key, &command);
}

static void order_backup(struct world *world, uint64_t connection, const char *key,
                         const char *name, uint32_t job)
{
    Relais__V1__Backup backup = RELAIS__V1__BACKUP__INIT;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    backup.name = (char *)name;
    backup.job = job;
    manage.number = 7;
    manage.what_case = RELAIS__V1__MANAGE__WHAT_BACKUP;
    manage.backup = &backup;
    say(world, connection, key, &manage);
}

static void order_check(struct world *world, uint64_t connection, const char *key, uint32_t job)
{
    Relais__V1__Check check = RELAIS__V1__CHECK__INIT;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    check.job = job;
    manage.number = 8;
    manage.what_case = RELAIS__V1__MANAGE__WHAT_CHECK;
    manage.check = &check;
    say(world, connection, key, &manage);
}

static const Relais__V1__Report *report(struct world *world, uint64_t connection)
{
    const Relais__V1__Answer *answer = heard(world, connection, TOLD(ANSWER))->answer;
    ck_assert_int_eq(answer->what_case, RELAIS__V1__ANSWER__WHAT_REPORT);
    return answer->report;
}

static const Relais__V1__Error *refused(struct world *world, uint64_t connection)
{
    const Relais__V1__Answer *answer = heard(world, connection, TOLD(ANSWER))->answer;
    ck_assert_int_eq(answer->what_case, RELAIS__V1__ANSWER__WHAT_ERROR);
    return answer->error;
}

START_TEST(a_backup_is_told_to_its_end)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 3, OPERATOR);
    world.shelf.backup = (struct store_backup){.phase = BACKUP_COPYING, .total_bytes = 50};
    order_backup(&world, 3, OPERATOR, "first", 0);
    world_turn(&world);
    const Relais__V1__Report *begun = report(&world, 3);
    uint32_t job = begun->job;
    ck_assert_uint_ne(job, 0);
    ck_assert(begun->running);
    ck_assert_str_eq(begun->name, "first");
    /* Said again on another connection: the same job, and the store is not asked for another. */
    greet(&world, 4, OPERATOR);
    order_backup(&world, 4, OPERATOR, "first", 0);
    ck_assert_uint_eq(report(&world, 4)->job, job);
    ck_assert_uint_eq(world.shelf.backups, 1);
    world.shelf.backup.done_bytes = 20;
    world_pass(&world, 1000);
    world_turn(&world);
    order_backup(&world, 3, OPERATOR, "", job);
    ck_assert_uint_eq(report(&world, 3)->done_bytes, 20);
    world.shelf.backup.phase = BACKUP_DONE;
    world.shelf.backup.records = 5;
    world_pass(&world, 1000);
    world_turn(&world);
    ck_assert(world_noted(&world, "backup.done"));
    order_backup(&world, 3, OPERATOR, "", job);
    const Relais__V1__Report *done = report(&world, 3);
    ck_assert(!done->running);
    ck_assert_uint_eq(done->records, 5);
    /* Nobody looks any more. */
    size_t looks = world.shelf.looks;
    world_pass(&world, 10000);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.looks, looks);
    world_fini(&world);
}
END_TEST

START_TEST(a_backup_that_fails_says_why)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 3, OPERATOR);
    world.shelf.backup = (struct store_backup){.phase = BACKUP_FAILED, .detail = "too full"};
    order_backup(&world, 3, OPERATOR, "", 0);
    world_turn(&world);
    const Relais__V1__Error *error = refused(&world, 3);
    ck_assert_int_eq(error->code, RELAIS__V1__CODE__CODE_BACKUP_FAILED);
    ck_assert_str_eq(error->wrong, "too full");
    ck_assert_str_ne(error->right, "");
    ck_assert(world_noted(&world, "backup.failed"));
    world.shelf.backup = (struct store_backup){.phase = BACKUP_COPYING};
    order_backup(&world, 3, OPERATOR, "", 0);
    world_turn(&world);
    uint32_t job = report(&world, 3)->job;
    world.shelf.backup =
        (struct store_backup){.phase = BACKUP_FAILED, .detail = "the disk was cut"};
    world_pass(&world, 1000);
    world_turn(&world);
    order_backup(&world, 3, OPERATOR, "", job);
    ck_assert_str_eq(refused(&world, 3)->wrong, "the disk was cut");
    order_backup(&world, 3, OPERATOR, "", job + 9);
    ck_assert_str_eq(refused(&world, 3)->field, "manage.backup.job");
    world_fini(&world);
}
END_TEST

START_TEST(operators_alone)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    order_backup(&world, 1, DILA, "", 0);
    ck_assert_int_eq(refused(&world, 1)->code, RELAIS__V1__CODE__CODE_ROLE_MISSING);
    order_check(&world, 1, DILA, 0);
    ck_assert_int_eq(refused(&world, 1)->code, RELAIS__V1__CODE__CODE_ROLE_MISSING);
    ck_assert_uint_eq(world.shelf.backups + world.shelf.checks, 0);
    greet(&world, 3, OPERATOR);
    static const char *const names[] = {"../up", "a/b", ".hidden", "-option", "a b", "é"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        order_backup(&world, 3, OPERATOR, names[i], 0);
        const Relais__V1__Error *error = refused(&world, 3);
        ck_assert_int_eq(error->code, RELAIS__V1__CODE__CODE_FIELD_INVALID);
        ck_assert_str_eq(error->field, "manage.backup.name");
    }
    world_drain(&world);
    order_backup(&world, 3, OPERATOR, "", 0);
    ck_assert_int_eq(refused(&world, 3)->code, RELAIS__V1__CODE__CODE_DRAINING);
    world_fini(&world);
}
END_TEST

START_TEST(a_check_goes_on_in_steps)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet(&world, 3, OPERATOR);
    store_messages(&world, 1, 2);
    world.shelf.checked = (struct store_checked){.records = 10, .bytes = 100};
    order_check(&world, 3, OPERATOR, 0);
    uint32_t job = report(&world, 3)->job;
    world_turn(&world);
    order_check(&world, 3, OPERATOR, 0);
    ck_assert_uint_eq(report(&world, 3)->job, job);
    ck_assert_uint_eq(world.shelf.begun, 1);
    world.shelf.checked.count = 1;
    world.shelf.checked.findings[0] = (struct store_finding){.fault = STORED_FAULT_CHECKSUM,
                                                             .table = "ready",
                                                             .mailbox = 1,
                                                             .sequence = 2,
                                                             .aside = true,
                                                             .aside_bytes = 5};
    world_pass(&world, 10);
    world_turn(&world);
    world.shelf.checked.ended = true;
    world_pass(&world, 10);
    world_turn(&world);
    order_check(&world, 3, OPERATOR, job);
    const Relais__V1__Report *done = report(&world, 3);
    ck_assert(!done->running);
    ck_assert_uint_eq(done->records, 30);
    ck_assert_uint_eq(done->finding_count, 1);
    ck_assert_uint_eq(done->n_findings, 1);
    ck_assert_str_eq(done->findings[0]->fault, "checksum");
    ck_assert_str_eq(done->findings[0]->address, "commune-76540/etat-civil");
    ck_assert_uint_eq(done->findings[0]->sequence, 2);
    ck_assert(done->findings[0]->aside);
    ck_assert(world_noted(&world, "store.finding"));
    ck_assert(world_noted(&world, "store.checked"));
    /* Without a slow check nothing more is read. */
    size_t checks = world.shelf.checks;
    world_pass(&world, 3600000);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.checks, checks);
    world_fini(&world);
}
END_TEST

START_TEST(the_slow_check_comes_by_itself_and_makes_way)
{
    struct world world;
    struct core_settings settings;
    core_settings_init(&settings);
    settings.scrub_days = 1;
    settings.software = "relaisd";
    settings.seed = 7;
    world_init(&world, &settings);
    greet(&world, 3, OPERATOR);
    for (int i = 0; i < 10 && world.shelf.checks < 2; i++) {
        world_pass(&world, 12 * 3600 * 1000);
        world_turn(&world);
    }
    ck_assert_uint_ge(world.shelf.checks, 2);
    ck_assert_uint_eq(world.shelf.begun, 1);
    /* An operator's begins anew, though a step of the slow one is with the store. */
    for (int i = 0; i < 10 && world.shelf.op_count == 0; i++) {
        world_pass(&world, 6 * 3600 * 1000);
    }
    ck_assert_uint_eq(world.shelf.op_count, 1);
    order_check(&world, 3, OPERATOR, 0);
    uint32_t job = report(&world, 3)->job;
    world.shelf.checked = (struct store_checked){.ended = true, .records = 99};
    world_store_one(&world);
    order_check(&world, 3, OPERATOR, job);
    const Relais__V1__Report *begun = report(&world, 3);
    ck_assert(begun->running);
    ck_assert_uint_eq(begun->records, 0);
    world_turn(&world);
    ck_assert_uint_eq(world.shelf.begun, 2);
    world_fini(&world);
}
END_TEST

SUITE_MAIN("upkeep", a_backup_is_told_to_its_end, a_backup_that_fails_says_why, operators_alone,
           a_check_goes_on_in_steps, the_slow_check_comes_by_itself_and_makes_way)
