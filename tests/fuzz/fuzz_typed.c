/* SPDX-License-Identifier: EUPL-1.2
 *
 * A format of typed payloads (TYPED_FORMAT): any bytes are refused with a complaint, or come back:
 * to the byte for text and protobuf, to the same items for JSON, to the same elements for XML. The
 * first byte chooses encoding, the size of the pieces and whether fictitious people pass.
 */
#include "tests/unit/typed/conversion.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *other(const char *format)
{
    return strcmp(format, "protobuf") == 0 ? "jsonl" : "protobuf";
}

/* What comes back may be written otherwise, but means the same: it makes the same items. */
static void check_meaning(const struct convert_options *options, const char *data, size_t size)
{
    struct conversion first;
    struct conversion back;
    struct conversion again;
    struct convert_options there = *options;
    there.to = other(options->from);
    conversion_run(&first, &there, data, size, 0);
    if (first.status == RELAIS_OK) {
        const struct convert_options home = {
            .from = there.to, .to = options->from, .specimens = options->specimens};
        conversion_run(&back, &home, first.out.data, first.out.size, 0);
        if (back.status == RELAIS_OK) {
            conversion_run(&again, &there, back.out.data, back.out.size, 0);
            if (again.status != RELAIS_OK || again.out.size != first.out.size ||
                memcmp(again.out.data, first.out.data, first.out.size) != 0) {
                abort();
            }
            conversion_fini(&again);
        } else {
            abort();
        }
        conversion_fini(&back);
    } else if (first.counts.errors == 0) {
        abort();
    }
    conversion_fini(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *bytes = (const char *)data + 1;
    const char *format = TYPED_FORMAT;
    const struct convert_options options = {.from = format,
                                            .to = format,
                                            .encoding = (enum encoding)(data[0] % ENCODING_COUNT),
                                            .specimens = (data[0] & 0x40U) != 0};
    if (strcmp(format, "jsonl") == 0 || strstr(format, "xml")) {
        check_meaning(&options, bytes, size - 1);
        return 0;
    }
    bool refused = false;
    size_t piece = (data[0] & 0x80U) != 0 ? 7 : 0;
    if (!conversion_survives(&options, other(format), bytes, size - 1, piece, &refused)) {
        abort();
    }
    return 0;
}
