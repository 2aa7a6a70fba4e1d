/* SPDX-License-Identifier: EUPL-1.2
 *
 * Fixed width and CSV: files made by a seed come back to the byte, whatever their line ends,
 * separators, quotes, encodings and the pieces they come in; what is wrong is told with its line,
 * column and field.
 */
#include "tests/unit/typed/conversion.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 300, ROWS_MAX = 6, FILE_BYTES = 64 * 1024 };

/* splitmix64: the same files for the same seed everywhere. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static size_t pick(uint64_t *state, size_t count)
{
    return (size_t)(next(state) % count);
}

static const char *const names[] = {"NULLEPART*HYPOTHESE/", "PERSONNE-FICTIVE*CLEO ZOE/", "X*/",
                                    "D'AUCUNE PART*A/"};
static const char *const dates[] = {"19310223", "19310000", "00000000", "20240229", "19990100"};
static const char *const codes[] = {"06088", "2A004", "97411", "99100", "", "20004"};
static const char *const towns[] = {
    "NICE", "", "L'\xc3\x8eLE-D'YEU", "SAINT-\xc3\x89TIENNE", "A \"B\"", "X;Y", "X,Y|Z", "=NICE"};
static const char *const line_ends[] = {"\n", "\r\n", "\r"};

static const enum encoding encodings[] = {ENCODING_UTF_8, ENCODING_ISO_8859_1, ENCODING_ISO_8859_15,
                                          ENCODING_WINDOWS_1252};

static void put(struct text *file, enum encoding encoding, const char *utf8)
{
    size_t bad = 0;
    ck_assert(encoding_encode(encoding, utf8, strlen(utf8), file, &bad));
}

static void put_padded(struct text *file, enum encoding encoding, const char *utf8, size_t width)
{
    put(file, encoding, utf8);
    text_repeat(file, ' ', width - text_characters(utf8, strlen(utf8)));
}

static void make_fixed(struct text *file, uint64_t *state, enum encoding encoding)
{
    const char *end = line_ends[pick(state, 3)];
    size_t rows = 1 + pick(state, ROWS_MAX);
    size_t more = pick(state, 3) * 11;
    for (size_t i = 0; i < rows; i++) {
        put_padded(file, encoding, names[pick(state, 4)], 80);
        text_string(file, pick(state, 2) ? "1" : "2");
        text_string(file, dates[pick(state, 5)]);
        put_padded(file, encoding, codes[pick(state, 6)], 5);
        put_padded(file, encoding, towns[pick(state, 8)], 30);
        put_padded(file, encoding, pick(state, 4) ? "" : "ITALIE", 30);
        text_string(file, "20260301");
        put_padded(file, encoding, codes[pick(state, 4)], 5);
        put_padded(file, encoding, pick(state, 3) ? "123" : "", 9);
        if (pick(state, 8) == 0) {
            text_string(file, "BEHIND");
        }
        text_repeat(file, ' ', pick(state, 6) ? more : 3);
        if (i + 1 < rows || pick(state, 4)) {
            text_string(file, pick(state, 10) || i == 0 ? end : "\n");
        }
    }
    size_t length = strlen(end);
    if (memcmp(file->data + file->size - length, end, length) == 0) {
        for (size_t i = pick(state, 3); i > 0; i--) {
            text_string(file, end);
        }
    }
}

static void put_cell(struct text *file, enum encoding encoding, const char *utf8, char separator,
                     bool quoted)
{
    bool must = strchr(utf8, separator) || strpbrk(utf8, "\"\r\n");
    if (!quoted && !must) {
        put(file, encoding, utf8);
        return;
    }
    text_char(file, '"');
    for (const char *at = utf8; *at != '\0';) {
        size_t length = strcspn(at, "\"");
        char part[256];
        snprintf(part, sizeof(part), "%.*s", (int)length, at);
        put(file, encoding, part);
        at += length;
        if (*at == '"') {
            text_string(file, "\"\"");
            at++;
        }
    }
    text_char(file, '"');
}

enum { COLUMN_COUNT = 11 };

