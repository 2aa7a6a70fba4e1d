/* SPDX-License-Identifier: EUPL-1.2
 *
 * See inspection.h.
 */
#include "store/inspection.h"

#include "store/inspection_known.h"
#include "store/record_track.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = 32,
    SENDERS_MOST = 1024 * 1024, /* summed: twenty times the members of a directory */
    SENDERS_STEP = 256,
};

void inspection_init(struct inspection *inspection, const struct pages *pages)
{
    *inspection = (struct inspection){.pages = *pages};
    inspection->pages.seen = NULL;
    walk_init(&inspection->finder, &inspection->pages, RECORD_SEGMENT_BYTES);
    inspection->finder.keys_only = true;
    for (int table = 0; table < TABLE_COUNT; table++) {
        inspection->trees[table].root = PAGES_NONE;
    }
}

void inspection_fini(struct inspection *inspection)
{
    walk_fini(&inspection->finder);
    free(inspection->senders);
}

void inspection_tell(struct inspection *inspection, const struct store_finding *finding)
{
    inspection->findings++;
    if (inspection->tell != NULL) {
        inspection->tell(inspection->context, finding);
    }
}

bool inspection_has(struct inspection *inspection, enum table table, const struct record_key *key,
                    bool *out_has, struct bytes *out_record)
{
    enum walk_step step = walk_find(&inspection->finder, &inspection->trees[table], key_bytes(key));
    *out_has = step == WALK_RECORD;
    if (*out_has && out_record != NULL) {
        *out_record = inspection->finder.record;
    }
    /* A broken page is told when its own table is walked. */
    return step != WALK_FAILED;
}

/* What a key names. */

static bool name_nothing(struct bytes key, struct store_finding *finding)
{
    (void)finding;
    return key.size > 0 && key.size <= RECORD_KEY_BYTES;
}

static bool name_mailbox(struct bytes key, struct store_finding *finding)
{
    return key_read_mailbox(key, &finding->mailbox);
}

static bool name_sender(struct bytes key, struct store_finding *finding)
{
    uint32_t sender = 0;
    (void)finding;
    return key_read_sender(key, &sender);
}

static bool name_message(struct bytes key, struct store_finding *finding)
{
    return key_read_sequence(key, &finding->sequence);
}

static bool name_entry(enum table table, struct bytes key, struct store_finding *finding)
{
    struct entry_key entry;
    if (!key_read_entry(table, key, &entry)) {
        return false;
    }
    finding->mailbox = entry.mailbox;
    finding->sequence = entry.sequence;
    return true;
}

static bool name_ready(struct bytes key, struct store_finding *finding)
{
    return name_entry(TABLE_READY, key, finding);
}

static bool name_later(struct bytes key, struct store_finding *finding)
{
    return name_entry(TABLE_LATER, key, finding);
}

static bool name_dead(struct bytes key, struct store_finding *finding)
{
    struct dead_key dead;
    if (!key_read_dead(key, &dead)) {
        return false;
    }
    finding->mailbox = dead.mailbox;
    finding->sequence = dead.sequence;
    return true;
}

static bool name_duplicate_age(struct bytes key, struct store_finding *finding)
{
    struct duplicate_record duplicate;
    if (!key_read_duplicate_age(key, &duplicate)) {
        return false;
    }
    finding->sequence = duplicate.sequence;
    return true;
}

static bool name_order_head(struct bytes key, struct store_finding *finding)
{
    uint64_t order = 0;
    return key_read_order_head(key, &finding->mailbox, &order);
}

static bool name_behind(struct bytes key, struct store_finding *finding)
{
    struct behind_key behind;
    if (!key_read_behind(key, &behind)) {
        return false;
    }
    finding->mailbox = behind.mailbox;
    finding->sequence = behind.sequence;
    return true;
}

static bool name_attempt(struct bytes key, struct store_finding *finding)
{
    struct dead_key entry;
    uint32_t number = 0;
    if (!key_read_attempt(key, &entry, &number)) {
        return false;
    }
    finding->mailbox = entry.mailbox;
    finding->sequence = entry.sequence;
    return true;
}

