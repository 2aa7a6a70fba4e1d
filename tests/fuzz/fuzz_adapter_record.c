/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message of an adapter's outbox as a damaged disk gives it back. What is read is written and
 * read again, to the same bytes.
 */
#include "adapter/record.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes it; the next reading must give the same. */
static unsigned char *write_again(relais_bytes run, size_t *out_size)
{
    struct record_message read;
    if (!record_read_message(run, &read)) {
        return NULL;
    }
    return record_write_message(&read.message, out_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    relais_bytes body;
    size_t first_size = 0;
    size_t second_size = 0;
    unsigned char *first = write_again((relais_bytes){data, size}, &first_size);
    if (first) {
        unsigned char *second = write_again((relais_bytes){first, first_size}, &second_size);
        if (!second || first_size != second_size || memcmp(first, second, first_size) != 0) {
            abort();
        }
        free(second);
    }
    free(first);
    (void)record_open(1, (relais_bytes){"key", 3}, (relais_bytes){data, size}, &body);
    return 0;
}