/* A value of column `column`, or its title. */
static const char *csv_value(uint64_t *state, size_t column, bool title)
{
    static const char *const titles[COLUMN_COUNT] = {
        "nomprenom", "sexe",      "datenaiss", "lieunaiss",   "commnaiss",  "paysnaiss",
        "datedeces", "lieudeces", "actedeces", "OBSERVATION", "OBSERVATION"};
    const char *values[COLUMN_COUNT] = {names[pick(state, 4)],
                                        pick(state, 2) ? "1" : "2",
                                        dates[pick(state, 5)],
                                        codes[pick(state, 6)],
                                        towns[pick(state, 8)],
                                        pick(state, 4) ? "" : "ITALIE",
                                        "20260301",
                                        codes[pick(state, 4)],
                                        "12",
                                        pick(state, 2) ? "a\nb" : "",
                                        towns[pick(state, 8)]};
    return title ? titles[column] : values[column];
}

static void make_csv(struct text *file, uint64_t *state, enum encoding encoding)
{
    const char separator = ";,\t|"[pick(state, 4)];
    const char *end = line_ends[pick(state, 3)];
    size_t columns = 9 + pick(state, 3);
    size_t shift = pick(state, columns); /* any order of columns */
    size_t rows = pick(state, ROWS_MAX);
    size_t style = pick(state, 3); /* quotes: none, all, by chance */
    if (encoding == ENCODING_UTF_8 && pick(state, 2)) {
        text_string(file, "\xEF\xBB\xBF");
    }
    for (size_t row = 0; row <= rows; row++) {
        for (size_t k = 0; k < columns; k++) {
            const char *value = csv_value(state, (k + shift) % columns, row == 0);
            if (k > 0) {
                text_char(file, separator);
            }
            put_cell(file, encoding, value, separator,
                     style == 1 || (style == 2 && pick(state, 2)));
        }
        if (row < rows || pick(state, 4)) {
            text_string(file, pick(state, 10) || row == 0 ? end : "\n");
        }
    }
}

static void check_seed(const char *format, void (*make)(struct text *, uint64_t *, enum encoding),
                       uint64_t seed)
{
    uint64_t state = seed;
    enum encoding encoding = encodings[pick(&state, 4)];
    const char *through = pick(&state, 2) ? "jsonl" : "protobuf";
    struct text file;
    bool refused = false;
    text_init(&file, FILE_BYTES);
    make(&file, &state, encoding);
    const struct convert_options options = {.from = format, .to = format, .encoding = encoding};
    bool same = conversion_survives(&options, through, file.data, file.size,
                                    pick(&state, 2) ? 1 + pick(&state, 40) : 0, &refused);
    ck_assert_msg(same && !refused, "seed %llu through %s: %s:\n%s", (unsigned long long)seed,
                  through, refused ? "refused" : "differs", file.data);
    text_fini(&file);
}

START_TEST(fixed_width_comes_back_to_the_byte)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        check_seed("insee-deces", make_fixed, seed);
    }
}
END_TEST

START_TEST(csv_comes_back_to_the_byte)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        check_seed("insee-deces-csv", make_csv, seed);
    }
}
END_TEST

#define TITLES                                                                                     \
    "nomprenom;sexe;datenaiss;lieunaiss;commnaiss;paysnaiss;datedeces;lieudeces;actedeces"
#define ROW "X*Y/;1;19310223;06088;NICE;;20260301;76540;1"

/* A file, and the first complaint that it must bring. */
struct bad_file {
    const char *format;
    const char *data;
    const char *code;
    uint64_t line;
    uint64_t column;
    const char *field;
};

