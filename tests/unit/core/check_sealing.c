/* SPDX-License-Identifier: EUPL-1.2
 *
 * A flow that requires sealing: what is not sealed for each recipient and signed is refused.
 * Whether it opens is no matter of the broker's.
 */
#include "heard.h"

#include <stdlib.h>
#include <string.h>

static uint8_t bytes[98];

static struct directory *directory_that_requires_sealing(void)
{
    struct directory *d = directory_new();
    directory_add_member(d, "dila", KIND_STATE);
    directory_add_member(d, "commune-76540", KIND_COMMUNE);
    directory_add_service(d, "commune-76540", "etat-civil");
    directory_add_client(d, "dila", "files", DILA, ROLE_MAY_SEND);
    directory_add_client(d, "commune-76540", "files", ROUEN, ROLE_MAY_RECEIVE);
    directory_add_flow(d, "ETATCIVIL", 0);
    directory_allow_sender(d, "ETATCIVIL", "*");
    directory_allow_receiver(d, "ETATCIVIL", "*");
    ck_assert_int_eq(directory_require_sealing(d, "ETATCIVIL"), DIRECTORY_OK);
    ck_assert_int_eq(directory_require_sealing(d, "NOPE"), DIRECTORY_INVALID);
    directory_seal(d);
    return d;
}

/* Signature and wraps of so many bytes and so many. */
static void submit(struct world *world, uint64_t number, size_t signature, size_t wraps)
{
    static ProtobufCBinaryData wrap[2] = {{98, bytes}, {98, bytes}};
    static char id[16];
    struct message message;
    snprintf(id, sizeof id, "sealed-%d", (int)number);
    message_init(&message, id);
    message.envelope.signature = (ProtobufCBinaryData){signature, bytes};
    message.envelope.wraps = wrap;
    message.envelope.n_wraps = wraps;
    world_submit(world, 1, DILA, number, &message, 1);
    world_turn(world);
}

static void refused(struct world *world, uint64_t number, const char *field)
{
    const Relais__V1__Refused *said = heard(world, 1, TOLD(REFUSED))->refused;
    ck_assert_uint_eq(said->refusals[0]->number, number);
    heard_error(said->refusals[0]->error, CODE(NOT_SEALED), field);
}

START_TEST(only_what_is_signed_and_has_a_wrap_for_each_recipient_is_taken)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    world_replace(&world, directory_that_requires_sealing());
    world_turn(&world);
    submit(&world, 1, 0, 0);
    refused(&world, 1, "submit.parts[0].envelope.signature");
    submit(&world, 2, 67, 1);
    refused(&world, 2, "submit.parts[0].envelope.signature");
    submit(&world, 3, 68, 0);
    refused(&world, 3, "submit.parts[0].envelope.wraps");
    submit(&world, 4, 68, 2);
    refused(&world, 4, "submit.parts[0].envelope.wraps");
    submit(&world, 5, 68, 1);
    heard_accepted(&world, 1, 5, 5);
    world_fini(&world);
}
END_TEST

START_TEST(a_flow_that_says_nothing_takes_both)
{
    struct world world;
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    submit(&world, 1, 0, 0);
    heard_accepted(&world, 1, 1, 1);
    submit(&world, 2, 68, 1);
    heard_accepted(&world, 1, 2, 2);
    world_fini(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit.core.sealing");
    TCase *flows = tcase_create("flows");
    tcase_add_test(flows, only_what_is_signed_and_has_a_wrap_for_each_recipient_is_taken);
    tcase_add_test(flows, a_flow_that_says_nothing_takes_both);
    suite_add_tcase(suite, flows);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
