/* SPDX-License-Identifier: EUPL-1.2
 *
 * Fields into elements.
 */
#include "typed/xml_layout.h"

#include "typed/leaf.h"
#include "typed/record.h"
#include "typed/xml_tree.h"

#include <stdio.h>
#include <string.h>

struct layout {
    const Relais__Flows__V1__Item *item;
    enum encoding encoding;
    struct text *out;
    struct text value;
    size_t kept;
};

/* Where in the document: what xml_reading.c calls a group. */
struct spot {
    const struct shape *shapes;
    size_t count;
    const ProtobufCMessage *message;
    const char *path;
    size_t depth;
    size_t position; /* among the parent's children, or attributes */
};

static void start_line(struct layout *layout, size_t depth)
{
    text_char(layout->out, '\n');
    text_repeat(layout->out, '\t', depth);
}

/* What is kept at this place of this path; NULL: nothing. */
static const Relais__Flows__V1__Kept *kept_at(const struct layout *layout, const char *path,
                                              size_t position)
{
    for (size_t i = 0; i < layout->item->n_kept; i++) {
        const Relais__Flows__V1__Kept *kept = layout->item->kept[i];
        if (kept->position == position && strcmp(kept->name, path) == 0) {
            return kept;
        }
    }
    return NULL;
}

/* Writes what is kept from the spot's position on, each where it stood. */
static void put_kept(struct layout *layout, struct spot *spot)
{
    const Relais__Flows__V1__Kept *kept = NULL;
    while ((kept = kept_at(layout, spot->path, spot->position)) != NULL) {
        start_line(layout, spot->depth);
        text_string(layout->out, kept->value);
        layout->kept++;
        spot->position++;
    }
}

static void join(char out[PATH_BYTES], const char *path, const char *name, size_t index)
{
    char number[32] = "";
    size_t used = strlen(path);
    if (index > 0) {
        snprintf(number, sizeof(number), "[%zu]", index);
    }
    if (used + strlen(name) + strlen(number) + 2 > PATH_BYTES) {
        out[0] = '\0'; /* never: paths are made of the tables' names */
        return;
    }
    memcpy(out, path, used);
    if (used > 0) {
        out[used++] = '/';
    }
    memcpy(out + used, name, strlen(name));
    memcpy(out + used + strlen(name), number, strlen(number) + 1);
}

static void put_attribute_kept(struct layout *layout, struct spot *spot, const char *path)
{
    const Relais__Flows__V1__Kept *kept = NULL;
    while ((kept = kept_at(layout, path, spot->position)) != NULL) {
        text_char(layout->out, ' ');
        text_string(layout->out, kept->value);
        layout->kept++;
        spot->position++;
    }
}

static void put_attributes(struct layout *layout, const struct spot *group)
{
    struct spot spot = *group;
    char path[PATH_BYTES];
    join(path, group->path, "@", 0);
    spot.position = 0;
    for (size_t i = 0; i < spot.count; i++) {
        const struct shape *shape = &spot.shapes[i];
        if (!shape->name || shape->name[0] != '@' || leaf_count(spot.message, shape) == 0) {
            continue;
        }
        put_attribute_kept(layout, &spot, path);
        text_clear(&layout->value);
        leaf_print(spot.message, shape, 0, &layout->value);
        text_take_failure(layout->out, &layout->value);
        text_char(layout->out, ' ');
        text_string(layout->out, shape->name + 1);
        text_string(layout->out, "=\"");
        xml_escape(layout->value.data, layout->value.size, true, layout->encoding, layout->out);
        text_char(layout->out, '"');
        spot.position++;
    }
    put_attribute_kept(layout, &spot, path);
}

static void put_leaf(struct layout *layout, const struct spot *spot, const struct shape *shape,
                     size_t index)
{
    text_clear(&layout->value);
    leaf_print(spot->message, shape, index, &layout->value);
    text_take_failure(layout->out, &layout->value);
    text_char(layout->out, '<');
    text_string(layout->out, shape->name);
    text_char(layout->out, '>');
    xml_escape(layout->value.data, layout->value.size, false, layout->encoding, layout->out);
    text_string(layout->out, "</");
    text_string(layout->out, shape->name);
    text_char(layout->out, '>');
}

static void put_group(struct layout *layout, const struct spot *group, const char *name);

static void put_inner(struct layout *layout, const struct spot *spot, const struct shape *shape,
                      size_t index)
{
    const ProtobufCFieldDescriptor *field = record_field(spot->message, shape->field);
    char path[PATH_BYTES];
    join(path, spot->path, shape->name, field->label == PROTOBUF_C_LABEL_REPEATED ? index + 1 : 0);
    const struct spot inner = {.shapes = shape->children,
                               .count = shape->child_count,
                               .message = record_message(spot->message, field, index),
                               .path = path,
                               .depth = spot->depth + 1};
    put_group(layout, &inner, shape->name);
}

static void put_children(struct layout *layout, struct spot *spot)
{
    put_kept(layout, spot);
    for (size_t i = 0; i < spot->count; i++) {
        const struct shape *shape = &spot->shapes[i];
        if (!shape->name || shape->name[0] == '@') {
            continue;
        }
        size_t count = leaf_count(spot->message, shape);
        for (size_t k = 0; k < count; k++) {
            start_line(layout, spot->depth);
            if (shape->kind == KIND_GROUP) {
                put_inner(layout, spot, shape, k);
            } else {
                put_leaf(layout, spot, shape, k);
            }
            spot->position++;
            put_kept(layout, spot);
        }
    }
}

/* An element with its attributes and children; an empty one closes itself. */
static void put_group(struct layout *layout, const struct spot *group, const char *name)
{
    struct spot inside = *group;
    text_char(layout->out, '<');
    text_string(layout->out, name);
    put_attributes(layout, group);
    size_t before = layout->out->size;
    text_char(layout->out, '>');
    put_children(layout, &inside);
    if (layout->out->size == before + 1) {
        text_cut(layout->out, before);
        text_string(layout->out, "/>");
        return;
    }
    start_line(layout, group->depth - 1);
    text_string(layout->out, "</");
    text_string(layout->out, name);
    text_char(layout->out, '>');
}

/* Comments and instructions beside the root element. */
static void put_beside(struct layout *layout, uint32_t position)
{
    for (size_t i = 0; i < layout->item->n_kept; i++) {
        const Relais__Flows__V1__Kept *kept = layout->item->kept[i];
        if (kept->position == position && strcmp(kept->name, "/") == 0) {
            text_string(layout->out, kept->value);
            text_char(layout->out, '\n');
            layout->kept++;
        }
    }
}

void xml_layout_write(const struct document *document, const ProtobufCMessage *record,
                      const Relais__Flows__V1__Item *item, enum encoding encoding, struct text *out,
                      size_t *out_kept)
{
    struct layout layout = {.item = item, .encoding = encoding, .out = out};
    const struct spot root = {.shapes = document->shapes,
                              .count = document->shape_count,
                              .message = record,
                              .path = "",
                              .depth = 1};
    text_init(&layout.value, VALUE_BYTES);
    text_string(out, "<?xml version=\"1.0\" encoding=\"");
    text_string(out, encoding_name(encoding));
    text_string(out, "\"?>\n");
    put_beside(&layout, 0);
    put_group(&layout, &root, document->root);
    text_char(out, '\n');
    put_beside(&layout, 1);
    text_fini(&layout.value);
    *out_kept = layout.kept;
}
