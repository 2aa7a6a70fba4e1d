/* SPDX-License-Identifier: EUPL-1.2
 *
 * See session.h.
 */
#include "core/session.h"

#include "core/consumer.h"
#include "core/limits.h"
#include "core/note.h"
#include "core/pace.h"
#include "core/quota.h"
#include "core/reply.h"
#include "core/upload.h"
#include "core/welcome.h"

#include <stdlib.h>
#include <string.h>

enum { STORE_FULL_RETRY_MS = 5000 /* room is made by people: no use in asking often */ };

static bool same_session(const void *item, const void *key)
{
    return ((const struct session *)item)->connection == *(const uint64_t *)key;
}

static bool same_key(const void *item, const void *key)
{
    return strcmp(((const struct key_use *)item)->key, key) == 0;
}

static uint64_t key_hash(const char *key)
{
    return table_hash_text(key, strlen(key));
}

struct session *session_find(const struct core *core, uint64_t connection)
{
    return table_find(&core->sessions, table_hash_number(connection), same_session, &connection);
}

struct refusal session_draining(void)
{
    return (struct refusal){.code = RELAIS__V1__CODE__CODE_DRAINING,
                            .wrong = "the broker is stopping",
                            .right = N_("connect again later"),
                            .retry_after_ms = 1000};
}

struct refusal session_revoked(void)
{
    return (struct refusal){.code = RELAIS__V1__CODE__CODE_KEY_REVOKED,
                            .field = "client.key",
                            .wrong = "not registered any more",
                            .right = N_("a key that is registered for a member")};
}

void session_touch(struct core *core, struct session *session)
{
    if (!session->dirty) {
        session->dirty = true;
        session->next_dirty = core->dirty_sessions;
        core->dirty_sessions = session;
    }
}

/* One more connection of this key. False without memory. */
static bool key_add(struct core *core, const char *key)
{
    struct key_use *use = table_find(&core->keys, key_hash(key), same_key, key);
    if (!use) {
        use = calloc(1, sizeof *use);
        if (!use) {
            return false;
        }
        memcpy(use->key, key, strnlen(key, KEY_BYTES));
        if (!table_add(&core->keys, key_hash(key), use)) {
            free(use);
            return false;
        }
    }
    use->connections++;
    return true;
}

static void key_remove(struct core *core, const char *key)
{
    struct key_use *use = table_find(&core->keys, key_hash(key), same_key, key);
    if (use && --use->connections == 0) {
        table_remove(&core->keys, key_hash(key), use);
        free(use);
    }
}

/* NULL without memory. */
static struct session *session_new(struct core *core, uint64_t connection, const char *key,
                                   const struct directory_client *client)
{
    struct session *session = calloc(1, sizeof *session);
    struct member_use *use = quota_use(core, directory_member_slug(client->member));
    if (!session || !use || !key_add(core, key)) {
        free(session);
        return NULL;
    }
    session->use = use;
    session->connection = connection;
    session->next_number = 1;
    memcpy(session->key, key, strnlen(key, KEY_BYTES));
    const char *member = directory_member_slug(client->member);
    memcpy(session->member, member, strnlen(member, NAME_SLUG_BYTES));
    if (!table_add(&core->sessions, table_hash_number(connection), session)) {
        key_remove(core, key);
        free(session);
        return NULL;
    }
    use->connections++;
    return session;
}

void session_hello(struct step *step, uint64_t connection, const char *key,
                   const struct directory_client *client, const Relais__V1__Hello *hello)
{
    struct core *core = step->core;
    const struct key_use *use = table_find(&core->keys, key_hash(key), same_key, key);
    struct refusal refusal = {0};
    if (core->draining) {
        refusal = session_draining();
        reply_goodbye(step, connection, &refusal);
        return;
    }
    struct member_use *of_member = quota_use(core, directory_member_slug(client->member));
    const struct quota quota = quota_of(core, client->member);
    if (!of_member) {
        step->effects->failed = true;
        return;
    }
    if (!welcome_check(step, hello, use ? use->connections : 0, &refusal) ||
        !quota_admit(step, of_member, &quota, &refusal)) {
        reply_error(step, connection, &refusal);
        reply_goodbye(step, connection, &refusal);
        struct effect *effect = note(step->effects, NOTE_WARNING, "client.refused");
        note_text(step->effects, effect, "member", directory_member_slug(client->member));
        note_text(step->effects, effect, "client", client->name);
        note_text(step->effects, effect, "code", refusal_code_name(refusal.code));
        return;
    }
    if (!session_new(core, connection, key, client)) {
        step->effects->failed = true;
        return;
    }
    welcome_send(step, connection, client);
    struct effect *effect = note(step->effects, NOTE_NOTICE, "client.hello");
    note_number(effect, "connection", connection);
    note_text(step->effects, effect, "member", directory_member_slug(client->member));
    note_text(step->effects, effect, "client", client->name);
}

/* Nothing more is said to it but what is in the effects already. */
static void session_over(struct step *step, struct session *session, bool died)
{
    session->over = true;
    consumers_drop(step, session, died);
    uploads_fini(session);
    ranges_fini(&session->accepted);
    ranges_fini(&session->full);
    for (int i = 0; i < OVER_COUNT; i++) {
        ranges_fini(&session->over_quota[i].numbers);
    }
}

