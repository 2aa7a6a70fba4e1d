/* SPDX-License-Identifier: EUPL-1.2
 *
 * See allocation.h.
 */
#include "allocation.h"

#include <stdint.h>

static _Thread_local bool is_armed; /* other threads of the test go on */
static bool fails_on;
static bool has_failed;
static size_t left = SIZE_MAX;

/* NOLINTBEGIN(cert-dcl51-cpp): the linker's names for --wrap */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
/* NOLINTEND(cert-dcl51-cpp) */

void allocation_arm(bool armed)
{
    is_armed = armed;
}

void allocation_fail(size_t n, bool all)
{
    left = n;
    fails_on = all;
    has_failed = false;
}

bool allocation_has_failed(void)
{
    return has_failed;
}

static bool fails(void)
{
    if (!is_armed || left == SIZE_MAX) {
        return false;
    }
    if (left > 0) {
        left--;
        return false;
    }
    has_failed = true;
    if (!fails_on) {
        left = SIZE_MAX;
    }
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}
