/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is asked of items that come in as items (JSON lines, protobuf): their order, their values,
 * their end.
 */
#ifndef RELAIS_TYPED_SEQUENCE_H
#define RELAIS_TYPED_SEQUENCE_H

#include "typed/source.h"
#include "typed/text.h"

struct sequence {
    const struct source_setup *setup;
    struct text scratch;
    bool formed;
    bool ended;
    uint64_t items;
    uint64_t records;
};

void sequence_init(struct sequence *sequence, const struct source_setup *setup);
void sequence_fini(struct sequence *sequence);

/* Counts the item that comes next, at this line. */
void sequence_next(struct sequence *sequence, uint64_t line);

/* Checks an item and gives it on; `errors` is what the checker had before the item was read. */
relais_status sequence_take(struct sequence *sequence, const Relais__Flows__V1__Item *item,
                            uint64_t errors);

/* An item that could not be read, of which it has been told. */
relais_status sequence_refuse(struct sequence *sequence);

/* RELAIS_FIELD_INVALID when the end was missing. */
relais_status sequence_end(struct sequence *sequence);

#endif
