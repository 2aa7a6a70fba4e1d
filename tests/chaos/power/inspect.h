/* SPDX-License-Identifier: EUPL-1.2
 *
 * Opens an image with the real engine and compares what is in it with the script.
 */
#ifndef RELAIS_TESTS_CHAOS_POWER_INSPECT_H
#define RELAIS_TESTS_CHAOS_POWER_INSPECT_H

#include "tests/chaos/power/image.h"
#include "tests/chaos/power/script.h"

enum { INSPECT_TEXT_BYTES = 512 };

struct inspection {
    const struct script *script;
    char path[128];                /* folder of the image */
    bool named;                    /* the file is called data.mdb, not data.mdb.new */
    bool used;                     /* the folder has its mark */
    size_t from, until;            /* steps: the store must be as after one of them */
    char text[INSPECT_TEXT_BYTES]; /* what is wrong */
};

/* True when the store opens, is whole, is as it was after some step of from..until, knows the ids
 * of these steps and of no later ones, and takes a new message. */
bool inspect_image(struct inspection *inspection, const struct file_bytes files[DISK_FILES]);

#endif
