/* SPDX-License-Identifier: EUPL-1.2
 *
 * A whole file as a store's: checked, whatever is in it. Nothing is read outside it, and the check
 * ends in time and says what is wrong.
 */
#include "store/file_check.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *data, size_t size)
{
    struct store_report report;
    struct store_problem problem;
    int fd = memfd_create("store", MFD_CLOEXEC);
    assert(fd >= 0);
    if (size > 0) {
        assert(write(fd, data, size) == (ssize_t)size);
    }
    if (file_check(fd, "store", NULL, &report, &problem)) {
        assert(report.file_bytes <= size);
        assert(report.used_pages <= report.file_bytes / report.page_bytes);
    } else {
        assert(problem.kind != STORE_PROBLEM_NONE && problem.detail[0] != '\0');
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(data, size);
    return 0;
}
