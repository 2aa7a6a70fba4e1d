/* SPDX-License-Identifier: EUPL-1.2
 *
 * Judges a YAML document along a libcyaml schema.
 * Invariants: 1. nesting is bounded before libyaml builds a tree of it, since that recurses;
 * 2. aliases are refused, so the tree is as large as the text; 3. the first problem in the order of
 * the file is the one reported, unknown keys before missing ones.
 */
#include "program/error.h"
#include "program/locale.h"
#include "program/yaml_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    DEPTH_MAX = 16,      /* our deepest file has 4 */
    KEY_BYTES = 256,     /* of a dotted path, for errors */
    CHOICES_BYTES = 256, /* of the list of what would do: error->right */
};

struct judge {
    const char *path;
    yaml_document_t *document;
    relais_error *error;
    char key[KEY_BYTES]; /* where we are: "clients[1].key" */
};

void yaml_tree_place(relais_error *error, const char *path, size_t line, const char *key)
{
    char place[KEY_BYTES + 32];
    size_t room = sizeof error->field - 1;

    if (error == NULL) {
        return;
    }
    const char *separator = key[0] == '\0' ? "" : ": ";
    if (line > 0) {
        (void)snprintf(place, sizeof place, ":%zu%s%s", line, separator, key);
    } else {
        (void)snprintf(place, sizeof place, "%s%s", separator, key);
    }
    size_t path_bytes = strlen(path);
    size_t place_bytes = strlen(place);
    if (path_bytes + place_bytes > room && place_bytes + 3 < room) {
        error_set_field(error, "...%s%s", path + (path_bytes + place_bytes + 3 - room), place);
    } else {
        error_set_field(error, "%s%s", path, place);
    }
}

static relais_status blame(const struct judge *judge, const yaml_node_t *node, const char *right,
                           const char *wrong)
{
    relais_status status = error_set(judge->error, RELAIS_CONFIG_INVALID, NULL, right, "%s", wrong);

    yaml_tree_place(judge->error, judge->path, node->start_mark.line + 1, judge->key);
    return status;
}

static const char *scalar(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* Appends to the dotted path; returns what to cut it back to. */
static size_t enter(struct judge *judge, const char *name)
{
    size_t before = strlen(judge->key);

    (void)snprintf(judge->key + before, sizeof judge->key - before, "%s%s",
                   before == 0 || name[0] == '[' ? "" : ".", name);
    return before;
}

static void leave(struct judge *judge, size_t before)
{
    judge->key[before] = '\0';
}

static void list_words(const cyaml_schema_value_t *schema, char out[CHOICES_BYTES])
{
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < schema->enumeration.count && used < CHOICES_BYTES - 1; i++) {
        int added = snprintf(out + used, CHOICES_BYTES - used, "%s%s", i == 0 ? "" : ", ",
                             schema->enumeration.strings[i].str);
        used += added > 0 ? (size_t)added : 0;
    }
}

static void list_keys(const cyaml_schema_value_t *schema, char out[CHOICES_BYTES])
{
    size_t used = 0;

    out[0] = '\0';
    for (const cyaml_schema_field_t *field = schema->mapping.fields;
         field->key != NULL && used < CHOICES_BYTES - 1; field++) {
        int added =
            snprintf(out + used, CHOICES_BYTES - used, "%s%s", used == 0 ? "" : ", ", field->key);
        used += added > 0 ? (size_t)added : 0;
    }
}

static relais_status judge_string(const struct judge *judge, const yaml_node_t *node,
                                  const cyaml_schema_value_t *schema)
{
    size_t size = node->data.scalar.length;
    char right[96];

    if (memchr(scalar(node), '\0', size) != NULL) {
        return blame(judge, node, _("text without NUL"), "\\0");
    }
    if (size >= schema->string.min && size <= schema->string.max) {
        return RELAIS_OK;
    }
    (void)snprintf(right, sizeof right, _("text of %u to %u bytes"), (unsigned)schema->string.min,
                   (unsigned)schema->string.max);
    char wrong[48];
    (void)snprintf(wrong, sizeof wrong, _("%zu bytes"), size);
    return blame(judge, node, right, size == 0 ? _("empty") : wrong);
}

