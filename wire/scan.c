/* SPDX-License-Identifier: EUPL-1.2
 *
 * The walk over foreign protobuf bytes. One `level` a message lives on the C stack, so the depth is
 * bounded by limits->depth and nothing is allocated. Every read goes through take_varint() and
 * take_span(), which know the end.
 * Deliberately stricter than protobuf where being lenient would be ambiguous: a singular field
 * twice and two members of one oneof are refused instead of "the last one wins". Source:
 * https://protobuf.dev/programming-guides/encoding. Pure; any thread.
 */
#include "wire/scan.h"

#include <assert.h>
#include <string.h>

enum {
    TAG_VARINT_BYTES = 5, /* protobuf-c reads no more for tags and lengths */
    VALUE_VARINT_BYTES = 10,
    LEVEL_FIELDS = 64, /* known fields of one of our messages; Envelope has 26 */
};

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64BIT = 1,
    WIRE_LENGTH = 2,
    WIRE_32BIT = 5,
};

/* One message that is being walked: the bytes [at, end) of the input are what is left of it. */
struct level {
    const struct level *parent;
    const ProtobufCMessageDescriptor *descriptor;
    const ProtobufCFieldDescriptor *field; /* the known field that is being read, or NULL */
    size_t at;
    size_t end;
    unsigned depth;
    unsigned fields;
    unsigned counts[LEVEL_FIELDS]; /* by index in descriptor->fields; elements when repeated */
};

struct scan {
    const uint8_t *data;
    const struct wire_limits *limits;
    unsigned unknown;
    struct wire_fault *fault;
};

static bool scan_level(struct scan *scan, struct level *level);

static size_t append(char *text, size_t size, size_t used, const char *more)
{
    while (*more != '\0' && used + 1 < size) {
        text[used++] = *more++;
    }
    text[used] = '\0';
    return used;
}

static size_t append_index(char *text, size_t size, size_t used, unsigned index)
{
    char digits[16];
    size_t at = sizeof digits - 1;

    digits[at] = '\0';
    digits[--at] = ']';
    do {
        digits[--at] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    digits[--at] = '[';
    return append(text, size, used, digits + at);
}

/* The path from the outermost message to level->field, outermost first. */
static size_t append_path(char *text, size_t size, const struct level *level)
{
    size_t used = 0;

    if (level->parent != NULL) {
        used = append_path(text, size, level->parent);
    }
    if (level->field == NULL) {
        return used;
    }
    if (used > 0) {
        used = append(text, size, used, ".");
    }
    used = append(text, size, used, level->field->name);
    if (level->field->label == PROTOBUF_C_LABEL_REPEATED) {
        const unsigned count = level->counts[level->field - level->descriptor->fields];

        used = append_index(text, size, used, count > 0 ? count - 1 : 0);
    }
    return used;
}

static bool fail(struct scan *scan, const struct level *level, const char *what)
{
    *scan->fault = (struct wire_fault){.what = what, .offset = level->at};
    append_path(scan->fault->field, sizeof scan->fault->field, level);
    return false;
}

/* Reads a varint of at most `most` bytes; level->at moves on only when it is whole. */
static bool take_varint(struct scan *scan, struct level *level, size_t most, uint64_t *out_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < most; i++) {
        uint8_t byte = 0;

        if (level->at + i == level->end) {
            return fail(scan, level, "cut short");
        }
        byte = scan->data[level->at + i];
        if (i == VALUE_VARINT_BYTES - 1 && byte > 1) {
            return fail(scan, level, "number beyond 64 bits");
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            level->at += i + 1;
            *out_value = value;
            return true;
        }
    }
    return fail(scan, level, "number too long");
}

/* Steps over `size` bytes and says where they begin. */
static bool take_span(struct scan *scan, struct level *level, uint64_t size, size_t *out_start)
{
    if (size > level->end - level->at) {
        return fail(scan, level, "length beyond the end");
    }
    *out_start = level->at;
    level->at += (size_t)size;
    return true;
}

