/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/inspection_known.h"

#include "store/record_deadline.h"
#include "store/record_expiry.h"
#include "store/record_track.h"

#include <string.h>

bool inspect_duplicate(struct inspection *inspection, struct bytes key, struct bytes record,
                       struct store_finding *finding)
{
    struct duplicate_record fields;
    struct record_key age;
    struct bytes found = {0};
    bool has = false;
    if (!record_read_duplicate(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    finding->sequence = fields.sequence;
    key_duplicate_age(&age, &fields);
    bool known = inspection_has(inspection, TABLE_DUPLICATE_AGE, &age, &has, &found);
    if (!has) {
        finding->fault = STORED_FAULT_REFERENCE;
    }
    return known;
}

bool inspect_duplicate_age(struct inspection *inspection, struct bytes key, struct bytes record,
                           struct store_finding *finding)
{
    struct bytes duplicate;
    struct record_key name = {0};
    bool has = false;
    if (!record_read_duplicate_age(key, record, &duplicate) || duplicate.size > sizeof name.data) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    memcpy(name.data, duplicate.data, duplicate.size);
    name.size = duplicate.size;
    bool known = inspection_has(inspection, TABLE_DUPLICATE, &name, &has, NULL);
    if (known && !has) {
        /* The id was forgotten before its message went: the age leads to the rows of that. */
        key_message(&name, finding->sequence, 0);
        known = inspection_has(inspection, TABLE_MESSAGE, &name, &has, NULL);
    }
    if (!has) {
        finding->fault = STORED_FAULT_REFERENCE;
    }
    return known;
}

bool inspect_name_deadline(struct bytes key, struct store_finding *finding)
{
    struct deadline_key deadline;
    if (!key_read_deadline(key, &deadline)) {
        return false;
    }
    finding->sequence = deadline.sequence;
    return true;
}

bool inspect_deadline(struct inspection *inspection, struct bytes key, struct bytes record,
                      struct store_finding *finding)
{
    struct stored_deadline fields;
    (void)inspection;
    if (!record_read_deadline(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
    }
    return true;
}

bool inspect_name_expiry(struct bytes key, struct store_finding *finding)
{
    struct expiry_key expiry;
    if (!key_read_expiry(key, &expiry)) {
        return false;
    }
    finding->sequence = expiry.sequence;
    return true;
}

/* One may be left of a message that has gone since its last copy was looked at. */
bool inspect_expiry(struct inspection *inspection, struct bytes key, struct bytes record,
                    struct store_finding *finding)
{
    struct expiry_record fields;
    (void)inspection;
    if (!record_read_expiry(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
    }
    return true;
}
