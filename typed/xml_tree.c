/* SPDX-License-Identifier: EUPL-1.2
 *
 * libxml2's SAX callbacks build the tree; libxml2 builds none of its own.
 * Source: libxml2 2.9, parser.h; OWASP, XML External Entity Prevention.
 */
#include "typed/xml_tree.h"

#include "typed/xml_declaration.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    xmlParserCtxtPtr parser;
    struct checker *checker;
    struct xml_document *document;
    struct xml_node *current;
    size_t depth;
    size_t nodes;
    bool told;
    bool no_memory;
};

static void node_free(struct xml_node *node)
{
    /* Without recursion: depth is bounded only once a document has been parsed. */
    struct xml_node *at = node;
    while (at) {
        if (at->child_count > 0) {
            at = at->children[--at->child_count];
            continue;
        }
        struct xml_node *parent = at == node ? NULL : at->parent;
        for (size_t i = 0; i < at->attribute_count; i++) {
            free(at->attributes[i].name);
            free(at->attributes[i].value);
        }
        free(at->attributes);
        free(at->children);
        free(at->name);
        text_fini(&at->text);
        free(at);
        at = parent;
    }
}

static void stop(struct builder *builder, enum rule rule)
{
    if (!builder->told && rule != RULE_NONE) {
        checker_tell(builder->checker, rule,
                     (struct place){.line = (uint64_t)xmlSAX2GetLineNumber(builder->parser),
                                    .column = (uint64_t)xmlSAX2GetColumnNumber(builder->parser)},
                     NULL);
        builder->told = true;
    }
    builder->no_memory = builder->no_memory || rule == RULE_NONE;
    xmlStopParser(builder->parser);
}

static bool adopt(struct xml_node *parent, struct xml_node *child)
{
    /* Powers of two: realloc() is called once for each. */
    if ((parent->child_count & (parent->child_count - 1)) == 0) {
        size_t capacity = parent->child_count == 0 ? 1 : parent->child_count * 2;
        struct xml_node **grown = realloc(parent->children, capacity * sizeof(void *));
        if (!grown) {
            return false;
        }
        parent->children = grown;
    }
    parent->children[parent->child_count++] = child;
    child->parent = parent;
    return true;
}

/* A new last child of the current node; NULL: parsing has been stopped. */
static struct xml_node *add(struct builder *builder, enum node_kind kind, const xmlChar *name)
{
    if (builder->nodes++ >= XML_NODES_MAX) {
        stop(builder, RULE_XML_LARGE);
        return NULL;
    }
    struct xml_node *node = calloc(1, sizeof(*node));
    if (!node) {
        stop(builder, RULE_NONE);
        return NULL;
    }
    node->kind = kind;
    node->line = (uint64_t)xmlSAX2GetLineNumber(builder->parser);
    node->column = (uint64_t)xmlSAX2GetColumnNumber(builder->parser);
    text_init(&node->text, VALUE_BYTES);
    node->name = name ? strdup((const char *)name) : NULL;
    if ((name && !node->name) || !adopt(builder->current, node)) {
        node_free(node);
        stop(builder, RULE_NONE);
        return NULL;
    }
    return node;
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    stop(context, RULE_XML_DOCTYPE);
}

static xmlEntityPtr on_entity(void *context, const xmlChar *name)
{
    (void)context;
    return xmlGetPredefinedEntity(name);
}

static bool add_attribute(struct xml_node *node, const xmlChar *name, const xmlChar *value)
{
    struct xml_attribute *grown =
        realloc(node->attributes, (node->attribute_count + 1) * sizeof(*grown));
    if (!grown) {
        return false;
    }
    node->attributes = grown;
    struct xml_attribute *attribute = &grown[node->attribute_count];
    attribute->name = strdup((const char *)name);
    attribute->value = strdup(value ? (const char *)value : "");
    node->attribute_count++;
    return attribute->name && attribute->value;
}