/* Reads what one field carries. For WIRE_LENGTH the span is the content, else the value's bytes. */
static bool take_value(struct scan *scan, struct level *level, unsigned wire_type,
                       size_t *out_start, size_t *out_end)
{
    uint64_t number = 0;
    bool good = false;

    switch (wire_type) {
    case WIRE_VARINT:
        *out_start = level->at;
        good = take_varint(scan, level, VALUE_VARINT_BYTES, &number);
        break;
    case WIRE_64BIT:
        good = take_span(scan, level, 8, out_start);
        break;
    case WIRE_32BIT:
        good = take_span(scan, level, 4, out_start);
        break;
    case WIRE_LENGTH:
        good = take_varint(scan, level, TAG_VARINT_BYTES, &number) &&
               take_span(scan, level, number, out_start);
        break;
    default: /* groups, and numbers that mean nothing */
        return fail(scan, level, "wire type not allowed");
    }
    *out_end = level->at;
    return good;
}

static enum wire_type declared_wire_type(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_LENGTH;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
    default:
        return WIRE_VARINT;
    }
}

/* True when another member of the oneof that `field` belongs to has come before. */
static bool oneof_is_taken(const struct level *level, const ProtobufCFieldDescriptor *field)
{
    const ProtobufCFieldDescriptor *fields = level->descriptor->fields;

    for (unsigned i = 0; i < level->descriptor->n_fields; i++) {
        if (level->counts[i] > 0 && &fields[i] != field &&
            (fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
            fields[i].quantifier_offset == field->quantifier_offset) {
            return true;
        }
    }
    return false;
}

/* Counts one more occurrence of level->field and holds it against its label. */
static bool count_element(struct scan *scan, struct level *level)
{
    const ProtobufCFieldDescriptor *field = level->field;
    unsigned *count = &level->counts[field - level->descriptor->fields];

    (*count)++;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return *count <= scan->limits->elements || fail(scan, level, "too many elements");
    }
    if (*count > 1) {
        return fail(scan, level, "given twice");
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && oneof_is_taken(level, field)) {
        return fail(scan, level, "given beside another choice");
    }
    return true;
}

/* Walks the elements of a packed field; each counts as if it had come alone. */
static bool scan_packed(struct scan *scan, struct level *level, size_t start, size_t end)
{
    const unsigned wire_type = declared_wire_type(level->field->type);
    const size_t outer_at = level->at;
    const size_t outer_end = level->end;
    size_t from = 0;
    size_t to = 0;

    level->at = start;
    level->end = end;
    while (level->at < level->end) {
        if (!count_element(scan, level) || !take_value(scan, level, wire_type, &from, &to)) {
            return false;
        }
    }
    level->at = outer_at;
    level->end = outer_end;
    return true;
}

static bool scan_submessage(struct scan *scan, struct level *level, size_t start, size_t end)
{
    struct level inner;

    if (level->depth == scan->limits->depth) {
        return fail(scan, level, "nested too deep");
    }
    inner.parent = level;
    inner.descriptor = level->field->descriptor;
    inner.at = start;
    inner.end = end;
    inner.depth = level->depth + 1;
    return scan_level(scan, &inner);
}

static bool scan_known(struct scan *scan, struct level *level, unsigned wire_type)
{
    const ProtobufCFieldDescriptor *field = level->field;
    const enum wire_type declared = declared_wire_type(field->type);
    const bool packed = wire_type == WIRE_LENGTH && declared != WIRE_LENGTH &&
                        field->label == PROTOBUF_C_LABEL_REPEATED;
    size_t start = 0;
    size_t end = 0;

    if (wire_type != (unsigned)declared && !packed) {
        return fail(scan, level, "wire type not as declared");
    }
    if (!take_value(scan, level, wire_type, &start, &end)) {
        return false;
    }
    if (packed) {
        return scan_packed(scan, level, start, end);
    }
    if (!count_element(scan, level)) {
        return false;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return scan_submessage(scan, level, start, end);
    }
    if (field->type == PROTOBUF_C_TYPE_STRING &&
        !wire_is_text((struct bytes){scan->data + start, end - start})) {
        return fail(scan, level, "not UTF-8 text");
    }
    return true;
}