/* What must be true of a record whose checksum matches. Each is false only when that could not be
 * found out; what is wrong is in finding->fault, STORED_FAULT_COUNT_OF when nothing is. */

static bool check_mailbox_of(struct inspection *inspection, struct store_finding *finding)
{
    struct record_key key;
    bool has = false;
    key_mailbox(&key, finding->mailbox);
    bool known = inspection_has(inspection, TABLE_MAILBOX, &key, &has, NULL);
    if (!has) {
        finding->fault = STORED_FAULT_REFERENCE;
    }
    return known;
}

static bool check_message_of(struct inspection *inspection, struct store_finding *finding)
{
    struct record_key key;
    bool has = false;
    key_message(&key, finding->sequence, 0);
    bool known = inspection_has(inspection, TABLE_MESSAGE, &key, &has, NULL);
    if (!has) {
        finding->fault = STORED_FAULT_REFERENCE;
    }
    return known;
}

static bool check_entry(struct inspection *inspection, enum table table, struct bytes key,
                        struct bytes record, struct store_finding *finding)
{
    struct entry_record fields;
    if (!record_read_entry(table, key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    return check_mailbox_of(inspection, finding) &&
           (finding->fault != STORED_FAULT_COUNT_OF || check_message_of(inspection, finding));
}

static bool check_ready(struct inspection *inspection, struct bytes key, struct bytes record,
                        struct store_finding *finding)
{
    return check_entry(inspection, TABLE_READY, key, record, finding);
}

static bool check_later(struct inspection *inspection, struct bytes key, struct bytes record,
                        struct store_finding *finding)
{
    return check_entry(inspection, TABLE_LATER, key, record, finding);
}

static bool check_order_head(struct inspection *inspection, struct bytes key, struct bytes record,
                             struct store_finding *finding)
{
    uint64_t sequence = 0;
    if (!record_read_order_head(key, record, &sequence)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    return check_mailbox_of(inspection, finding);
}

static bool check_attempt(struct inspection *inspection, struct bytes key, struct bytes record,
                          struct store_finding *finding)
{
    struct stored_attempt fields;
    if (!record_read_attempt(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    return check_mailbox_of(inspection, finding);
}

/* Somebody must be before it. */
static bool check_behind(struct inspection *inspection, struct bytes key, struct bytes record,
                         struct store_finding *finding)
{
    struct behind_record fields;
    struct behind_key place = {0};
    struct record_key head;
    bool has = false;
    if (!record_read_behind(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    (void)key_read_behind(key, &place);
    key_order_head(&head, place.mailbox, place.order);
    bool known = inspection_has(inspection, TABLE_ORDER_HEAD, &head, &has, NULL);
    if (!has) {
        finding->fault = STORED_FAULT_REFERENCE;
    }
    return known &&
           (finding->fault != STORED_FAULT_COUNT_OF || check_mailbox_of(inspection, finding)) &&
           (finding->fault != STORED_FAULT_COUNT_OF || check_message_of(inspection, finding));
}

static bool check_dead(struct inspection *inspection, struct bytes key, struct bytes record,
                       struct store_finding *finding)
{
    struct dead_record fields;
    if (!record_read_dead(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    /* One that was set aside as damaged is known to be so: its message may be missing. */
    return check_mailbox_of(inspection, finding) &&
           (finding->fault != STORED_FAULT_COUNT_OF || fields.code == STORED_CODE_DAMAGED ||
            check_message_of(inspection, finding));
}

static bool check_mailbox(struct inspection *inspection, struct bytes key, struct bytes record,
                          struct store_finding *finding)
{
    struct mailbox_record fields;
    (void)inspection;
    if (!record_read_mailbox(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
    }
    return true;
}

static bool check_refs(struct inspection *inspection, struct bytes key, struct bytes record,
                       struct store_finding *finding)
{
    uint32_t number = 0;
    if (!record_read_number(TABLE_REFS, key, record, &number)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    return check_message_of(inspection, finding);
}

static bool name_track(struct bytes key, struct store_finding *finding)
{
    struct track_key track;
    if (!key_read_track(key, &track)) {
        return false;
    }
    finding->sequence = track.sequence;
    finding->mailbox = track.mailbox;
    return true;
}

static bool check_track(struct inspection *inspection, struct bytes key, struct bytes record,
                        struct store_finding *finding)
{
    struct track_record fields;
    if (!record_read_track(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    return check_mailbox_of(inspection, finding);
}

/* In the messages that were inspected, when they all were. */
static bool check_sender(struct inspection *inspection, struct bytes key, struct bytes record,
                         struct store_finding *finding)
{
    struct sender_record fields;
    struct sender_sum sum = {0};
    uint32_t sender = 0;
    (void)key_read_sender(key, &sender);
    if (!record_read_sender(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    if (sender < inspection->sender_count) {
        sum = inspection->senders[sender];
    }
    if (inspection->sums_senders &&
        (sum.messages != fields.messages || sum.bytes != fields.bytes)) {
        finding->fault = STORED_FAULT_COUNT;
    }
    return true;
}

/* How many entries a message has left. False: could not be said. */
static bool count_entries(struct inspection *inspection, uint64_t sequence, uint32_t *out_entries)
{
    struct record_key key;
    struct bytes record = {0};
    bool has = false;
    *out_entries = 1;
    key_refs(&key, sequence);
    bool known = inspection_has(inspection, TABLE_REFS, &key, &has, &record);
    if (known && has && !record_read_number(TABLE_REFS, key_bytes(&key), record, out_entries)) {
        inspection->sums_senders = false;
    }
    return known;
}

/* False: without memory. */
static bool sum_sender(struct inspection *inspection, uint64_t sequence,
                       const struct message_head *head)
{
    uint32_t entries = 0;
    if (!inspection->sums_senders || head->sender >= SENDERS_MOST) {
        return true;
    }
    if (head->sender >= inspection->sender_count) {
        size_t count = ((size_t)head->sender + SENDERS_STEP) / SENDERS_STEP * SENDERS_STEP;
        struct sender_sum *senders = realloc(inspection->senders, count * sizeof *senders);
        if (senders == NULL) {
            return false;
        }
        memset(senders + inspection->sender_count, 0,
               (count - inspection->sender_count) * sizeof *senders);
        inspection->senders = senders;
        inspection->sender_count = count;
    }
    if (!count_entries(inspection, sequence, &entries)) {
        return false;
    }
    inspection->senders[head->sender].messages++;
    inspection->senders[head->sender].bytes += (uint64_t)head->envelope_bytes +
                                               head->payload_bytes + head->stored_bytes +
                                               (uint64_t)entries * STORED_RECIPIENT_BYTES;
    return true;
}

/* The last byte of what should be there of a stored payload; that its segments are whole is found
 * out when they are inspected. */
static bool check_content_of(struct inspection *inspection, uint64_t content, uint64_t bytes,
                             struct store_finding *finding)
{
    struct record_key key;
    bool has = false;
    if (content == 0 || bytes == 0) {
        return true;
    }
    key_content(&key, content, (uint32_t)((bytes - 1) / STORED_SEGMENT_BYTES));
    bool known = inspection_has(inspection, TABLE_CONTENT, &key, &has, NULL);
    if (!has) {
        finding->fault = STORED_FAULT_REFERENCE;
    }
    return known;
}

static bool check_upload(struct inspection *inspection, struct bytes key, struct bytes record,
                         struct store_finding *finding)
{
    struct upload_record fields;
    if (!record_read_upload(key, record, &fields)) {
        finding->fault = STORED_FAULT_CHECKSUM;
        return true;
    }
    return check_content_of(inspection, fields.content, fields.durable_bytes, finding);
}

/* Of a first segment: whose it is. */
static bool check_head(struct inspection *inspection, struct bytes body,
                       struct store_finding *finding)
{
    struct message_head head;
    struct record_key key;
    bool has = false;
    if (!message_head_read(body, &head)) {
        return true;
    }
    key_sender(&key, head.sender);
    bool known = inspection_has(inspection, TABLE_SENDER, &key, &has, NULL);
    if (!has) {
        finding->fault = STORED_FAULT_REFERENCE;
    }
    return known && check_content_of(inspection, head.content, head.stored_bytes, finding) &&
           sum_sender(inspection, finding->sequence, &head);
}

/* What a message's segments still lack is told with its sequence, once. */
static void end_message(struct inspection *inspection)
{
    if (inspection->message_open && !inspection->message_broken && inspection->left_bytes > 0) {
        inspection_tell(inspection, &(struct store_finding){.fault = STORED_FAULT_CUT,
                                                            .table = table_name(TABLE_MESSAGE),
                                                            .sequence = inspection->sequence});
    }
    inspection->message_open = false;
}

static void begin_message(struct inspection *inspection, uint64_t sequence)
{
    end_message(inspection);
    inspection->sequence = sequence;
    inspection->next_segment = 0;
    inspection->left_bytes = 0;
    inspection->message_open = true;
    inspection->message_broken = false;
}

static bool is_next_segment(struct inspection *inspection, struct bytes key, struct bytes body)
{
    struct record_key due;
    struct message_head head;
    uint64_t size = body.size;
    uint64_t most = MESSAGE_NEXT_BYTES;
    key_message(&due, inspection->sequence, (uint16_t)inspection->next_segment);
    if (key.size != due.size || memcmp(key.data, due.data, due.size) != 0) {
        return false;
    }
    if (inspection->next_segment == 0) {
        if (!message_head_read(body, &head)) {
            return false;
        }
        inspection->left_bytes = (uint64_t)head.envelope_bytes + head.payload_bytes;
        size -= MESSAGE_HEAD_BYTES;
        most = MESSAGE_FIRST_BYTES;
    } else if (inspection->left_bytes == 0) {
        return false;
    }
    uint64_t expected = inspection->left_bytes < most ? inspection->left_bytes : most;
    if (size != expected) {
        return false;
    }
    inspection->left_bytes -= size;
    inspection->next_segment++;
    return true;
}

static bool check_message(struct inspection *inspection, struct bytes key, struct bytes record,
                          struct store_finding *finding)
{
    struct bytes body;
    if (!inspection->message_open || inspection->sequence != finding->sequence) {
        begin_message(inspection, finding->sequence);
    }
    enum stored_fault fault = STORED_FAULT_COUNT_OF;
    if (!record_open(TABLE_MESSAGE, key, record, &body)) {
        fault = STORED_FAULT_CHECKSUM;
    } else if (!inspection->message_broken && !is_next_segment(inspection, key, body)) {
        fault = STORED_FAULT_CUT;
    }
    if (fault != STORED_FAULT_COUNT_OF && !inspection->message_broken) {
        finding->fault = fault;
        inspection->message_broken = true;
        /* Whose it is may be lost with it, and then nobody's sum can be judged. */
        inspection->sums_senders = false;
    }
    bool first = fault == STORED_FAULT_COUNT_OF && inspection->next_segment == 1;
    return !first || check_head(inspection, body, finding);
}

struct row {
    /* False: no such key can be in the table. */
    bool (*name)(struct bytes key, struct store_finding *finding);
    /* NULL: a record with a good checksum is all there is to check. */
    bool (*check)(struct inspection *inspection, struct bytes key, struct bytes record,
                  struct store_finding *finding);
};

static const struct row rows[TABLE_COUNT] = {
    [TABLE_META] = {name_nothing, NULL},
    [TABLE_MAILBOX] = {name_mailbox, check_mailbox},
    [TABLE_MESSAGE] = {name_message, check_message},
    [TABLE_REFS] = {name_message, check_refs},
    [TABLE_READY] = {name_ready, check_ready},
    [TABLE_LATER] = {name_later, check_later},
    [TABLE_DEAD] = {name_dead, check_dead},
    [TABLE_DUPLICATE] = {name_nothing, inspect_duplicate},
    [TABLE_DUPLICATE_AGE] = {name_duplicate_age, inspect_duplicate_age},
    [TABLE_SENDER] = {name_sender, check_sender},
    [TABLE_ORDER_HEAD] = {name_order_head, check_order_head},
    [TABLE_BEHIND] = {name_behind, check_behind},
    [TABLE_UPLOAD] = {name_nothing, check_upload},
    [TABLE_CONTENT] = {name_message, NULL},
    [TABLE_DOOMED] = {name_message, NULL},
    [TABLE_ATTEMPT] = {name_attempt, check_attempt},
    [TABLE_TRACK] = {name_track, check_track},
    [TABLE_DEADLINE] = {inspect_name_deadline, inspect_deadline},
    [TABLE_EXPIRY] = {inspect_name_expiry, inspect_expiry},
};

bool inspect_record(struct inspection *inspection, enum table table, struct bytes key,
                    struct bytes record)
{
    struct store_finding finding = {.fault = STORED_FAULT_COUNT_OF, .table = table_name(table)};
    const struct row *row = &rows[table];
    struct bytes body;
    bool known = true;
    inspection->records++;
    if (row->name != NULL && !row->name(key, &finding)) {
        finding.fault = STORED_FAULT_KEY;
    } else if (row->check != NULL) {
        known = row->check(inspection, key, record, &finding);
    } else if (!record_open(table, key, record, &body)) {
        finding.fault = STORED_FAULT_CHECKSUM;
    }
    if (known && finding.fault != STORED_FAULT_COUNT_OF) {
        inspection_tell(inspection, &finding);
    }
    return known;
}

void inspect_end(struct inspection *inspection, enum table table)
{
    if (table == TABLE_MESSAGE) {
        end_message(inspection);
    }
}

void inspect_page(struct inspection *inspection, enum table table, uint64_t page)
{
    inspection->sums_senders = inspection->sums_senders && table != TABLE_MESSAGE;
    inspection_tell(inspection, &(struct store_finding){.fault = STORED_FAULT_PAGE,
                                                        .table = table_name(table),
                                                        .page = page});
}

static bool read_table(struct inspection *inspection, const struct walk *walk)
{
    char name[NAME_BYTES] = "";
    if (walk->key.size >= sizeof name || (walk->flags & NODE_TREE) == 0) {
        return false;
    }
    memcpy(name, walk->key.data, walk->key.size);
    for (int table = 0; table < TABLE_COUNT; table++) {
        if (strcmp(name, table_name((enum table)table)) == 0) {
            return page_tree_read(walk->record, &inspection->trees[table]) &&
                   inspection->trees[table].flags == 0;
        }
    }
    return false;
}

bool inspection_read_tables(struct inspection *inspection, struct walk *walk,
                            const struct page_tree *names)
{
    static const struct store_finding odd = {.fault = STORED_FAULT_TABLE, .table = ""};
    size_t found = 0;
    enum walk_step step = walk_begin(walk, names);
    for (; step == WALK_RECORD || step == WALK_BROKEN; step = walk_next(walk)) {
        if (step == WALK_BROKEN) {
            inspection_tell(inspection, &(struct store_finding){.fault = STORED_FAULT_PAGE,
                                                                .table = "",
                                                                .page = walk->broken_page});
        } else if (walk->key.data != NULL && !read_table(inspection, walk)) {
            inspection_tell(inspection, &odd);
        } else if (walk->key.data != NULL) {
            found++;
        }
    }
    if (step == WALK_END && found < TABLE_COUNT) {
        inspection_tell(inspection, &odd);
    }
    return step == WALK_END;
}