void session_cut(struct step *step, struct session *session, const struct refusal *reason)
{
    session_over(step, session, reason && reason->code == RELAIS__V1__CODE__CODE_MALFORMED);
    reply_goodbye(step, session->connection, reason);
    struct effect *effect = note(step->effects, NOTE_NOTICE, "client.cut");
    note_number(effect, "connection", session->connection);
    note_text(step->effects, effect, "member", session->member);
    note_text(step->effects, effect, "code", reason ? refusal_code_name(reason->code) : "CODE_OK");
}

void session_leave(struct step *step, struct session *session)
{
    session_over(step, session, false);
    reply_close(step, session->connection);
}

void session_closed(struct step *step, uint64_t connection)
{
    struct core *core = step->core;
    struct session *session = session_find(core, connection);
    if (!session) {
        return;
    }
    if (!session->over) {
        session_over(step, session, true);
    }
    struct effect *effect = note(step->effects, NOTE_NOTICE, "client.gone");
    note_number(effect, "connection", connection);
    note_text(step->effects, effect, "member", session->member);
    table_remove(&core->sessions, table_hash_number(connection), session);
    key_remove(core, session->key);
    session->use->connections--;
    session->gone = true;
    session_touch(core, session);
}

bool session_is_of(const struct session *session, const struct directory_client *client)
{
    return client && strcmp(directory_member_slug(client->member), session->member) == 0;
}

static void sweep_consumers(struct step *step, struct session *session,
                            const struct directory_client *client)
{
    for (struct consumer *consumer = session->consumers; consumer; consumer = consumer->next) {
        const char *service = consumer->mailbox->name + strlen(session->member) + 1;
        if (consumer->detaching) {
            continue;
        }
        bool is_private = service[0] == '~';
        unsigned may = is_private ? ROLE_MAY_RECEIVE | ROLE_MAY_SEND : ROLE_MAY_RECEIVE;
        bool is_there = is_private ? strcmp(service + 1, client->name) == 0
                                   : directory_has_service(client->member, service);
        if ((client->roles & may) == 0) {
            consumer_end(step, consumer, RELAIS__V1__CODE__CODE_ROLE_MISSING);
        } else if (!is_there) {
            consumer_end(step, consumer, RELAIS__V1__CODE__CODE_UNKNOWN_SERVICE);
        }
    }
}

void sessions_sweep(struct step *step)
{
    struct core *core = step->core;
    struct session *session = NULL;
    size_t cursor = 0;
    while ((session = table_next(&core->sessions, &cursor))) {
        const struct directory_client *client = directory_client(core->directory, session->key);
        if (session->over) {
            continue;
        }
        if (session_is_of(session, client)) {
            sweep_consumers(step, session, client);
        } else {
            struct refusal refusal = session_revoked();
            session_cut(step, session, &refusal);
        }
    }
}

static void say_full(struct step *step, const struct session *session)
{
    struct reply_refused refused = {.step = step, .connection = session->connection};
    struct refusal refusal = {.code = RELAIS__V1__CODE__CODE_STORE_FULL,
                              .field = "submit",
                              .wrong = "the broker's store is full",
                              .right = N_("the same again later"),
                              .retry_after_ms = STORE_FULL_RETRY_MS};
    for (size_t i = 0; i < session->full.count; i++) {
        const struct number_range *range = &session->full.items[i];
        for (uint64_t number = range->first; number <= range->last; number++) {
            reply_refused_add(&refused, number, &refusal);
        }
    }
    reply_refused_end(&refused);
}

static void drain(struct step *step)
{
    struct core *core = step->core;
    struct session *session = NULL;
    size_t cursor = 0;
    struct refusal reason = session_draining();
    while ((session = table_next(&core->sessions, &cursor))) {
        if (!session->over) {
            session_cut(step, session, &reason);
        }
    }
    core->drained = true;
}

static void say_accepted(struct step *step, struct session *session)
{
    if (!pace_holds(step, session)) {
        reply_accepted(step, session->connection, &session->accepted);
        ranges_clear(&session->accepted);
    }
}

void sessions_flush(struct step *step)
{
    struct core *core = step->core;
    struct session *session = core->dirty_sessions;
    core->dirty_sessions = NULL;
    while (session) {
        struct session *next = session->next_dirty;
        session->dirty = false;
        session->next_dirty = NULL;
        if (session->gone) {
            free(session);
        } else if (!session->over) {
            say_accepted(step, session);
            say_full(step, session);
            ranges_clear(&session->full);
            quota_say_over(step, session);
            uploads_flush(step, session);
            consumers_flush(step, session);
        }
        session = next;
    }
    if (core->draining && !core->drained && !core_is_storing(core)) {
        drain(step);
    }
}

void sessions_fini(struct core *core)
{
    struct session *session = core->dirty_sessions;
    while (session) {
        struct session *next = session->next_dirty;
        if (session->gone) {
            free(session);
        }
        session = next;
    }
    size_t cursor = 0;
    while ((session = table_next(&core->sessions, &cursor))) {
        free(session);
    }
    struct key_use *use = NULL;
    cursor = 0;
    while ((use = table_next(&core->keys, &cursor))) {
        free(use);
    }
    table_fini(&core->sessions);
    table_fini(&core->keys);
}
