/* SPDX-License-Identifier: EUPL-1.2
 *
 * Complaints and readings for people and programs.
 */
#include "cli/convert_report.h"

#include "program/locale.h"

#include <inttypes.h>
#include <string.h>

enum {
    GATHERED_MAX = 10 * 1000, /* items, and complaints, in one JSON value */
    LINE_BYTES = 2048,
    DATE_BYTES = 32,
    NESTING_MAX = 16, /* the deepest flow has 5 levels */
};

bool convert_report_init(struct convert_report *report, const struct output *output,
                         const char *file, bool trying, FILE *stream)
{
    *report =
        (struct convert_report){.output = output, .file = file, .trying = trying, .stream = stream};
    if (output->format == OUTPUT_JSON) {
        report->items = json_array();
        report->complaints = json_array();
        return report->items && report->complaints;
    }
    return true;
}

void convert_report_fini(struct convert_report *report)
{
    json_decref(report->items);
    json_decref(report->complaints);
}

static void print_line(struct convert_report *report, json_t *object)
{
    if (!object || json_dumpf(object, report->stream, JSON_COMPACT) != 0 ||
        fputc('\n', report->stream) == EOF) {
        report->failed = true;
    }
    json_decref(object);
}

static void gather(struct convert_report *report, json_t *list, json_t *object)
{
    if (json_array_size(list) >= GATHERED_MAX) {
        report->left_out++;
        json_decref(object);
    } else if (json_array_append_new(list, object) != 0) {
        report->failed = true;
    }
}

static json_t *complaint_json(const struct convert_report *report,
                              const struct complaint *complaint)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "file", report->file,
                     "severity", complaint_is_error(complaint->rule) ? "error" : "warning", "code",
                     complaint_code(complaint->rule), "record", (json_int_t)complaint->record,
                     "line", (json_int_t)complaint->line, "column", (json_int_t)complaint->column,
                     "field", complaint->field, "wrong", complaint_wrong(complaint->rule), "right",
                     complaint_right(complaint->rule), "detail", complaint->detail);
}

/* relais: deces.txt:3:84: datenaiss: a month that does not exist; expected: 01 to 12 [date.month]
 */
static void print_complaint(const struct convert_report *report, const struct complaint *complaint)
{
    char place[64] = "";
    char line[LINE_BYTES];
    char clean[LINE_BYTES];
    if (complaint->line > 0 && complaint->column > 0) {
        snprintf(place, sizeof(place), ":%" PRIu64 ":%" PRIu64, complaint->line, complaint->column);
    } else if (complaint->line > 0) {
        snprintf(place, sizeof(place), ":%" PRIu64, complaint->line);
    } else if (complaint->record > 0) {
        snprintf(place, sizeof(place), " (%" PRIu64 ")", complaint->record);
    }
    snprintf(line, sizeof(line), _("%s%s: %s%s%s%s; expected: %s%s%s [%s]"), report->file, place,
             complaint_is_error(complaint->rule) ? "" : _("warning: "), complaint->field,
             *complaint->field ? ": " : "", complaint_wrong(complaint->rule),
             complaint_right(complaint->rule), *complaint->detail ? ": " : "", complaint->detail,
             complaint_code(complaint->rule));
    fprintf(stderr, "relais: %s\n", output_clean(line, clean, sizeof(clean)));
}

void convert_report_complain(void *context, const struct complaint *complaint)
{
    struct convert_report *report = context;
    switch (report->output->format) {
    case OUTPUT_JSON:
        gather(report, report->complaints, complaint_json(report, complaint));
        break;
    case OUTPUT_JSONL:
        print_line(report, json_pack("{s:o}", "complaint", complaint_json(report, complaint)));
        break;
    case OUTPUT_TABLE:
        if (complaint_is_error(complaint->rule) || !report->output->quiet) {
            print_complaint(report, complaint);
        }
        break;
    }
}

/* "1931-02-23", with ?? for what is unknown; NULL when the object is no date. */
static const char *date_text(const json_t *object, char buffer[DATE_BYTES])
{
    json_int_t parts[3] = {0};
    static const char *const names[] = {"year", "month", "day"};
    size_t found = 0;
    for (size_t i = 0; i < 3; i++) {
        const json_t *part = json_object_get(object, names[i]);
        parts[i] = json_integer_value(part);
        found += json_is_integer(part) ? 1 : 0;
    }
    if (found != json_object_size(object) || parts[0] > 9999 || parts[1] > 99 || parts[2] > 99) {
        return NULL;
    }
    char texts[3][8] = {"????", "??", "??"};
    static const int widths[] = {4, 2, 2};
    for (size_t i = 0; i < 3; i++) {
        if (parts[i] > 0) {
            snprintf(texts[i], sizeof(texts[i]), "%0*d", widths[i], (int)parts[i]);
        }
    }
    snprintf(buffer, DATE_BYTES, "%s-%s-%s", texts[0], texts[1], texts[2]);
    return buffer;
}

