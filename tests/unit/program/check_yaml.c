/* SPDX-License-Identifier: EUPL-1.2
 *
 * program/yaml.c: every error names file, line and key, says what was found and what would do; what
 * was saved reads back the same.
 */
#include "program/yaml.h"
#include "tests/unit/program/folder.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum kind { KIND_ONE, KIND_TWO };

struct part {
    char *name;
    unsigned roles;
};

struct thing {
    char *code;
    uint32_t number;
    bool flag;
    enum kind kind;
    char **words;
    size_t word_count;
    struct part *parts;
    size_t part_count;
};

static const cyaml_strval_t kinds[] = {{"one", KIND_ONE}, {"two", KIND_TWO}};
static const cyaml_strval_t roles[] = {{"send", 1}, {"receive", 2}};
static const cyaml_schema_value_t word_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 100)};
static const cyaml_schema_field_t part_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct part, name, 1, 20),
    CYAML_FIELD_FLAGS("roles", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct part, roles, roles,
                      CYAML_ARRAY_LEN(roles)),
    CYAML_FIELD_END};
static const cyaml_schema_value_t part_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct part, part_fields)};
static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("code", CYAML_FLAG_POINTER, struct thing, code, 1, 300),
    CYAML_FIELD_UINT("number", CYAML_FLAG_OPTIONAL, struct thing, number),
    CYAML_FIELD_BOOL("flag", CYAML_FLAG_OPTIONAL, struct thing, flag),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct thing, kind, kinds,
                     CYAML_ARRAY_LEN(kinds)),
    CYAML_FIELD_SEQUENCE_COUNT("words", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct thing,
                               words, word_count, &word_schema, 0, 30),
    CYAML_FIELD_SEQUENCE_COUNT("parts", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct thing,
                               parts, part_count, &part_schema, 0, 3),
    CYAML_FIELD_END};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct thing, fields)};

struct wrong_file {
    const char *text;
    const char *place; /* behind the path */
    const char *wrong;
    const char *right;
};

static const struct wrong_file wrong_files[] = {
    {"code: a\ncolour: red\n", ":2: colour", "unknown key",
     "code, number, flag, kind, words, parts"},
    {"number: 3\n", ":1: code", "missing", "this key is required"},
    {"code: a\ncode: b\n", ":2: code", "this key a second time", "each key once"},
    {"code: a\nnumber: -1\n", ":2: number", "-1", "a whole number, 0 to 4294967295"},
    {"code: a\nnumber: 010\n", ":2: number", "010", "a whole number, 0 to 4294967295"},
    {"code: a\nnumber: 4294967296\n", ":2: number", "4294967296",
     "a whole number, 0 to 4294967295"},
    {"code: a\nnumber: many\n", ":2: number", "many", "a whole number, 0 to 4294967295"},
    {"code: a\nnumber: [1]\n", ":2: number", "a list", "a single value"},
    {"code: a\nflag: maybe\n", ":2: flag", "maybe", "true, false"},
    {"code: a\nkind: three\n", ":2: kind", "three", "one, two"},
    {"code: a\nkind: 1\n", ":2: kind", "1", "one, two"},
    {"code: ''\n", ":1: code", "empty", "text of 1 to 300 bytes"},
    {"code:\n", ":1: code", "empty", "text of 1 to 300 bytes"},
    {"code: a\nwords: b\n", ":2: words", "b", "a list, e.g. [one, two]"},
    {"code: a\nwords:\n  - b\n  - {c: d}\n", ":4: words[1]", "a group of keys", "a single value"},
    {"code: a\nparts:\n  - name: x\n  - name: y\n    roles: [send, fly]\n", ":5: parts[1].roles[1]",
     "fly", "send, receive"},
    {"code: a\nparts:\n  - roles: [send]\n", ":3: parts[0].name", "missing",
     "this key is required"},
    {"code: a\nparts: [{name: a}, {name: b}, {name: c}, {name: d}]\n", ":2: parts", "4 entries",
     "a list of 0 to 3 entries"},
    {"- code: a\n", ":1", "a list", "code, number, flag, kind, words, parts"},
    {"", "", "the file is empty", "code, number, flag, kind, words, parts"},
    {"# nothing\n", "", "the file is empty", "code, number, flag, kind, words, parts"},
    {"code: &x a\nwords: [*x]\n", ":2", "an alias (*name)",
     "one document of plain keys and values"},
    {"code: a\n---\ncode: b\n", ":2", "a second document (---)",
     "one document of plain keys and values"},
    {"code: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n", ":1", "nested too deep",
     "one document of plain keys and values"},
};

