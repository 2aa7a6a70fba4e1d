/* SPDX-License-Identifier: EUPL-1.2
 *
 * The rules of safe_name.h, applied character by character. Source for the Windows rules:
 * Microsoft, "Naming Files, Paths, and Namespaces".
 */
#include "adapters/files/safe_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { EXTENSION_BYTES = 16, ID_PART_BYTES = 128 };

size_t safe_name_character(const char *text, unsigned *out_point)
{
    static const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = 0;
    unsigned point = bytes[0];
    if (bytes[0] < 0x80) {
        length = 1;
    } else if ((bytes[0] & 0xe0) == 0xc0) {
        length = 2;
        point = bytes[0] & 0x1fU;
    } else if ((bytes[0] & 0xf0) == 0xe0) {
        length = 3;
        point = bytes[0] & 0x0fU;
    } else if ((bytes[0] & 0xf8) == 0xf0) {
        length = 4;
        point = bytes[0] & 0x07U;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (bytes[i] & 0x3fU);
    }
    if (length == 0 || point < smallest[length] || point > 0x10ffff ||
        (point >= 0xd800 && point <= 0xdfff)) {
        return 0;
    }
    *out_point = point;
    return length;
}

/* Unicode's controls, line and paragraph ends, and what turns the direction of text or is not seen:
 * a name must look like what it is. */
static bool is_hidden(unsigned point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0xad || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || (point & 0xfffe) == 0xfffe ||
           (point >= 0xe0000 && point <= 0xe007f);
}

static bool is_hostile(unsigned point)
{
    return point < 0x80 && strchr("/\\:*?\"<>|", (int)point) != NULL;
}

size_t safe_name_cut(const char *text, size_t bytes)
{
    size_t end = strnlen(text, bytes + 1);
    if (end <= bytes) {
        return end;
    }
    end = bytes;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80) {
        end--;
    }
    return end;
}

size_t safe_name_stem(const char *name)
{
    size_t end = strlen(name);
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name || end - (size_t)(dot - name) > EXTENSION_BYTES || dot[1] == '\0') {
        return end;
    }
    return (size_t)(dot - name);
}

/* Device names of Windows, whatever follows their first dot. */
static bool is_device(const char *name)
{
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"};
    size_t length = strcspn(name, ".");
    while (length > 0 && name[length - 1] == ' ') {
        length--;
    }
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        if (length == strlen(devices[i]) && strncasecmp(name, devices[i], length) == 0) {
            return true;
        }
    }
    return length == 4 && name[3] >= '0' && name[3] <= '9' &&
           (strncasecmp(name, "COM", 3) == 0 || strncasecmp(name, "LPT", 3) == 0);
}

/* Copies at most `room` bytes of `text`, mending each character; false: not UTF-8. */
static bool mend(const char *text, char *out, size_t room)
{
    size_t used = 0;
    while (*text != '\0') {
        unsigned point = 0;
        size_t length = safe_name_character(text, &point);
        if (length == 0) {
            return false;
        }
        bool bad = is_hidden(point) || is_hostile(point);
        size_t takes = bad ? 1 : length;
        if (used + takes <= room) {
            if (bad) {
                out[used] = '_';
            } else {
                memcpy(out + used, text, length);
            }
            used += takes;
        } else {
            room = used; /* what comes later and is shorter must not slip in */
        }
        text += length;
    }
    out[used] = '\0';
    return true;
}

/* A long name keeps its extension: software goes by it. */
static bool mend_long(const char *filename, char out_name[SAFE_NAME_BYTES + 1])
{
    char extension[EXTENSION_BYTES + 1] = "";
    size_t stem = safe_name_stem(filename);
    if (strlen(filename) > SAFE_NAME_BYTES && !mend(filename + stem, extension, EXTENSION_BYTES)) {
        return false;
    }
    size_t room = SAFE_NAME_BYTES - strlen(extension);
    if (!mend(filename, out_name, room)) {
        return false;
    }
    memcpy(out_name + strlen(out_name), extension, strlen(extension) + 1);
    return true;
}

static void mend_ends(char *name)
{
    if (name[0] == '.' || name[0] == '-') {
        name[0] = '_';
    }
    for (size_t end = strlen(name); end > 0 && (name[end - 1] == '.' || name[end - 1] == ' ');
         end--) {
        name[end - 1] = '_';
    }
    if (is_device(name)) {
        name[0] = '_';
    }
}

static void from_id(const char *id, char out_name[SAFE_NAME_BYTES + 1])
{
    size_t used = (size_t)snprintf(out_name, SAFE_NAME_BYTES + 1, "message-");
    for (size_t i = 0; i < ID_PART_BYTES && id[i] != '\0'; i++) {
        bool plain = isalnum((unsigned char)id[i]) || strchr("-_.", id[i]) != NULL;
        out_name[used] = '_';
        if (plain) {
            out_name[used] = id[i];
        }
        used++;
    }
    out_name[used] = '\0';
    mend_ends(out_name);
}

void safe_name(const char *filename, const char *id, char out_name[SAFE_NAME_BYTES + 1])
{
    if (!filename || !mend_long(filename, out_name)) {
        from_id(id, out_name);
        return;
    }
    mend_ends(out_name);
    if (out_name[strspn(out_name, "_")] == '\0') {
        from_id(id, out_name);
    }
}
