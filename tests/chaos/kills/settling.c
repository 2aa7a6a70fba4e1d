/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/chaos/kills/settling.h"

#include "tests/chaos/kills/history.h"

#include <stdio.h>
#include <time.h>

enum {
    TURN_MS = 2,
    PATIENCE_MS = 3000, /* librelais gives a settlement up after 5 s, and says nothing of it */
};

static int64_t now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_connection(const struct settling *settling)
{
    relais_session session;
    relais_client_session(settling->client, &session);
    return session.connected && session.reconnects == settling->connection;
}

void settling_note_connection(struct settling *settling)
{
    relais_session session;
    relais_client_session(settling->client, &session);
    if (session.reconnects != settling->connection) {
        settling->connection = session.reconnects;
        settling->count = 0;
        history_note("connect %llu", (unsigned long long)session.reconnects);
    }
}

void settling_add(struct settling *settling, const char *id)
{
    (void)snprintf(settling->ids[settling->count++], SETTLING_ID_BYTES, "%s", id);
}

void settling_wait(struct settling *settling, const volatile sig_atomic_t *ending)
{
    int64_t ends_ms = now_ms() + PATIENCE_MS;
    while (relais_unsettled(settling->consumer) > 0 && is_connection(settling) &&
           now_ms() < ends_ms && *ending == 0) {
        (void)relais_wait(settling->client, TURN_MS, NULL, 0);
    }
    if (is_connection(settling) && relais_unsettled(settling->consumer) == 0 &&
        now_ms() < ends_ms) {
        for (size_t i = 0; i < settling->count; i++) {
            history_note("settled %s", settling->ids[i]);
        }
    }
    settling->count = 0;
}
