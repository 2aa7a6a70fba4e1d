/* SPDX-License-Identifier: EUPL-1.2
 *
 * A command that has messages for the bus: each line of its standard output is one (line.h).
 *
 *   IDLE --time has come--> RUNNING --it ends, or closes its output--> DRAINING
 *     --every line is in the outbox, it has ended--> IDLE
 *
 *   1. A line leaves the buffer when its message is in the outbox, on disk; with `confirm` the
 *      command is told so then, on its standard input, and not before.
 *   2. When the outbox is full, or nobody reads the confirmations, nothing more is read.
 *   3. A line that can never be sent is counted, logged without its content, told to the command,
 *      and passed over. A line longer than LINE_BYTES is such a line.
 *   4. The last line counts without its end only when the command ended with 0.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_SOURCE_H
#define RELAIS_EXEC_SOURCE_H

#include "adapters/exec/settings.h"

struct source;

relais_status source_open(relais_adapter *adapter, const struct settings_outbound *settings,
                          struct source **out_source, relais_error *error);
void source_close(struct source *source);

/* *out_wait_ms is lowered. Another status than RELAIS_OK: the disk failed. */
relais_status source_poll(struct source *source, int64_t *out_wait_ms, relais_error *error);

/* Asks the command to end. */
void source_stop(struct source *source);

/* True until it has ended and its lines are in the outbox. */
bool source_is_busy(const struct source *source);

#endif
