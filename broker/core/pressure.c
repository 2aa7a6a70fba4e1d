/* SPDX-License-Identifier: EUPL-1.2
 *
 * See pressure.h.
 */
#include "core/pressure.h"

#include "core/consumer.h"
#include "core/limits.h"

enum {
    TIGHT_PART = 2, /* of settings.sending_bytes: from there on */
    LOOSE_PART = 4, /* and down to there */
    SHARED_PART = 4,
    SHARE_BYTES_MIN = 4096, /* a handful of small messages: one by one would be slow for all */
};

static void refresh_all(struct core *core)
{
    struct session *session = NULL;
    size_t cursor = 0;
    while ((session = table_next(&core->sessions, &cursor))) {
        for (struct consumer *consumer = session->consumers; consumer; consumer = consumer->next) {
            consumer_refresh(core, consumer);
        }
    }
}

static uint64_t share_of(const struct core *core)
{
    uint64_t consumers = core->totals.consumers > 0 ? core->totals.consumers : 1;
    uint64_t share = core->settings.sending_bytes / SHARED_PART / consumers;
    return share > SHARE_BYTES_MIN ? share : SHARE_BYTES_MIN;
}

void pressure_note(struct core *core, uint64_t unsent_bytes)
{
    uint64_t most = core->settings.sending_bytes;
    bool tight = most > 0 && unsent_bytes >= most / (core->tight ? LOOSE_PART : TIGHT_PART);
    if (tight != core->tight) {
        core->tight = tight;
        core->share_bytes = share_of(core);
        refresh_all(core);
    }
}

bool pressure_allows(const struct core *core, const struct consumer *consumer)
{
    return !core->tight || consumer->held == 0 || consumer->held_bytes < core->share_bytes;
}

uint32_t pressure_take_bytes(const struct core *core)
{
    return core->tight && core->share_bytes < LIMIT_TAKE_BYTES ? (uint32_t)core->share_bytes
                                                               : LIMIT_TAKE_BYTES;
}
