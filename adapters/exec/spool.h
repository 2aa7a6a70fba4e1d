/* SPDX-License-Identifier: EUPL-1.2
 *
 * A folder into which any program puts messages: NAME.json (line.h), renamed into it last, with the
 * payload in a file beside it when it says so.
 *
 *   1. A file goes when its message is in the outbox, on disk; killed in between, it is handed over
 *      again with the same id, which the outbox knows.
 *   2. What can never be sent goes to failed/ with NAME.error.json beside it, and the rest goes on.
 *   3. Names that begin with a dot, links and what is not a plain file are left alone.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_SPOOL_H
#define RELAIS_EXEC_SPOOL_H

#include "adapters/exec/settings.h"

struct spool;

relais_status spool_open(relais_adapter *adapter, const struct settings_spool *settings,
                         struct spool **out_spool, relais_error *error);
void spool_close(struct spool *spool);

/* *out_wait_ms is lowered. Another status than RELAIS_OK: the disk failed. */
relais_status spool_poll(struct spool *spool, int64_t *out_wait_ms, relais_error *error);

#endif
