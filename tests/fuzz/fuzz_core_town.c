/* SPDX-License-Identifier: EUPL-1.2
 *
 * See fuzz_core_town.h.
 */
#include "tests/fuzz/fuzz_core_town.h"

#include "world.h"

#include <assert.h>

struct directory *fuzz_town(uint8_t shape)
{
    struct directory *d = directory_new();
    assert(d);
    directory_add_member(d, "dila", KIND_STATE);
    directory_add_member(d, "commune-76540", KIND_COMMUNE);
    if (shape & 1) {
        directory_add_service(d, "commune-76540", "etat-civil");
    }
    directory_add_client(d, shape & 2 ? "dila" : "commune-76540", "files", ROUEN,
                         shape & 4 ? ROLE_MAY_RECEIVE | ROLE_MAY_SEND : ROLE_MAY_SEND);
    directory_add_client(d, "dila", "files", DILA, ROLE_MAY_SEND);
    directory_add_flow(d, "PETIT", shape);
    directory_allow_sender(d, "PETIT", "*");
    directory_allow_receiver(d, "PETIT", "kind:commune");
    if (shape & 8) {
        const struct flow_acknowledge soon = {
            .within_ms = 2000 + shape, .remind_ms = {1500, 1}, .remind_count = 2};
        directory_set_acknowledge(d, "PETIT", &soon);
    }
    directory_seal(d);
    return d;
}

void fuzz_town_due(struct shelf *shelf, uint8_t shape)
{
    shelf->due = (struct store_due){.sequence = 0};
    if ((shape & 3) != 0 || shelf->deadline.sender[0] == '\0') {
        return;
    }
    shelf->due.sequence = 1 + shelf->sequence;
    shelf->due.deadline = shelf->deadline;
    shelf->due.deadline.step = (uint8_t)(shape % (shelf->deadline.remind_count + 1U));
    shelf->due.at_ms = stored_deadline_at(&shelf->due.deadline, shelf->due.deadline.step);
    shelf->due.owing = shape & 1;
    shelf->pass_status = shape & 4 ? STORE_NO_ROOM : STORE_DONE;
}