static const struct bad_file bad_files[] = {
    {"insee-deces-csv", "", "empty", 0, 0, ""},
    {"insee-deces-csv", TITLES "\nX*Y/;1;19311323;;;;20260301;;\n", "date.month", 2, 8,
     "datenaiss"},
    {"insee-deces-csv", TITLES "\nX*Y/;3;19310223;;;;20260301;;\n", "code", 2, 6, "sexe"},
    {"insee-deces-csv", TITLES "\nX*Y/;1;19310223;;;;19310222;;\n", "date.order", 2, 0,
     "datedeces"},
    {"insee-deces-csv", TITLES "\n;1;19310223;;;;20260301;;\n", "required", 2, 1, "nomprenom"},
    {"insee-deces-csv", TITLES "\nX*Y/;1;19310223\n", "csv.cells", 2, 0, ""},
    {"insee-deces-csv", TITLES "\n" ROW "\nX\"*Y/;1;19310223;;;;20260301;;\n", "csv.quote", 3, 2,
     ""},
    {"insee-deces-csv", TITLES "\n\"X*Y/\"a;1;19310223;;;;20260301;;\n", "csv.quote", 2, 7, ""},
    {"insee-deces-csv", TITLES "\n" ROW "\n\"X*Y/;1;\n\n", "csv.quote-open", 3, 1, ""},
    {"insee-deces-csv", TITLES "\n\n" ROW "\n", "line.blank", 2, 0, ""},
    {"insee-deces-csv", "nomprenom;Sexe;datenaiss;datedeces\n", "csv.title-near", 1, 0, "sexe"},
    {"insee-deces-csv", "nomprenom;datenaiss;datedeces\n", "csv.title-missing", 1, 0, "sexe"},
    {"insee-deces-csv", "nomprenom;sexe;sexe;datenaiss;datedeces\n", "csv.title-twice", 1, 0,
     "sexe"},
    {"insee-deces-csv", TITLES ";plus\n" ROW ";=1+1\n", "csv.title-unknown", 1, 0, "plus"},
    {"insee-deces-csv", TITLES "\nX*Y/;1;19310223;;=HYPERLINK(1);;20260301;;\n", "text.formula", 2,
     18, "commnaiss"},
    {"insee-deces-csv", TITLES "\nX*Y/;1;19310223;;A\x01;;20260301;;\n", "text.control", 2, 19,
     "commnaiss"},
    {"insee-deces-csv", TITLES "\nX*Y/;1;19310223;;\xc3\xa9\xff;;20260301;;\n", "encoding", 2, 19,
     "commnaiss"},
    {"insee-deces", "\n", "empty", 0, 0, ""},
    {"insee-deces", "short\n", "insee-name", 1, 1, "nomprenom"},
};

START_TEST(what_is_wrong_is_told)
{
    const struct bad_file *bad = &bad_files[_i];
    const struct convert_options options = {
        .from = bad->format, .to = "jsonl", .encoding = ENCODING_UTF_8};
    struct conversion conversion;
    conversion_run(&conversion, &options, bad->data, strlen(bad->data), 0);
    const struct complaint *complaint = conversion_complaint(&conversion, bad->code);
    ck_assert_msg(complaint != NULL, "%s: not told", bad->code);
    ck_assert_msg(complaint->line == bad->line && complaint->column == bad->column, "%s: %llu:%llu",
                  bad->code, (unsigned long long)complaint->line,
                  (unsigned long long)complaint->column);
    ck_assert_str_eq(complaint->field, bad->field);
    ck_assert(!complaint_is_error(complaint->rule) || conversion.status == RELAIS_FIELD_INVALID);
    conversion_fini(&conversion);
}
END_TEST

START_TEST(nuls_are_refused)
{
    static const char cell[] = TITLES "\nX*Y/;1;19310223;;A\0B;;20260301;;\n";
    static const char title[] = TITLES ";A\0B\n" ROW ";\n";
    const struct convert_options options = {.from = "insee-deces-csv", .to = "jsonl"};
    struct conversion conversion;
    conversion_run(&conversion, &options, cell, sizeof(cell) - 1, 0);
    ck_assert_ptr_nonnull(conversion_complaint(&conversion, "text.control"));
    conversion_fini(&conversion);
    conversion_run(&conversion, &options, title, sizeof(title) - 1, 0);
    ck_assert_ptr_nonnull(conversion_complaint(&conversion, "text.control"));
    conversion_fini(&conversion);
}
END_TEST

