/* SPDX-License-Identifier: EUPL-1.2
 *
 * A format being written: items come in, bytes go out.
 *
 * 1. Nothing of a record is written before all of it has been checked; *out_refused tells that an
 * error was.
 * 2. What the format has no place for is refused, never left out.
 * 3. With the form of the same format the file becomes what it was: byte for byte where the format
 * is text, the same elements, attributes and texts in XML.
 */
#ifndef RELAIS_TYPED_TARGET_H
#define RELAIS_TYPED_TARGET_H

#include "flows/item.pb-c.h"
#include "typed/shape.h"

#include <relais/status.h>

typedef relais_status byte_receiver(void *context, const char *data, size_t size);

struct target_setup {
    const struct format *format;
    enum encoding encoding; /* ENCODING_UNKNOWN: as the form says, else the format's own */
    struct checker *checker;
    byte_receiver *write;
    void *context;
};

struct target {
    relais_status (*item)(struct target *target, const Relais__Flows__V1__Item *item,
                          bool *out_refused);
    relais_status (*end)(struct target *target);
    void (*free)(struct target *target);
};

struct target *fixed_writer_new(const struct target_setup *setup);
struct target *csv_writer_new(const struct target_setup *setup);
struct target *json_writer_new(const struct target_setup *setup);
struct target *protobuf_writer_new(const struct target_setup *setup);
struct target *xml_writer_new(const struct target_setup *setup);

#endif
