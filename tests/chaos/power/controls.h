/* SPDX-License-Identifier: EUPL-1.2
 *
 * What must be found when it is wrong: the engine is broken on purpose, from outside.
 */
#ifndef RELAIS_TESTS_CHAOS_POWER_CONTROLS_H
#define RELAIS_TESTS_CHAOS_POWER_CONTROLS_H

#include <stdbool.h>

enum control {
    CONTROL_NONE,
    CONTROL_NOSYNC,       /* the store is opened with MDB_NOSYNC */
    CONTROL_EARLY,        /* ops count as done when they are submitted */
    CONTROL_NO_LOG_SYNC,  /* frames of the redo log are not synced */
    CONTROL_NO_DUPLICATE, /* nothing is written to the table of known ids */
    CONTROL_COUNT
};

extern const char *const control_names[CONTROL_COUNT];

/* For stores opened from now on. */
void control_set(enum control control);

#endif
