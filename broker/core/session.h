/* SPDX-License-Identifier: EUPL-1.2
 *
 * Sessions: from a client's Hello to the end of its connection.
 *
 * Transitions: session_hello() greeted -> session_cut() over -> session_closed() gone -> freed by
 * sessions_flush(). A connection that has not said Hello has no session and costs nothing. One
 * thread.
 */
#ifndef RELAIS_CORE_SESSION_H
#define RELAIS_CORE_SESSION_H

#include "core/lease.h"
#include "core/refusal.h"

/* NULL: no Hello yet, or gone. */
struct session *session_find(const struct core *core, uint64_t connection);

/* Says Welcome, or why not and cuts. */
void session_hello(struct step *step, uint64_t connection, const char *key,
                   const struct directory_client *client, const Relais__V1__Hello *hello);

/* Ends it from our side: Goodbye with the reason, then the cut. */
void session_cut(struct step *step, struct session *session, const struct refusal *reason);

/* The client took leave: the cut, without a word. */
void session_leave(struct step *step, struct session *session);

/* The connection has gone. */
void session_closed(struct step *step, uint64_t connection);

/* True when `client` is still who said Hello. */
bool session_is_of(const struct session *session, const struct directory_client *client);

/* Looks at every session after a change of the directory. */
void sessions_sweep(struct step *step);

/* It has something to say at the end of the turn. */
void session_touch(struct core *core, struct session *session);

/* Says what has gathered; when draining and nothing is with the store any more, Goodbye to all. */
void sessions_flush(struct step *step);

void sessions_fini(struct core *core);

/* The standard reasons. */
struct refusal session_draining(void);
struct refusal session_revoked(void);

#endif