static void print_value(const char *path, const json_t *value)
{
    char text[LINE_BYTES];
    char clean[LINE_BYTES];
    if (json_is_string(value)) {
        snprintf(text, sizeof(text), "%s", json_string_value(value));
    } else if (json_is_integer(value)) {
        snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        snprintf(text, sizeof(text), "%s", json_is_true(value) ? "true" : "false");
    }
    printf("  %s: %s\n", path, output_clean(text, clean, sizeof(clean)));
}

static void print_fields(const char *path, const json_t *value, int depth);

static void print_object(const char *path, const json_t *object, int depth)
{
    const char *key = NULL;
    json_t *inner = NULL;
    char date[DATE_BYTES];
    if (*path != '\0' && date_text(object, date)) {
        printf("  %s: %s\n", path, date);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, inner)
    {
        char longer[256];
        snprintf(longer, sizeof(longer), "%s%s%s", path, *path ? "." : "", key);
        print_fields(longer, inner, depth + 1);
    }
}

static void print_fields(const char *path, const json_t *value, int depth)
{
    if (depth > NESTING_MAX) {
        return;
    }
    if (json_is_object(value)) {
        print_object(path, value, depth);
        return;
    }
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
        char longer[256];
        snprintf(longer, sizeof(longer), "%s[%zu]", path, i + 1);
        print_fields(longer, json_array_get(value, i), depth + 1);
    }
    if (!json_is_array(value)) {
        print_value(path, value);
    }
}

static void print_item(const json_t *item, uint64_t line, bool refused)
{
    const json_t *form = json_object_get(item, "form");
    if (line > 0 && !form) {
        printf(refused ? _("Line %" PRIu64 ", refused:\n") : _("Line %" PRIu64 ":\n"), line);
    } else {
        printf("%s", form ? _("The file:\n") : _("Record:\n"));
    }
    print_object("", form ? form : item, 0);
}

void convert_report_see(void *context, const json_t *item, uint64_t line, bool refused)
{
    struct convert_report *report = context;
    if (!report->trying) {
        return;
    }
    if (report->output->format == OUTPUT_TABLE) {
        print_item(item, line, refused);
        return;
    }
    json_t *seen = json_pack("{s:I, s:b, s:O}", "line", (json_int_t)line, "refused", refused,
                             "item", (json_t *)(uintptr_t)item);
    if (report->output->format == OUTPUT_JSON) {
        gather(report, report->items, seen);
    } else {
        print_line(report, json_pack("{s:o}", "read", seen));
    }
}

static void print_counts(const struct convert_report *report, const struct convert_counts *counts)
{
    if (report->output->quiet) {
        return;
    }
    fprintf(stderr,
            _("records: %" PRIu64 " read, %" PRIu64 " written, %" PRIu64 " refused; %" PRIu64
              " errors, %" PRIu64 " warnings\n"),
            counts->records, counts->written, counts->refused, counts->errors, counts->warnings);
}

bool convert_report_end(struct convert_report *report, const struct convert_counts *counts)
{
    if (report->output->format == OUTPUT_TABLE) {
        print_counts(report, counts);
        return !report->failed;
    }
    json_t *summary =
        json_pack("{s:I, s:I, s:I, s:I, s:I}", "records", (json_int_t)counts->records, "written",
                  (json_int_t)counts->written, "refused", (json_int_t)counts->refused, "errors",
                  (json_int_t)counts->errors, "warnings", (json_int_t)counts->warnings);
    if (report->output->format == OUTPUT_JSONL) {
        print_line(report, json_pack("{s:o}", "summary", summary));
        return !report->failed;
    }
    json_t *whole = json_pack("{s:o, s:O, s:I}", "summary", summary, "complaints",
                              report->complaints, "left_out", (json_int_t)report->left_out);
    if (whole && report->trying && json_object_set(whole, "read", report->items) != 0) {
        report->failed = true;
    }
    print_line(report, whole);
    return !report->failed;
}