START_TEST(huge_cells_rows_and_lines_are_refused)
{
    struct text file;
    struct conversion conversion;
    const struct convert_options csv = {
        .from = "insee-deces-csv", .to = "jsonl", .keep_going = true};
    text_init(&file, 8 * 1024 * 1024);
    text_string(&file, TITLES "\nX*Y/;1;19310223;;\"");
    text_repeat(&file, 'A', 3 * 1024 * 1024);
    text_string(&file, "\";;20260301;;\n" ROW "\nX*Y/");
    text_repeat(&file, ';', 2000);
    text_string(&file, "\n" ROW "\n");
    conversion_run(&conversion, &csv, file.data, file.size, 1000);
    ck_assert_int_eq(conversion.status, RELAIS_OK);
    ck_assert_uint_eq(conversion.counts.written, 2);
    ck_assert_uint_eq(conversion.counts.refused, 2);
    ck_assert_ptr_nonnull(conversion_complaint(&conversion, "csv.row"));
    conversion_fini(&conversion);
    const struct convert_options fixed = {.from = "insee-deces", .to = "jsonl", .keep_going = true};
    conversion_run(&conversion, &fixed, file.data, file.size, 1000);
    ck_assert_int_eq(conversion.status, RELAIS_FIELD_INVALID);
    ck_assert_ptr_nonnull(conversion_complaint(&conversion, "line.too-long"));
    conversion_fini(&conversion);
    text_fini(&file);
}
END_TEST

/* What a target has no place for is refused, not left out (target.h, 2). */
START_TEST(nothing_is_dropped)
{
    static const char more[] = TITLES ";plus\n" ROW ";kept\n";
    const struct convert_options options = {.from = "insee-deces-csv", .to = "insee-deces"};
    struct conversion conversion;
    conversion_run(&conversion, &options, more, sizeof(more) - 1, 0);
    ck_assert_int_eq(conversion.status, RELAIS_FIELD_INVALID);
    ck_assert_ptr_nonnull(conversion_complaint(&conversion, "target.no-place"));
    conversion_fini(&conversion);

    static const char accent[] =
        TITLES "\nX*Y/;1;19310223;;\xc5\x92UVRE \xe2\x88\x9e;;20260301;;\n";
    const struct convert_options latin = {
        .from = "insee-deces-csv", .to = "insee-deces", .target_encoding = ENCODING_ISO_8859_15};
    conversion_run(&conversion, &latin, accent, sizeof(accent) - 1, 0);
    ck_assert_int_eq(conversion.status, RELAIS_FIELD_INVALID);
    ck_assert_str_eq(conversion_complaint(&conversion, "encoding.lacks")->field, "commnaiss");
    conversion_fini(&conversion);
}
END_TEST

/* A sequence that was cut, or from which something was taken, is not whole (item.proto, 2). */
START_TEST(items_that_are_not_whole)
{
    static const char file[] = TITLES "\n" ROW "\n" ROW "\n";
    static const char *const through[] = {"jsonl", "protobuf"};
    for (size_t i = 0; i < 2; i++) {
        const struct convert_options there = {.from = "insee-deces-csv", .to = through[i]};
        const struct convert_options back = {.from = through[i], .to = "insee-deces-csv"};
        struct conversion items;
        conversion_run(&items, &there, file, sizeof(file) - 1, 0);
        ck_assert_int_eq(items.status, RELAIS_OK);
        for (size_t size = 0; size < items.out.size - 1; size++) {
            struct conversion cut;
            conversion_run(&cut, &back, items.out.data, size, 0);
            ck_assert_msg(cut.status == RELAIS_FIELD_INVALID && cut.counts.errors > 0,
                          "%s cut at %zu passes", through[i], size);
            conversion_fini(&cut);
        }
        conversion_fini(&items);
    }
}
END_TEST

