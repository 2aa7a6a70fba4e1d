/* SPDX-License-Identifier: EUPL-1.2
 *
 * A source, a target, and the items between them.
 */
#include "typed/convert.h"

#include "typed/csv_header.h"
#include "typed/item.h"
#include "typed/json_fields.h"
#include "typed/source.h"
#include "typed/target.h"

#include <stdlib.h>
#include <string.h>

struct convert {
    struct convert_options options;
    struct convert_events events;
    const struct format *from;
    struct checker checker;
    struct source *source;
    struct target *target;
    struct text prelude; /* the first bytes of text, until encoding and separator are known */
    struct convert_counts counts;
};

static const char mark[] = "\xEF\xBB\xBF";

enum { MARK_BYTES = sizeof(mark) - 1 };

const char *convert_format_name(size_t index)
{
    const struct format *format = formats_all()[index];
    return format ? format->name : NULL;
}

const char *convert_format_summary(size_t index)
{
    const struct format *format = formats_all()[index];
    return format ? dgettext("relais", format->summary) : NULL;
}

/* Text whose encoding and separator must be known before it is read. */
static bool is_plain_text(const struct format *format)
{
    return format->notation == NOTATION_FIXED || format->notation == NOTATION_CSV;
}

bool convert_format_is_text(const char *name)
{
    const struct format *format = format_named(name);
    return format && is_plain_text(format);
}

static relais_status write_bytes(void *context, const char *data, size_t size)
{
    const struct convert *convert = context;
    return convert->events.write ? convert->events.write(convert->events.context, data, size)
                                 : RELAIS_OK;
}

static bool show(const struct convert *convert, const Relais__Flows__V1__Item *item, bool refused)
{
    if (!convert->events.see || !item) {
        return true;
    }
    json_t *object = json_fields_write((const ProtobufCMessage *)item);
    if (!object) {
        return false;
    }
    convert->events.see(convert->events.context, object, convert->checker.line, refused);
    json_decref(object);
    return true;
}

static relais_status refuse(struct convert *convert)
{
    convert->counts.refused++;
    return convert->options.keep_going ? RELAIS_OK : RELAIS_FIELD_INVALID;
}

/* An end says what was written, which is less than was read when records were left out. */
static relais_status give_end(struct convert *convert, const Relais__Flows__V1__Item *item)
{
    Relais__Flows__V1__End end = *item->end;
    Relais__Flows__V1__Item copy = *item;
    bool unused = false;
    end.records = convert->counts.written;
    copy.end = &end;
    return convert->target->item(convert->target, &copy, &unused);
}

static relais_status receive(void *context, const Relais__Flows__V1__Item *item, bool refused)
{
    struct convert *convert = context;
    bool is_end = item && item->item_case == RELAIS__FLOWS__V1__ITEM__ITEM_END;
    bool is_form = item && item->item_case == RELAIS__FLOWS__V1__ITEM__ITEM_FORM;
    if (is_end) {
        return give_end(convert, item);
    }
    if (!show(convert, item, refused)) {
        return RELAIS_NO_MEMORY;
    }
    if (!is_form) {
        convert->counts.records++;
    }
    if (refused) {
        return refuse(convert);
    }
    bool target_refuses = false;
    relais_status status = convert->target->item(convert->target, item, &target_refuses);
    if (status != RELAIS_OK || target_refuses) {
        return status != RELAIS_OK ? status : refuse(convert);
    }
    convert->counts.written += !is_form;
    return RELAIS_OK;
}

static struct source *source_new(const struct source_setup *setup)
{
    switch (setup->format->notation) {
    case NOTATION_FIXED:
        return fixed_reader_new(setup);
    case NOTATION_CSV:
        return csv_reader_new(setup);
    case NOTATION_JSON:
        return json_reader_new(setup);
    case NOTATION_PROTOBUF:
        return protobuf_reader_new(setup);
    case NOTATION_XML:
        return xml_reader_new(setup);
    }
    return NULL;
}

static struct target *target_new(const struct target_setup *setup)
{
    switch (setup->format->notation) {
    case NOTATION_FIXED:
        return fixed_writer_new(setup);
    case NOTATION_CSV:
        return csv_writer_new(setup);
    case NOTATION_JSON:
        return json_writer_new(setup);
    case NOTATION_PROTOBUF:
        return protobuf_writer_new(setup);
    case NOTATION_XML:
        return xml_writer_new(setup);
    }
    return NULL;
}

