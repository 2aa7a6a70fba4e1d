/* SPDX-License-Identifier: EUPL-1.2
 *
 * Gives every file of the named folders to a fuzz target once: what libFuzzer found stays found in
 * builds that have no libFuzzer. A folder without a file is an error, not a pass.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_BYTES = 4096,
    SEED_BYTES = 4 * 1024 * 1024, /* far more than any input that a target takes */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *seed = NULL;
    uint8_t *exact = NULL;
    size_t size = 0;
    bool good = false;

    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    seed = malloc(SEED_BYTES);
    if (seed == NULL) {
        goto done;
    }
    size = fread(seed, 1, SEED_BYTES, file);
    if (ferror(file) != 0 || size == SEED_BYTES) {
        fprintf(stderr, "%s: cannot be read whole\n", path);
        goto done;
    }
    exact = malloc(size > 0 ? size : 1); /* so that a read beyond the end is seen */
    if (exact == NULL) {
        goto done;
    }
    memcpy(exact, seed, size);
    good = LLVMFuzzerTestOneInput(exact, size) == 0;

done:
    free(exact);
    free(seed);
    (void)fclose(file);
    return good;
}

/* The number of seeds replayed, -1 when one could not be. */
static int replay_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry = NULL;
    char path[PATH_BYTES];
    int count = 0;

    if (entries == NULL) {
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        return -1;
    }
    while (count >= 0 && (entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count = replay_file(path) ? count + 1 : -1;
    }
    (void)closedir(entries);
    return count;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const int count = replay_folder(argv[i]);

        if (count <= 0) {
            fprintf(stderr, "%s: no seed replayed\n", argv[i]);
            return EXIT_FAILURE;
        }
        printf("%s: %d seeds\n", argv[i], count);
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
