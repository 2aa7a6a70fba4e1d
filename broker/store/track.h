/* SPDX-License-Identifier: EUPL-1.2
 *
 * What of a message's end every engine sees the same way. Pure.
 */
#ifndef RELAIS_STORE_TRACK_H
#define RELAIS_STORE_TRACK_H

#include "core/stored.h"

/* Of a dead letter, by the code of its bury. */
enum track_state track_of_code(uint32_t code);

/* Is it still owed? Neither acknowledged nor replaced by a later one. */
bool track_is_missing(enum track_state state);

/* At a deadline: neither acknowledged nor of no use any more, for a later one replaced it or its
 * sender withdrew it. */
bool track_is_owed(enum track_state state);

/* Can it still be acknowledged? A dead letter that was let go cannot. */
bool track_is_reminded(enum track_state state);

/* Does an entry, waiting or dead, hold the message? */
bool track_holds(enum track_state state);

/* Takes a row into the result of STORE_TRACK: rows come by mailbox, all of them, and `rows` has
 * room for op->track.max_rows. False: no more need come. */
bool track_list(const struct store_op *op, const struct store_track_row *row,
                struct store_result *result);

#endif