static const char *local_name(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

static void on_start(void *context, const xmlChar *name, const xmlChar **attributes)
{
    struct builder *builder = context;
    if (builder->depth >= XML_DEPTH_MAX) {
        stop(builder, RULE_XML_LARGE);
        return;
    }
    struct xml_node *node = add(builder, NODE_ELEMENT, name);
    for (size_t i = 0; node && attributes && attributes[i]; i += 2) {
        if (i / 2 >= XML_ATTRIBUTES_MAX) {
            stop(builder, RULE_XML_LARGE);
            return;
        }
        if (!add_attribute(node, attributes[i], attributes[i + 1])) {
            stop(builder, RULE_NONE);
            return;
        }
    }
    if (node && node->name) {
        builder->document->is_signed =
            builder->document->is_signed || strcmp(local_name(node->name), "Signature") == 0;
        builder->current = node;
        builder->depth++;
    }
}

static void on_end(void *context, const xmlChar *name)
{
    struct builder *builder = context;
    (void)name;
    if (builder->current->parent) {
        builder->current = builder->current->parent;
        builder->depth--;
    }
}

static void on_text(void *context, const xmlChar *data, int size)
{
    struct builder *builder = context;
    struct xml_node *parent = builder->current;
    if (size <= 0) { /* <![CDATA[]]> is nothing */
        return;
    }
    struct xml_node *node =
        parent->child_count > 0 ? parent->children[parent->child_count - 1] : NULL;
    if (!node || node->kind != NODE_TEXT) {
        node = add(builder, NODE_TEXT, NULL);
    }
    if (!node) {
        return;
    }
    text_append(&node->text, data, (size_t)size);
    if (!text_fine(&node->text)) {
        stop(builder, node->text.state == TEXT_TOO_LONG ? RULE_XML_LARGE : RULE_NONE);
    }
}

static void on_words(struct builder *builder, enum node_kind kind, const xmlChar *name,
                     const xmlChar *words)
{
    struct xml_node *node = add(builder, kind, name);
    if (!node || !words) {
        return;
    }
    text_string(&node->text, (const char *)words);
    if (!text_fine(&node->text)) {
        stop(builder, node->text.state == TEXT_TOO_LONG ? RULE_XML_LARGE : RULE_NONE);
    }
}

static void on_comment(void *context, const xmlChar *words)
{
    on_words(context, NODE_COMMENT, NULL, words);
}

static void on_instruction(void *context, const xmlChar *target, const xmlChar *words)
{
    on_words(context, NODE_INSTRUCTION, target, words);
}

/* What is wrong is asked of the parser at the end; nothing is printed. */
static void on_message(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

/* Version 1 of SAX: names and xmlns as they are written. */
static xmlSAXHandler handlers(void)
{
    xmlSAXHandler sax;
    memset(&sax, 0, sizeof(sax));
    sax.internalSubset = on_doctype;
    sax.getEntity = on_entity;
    sax.startElement = on_start;
    sax.endElement = on_end;
    sax.characters = on_text;
    sax.ignorableWhitespace = on_text;
    sax.cdataBlock = on_text;
    sax.comment = on_comment;
    sax.processingInstruction = on_instruction;
    sax.warning = on_message;
    sax.error = on_message;
    sax.fatalError = on_message;
    sax.initialized = 1;
    return sax;
}

/* Gives the parser all of it; false: it has found a fault. */
static bool feed_parser(xmlParserCtxtPtr parser, const struct text *utf8)
{
    enum { PIECE_BYTES = 4096 };
    for (size_t at = 0; at < utf8->size; at += PIECE_BYTES) {
        size_t left = utf8->size - at;
        int size = (int)(left < PIECE_BYTES ? left : PIECE_BYTES);
        if (xmlParseChunk(parser, utf8->data + at, size, 0) != 0) {
            return false;
        }
    }
    return xmlParseChunk(parser, NULL, 0, 1) == 0 && parser->wellFormed != 0;
}

/* What the parser has found, where nothing else has been told. */
static void tell_fault(struct builder *builder, const xmlError *error)
{
    struct place place = {0};
    if (error && error->line > 0) {
        place.line = (uint64_t)error->line;
    }
    if (error && error->int2 > 0) {
        place.column = (uint64_t)error->int2;
    }
    checker_tell(builder->checker, RULE_XML, place, NULL);
}

static relais_status parse_utf8(struct builder *builder, const struct text *utf8)
{
    xmlSAXHandler sax = handlers();
    builder->parser = xmlCreatePushParserCtxt(&sax, builder, NULL, 0, NULL);
    if (!builder->parser) {
        return RELAIS_NO_MEMORY;
    }
    xmlCtxtUseOptions(builder->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    bool fine = feed_parser(builder->parser, utf8);
    const xmlError *error = xmlCtxtGetLastError(builder->parser);
    bool no_memory = builder->no_memory || (error && error->code == XML_ERR_NO_MEMORY);
    if (!no_memory && !builder->told && !fine) {
        tell_fault(builder, error);
    }
    fine = fine && !builder->told;
    xmlFreeParserCtxt(builder->parser);
    if (no_memory) {
        return RELAIS_NO_MEMORY;
    }
    return fine ? RELAIS_OK : RELAIS_FIELD_INVALID;
}

relais_status xml_document_parse(const char *data, size_t size, struct checker *checker,
                                 struct xml_document *out_document)
{
    enum { UTF_8_LONGEST = 4 };
    struct xml_document document = {0};
    struct text utf8;
    text_init(&utf8, (size_t)XML_BYTES * UTF_8_LONGEST);
    relais_status status = xml_declaration_undo(data, size, checker, &document, &utf8);
    document.root = status == RELAIS_OK ? calloc(1, sizeof(*document.root)) : NULL;
    if (document.root) {
        struct builder builder = {
            .checker = checker, .document = &document, .current = document.root};
        text_init(&document.root->text, VALUE_BYTES);
        status = parse_utf8(&builder, &utf8);
    } else if (status == RELAIS_OK) {
        status = RELAIS_NO_MEMORY;
    }
    text_fini(&utf8);
    if (status != RELAIS_OK) {
        xml_document_fini(&document);
        return status;
    }
    *out_document = document;
    return RELAIS_OK;
}

void xml_document_fini(struct xml_document *document)
{
    if (document->root) {
        node_free(document->root);
    }
    *document = (struct xml_document){0};
}

const struct xml_node *xml_document_element(const struct xml_document *document)
{
    for (size_t i = 0; i < document->root->child_count; i++) {
        if (document->root->children[i]->kind == NODE_ELEMENT) {
            return document->root->children[i];
        }
    }
    return NULL;
}

bool xml_node_is_blank(const struct xml_node *node)
{
    return node->kind == NODE_TEXT && strspn(node->text.data, " \t\r\n") == node->text.size;
}
