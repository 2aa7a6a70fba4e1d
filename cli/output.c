/* SPDX-License-Identifier: EUPL-1.2
 *
 * Tables and JSON. Widths are counted in columns of the terminal, not in bytes.
 */
#include "cli/output.h"

#include "program/locale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Longest cell that is shown; the rest is cut. JSON shows all. */
enum { CELL_BYTES = 512 };

enum { COLUMNS_MAX = 16, MS_PER_S = 1000, S_PER_MINUTE = 60, S_PER_HOUR = 3600, S_PER_DAY = 86400 };

static const char BOLD[] = "\033[1m";
static const char PLAIN[] = "\033[0m";

/* Space between columns. */
static const char GAP[] = "  ";

const char *output_bytes_text(uint64_t bytes, char *buffer, size_t size)
{
    enum { STEP = 1024 };
    static const char *const formats[] = {N_("%.1f KiB"), N_("%.1f MiB"), N_("%.1f GiB"),
                                          N_("%.1f TiB")};
    if (bytes < STEP) {
        snprintf(buffer, size, _("%llu B"), (unsigned long long)bytes);
        return buffer;
    }
    double value = (double)bytes / STEP;
    size_t unit = 0;
    /* From 1023.95 on "%.1f" would show 1024.0. */
    while (value >= STEP - 0.05 && unit + 1 < sizeof(formats) / sizeof(formats[0])) {
        value /= STEP;
        unit++;
    }
    /* The formats are ours, and msgfmt checks that a translation keeps the conversion. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(buffer, size, _(formats[unit]), value);
#pragma GCC diagnostic pop
    return buffer;
}

const char *output_clean(const char *text, char *buffer, size_t size)
{
    mbstate_t state = {0};
    size_t used = 0;
    size_t left = strlen(text);
    while (left > 0) {
        wchar_t wide = 0;
        size_t step = mbrtowc(&wide, text, left, &state);
        bool bad = step == (size_t)-1 || step == (size_t)-2 || step == 0;
        if (bad) {
            step = 1;
            state = (mbstate_t){0};
        }
        bool shown = !bad && iswprint((wint_t)wide);
        size_t need = shown ? step : 1;
        if (used + need + 1 > size) {
            break;
        }
        if (shown) {
            memcpy(buffer + used, text, step);
        } else {
            buffer[used] = '?';
        }
        used += need;
        text += step;
        left -= step;
    }
    buffer[used] = '\0';
    return buffer;
}

static int text_width(const char *text)
{
    wchar_t wide[CELL_BYTES];
    size_t length = mbstowcs(wide, text, CELL_BYTES);
    if (length == (size_t)-1 || length == CELL_BYTES) {
        return (int)strlen(text);
    }
    int width = wcswidth(wide, length);
    return width < 0 ? (int)strlen(text) : width;
}

static void duration_text(int64_t ms, char *buffer, size_t size)
{
    long long seconds = ms / MS_PER_S;
    if (seconds >= S_PER_DAY) {
        snprintf(buffer, size, _("%lld d %lld h"), seconds / S_PER_DAY,
                 seconds % S_PER_DAY / S_PER_HOUR);
    } else if (seconds >= S_PER_HOUR) {
        snprintf(buffer, size, _("%lld h %lld min"), seconds / S_PER_HOUR,
                 seconds % S_PER_HOUR / S_PER_MINUTE);
    } else if (seconds >= S_PER_MINUTE) {
        snprintf(buffer, size, _("%lld min %lld s"), seconds / S_PER_MINUTE,
                 seconds % S_PER_MINUTE);
    } else {
        snprintf(buffer, size, _("%.1f s"), (double)ms / MS_PER_S);
    }
}

static void joined_text(const json_t *array, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < json_array_size(array) && used < size; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        int more =
            snprintf(buffer + used, size - used, "%s%s", i > 0 ? ", " : "", text ? text : "");
        used += more > 0 ? (size_t)more : 0;
    }
}

static void cell_text(const struct column *column, const json_t *object, char cell[CELL_BYTES])
{
    const json_t *value = json_object_get(object, column->key);
    char raw[CELL_BYTES] = "";
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        if (column->kind == COLUMN_BYTES) {
            output_bytes_text((uint64_t)number, raw, sizeof(raw));
        } else if (column->kind == COLUMN_DURATION) {
            duration_text(number, raw, sizeof(raw));
        } else {
            snprintf(raw, sizeof(raw), "%lld", (long long)number);
        }
    } else if (json_is_array(value)) {
        joined_text(value, raw, sizeof(raw));
    } else if (json_is_string(value)) {
        snprintf(raw, sizeof(raw), "%s", json_string_value(value));
    }
    output_clean(raw, cell, CELL_BYTES);
}

static void print_cell(const char *text, int width, bool right, bool last)
{
    int padding = width - text_width(text);
    if (padding < 0) {
        padding = 0;
    }
    if (right) {
        printf("%*s%s", padding, "", text);
    } else {
        printf("%s%*s", text, last ? 0 : padding, "");
    }
    fputs(last ? "\n" : GAP, stdout);
}

static void print_table(const struct output *output, const struct column *columns, size_t count,
                        const json_t *rows)
{
    int widths[COLUMNS_MAX] = {0};
    char cell[CELL_BYTES];
    for (size_t c = 0; c < count; c++) {
        widths[c] = text_width(_(columns[c].title));
        for (size_t r = 0; r < json_array_size(rows); r++) {
            cell_text(&columns[c], json_array_get(rows, r), cell);
            int width = text_width(cell);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    fputs(output->color ? BOLD : "", stdout);
    for (size_t c = 0; c < count; c++) {
        print_cell(_(columns[c].title), widths[c], columns[c].kind != COLUMN_TEXT, c + 1 == count);
    }
    fputs(output->color ? PLAIN : "", stdout);
    for (size_t r = 0; r < json_array_size(rows); r++) {
        for (size_t c = 0; c < count; c++) {
            cell_text(&columns[c], json_array_get(rows, r), cell);
            print_cell(cell, widths[c], columns[c].kind != COLUMN_TEXT, c + 1 == count);
        }
    }
}

static bool print_json(const json_t *value, size_t flags)
{
    return json_dumpf(value, stdout, flags) == 0 && putchar('\n') != EOF;
}

bool output_json_line(json_t *object)
{
    bool done = object && print_json(object, JSON_COMPACT) && fflush(stdout) == 0;
    json_decref(object);
    return done;
}

bool output_list(const struct output *output, const struct column *columns, size_t count,
                 json_t *rows)
{
    bool done = rows && count <= COLUMNS_MAX;
    if (done && output->format == OUTPUT_JSON) {
        done = print_json(rows, JSON_INDENT(2));
    } else if (done && output->format == OUTPUT_JSONL) {
        for (size_t i = 0; done && i < json_array_size(rows); i++) {
            done = print_json(json_array_get(rows, i), JSON_COMPACT);
        }
    } else if (done) {
        print_table(output, columns, count, rows);
    }
    json_decref(rows);
    return done;
}

bool output_object(const struct output *output, const struct column *columns, size_t count,
                   json_t *object)
{
    if (!object) {
        return false;
    }
    bool done = true;
    if (output->format != OUTPUT_TABLE) {
        done = print_json(object, output->format == OUTPUT_JSON ? JSON_INDENT(2) : JSON_COMPACT);
        json_decref(object);
        return done;
    }
    int width = 0;
    for (size_t c = 0; c < count; c++) {
        int title = text_width(_(columns[c].title));
        width = title > width ? title : width;
    }
    for (size_t c = 0; c < count; c++) {
        char cell[CELL_BYTES];
        cell_text(&columns[c], object, cell);
        fputs(output->color ? BOLD : "", stdout);
        print_cell(_(columns[c].title), width, false, false);
        printf("%s%s\n", output->color ? PLAIN : "", cell);
    }
    json_decref(object);
    return done;
}
