/* SPDX-License-Identifier: EUPL-1.2
 *
 * A process of its own that looks at a damaged file when it is asked to: LMDB believes its pages,
 * and may fall over what is in them. It lives for as many looks as it survives, since a fork under
 * a sanitizer costs more than they do.
 */
#ifndef RELAIS_TESTS_UNIT_STORE_WITNESS_H
#define RELAIS_TESTS_UNIT_STORE_WITNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What is seen, 0 to 255. *out_clean false: the process is not to be used again. */
typedef uint8_t witness_look(void *context, bool *out_clean);

struct witness {
    witness_look *look; /* the first two are the caller's; the rest begins as 0 */
    void *context;
    pid_t child; /* 0: none */
    int ask;
    int answer;
};

/* -1: it died of it, or took longer than some seconds. */
int witness_ask(struct witness *witness);

void witness_end(struct witness *witness);

#endif
