/* SPDX-License-Identifier: EUPL-1.2
 *
 * The ledger as a damaged disk gives it back: opened, walked, written again. The input is the file.
 */
#include "adapters/files/ledger.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(int folder)
{
    struct ledger *ledger = NULL;
    relais_error error;
    if (ledger_open(folder, &ledger, &error) != RELAIS_OK) {
        return;
    }
    size_t count = ledger_count(ledger);
    if (ledger_compact(ledger, INT64_C(1000000000000), &error) != RELAIS_OK ||
        ledger_count(ledger) != count) {
        abort();
    }
    ledger_close(ledger);
    if (ledger_open(folder, &ledger, &error) != RELAIS_OK || ledger_count(ledger) != count) {
        abort(); /* what was read is what is written */
    }
    ledger_close(ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/dev/shm/relais-ledger-XXXXXX";
    if (sodium_init() < 0 || !mkdtemp(path)) {
        return 0;
    }
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = openat(folder, "ledger", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && write(fd, data, size) == (ssize_t)size) {
        use(folder);
    }
    (void)close(fd);
    (void)unlinkat(folder, "ledger", 0);
    (void)close(folder);
    (void)rmdir(path);
    return 0;
}
