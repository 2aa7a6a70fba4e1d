/* SPDX-License-Identifier: EUPL-1.2
 *
 * See history.h.
 */
#include "history.h"

#include <string.h>

/* Of the client that holds it; "": the directory does not know it any more. */
static const char *holder_name(const struct oracle *oracle, const struct life *life)
{
    const struct oracle_consumer *consumer = oracle->consumers[life->holder];
    unsigned client = oracle_session(oracle, consumer->connection)->client;
    return oracle->town->client_absent[client] ? "" : TOWN_PEOPLE[client].name;
}

/* How it ends now. */
static enum stored_ending ending_of(const struct oracle *oracle)
{
    const Relais__V1__ToBroker *command = oracle->step.command;
    if (oracle->step.kind == STEP_TIME) {
        return ENDING_LEASE;
    }
    bool nack = oracle->step.kind == STEP_FRAMES && command &&
                command->command_case == RELAIS__V1__TO_BROKER__COMMAND_NACK;
    if (!nack) {
        return ENDING_NONE;
    }
    return command->nack->refuse ? ENDING_REFUSE : ENDING_NACK;
}

void oracle_history_kept(const struct oracle *oracle, const struct store_op *op,
                         const struct life *life)
{
    if (op->kind == STORE_ACK) {
        return;
    }
    bool buries = op->kind == STORE_BURY;
    const struct stored_attempt *attempt = buries ? op->bury.attempt : op->defer.attempt;
    uint32_t made = buries ? op->bury.attempts : op->defer.attempts;
    PROMISE(oracle->trace, (made > life->attempts) == (attempt != NULL),
            "an attempt is kept when it was made", {"made", made}, {"before", life->attempts});
    if (!attempt) {
        return;
    }
    enum stored_ending ending = ending_of(oracle);
    const char *reason = ending == ENDING_LEASE ? "" : TOWN_BECAUSE;
    PROMISE(oracle->trace,
            attempt->number == made && attempt->ending == ending &&
                attempt->at_ms == oracle->now.wall_ms && strcmp(attempt->reason, reason) == 0,
            "what is kept of an attempt is so", {"number", attempt->number},
            {"ending", attempt->ending}, {"wanted", ending});
    PROMISE(oracle->trace, strcmp(attempt->client, holder_name(oracle, life)) == 0,
            "an attempt has the name of the client that failed", {"number", attempt->number});
}

static void check_one(const struct oracle *oracle, const Relais__V1__FailedAttempt *said,
                      const struct failed *known)
{
    PROMISE(oracle->trace,
            said->number == known->number && (uint32_t)said->ending == known->ending &&
                said->at_ms == known->at_ms && strcmp(said->client, known->client) == 0 &&
                (said->reason[0] != '\0') == known->because,
            "what is told of an attempt is so", {"number", said->number}, {"known", known->number});
}

void oracle_history_told(const struct oracle *oracle, const Relais__V1__DeadLetter *letter,
                         const struct life *life, bool read)
{
    size_t most = letter->attempts < STORED_HISTORY ? letter->attempts : STORED_HISTORY;
    PROMISE(oracle->trace, letter->n_history == (read ? most : 0),
            "the history of a dead letter is whole", {"attempts", letter->attempts},
            {"told", letter->n_history});
    for (size_t i = 0; i < letter->n_history; i++) {
        PROMISE(oracle->trace,
                letter->history[i]->number == letter->attempts - letter->n_history + 1 + i,
                "attempts are told in their order", {"number", letter->history[i]->number},
                {"place", i});
        check_one(oracle, letter->history[i],
                  &life->history[life->history_count - letter->n_history + i]);
    }
}
