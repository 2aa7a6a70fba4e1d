/* SPDX-License-Identifier: EUPL-1.2
 *
 * A format being read: bytes come in as they come, items go out as they are complete.
 *
 * 1. A form goes out first, an end last; records in between, each checked, in the order of the
 * file.
 * 2. What is in memory is one record, whatever the file's size.
 * 3. RELAIS_FIELD_INVALID: the file cannot be read on, and why has been told. RELAIS_NO_MEMORY, and
 * what the receiver of items returns.
 */
#ifndef RELAIS_TYPED_SOURCE_H
#define RELAIS_TYPED_SOURCE_H

#include "flows/item.pb-c.h"
#include "typed/shape.h"

#include <relais/status.h>

/* Takes an item for the call; `refused` when an error has been told of it. */
typedef relais_status item_receiver(void *context, const Relais__Flows__V1__Item *item,
                                    bool refused);

struct source_setup {
    const struct format *format;
    enum encoding encoding;
    bool byte_order_mark;       /* there was one; it is not fed */
    char separator;             /* CSV */
    const char *const *renames; /* CSV: "THEIRS=OURS", titles of the file and of the format */
    size_t rename_count;
    struct checker *checker;
    item_receiver *receive;
    void *context;
};

struct source {
    relais_status (*feed)(struct source *source, const char *data, size_t size);
    relais_status (*end)(struct source *source);
    void (*free)(struct source *source);
};

/* Each gives a source to free with its `free`; NULL: no memory. */
struct source *fixed_reader_new(const struct source_setup *setup);
struct source *csv_reader_new(const struct source_setup *setup);
struct source *json_reader_new(const struct source_setup *setup);
struct source *protobuf_reader_new(const struct source_setup *setup);
struct source *xml_reader_new(const struct source_setup *setup);

#endif