relais_status convert_new(const struct convert_options *options,
                          const struct convert_events *events, struct convert **out_convert)
{
    const struct format *from = format_named(options->from);
    const struct format *to = format_named(options->to);
    if (!from || !to) {
        return RELAIS_USAGE;
    }
    struct convert *convert = calloc(1, sizeof(*convert));
    if (!convert) {
        return RELAIS_NO_MEMORY;
    }
    convert->options = *options;
    convert->events = *events;
    convert->from = from;
    convert->checker = (struct checker){
        .hear = events->complain, .context = events->context, .specimens = options->specimens};
    text_init(&convert->prelude, PRELUDE_BYTES);
    const struct target_setup setup = {.format = to,
                                       .encoding = options->target_encoding,
                                       .checker = &convert->checker,
                                       .write = write_bytes,
                                       .context = convert};
    convert->target = target_new(&setup);
    if (!convert->target) {
        convert_free(convert);
        return RELAIS_NO_MEMORY;
    }
    *out_convert = convert;
    return RELAIS_OK;
}

void convert_free(struct convert *convert)
{
    if (!convert) {
        return;
    }
    if (convert->source) {
        convert->source->free(convert->source);
    }
    if (convert->target) {
        convert->target->free(convert->target);
    }
    text_fini(&convert->prelude);
    free(convert);
}

static enum encoding find_encoding(struct convert *convert, bool marked, bool more)
{
    bool guessed = false;
    if (marked) {
        return ENCODING_UTF_8;
    }
    if (convert->options.encoding != ENCODING_UNKNOWN) {
        return convert->options.encoding;
    }
    enum encoding encoding =
        encoding_detect(convert->prelude.data, convert->prelude.size, more, &guessed);
    if (guessed) {
        checker_tell(&convert->checker, RULE_ENCODING_GUESSED, (struct place){0}, ENCODING_NAMES);
    }
    return encoding;
}

/* Makes the source; for plain text with what its first bytes show, which it is then fed. */
static relais_status begin(struct convert *convert, bool more)
{
    struct source_setup setup = {.format = convert->from,
                                 .checker = &convert->checker,
                                 .receive = receive,
                                 .context = convert};
    size_t skip = 0;
    if (is_plain_text(convert->from)) {
        const struct text *prelude = &convert->prelude;
        setup.byte_order_mark =
            prelude->size >= MARK_BYTES && memcmp(prelude->data, mark, MARK_BYTES) == 0;
        skip = setup.byte_order_mark ? MARK_BYTES : 0;
        setup.encoding = find_encoding(convert, setup.byte_order_mark, more);
        setup.separator = convert->options.separator;
        setup.renames = convert->options.renames;
        setup.rename_count = convert->options.rename_count;
        if (setup.separator == '\0') {
            setup.separator = csv_header_separator(prelude->data + skip, prelude->size - skip,
                                                   convert->from->separator);
        }
    }
    convert->source = source_new(&setup);
    if (!convert->source) {
        return RELAIS_NO_MEMORY;
    }
    return convert->source->feed(convert->source, convert->prelude.data + skip,
                                 convert->prelude.size - skip);
}

relais_status convert_feed(struct convert *convert, const char *data, size_t size)
{
    if (convert->source) {
        return convert->source->feed(convert->source, data, size);
    }
    size_t room = PRELUDE_BYTES - convert->prelude.size;
    size_t taken = size < room ? size : room;
    text_append(&convert->prelude, data, taken);
    if (!text_fine(&convert->prelude)) {
        return RELAIS_NO_MEMORY;
    }
    if (is_plain_text(convert->from) && convert->prelude.size < PRELUDE_BYTES) {
        return RELAIS_OK;
    }
    relais_status status = begin(convert, true);
    return status == RELAIS_OK && taken < size
               ? convert->source->feed(convert->source, data + taken, size - taken)
               : status;
}

relais_status convert_end(struct convert *convert)
{
    relais_status status = convert->source ? RELAIS_OK : begin(convert, false);
    if (status == RELAIS_OK) {
        status = convert->source->end(convert->source);
    }
    return status == RELAIS_OK ? convert->target->end(convert->target) : status;
}

struct convert_counts convert_counts_of(const struct convert *convert)
{
    struct convert_counts counts = convert->counts;
    counts.errors = convert->checker.errors;
    counts.warnings = convert->checker.warnings;
    return counts;
}
