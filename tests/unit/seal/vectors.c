/* SPDX-License-Identifier: EUPL-1.2
 *
 * See vectors.h. RELAIS_VECTORS is the folder.
 */
#include "vectors.h"

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

FILE *vectors_open(const char *file)
{
    char path[4096];
    FILE *opened = NULL;

    (void)snprintf(path, sizeof path, "%s/%s", RELAIS_VECTORS, file);
    opened = fopen(path, "re");
    ck_assert_msg(opened != NULL, "no %s", path);
    return opened;
}

bool vectors_text(FILE *file, const char *name, char out[2 * VECTOR_BYTES + 1])
{
    char line[2 * VECTOR_BYTES + 64];

    while (fgets(line, sizeof line, file) != NULL) {
        const size_t length = strlen(name);

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0') {
            continue;
        }
        ck_assert_msg(strncmp(line, name, length) == 0 && line[length] == ':', "%s is not %s", line,
                      name);
        (void)snprintf(out, 2 * VECTOR_BYTES + 1, "%s",
                       line + length + strspn(line + length, ": "));
        return true;
    }
    return false;
}

struct vector vectors_bytes(FILE *file, const char *name)
{
    char hex[2 * VECTOR_BYTES + 1];
    struct vector vector = {.size = 0};

    ck_assert_msg(vectors_text(file, name, hex), "no %s", name);
    ck_assert_int_eq(
        sodium_hex2bin(vector.data, sizeof vector.data, hex, strlen(hex), NULL, &vector.size, NULL),
        0);
    return vector;
}
