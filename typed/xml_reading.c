/* SPDX-License-Identifier: EUPL-1.2
 *
 * Elements into fields.
 */
#include "typed/xml_reading.h"

#include "typed/item.h"
#include "typed/leaf.h"
#include "typed/record.h"
#include "typed/xml_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct mapper {
    struct checker *checker;
    Relais__Flows__V1__Item *item;
    enum encoding encoding;
    struct text scratch;
};

/* One element that has a message of its own. */
struct group {
    const struct shape *shapes;
    size_t count;
    ProtobufCMessage *message;
    const char *path; /* of the element; "" for the root */
};

/* What came of one step: all is told or done, or there is no memory. */
static bool keep(struct mapper *mapper, const char *path, size_t position)
{
    return text_fine(&mapper->scratch) && item_keep(mapper->item, path, (uint32_t)position,
                                                    mapper->scratch.data, mapper->scratch.size);
}

static bool keep_node(struct mapper *mapper, const struct group *group, const struct xml_node *node,
                      size_t position)
{
    text_clear(&mapper->scratch);
    xml_node_write(node, mapper->encoding, &mapper->scratch);
    return keep(mapper, group->path, position);
}

static const struct shape *shape_named(const struct group *group, const char *name, size_t *index)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->shapes[i].name && strcmp(group->shapes[i].name, name) == 0) {
            *index = i;
            return &group->shapes[i];
        }
    }
    return NULL;
}

/* Paths of shapes always fit; a foreign name that does not is cut, in a complaint. */
static void append(char out[PATH_BYTES], const char *text)
{
    size_t used = strlen(out);
    size_t size = strlen(text);
    size_t room = PATH_BYTES - 1 - used;
    size = size < room ? size : room;
    memcpy(out + used, text, size);
    out[used + size] = '\0';
}

static void join(char out[PATH_BYTES], const char *path, const char *name)
{
    out[0] = '\0';
    append(out, path);
    append(out, *path ? "/" : "");
    append(out, name);
}

static bool read_attributes(struct mapper *mapper, const struct group *group,
                            const struct xml_node *node)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i < node->attribute_count; i++) {
        const struct xml_attribute *attribute = &node->attributes[i];
        const size_t size = strlen(attribute->value);
        char name[PATH_BYTES];
        size_t index = 0;
        snprintf(name, sizeof(name), "@%s", attribute->name);
        join(path, group->path, name);
        const struct place place = {node->line, node->column, path};
        const struct shape *shape = shape_named(group, name, &index);
        if (shape && size > 0) {
            if (!leaf_put(group->message, shape, attribute->value, size, mapper->checker, place)) {
                return false;
            }
            continue;
        }
        if (!shape && strncmp(attribute->name, "xmlns", 5) != 0) {
            checker_tell(mapper->checker, RULE_XML_UNKNOWN, place, NULL);
        }
        text_clear(&mapper->scratch);
        text_string(&mapper->scratch, attribute->name);
        text_string(&mapper->scratch, "=\"");
        xml_escape(attribute->value, size, true, mapper->encoding, &mapper->scratch);
        text_char(&mapper->scratch, '"');
        join(path, group->path, "@");
        if (!keep(mapper, path, i)) {
            return false;
        }
    }
    return true;
}

static bool read_group(struct mapper *mapper, const struct group *group,
                       const struct xml_node *node);

static bool read_inner(struct mapper *mapper, const struct group *group, const struct shape *shape,
                       const struct xml_node *node, const char *path)
{
    const ProtobufCFieldDescriptor *field = record_field(group->message, shape->field);
    ProtobufCMessage *message = record_new(field->descriptor);
    if (!message || !record_put_message(group->message, field, message)) {
        record_free(message);
        return false;
    }
    const struct group inner = {shape->children, shape->child_count, message, path};
    return read_group(mapper, &inner, node);
}

/* An element with a value: text alone. */
static bool read_leaf(struct mapper *mapper, const struct group *group, const struct shape *shape,
                      const struct xml_node *node, const char *path)
{
    const struct place place = {node->line, node->column, path};
    if (node->child_count != 1 || node->children[0]->kind != NODE_TEXT) {
        checker_tell(mapper->checker, RULE_XML_MIXED, place, NULL);
        return true;
    }
    const struct text *text = &node->children[0]->text;
    return leaf_put(group->message, shape, text->data, text->size, mapper->checker, place);
}

/* An element that the group knows. */
static bool read_known(struct mapper *mapper, const struct group *group, const struct shape *shape,
                       const struct xml_node *node, size_t position)
{
    const ProtobufCFieldDescriptor *field = record_field(group->message, shape->field);
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    bool is_group = shape->kind == KIND_GROUP;
    size_t before = record_count(group->message, field);
    char name[PATH_BYTES];
    char path[PATH_BYTES];
    snprintf(name, sizeof(name), "%s", shape->name);
    if (repeated) {
        snprintf(name, sizeof(name), "%s[%zu]", shape->name, before + 1);
    }
    join(path, group->path, name);
    /* An element without a value, or with attributes that have no place: as it is. */
    if (!is_group && (node->child_count == 0 || node->attribute_count > 0)) {
        if (node->attribute_count > 0) {
            checker_tell(mapper->checker, RULE_XML_UNKNOWN,
                         (struct place){node->line, node->column, path}, NULL);
        }
        return keep_node(mapper, group, node, position);
    }
    if (before >= REPEATED_MAX) {
        checker_tell(mapper->checker, RULE_XML_LARGE,
                     (struct place){node->line, node->column, path}, NULL);
        return true;
    }
    if (before > 0 && !repeated) {
        checker_tell(mapper->checker, RULE_XML_TWICE,
                     (struct place){node->line, node->column, path}, NULL);
        return true;
    }
    return is_group ? read_inner(mapper, group, shape, node, path)
                    : read_leaf(mapper, group, shape, node, path);
}

