/* SPDX-License-Identifier: EUPL-1.2
 *
 * Nodes as text again.
 */
#include "typed/xml_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How a byte is written, or NULL: as it is. */
static const char *escape_of(char byte, bool attribute)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#13;";
    case '"':
        return attribute ? "&quot;" : NULL;
    case '\n':
        return attribute ? "&#10;" : NULL;
    case '\t':
        return attribute ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

static void put_character(const char *data, size_t length, uint32_t code_point,
                          enum encoding encoding, struct text *out)
{
    struct text unused;
    size_t bad = 0;
    text_init(&unused, 8);
    if (length == 1 || encoding_encode(encoding, data, length, &unused, &bad)) {
        text_append(out, data, length);
    } else {
        char reference[16];
        snprintf(reference, sizeof(reference), "&#%" PRIu32 ";", code_point);
        text_string(out, reference);
    }
    text_fini(&unused);
}

void xml_escape(const char *data, size_t size, bool attribute, enum encoding encoding,
                struct text *out)
{
    size_t at = 0;
    while (at < size) {
        uint32_t code_point = 0;
        const char *escaped = escape_of(data[at], attribute);
        size_t length = encoding_code_point(data + at, size - at, &code_point);
        if (length == 0) { /* never in a tree; a reading of the result would refuse it */
            length = 1;
        }
        if (escaped) {
            text_string(out, escaped);
        } else {
            put_character(data + at, length, code_point, encoding, out);
        }
        at += length;
    }
}

static void open_element(const struct xml_node *node, enum encoding encoding, struct text *out)
{
    text_char(out, '<');
    text_string(out, node->name);
    for (size_t i = 0; i < node->attribute_count; i++) {
        text_char(out, ' ');
        text_string(out, node->attributes[i].name);
        text_string(out, "=\"");
        xml_escape(node->attributes[i].value, strlen(node->attributes[i].value), true, encoding,
                   out);
        text_char(out, '"');
    }
    text_string(out, node->child_count > 0 ? ">" : "/>");
}

static void write_words(const struct xml_node *node, struct text *out)
{
    if (node->kind == NODE_COMMENT) {
        text_string(out, "<!--");
        text_append(out, node->text.data, node->text.size);
        text_string(out, "-->");
        return;
    }
    text_string(out, "<?");
    text_string(out, node->name);
    if (node->text.size > 0) {
        text_char(out, ' ');
        text_append(out, node->text.data, node->text.size);
    }
    text_string(out, "?>");
}

void xml_node_write(const struct xml_node *node, enum encoding encoding, struct text *out)
{
    switch (node->kind) {
    case NODE_TEXT:
        xml_escape(node->text.data, node->text.size, false, encoding, out);
        return;
    case NODE_COMMENT:
    case NODE_INSTRUCTION:
        write_words(node, out);
        return;
    case NODE_DOCUMENT:
    case NODE_ELEMENT:
        break;
    }
    open_element(node, encoding, out);
    for (size_t i = 0; i < node->child_count; i++) { /* as deep as XML_DEPTH_MAX */
        xml_node_write(node->children[i], encoding, out);
    }
    if (node->child_count > 0) {
        text_string(out, "</");
        text_string(out, node->name);
        text_char(out, '>');
    }
}