START_TEST(refused_records_are_left_out_when_asked)
{
    static const char file[] = TITLES "\n" ROW "\nX*Y/;9;19310223;;;;20260301;;\n" ROW "\n";
    const struct convert_options there = {
        .from = "insee-deces-csv", .to = "protobuf", .keep_going = true};
    const struct convert_options back = {.from = "protobuf", .to = "insee-deces-csv"};
    struct conversion items;
    struct conversion again;
    conversion_run(&items, &there, file, sizeof(file) - 1, 0);
    ck_assert_int_eq(items.status, RELAIS_OK);
    ck_assert_uint_eq(items.counts.refused, 1);
    ck_assert_uint_eq(items.counts.written, 2);
    conversion_run(&again, &back, items.out.data, items.out.size, 0);
    ck_assert_int_eq(again.status, RELAIS_OK);
    ck_assert_str_eq(again.out.data, TITLES "\n" ROW "\n" ROW "\n");
    conversion_fini(&items);
    conversion_fini(&again);
}
END_TEST

/* A file with titles of its own comes back with them, from items alone. */
START_TEST(titles_of_its_own)
{
    static const char file[] = "Identit\xC3\xA9;N\xC3\xA9 le;Sexe;D\xC3\xA9"
                               "c\xC3\xA9"
                               "d\xC3\xA9 le;a=b\n"
                               "X*Y/;19310223;1;20260301;kept\n";
    static const char *const renames[] = {"Identit\xC3\xA9=nomprenom", "N\xC3\xA9 le=datenaiss",
                                          "Sexe=sexe",
                                          "D\xC3\xA9"
                                          "c\xC3\xA9"
                                          "d\xC3\xA9 le=datedeces",
                                          "a=b=actedeces"};
    const struct convert_options there = {
        .from = "insee-deces-csv", .to = "protobuf", .renames = renames, .rename_count = 5};
    bool refused = true;
    ck_assert(conversion_survives(&there, "jsonl", file, sizeof(file) - 1, 3, &refused));
    ck_assert(!refused);
    ck_assert(conversion_survives(&there, "protobuf", file, sizeof(file) - 1, 0, &refused));
    ck_assert(!refused);

    static const char *const missing[] = {"Nothing=sexe"};
    static const char *const target[] = {"Sexe=nothing"};
    const char *const *const wrong[] = {missing, target};
    static const char *const told[] = {"csv.title-missing", "csv.title-target"};
    for (size_t i = 0; i < 2; i++) {
        const struct convert_options options = {
            .from = "insee-deces-csv", .to = "jsonl", .renames = wrong[i], .rename_count = 1};
        struct conversion conversion;
        conversion_run(&conversion, &options, file, sizeof(file) - 1, 0);
        ck_assert_int_eq(conversion.status, RELAIS_FIELD_INVALID);
        ck_assert_ptr_nonnull(conversion_complaint(&conversion, told[i]));
        conversion_fini(&conversion);
    }
}
END_TEST

/* complaint.h, 1: whatever is refused, no complaint holds it. */
START_TEST(complaints_hold_no_values)
{
    static const char file[] = TITLES "\nSECRETNAME;SECRETSEX;SECRETDAY;SECRETCODE;;;SECRETEND;;\n";
    const struct convert_options options = {
        .from = "insee-deces-csv", .to = "jsonl", .keep_going = true};
    struct conversion conversion;
    conversion_run(&conversion, &options, file, sizeof(file) - 1, 0);
    ck_assert_uint_eq(conversion.complaint_count, 5);
    for (size_t i = 0; i < conversion.complaint_count; i++) {
        ck_assert_ptr_null(strstr(conversion.complaints[i].detail, "SECRET"));
        ck_assert_ptr_null(strstr(conversion.complaints[i].field, "SECRET"));
    }
    conversion_fini(&conversion);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text_formats");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, fixed_width_comes_back_to_the_byte);
    tcase_add_test(all, csv_comes_back_to_the_byte);
    tcase_add_loop_test(all, what_is_wrong_is_told, 0, sizeof(bad_files) / sizeof(bad_files[0]));
    tcase_add_test(all, nuls_are_refused);
    tcase_add_test(all, huge_cells_rows_and_lines_are_refused);
    tcase_add_test(all, nothing_is_dropped);
    tcase_add_test(all, items_that_are_not_whole);
    tcase_add_test(all, refused_records_are_left_out_when_asked);
    tcase_add_test(all, titles_of_its_own);
    tcase_add_test(all, complaints_hold_no_values);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