static bool scan_unknown(struct scan *scan, struct level *level, unsigned wire_type)
{
    size_t start = 0;
    size_t end = 0;

    scan->unknown++;
    if (scan->unknown > scan->limits->unknown) {
        return fail(scan, level, "too many unknown fields");
    }
    return take_value(scan, level, wire_type, &start, &end);
}

static bool scan_field(struct scan *scan, struct level *level)
{
    uint64_t tag = 0;
    unsigned wire_type = 0;
    bool good = false;

    level->fields++;
    if (level->fields > scan->limits->fields) {
        return fail(scan, level, "too many fields");
    }
    if (!take_varint(scan, level, TAG_VARINT_BYTES, &tag)) {
        return false;
    }
    wire_type = (unsigned)(tag & 7);
    if (tag >> 3 == 0 || tag > UINT32_MAX) {
        return fail(scan, level, "field number not allowed");
    }
    level->field = protobuf_c_message_descriptor_get_field(level->descriptor, (unsigned)(tag >> 3));
    good = level->field != NULL ? scan_known(scan, level, wire_type)
                                : scan_unknown(scan, level, wire_type);
    level->field = NULL;
    return good;
}

/* The caller has set parent, descriptor, at, end and depth. */
static bool scan_level(struct scan *scan, struct level *level)
{
    assert(level->descriptor->n_fields <= LEVEL_FIELDS);
    level->field = NULL;
    level->fields = 0;
    memset(level->counts, 0, level->descriptor->n_fields * sizeof level->counts[0]);
    while (level->at < level->end) {
        if (!scan_field(scan, level)) {
            return false;
        }
    }
    return true;
}

bool wire_scan(const ProtobufCMessageDescriptor *descriptor, struct bytes input,
               const struct wire_limits *limits, struct wire_fault *out_fault)
{
    struct scan scan = {.data = input.data, .limits = limits, .fault = out_fault};
    struct level outermost;

    outermost.parent = NULL;
    outermost.descriptor = descriptor;
    outermost.at = 0;
    outermost.end = input.size;
    outermost.depth = 1;
    return scan_level(&scan, &outermost);
}

/* The sequences of RFC 3629, section 4, by lead byte. The second byte's bounds keep out overlong
 * forms, surrogates and what lies beyond U+10FFFF. */
struct sequence {
    uint8_t first_lead;
    uint8_t last_lead;
    uint8_t length;
    uint8_t second_low;
    uint8_t second_high;
};

static const struct sequence SEQUENCES[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct sequence *sequence_of(uint8_t lead)
{
    for (size_t i = 0; i < sizeof SEQUENCES / sizeof SEQUENCES[0]; i++) {
        if (lead >= SEQUENCES[i].first_lead && lead <= SEQUENCES[i].last_lead) {
            return &SEQUENCES[i];
        }
    }
    return NULL;
}

/* The bytes of the sequence at the start of text, 0 when it is none. */
static size_t sequence_length(const uint8_t *text, size_t size)
{
    const struct sequence *sequence = sequence_of(text[0]);

    if (sequence == NULL || sequence->length > size || text[1] < sequence->second_low ||
        text[1] > sequence->second_high) {
        return 0;
    }
    for (size_t i = 2; i < sequence->length; i++) {
        if (text[i] < 0x80 || text[i] > 0xbf) {
            return 0;
        }
    }
    return sequence->length;
}

bool wire_is_text(struct bytes text)
{
    size_t at = 0;

    while (at < text.size) {
        size_t length = 1;

        if (text.data[at] == 0) {
            return false;
        }
        if (text.data[at] >= 0x80) {
            length = sequence_length(text.data + at, text.size - at);
        }
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}