START_TEST(every_problem_has_its_line_its_key_and_what_would_do)
{
    const struct wrong_file *file = &wrong_files[_i];
    const char *path = folder_write("t.yaml", file->text);
    relais_error error = {0};
    void *data = NULL;
    char place[200];

    ck_assert_int_eq(yaml_load(path, &schema, &data, &error), RELAIS_CONFIG_INVALID);
    ck_assert_ptr_null(data);
    ck_assert_int_eq(error.status, RELAIS_CONFIG_INVALID);
    (void)snprintf(place, sizeof place, "%s%s", path, file->place);
    ck_assert_str_eq(error.field, place);
    ck_assert_str_eq(error.wrong, file->wrong);
    ck_assert_str_eq(error.right, file->right);
}
END_TEST

static const char *const not_yaml[] = {"code: \"a\n",
                                       "code: a\n\tnumber: 1\n",
                                       "code: a: b\n",
                                       "code: 'a\nnumber: 1\n",
                                       "\x01",
                                       "code: \xFF\n",
                                       "{",
                                       "code: %\n"};

START_TEST(what_is_not_yaml_has_its_line)
{
    const char *path = folder_write("t.yaml", not_yaml[_i]);
    relais_error error = {0};
    void *data = NULL;
    char start[200];

    ck_assert_int_eq(yaml_load(path, &schema, &data, &error), RELAIS_CONFIG_INVALID);
    (void)snprintf(start, sizeof start, "%s:", path);
    ck_assert_int_eq(strncmp(error.field, start, strlen(start)), 0);
    ck_assert_str_ne(error.wrong, "");
    ck_assert_str_ne(error.right, "");
}
END_TEST

START_TEST(codes_stay_text)
{
    const char *path =
        folder_write("t.yaml", "code: 01004\nwords: [2A004, no, 1e3, '0x10', 2026-01-01, ~]\n");
    relais_error error = {0};
    void *data = NULL;

    ck_assert_int_eq(yaml_load(path, &schema, &data, &error), RELAIS_OK);
    const struct thing *thing = data;
    static const char *const words[] = {"2A004", "no", "1e3", "0x10", "2026-01-01", "~"};
    ck_assert_str_eq(thing->code, "01004");
    ck_assert_uint_eq(thing->word_count, 6);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_str_eq(thing->words[i], words[i]);
    }
    yaml_free(&schema, data);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_not_found)
{
    relais_error error = {0};
    void *data = NULL;

    ck_assert_int_eq(yaml_load(folder_path("none.yaml"), &schema, &data, &error), RELAIS_NOT_FOUND);
    ck_assert_str_eq(error.field, folder_path("none.yaml"));
}
END_TEST

START_TEST(a_long_path_keeps_its_end_the_line_and_the_key)
{
    char folder[141];
    char name[160];
    relais_error error = {0};
    void *data = NULL;

    memset(folder, 'd', sizeof folder - 1);
    folder[sizeof folder - 1] = '\0';
    (void)snprintf(name, sizeof name, "%s/t.yaml", folder);
    ck_assert_int_eq(mkdir(folder_path(folder), 0700), 0);
    const char *path = folder_write(name, "code: a\ncolour: red\n");
    ck_assert_int_eq(yaml_load(path, &schema, &data, &error), RELAIS_CONFIG_INVALID);
    ck_assert_uint_lt(strlen(error.field), sizeof error.field);
    ck_assert_int_eq(strncmp(error.field, "...", 3), 0);
    ck_assert_ptr_nonnull(strstr(error.field, "/t.yaml:2: colour"));
}
END_TEST

START_TEST(a_rule_of_our_own_gets_the_line_of_its_key)
{
    const char *path = folder_write(
        "t.yaml", "code: a\nparts:\n  - name: x\n  - name: y\n    roles:\n      - send\n");
    static const struct {
        const char *key;
        const char *place;
    } keys[] = {{"code", ":1: code"},
                {"parts[1].roles[0]", ":6: parts[1].roles[0]"},
                {"parts[1].gone", ":4: parts[1].gone"},
                {"parts[7].name", ":3: parts[7].name"},
                {"other", ":1: other"}};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        relais_error error = {0};
        char place[200];

        (void)snprintf(error.field, sizeof error.field, "%s", keys[i].key);
        yaml_name_line(path, &error);
        (void)snprintf(place, sizeof place, "%s%s", path, keys[i].place);
        ck_assert_str_eq(error.field, place);
    }
}
END_TEST

