/* SPDX-License-Identifier: EUPL-1.2
 *
 * The grammar of names. ASCII only and by comparison, never <ctype.h>: what a name is must not
 * depend on the locale of the process. Pure; any thread.
 */
#include "wire/name.h"

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_letter_or_digit(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* The length of the slug at the start of text; 0 when there is none. Reads at most
 * NAME_SLUG_BYTES + 1 bytes, and never beyond the NUL. */
static size_t slug_length(const char *text)
{
    size_t length = 0;
    char previous = '-'; /* so that a hyphen may not come first */

    while (is_lower_or_digit(text[length]) || text[length] == '-') {
        if (text[length] == '-' && previous == '-') {
            return 0;
        }
        if (length == NAME_SLUG_BYTES) {
            return 0;
        }
        previous = text[length];
        length++;
    }
    return previous == '-' ? 0 : length;
}

bool name_is_slug(const char *text)
{
    const size_t length = slug_length(text);

    return length > 0 && text[length] == '\0';
}

bool name_is_address(const char *text, size_t *out_member_bytes)
{
    const size_t member_bytes = slug_length(text);

    if (member_bytes == 0 || text[member_bytes] != '/') {
        return false;
    }
    const char *box = text + member_bytes + 1;
    const size_t mark_bytes = box[0] == '~' ? 1 : 0;
    const size_t box_bytes = slug_length(box + mark_bytes);
    if (box_bytes == 0 || box[mark_bytes + box_bytes] != '\0' ||
        member_bytes + 1 + mark_bytes + box_bytes > NAME_ADDRESS_BYTES) {
        return false;
    }
    *out_member_bytes = member_bytes;
    return true;
}

bool name_is_private(const char *address, size_t member_bytes)
{
    return address[member_bytes + 1] == '~';
}

bool name_is_flow(const char *text)
{
    size_t length = 0;

    if (text[0] == '-') {
        return false;
    }
    while (length <= NAME_FLOW_BYTES && (is_letter_or_digit(text[length]) || text[length] == '-')) {
        length++;
    }
    return length > 0 && length <= NAME_FLOW_BYTES && text[length] == '\0';
}

bool name_is_id(const char *text)
{
    size_t length = 0;

    while (length <= NAME_ID_BYTES && text[length] >= 0x21 && text[length] <= 0x7e) {
        length++;
    }
    return length > 0 && length <= NAME_ID_BYTES && text[length] == '\0';
}
