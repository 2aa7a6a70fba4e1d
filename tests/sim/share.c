/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. What each member may take of the broker: the bucket of messages a second, told a
 * second time, and what the town's quotas say of connections;
 * and of each consumer while much is unsent.
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
    struct oracle_share *share = &oracle->shares[member];
    share->known = true;
    share->at_ms = oracle->now.mono_ms;
    share->tokens = tokens >= TOKEN ? tokens - TOKEN : tokens;
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

/* From half of the limit on until a quarter, a consumer holds no more than its share of a quarter.
 */
void oracle_unsent(struct oracle *oracle, uint64_t unsent_bytes)
{
    uint64_t limit = oracle->plan->sending_bytes;
    bool was_tight = oracle->tight;
    oracle->tight = limit > 0 && unsent_bytes >= (was_tight ? limit / 4 : limit / 2);
    if (oracle->tight && !was_tight) {
        uint64_t consumers = 0;
        for (unsigned i = 0; i < TOWN_PLACES; i++) {
            consumers += oracle->places[i].consumers;
        }
        oracle->share_bytes = limit / 4 / (consumers > 0 ? consumers : 1);
        oracle->share_bytes = oracle->share_bytes > 4096 ? oracle->share_bytes : 4096;
    }
}

bool oracle_may_hold_more(const struct oracle *oracle, const struct oracle_consumer *consumer)
{
    return !oracle->tight || consumer->held == 0 || consumer->held_bytes < oracle->share_bytes;
}

/* The last eighth is for those who have at most a 64th; whoever has nothing gets a message in. */
bool oracle_may_store(const struct oracle *oracle, unsigned member, uint64_t cost)
{
    const struct oracle_share *share = &oracle->shares[member];
    uint64_t limit = oracle->plan->storing_bytes;
    if (oracle->storing == 0 || (share->storing == 0 && oracle->storing_bytes <= limit)) {
        return true;
    }
    if (share->storing == 0) {
        return false;
    }
    uint64_t kept = share->storing_bytes + cost > limit / 64 ? limit / 8 : 0;
    return oracle->storing_bytes + cost + kept <= limit;
}
