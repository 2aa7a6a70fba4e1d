/* SPDX-License-Identifier: EUPL-1.2
 *
 * A whole file as a redo log, whose identity and transaction are what its first frame says: it is
 * read to its end, whatever is in it, and each record that comes out lies inside its frame.
 */
#include "store/redo.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IDENTITY_AT = 8, TRANSACTION_AT = 16, NUMBERS_END = 24 };

static uint64_t number_at(const uint8_t *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static void read_records(struct bytes body)
{
    struct redo_record record;
    const uint8_t *end = body.data + body.size;
    while (body.size > 0 && redo_next(&body, &record)) {
        assert(record.table < TABLE_COUNT && record.key.size > 0);
        assert(record.key.data + record.key.size <= end);
        assert(record.record.data + record.record.size <= end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redo_reader reader = {.fd = memfd_create("redo", MFD_CLOEXEC)};
    assert(reader.fd >= 0);
    if (size > 0) {
        assert(write(reader.fd, data, size) == (ssize_t)size);
    }
    if (size >= NUMBERS_END) {
        reader.identity = number_at(data + IDENTITY_AT);
        reader.transaction = number_at(data + TRANSACTION_AT);
    }
    while (redo_read(&reader) == REDO_FRAME) {
        assert(reader.next <= size + 4096 && reader.next > reader.at);
        read_records(reader.body);
    }
    redo_reader_fini(&reader);
    close(reader.fd);
    return 0;
}