static relais_status judge_number(const struct judge *judge, const yaml_node_t *node,
                                  const cyaml_schema_value_t *schema)
{
    char *end = NULL;
    const char *text = scalar(node);
    unsigned bits = schema->data_size * 8;
    uint64_t max = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    char right[64];

    if (schema->type == CYAML_INT) {
        max >>= 1;
    }
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    /* 010 is 8 to YAML 1.1 and 10 to people: neither is taken. */
    bool digits = text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
                  (text[0] != '0' || text[1] == '\0');
    if (digits && errno == 0 && *end == '\0' && value <= max) {
        return RELAIS_OK;
    }
    (void)snprintf(right, sizeof right, _("a whole number, 0 to %llu"), (unsigned long long)max);
    return blame(judge, node, right, text);
}

static relais_status judge_boolean(const struct judge *judge, const yaml_node_t *node)
{
    const char *text = scalar(node);

    /* The words that libcyaml 1.3.1 and YAML 1.2 understand alike. */
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        return RELAIS_OK;
    }
    return blame(judge, node, "true, false", text);
}

static relais_status judge_word(const struct judge *judge, const yaml_node_t *node,
                                const cyaml_schema_value_t *schema)
{
    char right[CHOICES_BYTES];

    for (uint32_t i = 0; node->type == YAML_SCALAR_NODE && i < schema->enumeration.count; i++) {
        if (strcmp(scalar(node), schema->enumeration.strings[i].str) == 0) {
            return RELAIS_OK;
        }
    }
    list_words(schema, right);
    return blame(judge, node, right,
                 node->type == YAML_SCALAR_NODE ? scalar(node) : _("not a single value"));
}

static relais_status judge_scalar(const struct judge *judge, const yaml_node_t *node,
                                  const cyaml_schema_value_t *schema)
{
    if (node->type != YAML_SCALAR_NODE) {
        return blame(judge, node, _("a single value"),
                     node->type == YAML_SEQUENCE_NODE ? _("a list") : _("a group of keys"));
    }
    switch (schema->type) {
    case CYAML_STRING:
        return judge_string(judge, node, schema);
    case CYAML_INT:
    case CYAML_UINT:
        return judge_number(judge, node, schema);
    case CYAML_BOOL:
        return judge_boolean(judge, node);
    case CYAML_ENUM:
        return judge_word(judge, node, schema);
    default:
        return RELAIS_OK; /* left to libcyaml */
    }
}

static relais_status judge_value(struct judge *judge, const yaml_node_t *node,
                                 const cyaml_schema_value_t *schema);

/* A list of values, or (CYAML_FLAGS) of words. */
static relais_status judge_list(struct judge *judge, const yaml_node_t *node,
                                const cyaml_schema_value_t *schema)
{
    uint32_t index = 0;
    relais_status status = RELAIS_OK;

    if (node->type != YAML_SEQUENCE_NODE) {
        return blame(judge, node, _("a list, e.g. [one, two]"),
                     node->type == YAML_SCALAR_NODE ? scalar(node) : _("a group of keys"));
    }
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top && status == RELAIS_OK; item++, index++) {
        const yaml_node_t *entry = yaml_document_get_node(judge->document, *item);
        char name[24];

        (void)snprintf(name, sizeof name, "[%u]", (unsigned)index);
        size_t before = enter(judge, name);
        status = schema->type == CYAML_FLAGS ? judge_word(judge, entry, schema)
                                             : judge_value(judge, entry, schema->sequence.entry);
        leave(judge, before);
    }
    if (status == RELAIS_OK && schema->type != CYAML_FLAGS &&
        (index < schema->sequence.min || index > schema->sequence.max)) {
        char right[64];
        char wrong[48];

        (void)snprintf(right, sizeof right, _("a list of %u to %u entries"),
                       (unsigned)schema->sequence.min, (unsigned)schema->sequence.max);
        (void)snprintf(wrong, sizeof wrong, _("%u entries"), (unsigned)index);
        status = blame(judge, node, right, wrong);
    }
    return status;
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_value_t *schema,
                                              const yaml_node_t *key)
{
    const cyaml_schema_field_t *field = schema->mapping.fields;

    if (key->type != YAML_SCALAR_NODE) {
        return NULL;
    }
    while (field->key != NULL && strcmp(field->key, scalar(key)) != 0) {
        field++;
    }
    return field->key == NULL ? NULL : field;
}

