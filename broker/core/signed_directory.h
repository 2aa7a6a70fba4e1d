/* SPDX-License-Identifier: EUPL-1.2
 *
 * The question what is signed of some members: the notes are handed on as they were given. Whoever
 * asks verifies them; the broker's word counts for nothing here. docs/directory.md. One thread.
 */
#ifndef RELAIS_CORE_SIGNED_DIRECTORY_H
#define RELAIS_CORE_SIGNED_DIRECTORY_H

#include "core/state.h"
#include "relais/v1/command.pb-c.h"

void signed_directory_query(struct step *step, const struct session *session,
                            const Relais__V1__Query *query);

#endif
