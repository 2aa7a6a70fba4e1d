/* SPDX-License-Identifier: EUPL-1.2
 *
 * See plan.h.
 */
#include "plan.h"

#include <stddef.h>

/* In half of the runs not at all. */
static uint32_t sometimes(struct chance *chance, uint32_t most)
{
    return chance_is(chance, 500) ? chance_between(chance, 1, most) : 0;
}

static uint32_t one_of(struct chance *chance, const uint32_t *values, size_t count)
{
    return values[chance_below(chance, (uint32_t)count)];
}

static void draw_settings(struct plan *plan, struct chance *chance)
{
    static const uint32_t leases[] = {300, 2000, 10000, 30000};
    static const uint32_t retries[] = {20, 200, 1000};
    static const uint32_t connections[] = {8, 12, 100};
    static const uint32_t per_key[] = {1, 2, 8};
    static const uint32_t storing[] = {4000, 60000, 2000000, 48U * 1024 * 1024};
    plan->lease_ms = one_of(chance, leases, 4);
    plan->retry_ms = one_of(chance, retries, 3);
    plan->attempts = chance_between(chance, 1, 8);
    plan->connections = one_of(chance, connections, 3);
    plan->connections_per_key = one_of(chance, per_key, 3);
    plan->storing_bytes = one_of(chance, storing, 4);
    plan->sending_bytes = sometimes(chance, 200000);
}

static void draw_traffic(struct plan *plan, struct chance *chance)
{
    static const uint32_t batches[] = {1, 4, 16, 100};
    static const uint32_t credits[] = {1, 4, 50, 1024};
    static const uint32_t backlogs[] = {4, 30, 100};
    plan->batch = one_of(chance, batches, 4);
    plan->credit = one_of(chance, credits, 4);
    plan->backlog = one_of(chance, backlogs, 3);
    plan->large = chance_is(chance, 200) ? chance_between(chance, 50, 900) : 0;
    plan->later = sometimes(chance, 300);
    plan->expiring = sometimes(chance, 300);
    plan->many = sometimes(chance, 600);
    plan->notices = sometimes(chance, 400);
    plan->wrong = sometimes(chance, 100);
    plan->rude = sometimes(chance, 20);
    plan->delay_ms = chance_between(chance, 0, chance_is(chance, 200) ? 3000 : 60);
    plan->sync_ms = chance_between(chance, 0, chance_is(chance, 200) ? 400 : 20);
    plan->client_ms = chance_between(chance, 2, 80);
}

/* Now and then more than the windows of the protocol let through: of messages, or of bytes. */
static void draw_flood(struct plan *plan, struct chance *chance)
{
    if (chance_is(chance, 10)) {
        plan->batch = 1024;
        plan->backlog = plan->messages = 5200;
        plan->sync_ms = 2000;
        plan->storing_bytes = 48U * 1024 * 1024;
        plan->many = 0;
        plan->faults[FAULT_SLOW] = 20;
    } else if (chance_is(chance, 30)) {
        plan->large = 1000;
        plan->batch = 100;
        plan->backlog = plan->messages = 700;
        plan->sync_ms = 2000;
        plan->credit = 1024;
        plan->storing_bytes = 48U * 1024 * 1024;
    }
}

void plan_draw(struct plan *plan, struct chance *chance)
{
    *plan = (struct plan){.messages = chance_between(chance, 20, 400)};
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        plan->faults[i] = sometimes(chance, 10);
    }
    /* What is broken is mended, too. */
    plan->faults[FAULT_ROOM] = plan->faults[FAULT_FULL] + plan->faults[FAULT_STUCK];
    plan->faults[FAULT_RETURN] = plan->faults[FAULT_DIRECTORY];
    plan->fault_ms = chance_between(chance, 20, chance_is(chance, 500) ? 200 : 3000);
    plan->nack = sometimes(chance, 300);
    plan->refuse = sometimes(chance, 100);
    plan->forget = sometimes(chance, 200);
    plan->late = sometimes(chance, 400);
    plan->leave = sometimes(chance, 30);
    plan->extend = sometimes(chance, 300);
    plan->letters = sometimes(chance, 300);
    draw_settings(plan, chance);
    draw_traffic(plan, chance);
    draw_flood(plan, chance);
    plan->ordered = sometimes(chance, 1000);
    plan->superseding = sometimes(chance, 400);
}

enum fault plan_fault(const struct plan *plan, struct chance *chance)
{
    uint32_t all = 0;
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        all += plan->faults[i];
    }
    if (all == 0) {
        return FAULT_COUNT;
    }
    uint32_t left = chance_below(chance, all);
    uint32_t fault = 0;
    while (left >= plan->faults[fault]) {
        left -= plan->faults[fault++];
    }
    return (enum fault)fault;
}
