/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "Asking": the counters are right, pages follow one another, and nobody sees
 * another member's mailboxes.
 */
#include "heard.h"

#include <stdlib.h>
#include <string.h>

static void ask(struct world *world, uint64_t connection, const char *key, uint64_t number,
                Relais__V1__QueuesQuery *queues)
{
    Relais__V1__StatusQuery status = RELAIS__V1__STATUS_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    query.number = number;
    if (queues) {
        query.what_case = RELAIS__V1__QUERY__WHAT_QUEUES;
        query.queues = queues;
    } else {
        query.what_case = RELAIS__V1__QUERY__WHAT_STATUS;
        query.status = &status;
    }
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(world, connection, key, &command);
}

static const Relais__V1__Queues *queues(struct world *world, uint64_t connection, const char *key,
                                        const char *after, uint32_t limit)
{
    Relais__V1__QueuesQuery query = RELAIS__V1__QUEUES_QUERY__INIT;
    query.after = (char *)after;
    query.limit = limit;
    ask(world, connection, key, 5, &query);
    const Relais__V1__Answer *answer = heard(world, connection, TOLD(ANSWER))->answer;
    ck_assert_uint_eq(answer->number, 5);
    ck_assert_int_eq(answer->what_case, RELAIS__V1__ANSWER__WHAT_QUEUES);
    return answer->queues;
}

static void send_to(struct world *world, uint64_t number, const char *to)
{
    struct message message;
    char id[16];
    snprintf(id, sizeof id, "q-%d", (int)number);
    message_init(&message, id);
    message.to_one[0] = (char *)to;
    message.envelope.flow = "PETIT";
    world_submit(world, 1, DILA, number, &message, 1);
    world_turn(world);
    heard_accepted(world, 1, number, number);
}

START_TEST(status_counts)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet(&world, 3, OPERATOR);
    store_messages(&world, 1, 4);
    world_submit_one(&world, 1, 5, "id-1"); /* a duplicate */
    struct message wrong;
    message_init(&wrong, "");
    world_submit(&world, 1, DILA, 6, &wrong, 1);
    greet_consumer(&world, 2, 3);
    world_turn(&world);
    world_ack(&world, 2, ROUEN, 1, 1, 1);
    world_nack(&world, 2, 1, 2, 0, true);
    world_turn(&world);
    core_note_store_size(world.core, 12, 34);
    world_pass(&world, 1000);
    ask(&world, 3, OPERATOR, 9, NULL);
    const Relais__V1__Answer *answer = heard(&world, 3, TOLD(ANSWER))->answer;
    ck_assert_uint_eq(answer->number, 9);
    const Relais__V1__Status *status = answer->status;
    ck_assert_str_eq(status->software, "relaisd");
    ck_assert_int_eq(status->uptime_ms, 1000);
    ck_assert_uint_eq(status->connections, 3);
    ck_assert_uint_eq(status->consumers, 1);
    ck_assert_uint_eq(status->members, 5);
    ck_assert_uint_eq(status->flows, 2);
    ck_assert_uint_eq(status->mailboxes, 1);
    ck_assert_uint_eq(status->waiting, 2);
    ck_assert_uint_eq(status->leased, 1);
    ck_assert_uint_eq(status->dead, 1);
    ck_assert_uint_eq(status->accepted_total, 5);
    ck_assert_uint_eq(status->duplicates_total, 1);
    ck_assert_uint_eq(status->refused_total, 1);
    ck_assert_uint_eq(status->delivered_total, 3);
    ck_assert_uint_eq(status->acknowledged_total, 1);
    ck_assert_uint_eq(status->store_used_bytes, 12);
    ck_assert_uint_eq(status->store_size_bytes, 34);
    size_t bytes = 0;
    for (size_t i = 0; i < world.shelf.entry_count; i++) {
        const struct shelf_entry *entry = &world.shelf.entries[i];
        bytes += entry->dead ? 0 : entry->message.envelope.size + entry->message.payload.size;
    }
    ck_assert_uint_eq(status->waiting_bytes, bytes);
    world_fini(&world);
}
END_TEST

START_TEST(status_needs_the_role_operate)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    ask(&world, 1, DILA, 3, NULL);
    const Relais__V1__Answer *answer = heard(&world, 1, TOLD(ANSWER))->answer;
    ck_assert_uint_eq(answer->number, 3);
    heard_error(answer->error, CODE(ROLE_MISSING), "client.roles");
    world_fini(&world);
}
END_TEST