static const char *const texts[] = {
    "plain",     "01004", "2A004",     "yes",          "No",          "null",       "~",
    "-",         "a: b",  "a #b",      "#a",           "d'état",      "\"q\"",      "a\nb",
    "tab\there", "é",     "tcp://a:1", "kind:commune", "1.5",         "2026-11-24", "[a]",
    "{a}",       "*",     "&a",        "!t",           "|",           "> x",        "@a",
    "`a",        " a",    "a ",        "a\\b",         "a\\x41\x01b", "%",          "?",
    "? a",       "a:",    "/x/y",      "- a",          "=",
};

START_TEST(any_text_reads_back_as_it_was_saved)
{
    char *words[30];
    struct part parts[2] = {{.name = (char[]){"un"}, .roles = 3}, {.name = (char[]){"deux"}}};
    struct thing thing = {.code = strdup(texts[_i]),
                          .number = 7,
                          .flag = true,
                          .kind = KIND_TWO,
                          .words = words,
                          .word_count = 30,
                          .parts = parts,
                          .part_count = 2};
    relais_error error = {0};
    void *data = NULL;

    for (size_t i = 0; i < 30; i++) {
        words[i] = strdup(texts[((size_t)_i + i) % (sizeof texts / sizeof texts[0])]);
    }
    const char *path = folder_path("t.yaml");
    ck_assert_int_eq(yaml_save(path, "# heading\n", &schema, &thing, &error), RELAIS_OK);
    if (yaml_load(path, &schema, &data, &error) != RELAIS_OK) {
        ck_abort_msg("%s: %s", error.field, error.wrong);
    }
    const struct thing *back = data;
    ck_assert_str_eq(back->code, thing.code);
    ck_assert_uint_eq(back->number, 7);
    ck_assert(back->flag);
    ck_assert_int_eq(back->kind, KIND_TWO);
    ck_assert_uint_eq(back->word_count, 30);
    for (size_t i = 0; i < 30; i++) {
        ck_assert_str_eq(back->words[i], words[i]);
        free(words[i]);
    }
    ck_assert_uint_eq(back->part_count, 2);
    ck_assert_uint_eq(back->parts[0].roles, 3);
    ck_assert_uint_eq(back->parts[1].roles, 0);
    ck_assert_str_eq(back->parts[1].name, "deux");
    yaml_free(&schema, data);
    free(thing.code);
}
END_TEST

START_TEST(what_has_no_value_is_left_out)
{
    struct thing thing = {.code = (char[]){"é"}};
    FILE *file = NULL;
    char got[100] = "";

    ck_assert_int_eq(yaml_save(folder_path("t.yaml"), NULL, &schema, &thing, NULL), RELAIS_OK);
    file = fopen(folder_path("t.yaml"), "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_gt(fread(got, 1, sizeof got - 1, file), 0);
    (void)fclose(file);
    ck_assert_str_eq(got, "code: 'é'\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("yaml");
    TCase *cases = tcase_create("files");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, folder_init, folder_fini);
    tcase_add_loop_test(cases, every_problem_has_its_line_its_key_and_what_would_do, 0,
                        (int)(sizeof wrong_files / sizeof wrong_files[0]));
    tcase_add_loop_test(cases, what_is_not_yaml_has_its_line, 0,
                        (int)(sizeof not_yaml / sizeof not_yaml[0]));
    tcase_add_test(cases, codes_stay_text);
    tcase_add_test(cases, a_file_that_is_not_there_is_not_found);
    tcase_add_test(cases, a_long_path_keeps_its_end_the_line_and_the_key);
    tcase_add_test(cases, a_rule_of_our_own_gets_the_line_of_its_key);
    tcase_add_loop_test(cases, any_text_reads_back_as_it_was_saved, 0,
                        (int)(sizeof texts / sizeof texts[0]));
    tcase_add_test(cases, what_has_no_value_is_left_out);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
