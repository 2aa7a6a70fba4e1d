/* SPDX-License-Identifier: EUPL-1.2
 *
 * Names that strangers write: whatever comes, the result keeps the rules of safe_name.h. The input
 * is the file name, a NUL, and the id.
 */
#include "adapters/files/safe_name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > SAFE_NAME_BYTES || strcspn(name, "/\\:*?\"<>|") != length ||
        name[0] == '.' || name[0] == '-' || name[length - 1] == '.' || name[length - 1] == ' ') {
        abort();
    }
    for (size_t i = 0; i < length;) {
        unsigned point = 0;
        size_t bytes = safe_name_character(name + i, &point);
        if (bytes == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0)) {
            abort();
        }
        i += bytes;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[SAFE_NAME_BYTES + 1];
    char again[SAFE_NAME_BYTES + 1];
    char *text = malloc(size + 2);
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = text[size + 1] = '\0';
    safe_name(text, text + strlen(text) + 1, name);
    check(name);
    safe_name(NULL, text, again);
    check(again);
    safe_name(name, "id", again);
    if (strcmp(name, again) != 0) {
        abort(); /* what is safe stays as it is */
    }
    free(text);
    return 0;
}