static relais_status judge_pair(struct judge *judge, const yaml_node_pair_t *pair,
                                const yaml_node_t *mapping, const cyaml_schema_value_t *schema)
{
    const yaml_node_t *key = yaml_document_get_node(judge->document, pair->key);
    const cyaml_schema_field_t *field = find_field(schema, key);
    const char *name = key->type == YAML_SCALAR_NODE ? scalar(key) : "?";
    size_t before = enter(judge, name);
    relais_status status = RELAIS_OK;

    if (field == NULL) {
        char right[CHOICES_BYTES];

        list_keys(schema, right);
        status = blame(judge, key, right, _("unknown key"));
        leave(judge, before);
        return status;
    }
    for (const yaml_node_pair_t *other = mapping->data.mapping.pairs.start;
         other < pair && status == RELAIS_OK; other++) {
        const yaml_node_t *earlier = yaml_document_get_node(judge->document, other->key);

        if (earlier->type == YAML_SCALAR_NODE && strcmp(scalar(earlier), name) == 0) {
            status = blame(judge, key, _("each key once"), _("this key a second time"));
        }
    }
    if (status == RELAIS_OK) {
        status =
            judge_value(judge, yaml_document_get_node(judge->document, pair->value), &field->value);
    }
    leave(judge, before);
    return status;
}

static relais_status judge_presence(struct judge *judge, const yaml_node_t *node,
                                    const cyaml_schema_field_t *field)
{
    if ((field->value.flags & CYAML_FLAG_OPTIONAL) != 0) {
        return RELAIS_OK;
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(judge->document, pair->key);

        if (key->type == YAML_SCALAR_NODE && strcmp(scalar(key), field->key) == 0) {
            return RELAIS_OK;
        }
    }
    size_t before = enter(judge, field->key);
    relais_status status = blame(judge, node, _("this key is required"), _("missing"));
    leave(judge, before);
    return status;
}

static relais_status judge_mapping(struct judge *judge, const yaml_node_t *node,
                                   const cyaml_schema_value_t *schema)
{
    relais_status status = RELAIS_OK;

    if (node->type != YAML_MAPPING_NODE) {
        char right[CHOICES_BYTES];

        list_keys(schema, right);
        return blame(judge, node, right,
                     node->type == YAML_SCALAR_NODE ? scalar(node) : _("a list"));
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top && status == RELAIS_OK; pair++) {
        status = judge_pair(judge, pair, node, schema);
    }
    for (const cyaml_schema_field_t *field = schema->mapping.fields;
         field->key != NULL && status == RELAIS_OK; field++) {
        status = judge_presence(judge, node, field);
    }
    return status;
}

static relais_status judge_value(struct judge *judge, const yaml_node_t *node,
                                 const cyaml_schema_value_t *schema)
{
    switch (schema->type) {
    case CYAML_MAPPING:
        return judge_mapping(judge, node, schema);
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED:
    case CYAML_FLAGS:
        return judge_list(judge, node, schema);
    default:
        return judge_scalar(judge, node, schema);
    }
}

static relais_status blame_text(const char *path, size_t line, const char *right, const char *wrong,
                                relais_error *error)
{
    relais_status status = error_set(error, RELAIS_CONFIG_INVALID, NULL, right, "%s", wrong);

    yaml_tree_place(error, path, line, "");
    return status;
}

static relais_status blame_parser(const char *path, const yaml_parser_t *parser,
                                  relais_error *error)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        return error_set(error, RELAIS_NO_MEMORY, path, NULL, "%s", "");
    }
    return blame_text(path, parser->problem_mark.line + 1,
                      _("YAML: steady indentation with spaces; texts with special characters in "
                        "single quotes; UTF-8"),
                      parser->problem == NULL ? _("not YAML") : parser->problem, error);
}

