/* SPDX-License-Identifier: EUPL-1.2
 *
 * No input may hold a parser up: a target that needs more than INPUT_MOST_MS of processor time for
 * one input fails. Linked with --wrap, so that targets, libFuzzer and replay.c know nothing of it.
 *
 * An input counts as slow when it is slow each time: the first may have paid for pages that others
 * need too, or for a look at a new edge.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    INPUT_MOST_MS = 50,
    TRIES = 3,
};

int __real_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static long processor_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    long took_ms = 0;

    for (int i = 0; i < TRIES; i++) {
        const long before_ms = processor_ms();
        const int rc = __real_LLVMFuzzerTestOneInput(data, size);

        took_ms = processor_ms() - before_ms;
        if (rc != 0 || took_ms <= INPUT_MOST_MS) {
            return rc;
        }
    }
    (void)fprintf(stderr,
                  "an input of %zu bytes took %ld ms of processor time, at most %d are good\n",
                  size, took_ms, INPUT_MOST_MS);
    abort();
}