static bool read_child(struct mapper *mapper, const struct group *group,
                       const struct xml_node *node, size_t position, size_t *last)
{
    char path[PATH_BYTES];
    if (node->kind == NODE_TEXT) {
        checker_tell(mapper->checker, RULE_XML_MIXED,
                     (struct place){node->line, node->column, group->path}, NULL);
        return true;
    }
    if (node->kind != NODE_ELEMENT) {
        return keep_node(mapper, group, node, position);
    }
    size_t index = 0;
    const struct shape *shape = shape_named(group, node->name, &index);
    join(path, group->path, node->name);
    const struct place place = {node->line, node->column, path};
    if (!shape) {
        checker_tell(mapper->checker, RULE_XML_UNKNOWN, place, NULL);
        return keep_node(mapper, group, node, position);
    }
    if (index < *last) {
        checker_tell(mapper->checker, RULE_XML_ORDER, place, NULL);
    }
    *last = index > *last ? index : *last;
    return read_known(mapper, group, shape, node, position);
}

static void check_required(struct mapper *mapper, const struct group *group,
                           const struct xml_node *node)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct shape *shape = &group->shapes[i];
        char path[PATH_BYTES];
        if (shape->required && leaf_count(group->message, shape) == 0) {
            join(path, group->path, shape->name);
            checker_tell(mapper->checker, RULE_REQUIRED,
                         (struct place){node->line, node->column, path}, NULL);
        }
    }
}

static bool read_group(struct mapper *mapper, const struct group *group,
                       const struct xml_node *node)
{
    uint64_t errors = mapper->checker->errors;
    size_t position = 0;
    size_t last = 0;
    if (!read_attributes(mapper, group, node)) {
        return false;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        if (xml_node_is_blank(node->children[i])) {
            continue;
        }
        if (!read_child(mapper, group, node->children[i], position++, &last)) {
            return false;
        }
    }
    /* A value that was refused is missing for that reason. */
    if (mapper->checker->errors == errors) {
        check_required(mapper, group, node);
    }
    return true;
}

/* Comments and instructions beside the root element: before it at 0, behind it at 1. */
static bool keep_beside(struct mapper *mapper, const struct xml_document *document)
{
    size_t position = 0;
    for (size_t i = 0; i < document->root->child_count; i++) {
        const struct xml_node *node = document->root->children[i];
        const struct group beside = {.path = "/"};
        if (node->kind == NODE_ELEMENT) {
            position = 1;
        } else if (node->kind != NODE_TEXT && !keep_node(mapper, &beside, node, position)) {
            return false;
        }
    }
    return true;
}

static const struct document *document_rooted(const struct format *format, const char *root,
                                              struct checker *checker)
{
    char roots[DETAIL_BYTES] = "";
    for (size_t i = 0; i < format->document_count; i++) {
        size_t used = strlen(roots);
        if (strcmp(format->documents[i].root, root) == 0) {
            return &format->documents[i];
        }
        snprintf(roots + used, sizeof(roots) - used, "%s%s", i > 0 ? ", " : "",
                 format->documents[i].root);
    }
    checker_tell(checker, RULE_XML_ROOT, (struct place){.line = checker->line}, roots);
    return NULL;
}

static relais_status map(const struct document *document, const struct xml_document *tree,
                         const struct xml_node *root, struct mapper *mapper)
{
    ProtobufCMessage *record = NULL;
    mapper->item = item_new(document, &record);
    const struct group group = {document->shapes, document->shape_count, record, ""};
    if (!mapper->item || !keep_beside(mapper, tree) || !read_group(mapper, &group, root)) {
        bool many = mapper->item && mapper->item->n_kept >= KEPT_MAX;
        item_free(mapper->item);
        mapper->item = NULL;
        if (many) {
            checker_tell(mapper->checker, RULE_XML_LARGE, (struct place){0}, NULL);
        }
        return many ? RELAIS_FIELD_INVALID : RELAIS_NO_MEMORY;
    }
    if (document->check) {
        document->check(record, mapper->checker);
    }
    return RELAIS_OK;
}

relais_status xml_reading_make(const struct format *format, const char *data, size_t size,
                               struct checker *checker, struct xml_reading *out_reading)
{
    struct xml_document tree;
    relais_status status = xml_document_parse(data, size, checker, &tree);
    if (status != RELAIS_OK) {
        return status;
    }
    const struct xml_node *root = xml_document_element(&tree);
    checker->line = root->line;
    const struct document *document = document_rooted(format, root->name, checker);
    struct mapper mapper = {.checker = checker, .encoding = tree.encoding};
    text_init(&mapper.scratch, XML_BYTES);
    status = document ? map(document, &tree, root, &mapper) : RELAIS_FIELD_INVALID;
    if (status == RELAIS_OK) {
        *out_reading = (struct xml_reading){.item = mapper.item,
                                            .encoding = tree.encoding,
                                            .byte_order_mark = tree.byte_order_mark,
                                            .is_signed = tree.is_signed};
    }
    text_fini(&mapper.scratch);
    xml_document_fini(&tree);
    return status;
}
