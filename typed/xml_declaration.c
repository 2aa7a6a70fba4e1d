/* SPDX-License-Identifier: EUPL-1.2
 *
 * The first line of an XML document, and the bytes behind it.
 */
#include "typed/xml_declaration.h"

#include <string.h>

enum { MARK_BYTES = 3, VALUE_MOST = 40 };

/* What stands between a key and its quote. */
static bool is_between(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '=';
}

/* The value of key="..." in the declaration <?xml ... ?>, at most `room` bytes; "" without one. */
static void declared(const char *declaration, size_t size, const char *key, char *value,
                     size_t room)
{
    value[0] = '\0';
    const char *at = memmem(declaration, size, key, strlen(key));
    if (!at) {
        return;
    }
    const char *end = declaration + size;
    at += strlen(key);
    while (at < end && is_between(*at)) {
        at++;
    }
    char quote = '\0';
    if (at < end) {
        quote = *at++;
    }
    size_t length = 0;
    while (at + length < end && at[length] != quote && length + 1 < room) {
        length++;
    }
    memcpy(value, at, length);
    value[length] = '\0';
}

/* How long the declaration is; 0: there is none. */
static size_t declaration_size(const char *data, size_t size)
{
    static const char head[] = "<?xml";
    const size_t head_size = sizeof(head) - 1;
    if (size < head_size + 1 || memcmp(data, head, head_size) != 0 ||
        !strchr(" \t\r\n", data[head_size])) {
        return 0;
    }
    const char *end = memmem(data, size, "?>", 2);
    return end ? (size_t)(end + 2 - data) : 0;
}

/* True for bytes that can only be UTF-16 or UTF-32. */
static bool is_wide(const char *bytes, size_t size)
{
    return size >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0 ||
                         bytes[0] == '\0' || bytes[1] == '\0');
}

/* What the declaration says; false: it has been told why the document cannot be read. */
static bool read_declaration(const char *bytes, size_t size, size_t declaration,
                             struct checker *checker, struct xml_document *document)
{
    char value[VALUE_MOST];
    declared(bytes, declaration, "version", value, sizeof(value));
    if (declaration > 0 && strcmp(value, "1.0") != 0) {
        checker_tell(checker, RULE_XML, (struct place){.line = 1}, "version=\"1.0\"");
        return false;
    }
    declared(bytes, declaration, "encoding", value, sizeof(value));
    document->encoding = *value != '\0' ? encoding_named(value) : ENCODING_UTF_8;
    bool clash = document->byte_order_mark && document->encoding != ENCODING_UTF_8;
    if (document->encoding == ENCODING_UNKNOWN || clash || is_wide(bytes, size)) {
        checker_tell(checker, RULE_ENCODING_NAME, (struct place){.line = 1}, ENCODING_NAMES);
        return false;
    }
    return true;
}

static void tell_bad_byte(const char *bytes, size_t bad, struct checker *checker)
{
    uint64_t line = 1;
    size_t start = 0;
    for (size_t i = 0; i < bad; i++) {
        if (bytes[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    checker_tell(checker, RULE_ENCODING, (struct place){line, bad - start + 1, NULL},
                 ENCODING_NAMES);
}

relais_status xml_declaration_undo(const char *data, size_t size, struct checker *checker,
                                   struct xml_document *document, struct text *out_utf8)
{
    document->byte_order_mark = size >= MARK_BYTES && memcmp(data, "\xEF\xBB\xBF", MARK_BYTES) == 0;
    size_t mark = document->byte_order_mark ? MARK_BYTES : 0;
    const char *bytes = data + mark;
    size -= mark;
    size_t declaration = declaration_size(bytes, size);
    if (!read_declaration(bytes, size, declaration, checker, document)) {
        return RELAIS_FIELD_INVALID;
    }
    for (size_t i = 0; i < declaration; i++) {
        text_char(out_utf8, bytes[i] == '\n' ? '\n' : ' ');
    }
    size_t bad = 0;
    if (!encoding_decode(document->encoding, bytes + declaration, size - declaration, out_utf8,
                         &bad)) {
        tell_bad_byte(bytes, declaration + bad, checker);
        return RELAIS_FIELD_INVALID;
    }
    return text_fine(out_utf8) ? RELAIS_OK : RELAIS_NO_MEMORY;
}
