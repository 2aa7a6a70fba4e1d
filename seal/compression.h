/* SPDX-License-Identifier: EUPL-1.2
 *
 * zstd (RFC 8878) before sealing: one frame, nothing behind it.
 *
 *   1. Memory is bounded: what is written needs a window of 1 MiB, what is read may need one of
 *      8 MiB (RFC 8878, section 3.1.1.1.2, recommends that to every reader), whatever a frame asks
 * for.
 *
 *   2. Output comes as far as the caller has room for it: who limits that stops a bomb.
 *
 *   3. Only zstd's own frames are read: no skippable frames, and none of the older formats that
 *      Debian's library still understands.
 *
 * Any thread, one at a time for each.
 */
#ifndef RELAIS_SEAL_COMPRESSION_H
#define RELAIS_SEAL_COMPRESSION_H

#include "seal/bytes.h"
#include "seal/status.h"

#include <stdbool.h>

struct compressor;

/* Gives: free with compressor_free(). NULL without memory. */
struct compressor *compressor_new(void);
void compressor_free(struct compressor *compressor); /* NULL is fine */

/* Reads and writes as far as both ends go. SEAL_NO_MEMORY. */
enum seal_status compressor_step(struct compressor *compressor, struct seal_input *in,
                                 struct seal_output *out) SEAL_MUST_CHECK;

/* Writes the end as far as there is room; *out_done when all of it is out: then never again, it
 * would begin another frame. SEAL_NO_MEMORY. */
enum seal_status compressor_end(struct compressor *compressor, struct seal_output *out,
                                bool *out_done) SEAL_MUST_CHECK;

struct expander;

struct expander *expander_new(void);
void expander_free(struct expander *expander);

/* Reads and writes as far as both ends go; with `out` full, more may be inside: call again, and so
 * with input left over: behind a frame that is done it is refused by the next call.
 * SEAL_BAD_COMPRESSION. */
enum seal_status expander_step(struct expander *expander, struct seal_input *in,
                               struct seal_output *out) SEAL_MUST_CHECK;

/* True when the frame is complete and all of it is out. */
bool expander_is_done(const struct expander *expander);

#endif