START_TEST(queues_come_in_order_and_in_pages)
{
    struct world world;
    const Relais__V1__Queues *page = NULL;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet(&world, 3, OPERATOR);
    ck_assert_uint_eq(queues(&world, 3, OPERATOR, "", 0)->n_queues, 0);
    send_to(&world, 1, "commune-76540/etat-civil");
    send_to(&world, 2, "dila/greffe");
    send_to(&world, 3, "commune-06088/etat-civil");
    send_to(&world, 4, "commune-76540/accueil");
    send_to(&world, 5, "commune-76540/accueil");
    page = queues(&world, 3, OPERATOR, "", 0);
    ck_assert_uint_eq(page->n_queues, 4);
    ck_assert(!page->more);
    ck_assert_str_eq(page->queues[0]->address, "commune-06088/etat-civil");
    ck_assert_str_eq(page->queues[1]->address, "commune-76540/accueil");
    ck_assert_uint_eq(page->queues[1]->waiting, 2);
    ck_assert_str_eq(page->queues[3]->address, "dila/greffe");
    page = queues(&world, 3, OPERATOR, "commune-06088/etat-civil", 2);
    ck_assert_uint_eq(page->n_queues, 2);
    ck_assert(page->more);
    ck_assert_str_eq(page->queues[0]->address, "commune-76540/accueil");
    page = queues(&world, 3, OPERATOR, page->queues[1]->address, 2);
    ck_assert_uint_eq(page->n_queues, 1);
    ck_assert(!page->more);
    page = queues(&world, 3, OPERATOR, "zzz", 2);
    ck_assert_uint_eq(page->n_queues, 0);
    world_fini(&world);
}
END_TEST

START_TEST(a_member_sees_its_own_mailboxes_only)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    greet(&world, 2, ROUEN);
    greet(&world, 3, NICE);
    greet(&world, 4, AISNE);
    send_to(&world, 1, "commune-76540/etat-civil");
    send_to(&world, 2, "dila/greffe");
    send_to(&world, 3, "commune-06088/etat-civil");
    send_to(&world, 4, "commune-76540/accueil");
    const Relais__V1__Queues *page = queues(&world, 2, ROUEN, "", 0);
    ck_assert_uint_eq(page->n_queues, 2);
    ck_assert_str_eq(page->queues[0]->address, "commune-76540/accueil");
    ck_assert_str_eq(page->queues[1]->address, "commune-76540/etat-civil");
    page = queues(&world, 2, ROUEN, "commune-76540/accueil", 500);
    ck_assert_uint_eq(page->n_queues, 1);
    ck_assert_uint_eq(queues(&world, 2, ROUEN, "dila/greffe", 0)->n_queues, 0);
    page = queues(&world, 3, NICE, "", 1);
    ck_assert_uint_eq(page->n_queues, 1);
    ck_assert(!page->more);
    ck_assert_str_eq(page->queues[0]->address, "commune-06088/etat-civil");
    ck_assert_uint_eq(queues(&world, 4, AISNE, "", 0)->n_queues, 0);
    world_fini(&world);
}
END_TEST

START_TEST(a_page_fits_in_a_command)
{
    struct core_settings settings;
    struct world world;
    static struct stored_mailbox stored[600];
    static char names[600][128];
    memset(names, 'm', sizeof names);
    for (size_t i = 0; i < 600; i++) {
        snprintf(names[i] + 100, 28, "/s%05u", (unsigned)i);
        stored[i] = (struct stored_mailbox){.id = (uint32_t)i + 1, .name = names[i], .waiting = 1};
    }
    core_settings_init(&settings);
    world_init(&world, &settings);
    core_free(world.core);
    world.core = core_new(&settings, world_directory(), stored, 600);
    greet(&world, 3, OPERATOR);
    const Relais__V1__Queues *page = queues(&world, 3, OPERATOR, "", UINT32_MAX);
    size_t count = page->n_queues;
    ck_assert_uint_le(count, 500);
    while (page->more) {
        page = queues(&world, 3, OPERATOR, page->queues[page->n_queues - 1]->address, 500);
        count += page->n_queues;
    }
    ck_assert_uint_eq(count, 600);
    world_fini(&world);
}
END_TEST

START_TEST(a_query_of_a_later_version_gets_an_answer)
{
    struct world world;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    world_init(&world, NULL);
    greet(&world, 3, OPERATOR);
    query.number = 77;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    world_say(&world, 3, OPERATOR, &command);
    const Relais__V1__Answer *answer = heard(&world, 3, TOLD(ANSWER))->answer;
    ck_assert_uint_eq(answer->number, 77);
    heard_error(answer->error, CODE(UNKNOWN_COMMAND), "query.what");
    world_fini(&world);
}
END_TEST

SUITE_MAIN("core query", status_counts, status_needs_the_role_operate,
           queues_come_in_order_and_in_pages, a_member_sees_its_own_mailboxes_only,
           a_page_fits_in_a_command, a_query_of_a_later_version_gets_an_answer)