/* What one event says against the text; *io_depth and *io_documents count. NULL: nothing. */
static const char *objection(const yaml_event_t *event, unsigned *io_depth, unsigned *io_documents)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return _("an alias (*name)");
    case YAML_DOCUMENT_START_EVENT:
        return ++*io_documents > 1 ? _("a second document (---)") : NULL;
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return ++*io_depth > DEPTH_MAX ? _("nested too deep") : NULL;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        --*io_depth;
        return NULL;
    default:
        return NULL;
    }
}

/* Walks the events without building anything. */
static relais_status check_events(const char *path, const char *text, size_t size,
                                  relais_error *error)
{
    yaml_parser_t parser;
    relais_status status = RELAIS_OK;
    unsigned depth = 0;
    unsigned documents = 0;
    bool ended = false;

    if (yaml_parser_initialize(&parser) == 0) {
        return error_set(error, RELAIS_NO_MEMORY, path, NULL, "%s", "");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    while (status == RELAIS_OK && !ended) {
        yaml_event_t event;

        if (yaml_parser_parse(&parser, &event) == 0) {
            status = blame_parser(path, &parser, error);
            break;
        }
        const char *wrong = objection(&event, &depth, &documents);
        if (wrong != NULL) {
            status = blame_text(path, event.start_mark.line + 1,
                                _("one document of plain keys and values"), wrong, error);
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

relais_status yaml_tree_check(const char *path, const char *text, size_t size,
                              const cyaml_schema_value_t *schema, relais_error *error)
{
    yaml_parser_t parser;
    yaml_document_t document;
    relais_status status = check_events(path, text, size, error);

    if (status != RELAIS_OK) {
        return status;
    }
    if (yaml_parser_initialize(&parser) == 0) {
        return error_set(error, RELAIS_NO_MEMORY, path, NULL, "%s", "");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (yaml_parser_load(&parser, &document) == 0) {
        status = blame_parser(path, &parser, error);
    } else {
        struct judge judge = {.path = path, .document = &document, .error = error};
        const yaml_node_t *root = yaml_document_get_root_node(&document);

        if (root == NULL) {
            char right[CHOICES_BYTES];

            list_keys(schema, right);
            status = blame_text(path, 0, right, _("the file is empty"), error);
        } else {
            status = judge_value(&judge, root, schema);
        }
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return status;
}

/* The child of `node` that `*io_key` begins with; *io_key moves behind it. NULL: none. */
static yaml_node_t *descend(yaml_document_t *document, const yaml_node_t *node, const char **io_key)
{
    const char *key = *io_key + (**io_key == '.' ? 1 : 0);
    size_t size = strcspn(key + (*key == '[' ? 1 : 0), ".[") + (*key == '[' ? 1 : 0);

    *io_key = key + size;
    if (node->type == YAML_SEQUENCE_NODE && *key == '[') {
        size_t index = strtoul(key + 1, NULL, 10);
        yaml_node_item_t *start = node->data.sequence.items.start;

        return index < (size_t)(node->data.sequence.items.top - start)
                   ? yaml_document_get_node(document, start[index])
                   : NULL;
    }
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         node->type == YAML_MAPPING_NODE && pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(document, pair->key);

        if (name->type == YAML_SCALAR_NODE && name->data.scalar.length == size &&
            memcmp(scalar(name), key, size) == 0) {
            return yaml_document_get_node(document, pair->value);
        }
    }
    return NULL;
}

size_t yaml_tree_line(const char *text, size_t size, const char *key)
{
    yaml_parser_t parser;
    yaml_document_t document;
    size_t line = 0;

    if (check_events("", text, size, NULL) != RELAIS_OK || yaml_parser_initialize(&parser) == 0) {
        return 0;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (yaml_parser_load(&parser, &document) != 0) {
        const yaml_node_t *node = yaml_document_get_root_node(&document);

        while (node != NULL) {
            line = node->start_mark.line + 1;
            node = *key == '\0' ? NULL : descend(&document, node, &key);
        }
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return line;
}
