/* SPDX-License-Identifier: EUPL-1.2
 *
 * What becomes of a file of the outbound folder: it goes to "sent", or to "failed" with the reason
 * beside it; its side-car goes with it.
 *
 * 1. Only the file that was submitted is moved: one that has taken its name since stays.
 * 2. The side-car is in its new place (a second link) before the file moves and loses its old name
 *    after: a file that is left behind by a kill still has its own side-car, and a side-car that is
 *    left behind is known as one of the past (verdict_is_past()).
 * 3. Nothing is overwritten.
 *
 * Thread: that of the program.
 */
#ifndef RELAIS_FILES_VERDICT_H
#define RELAIS_FILES_VERDICT_H

#include "adapters/files/folder.h"

#include <relais/status.h>

/* What is moved. `id` ("" when it was never made) only makes names unique. */
struct verdict_file {
    int folder;
    const char *name;
    const struct file_mark *mark;
    const char *id;
};

/* 0, an errno, or ESTALE: another file has the name now. */
int verdict_sent(const struct verdict_file *file, int sent_folder);

/* The same to the failed folder, with "<name>.error.json": what was wrong, in both languages. */
int verdict_failed(const struct verdict_file *file, int failed_folder, const relais_error *error,
                   int64_t now_ms);

/* True when the side-car `name` in `folder` is a second link of one that went to sent or failed. */
bool verdict_is_past(int folder, const char *name, int past_folder);

#endif
