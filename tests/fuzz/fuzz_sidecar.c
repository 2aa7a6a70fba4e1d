/* SPDX-License-Identifier: EUPL-1.2
 *
 * Side-cars: any bytes are read or refused with a field; what is read looks like a side-car.
 */
#include "adapters/files/sidecar.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool says_something(const struct sidecar *sidecar)
{
    return sidecar->to_count > 0 || sidecar->flow || sidecar->id || sidecar->subject ||
           sidecar->type || sidecar->media_type || sidecar->from || sidecar->has_priority ||
           sidecar->extension_count > 0;
}

static void check(const struct sidecar *sidecar, size_t size)
{
    if (sidecar->to_count > RELAIS_RECIPIENTS_MAX ||
        sidecar->extension_count > SIDECAR_EXTENSIONS) {
        abort();
    }
    for (size_t i = 0; i < sidecar->to_count; i++) {
        if (strlen(sidecar->to[i]) > size) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sidecar sidecar;
    relais_error error = {.status = RELAIS_OK};
    bool looks = sidecar_looks_like((const char *)data, size);
    relais_status status = sidecar_read((const char *)data, size, &sidecar, &error);
    if (status != RELAIS_OK) {
        if (status != RELAIS_FIELD_INVALID || error.right[0] == '\0') {
            abort();
        }
        return 0;
    }
    if (says_something(&sidecar) && !looks) {
        abort();
    }
    check(&sidecar, size);
    sidecar_fini(&sidecar);
    return 0;
}
