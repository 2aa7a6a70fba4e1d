/* SPDX-License-Identifier: EUPL-1.2 */
#include "core/finding.h"

const char *finding_fault_name(enum stored_fault fault)
{
    static const char *const names[STORED_FAULT_COUNT_OF] = {
        "checksum", "key", "cut", "reference", "orphan", "count", "page", "table"};
    return fault < STORED_FAULT_COUNT_OF ? names[fault] : "";
}
