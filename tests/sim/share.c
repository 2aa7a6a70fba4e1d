/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. What each member may take of the broker: the bucket of messages a second, told a
 * second time, and what the town's quotas say of connections.
 */
#include "oracle.h"

enum { TOKEN = 1000 };

static uint64_t tokens_of(const struct oracle *oracle, unsigned member)
{
    const struct oracle_share *share = &oracle->shares[member];
    const struct quota *quota = &oracle->town->quota;
    uint64_t most = (quota->burst > 0 ? quota->burst : quota->rate) * TOKEN;
    if (!share->known) {
        return most;
    }
    uint64_t gained = (uint64_t)(oracle->now.mono_ms - share->at_ms) * quota->rate;
    return share->tokens + gained < most ? share->tokens + gained : most;
}

bool oracle_may_pass(const struct oracle *oracle, unsigned member)
{
    return oracle->town->quota.rate == 0 || tokens_of(oracle, member) >= TOKEN;
}

void oracle_spend(struct oracle *oracle, unsigned member)
{
    if (oracle->town->quota.rate == 0) {
        return;
    }
    uint64_t tokens = tokens_of(oracle, member);
    oracle->shares[member] = (struct oracle_share){
        .known = true,
        .at_ms = oracle->now.mono_ms,
        .tokens = tokens >= TOKEN ? tokens - TOKEN : tokens,
    };
}

bool oracle_may_connect(const struct oracle *oracle, unsigned client)
{
    uint64_t quota = oracle->town->quota.connections;
    uint64_t count = 0;
    for (size_t i = 0; i < oracle->open_count; i++) {
        const struct oracle_session *session = oracle->sessions[oracle->open[i]];
        count += TOWN_PEOPLE[session->client].member == TOWN_PEOPLE[client].member;
    }
    return quota == 0 || count < quota;
}
