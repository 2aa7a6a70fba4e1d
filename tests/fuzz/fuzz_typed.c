/* SPDX-License-Identifier: EUPL-1.2
 *
 * A format of typed payloads (TYPED_FORMAT): any bytes are refused with a complaint, or come back:
 * to the byte for text and protobuf, to the same items for JSON, to the same elements for XML. The
 * first byte chooses encoding, the size of the pieces and whether fictitious people pass.
 */
#include "tests/unit/typed/conversion.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *other(const char *format)
{
    return strcmp(format, "protobuf") == 0 ? "jsonl" : "protobuf";
}

/* What comes back may be written otherwise, but means the same: it makes the same items. */
static void check_meaning(const struct convert_options *options, const char *data, size_t size)
{
    struct conversion first;
    struct conversion back;
    struct conversion again;
    struct convert_options there = *options;
    there.to = other(options->from);
    conversion_run(&first, &there, data, size, 0);
    if (first.status == RELAIS_OK) {
        const struct convert_options home = {
            .from = there.to, .to = options->from, .specimens = options->specimens};
        conversion_run(&back, &home, first.out.data, first.out.size, 0);
        if (back.status == RELAIS_OK) {
            conversion_run(&again, &there, back.out.data, back.out.size, 0);
            if (again.status != RELAIS_OK || again.out.size != first.out.size ||
                memcmp(again.out.data, first.out.data, first.out.size) != 0) {
                abort();
            }
            conversion_fini(&again);
        } else {
            abort();
        }
        conversion_fini(&back);
    } else if (first.counts.errors == 0) {
        abort();
    }
    conversion_fini(&first);
}

/* The line of JSON at *at, without what only says how a file is written; NULL behind the last. */
static json_t *next_item(const struct text *lines, size_t *at)
{
    if (*at >= lines->size) {
        return NULL;
    }
    size_t length = strcspn(lines->data + *at, "\n");
    json_t *item = json_loadb(lines->data + *at, length, 0, NULL);
    *at += length + 1;
    if (!item) {
        abort();
    }
    (void)json_object_del(item, "spelling");
    bool form = json_object_get(item, "form") != NULL;
    json_t *end = json_object_get(item, "end");
    if (end) {
        (void)json_object_del(end, "open_line");
        (void)json_object_del(end, "blank_lines");
    }
    if (!form) {
        return item;
    }
    json_decref(item);
    return next_item(lines, at);
}

static void compare_items(const struct text *one, const struct text *other)
{
    size_t one_at = 0;
    size_t other_at = 0;
    for (;;) {
        json_t *left = next_item(one, &one_at);
        json_t *right = next_item(other, &other_at);
        bool done = !left && !right;
        bool same = done || (left && right && json_equal(left, right));
        json_decref(left);
        json_decref(right);
        if (!same) {
            abort();
        }
        if (done) {
            return;
        }
    }
}

/* Items of others, written in a real format and read again, are the same records. */
static void check_writers(const char *data, size_t size)
{
    static const char *const formats[] = {"insee-deces",  "insee-deces-csv", "caf-contact-csv",
                                          "certdc-xml",   "recensement-xml", "coordonnees-xml",
                                          "etatcivil-xml"};
    const struct convert_options same = {.from = "jsonl", .to = "jsonl", .specimens = true};
    struct conversion items;
    conversion_run(&items, &same, data, size, 0);
    for (size_t i = 0; items.status == RELAIS_OK && i < sizeof(formats) / sizeof(formats[0]); i++) {
        const struct convert_options there = {.from = "jsonl",
                                              .to = formats[i],
                                              .specimens = true,
                                              .target_encoding = ENCODING_UTF_8};
        const struct convert_options back = {.from = formats[i],
                                             .to = "jsonl",
                                             .specimens = true,
                                             .encoding = ENCODING_UTF_8,
                                             .separator = ';'};
        struct conversion file;
        struct conversion again;
        conversion_run(&file, &there, items.out.data, items.out.size, 0);
        bool plain =
            file.status == RELAIS_OK && file.out.size > 0 && !strstr(items.out.data, "\"form\"");
        if (plain) {
            conversion_run(&again, &back, file.out.data, file.out.size, 0);
            if (again.status != RELAIS_OK) {
                abort();
            }
            compare_items(&items.out, &again.out);
            conversion_fini(&again);
        }
        conversion_fini(&file);
    }
    conversion_fini(&items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *bytes = (const char *)data + 1;
    const char *format = TYPED_FORMAT;
    const struct convert_options options = {.from = format,
                                            .to = format,
                                            .encoding = (enum encoding)(data[0] % ENCODING_COUNT),
                                            .specimens = (data[0] & 0x40U) != 0};
    if (strcmp(format, "jsonl") == 0 || strstr(format, "xml")) {
        check_meaning(&options, bytes, size - 1);
        if (strcmp(format, "jsonl") == 0) {
            check_writers(bytes, size - 1);
        }
        return 0;
    }
    bool refused = false;
    size_t piece = (data[0] & 0x80U) != 0 ? 7 : 0;
    if (!conversion_survives(&options, other(format), bytes, size - 1, piece, &refused)) {
        abort();
    }
    return 0;
}
