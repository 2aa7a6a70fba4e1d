/* SPDX-License-Identifier: EUPL-1.2
 *
 * Values: what each kind reads, refuses, and why; what is read prints the same (kind.h, 1).
 */
#include "typed/kind.h"

#include "typed/encoding.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct example {
    enum kind kind;
    const char *text;
    enum rule error;
    enum rule warning;
};

static const struct example examples[] = {
    {KIND_DATE_COMPACT, "19310223", RULE_NONE, RULE_NONE},
    {KIND_DATE_COMPACT, "19310200", RULE_NONE, RULE_NONE},
    {KIND_DATE_COMPACT, "19310000", RULE_NONE, RULE_NONE},
    {KIND_DATE_COMPACT, "00000000", RULE_NONE, RULE_NONE},
    {KIND_DATE_COMPACT, "20000229", RULE_NONE, RULE_NONE},
    {KIND_DATE_COMPACT, "19000229", RULE_DATE_DAY, RULE_NONE},
    {KIND_DATE_COMPACT, "19310231", RULE_DATE_DAY, RULE_NONE},
    {KIND_DATE_COMPACT, "19310431", RULE_DATE_DAY, RULE_NONE},
    {KIND_DATE_COMPACT, "19311301", RULE_DATE_MONTH, RULE_NONE},
    {KIND_DATE_COMPACT, "19310001", RULE_DATE_MONTH, RULE_NONE},
    {KIND_DATE_COMPACT, "17991231", RULE_DATE_YEAR, RULE_NONE},
    {KIND_DATE_COMPACT, "1931023", RULE_DATE, RULE_NONE},
    {KIND_DATE_COMPACT, "1931-2-3", RULE_DATE, RULE_NONE},
    {KIND_DATE_ISO, "1931-02-23", RULE_NONE, RULE_NONE},
    {KIND_DATE_ISO, "1931-00-00", RULE_DATE_MONTH, RULE_NONE},
    {KIND_DATE_ISO, "1931-02-00", RULE_DATE_DAY, RULE_NONE},
    {KIND_DATE_SLASH, "23/02/1931", RULE_NONE, RULE_NONE},
    {KIND_DATE_SLASH, "00/00/1931", RULE_NONE, RULE_NONE},
    {KIND_DATE_SLASH, "23-02-1931", RULE_DATE, RULE_NONE},
    {KIND_DATE_DASH, "23-02-1931", RULE_NONE, RULE_NONE},
    {KIND_TIME, "23:59:60", RULE_NONE, RULE_NONE},
    {KIND_TIME, "24:00:00", RULE_TIME, RULE_NONE},
    {KIND_TIMESTAMP, "2019-03-27T16:22:59", RULE_NONE, RULE_NONE},
    {KIND_TIMESTAMP, "2019-03-27T16:22:59.123Z", RULE_NONE, RULE_NONE},
    {KIND_TIMESTAMP, "2019-03-27T16:22:59+01:00", RULE_NONE, RULE_NONE},
    {KIND_TIMESTAMP, "2019-03-27T16:22:59.", RULE_TIME, RULE_NONE},
    {KIND_TIMESTAMP, "2019-03-27T16:22:59.1234567890123456", RULE_TIME, RULE_NONE},
    {KIND_TIMESTAMP, "2019-03-27 16:22:59", RULE_TIME, RULE_NONE},
    {KIND_TIMESTAMP, "2019-02-29T16:22:59", RULE_DATE_DAY, RULE_NONE},
    {KIND_COMMUNE, "01004", RULE_NONE, RULE_NONE},
    {KIND_COMMUNE, "2A004", RULE_NONE, RULE_NONE},
    {KIND_COMMUNE, "2B033", RULE_NONE, RULE_NONE},
    {KIND_COMMUNE, "20004", RULE_NONE, RULE_NONE}, /* Corsica before 1976 */
    {KIND_COMMUNE, "97411", RULE_NONE, RULE_NONE},
    {KIND_COMMUNE, "98818", RULE_NONE, RULE_NONE},
    {KIND_COMMUNE, "97008", RULE_COMMUNE, RULE_NONE},
    {KIND_COMMUNE, "98001", RULE_COMMUNE, RULE_NONE},
    {KIND_COMMUNE, "92352", RULE_NONE, RULE_NONE}, /* Algeria before 1962 */
    {KIND_COMMUNE, "99100", RULE_NONE, RULE_NONE},
    {KIND_COMMUNE, "75056", RULE_NONE, RULE_NONE},
    {KIND_COMMUNE, "76000", RULE_NONE, RULE_COMMUNE_UNKNOWN},
    {KIND_COMMUNE, "00123", RULE_COMMUNE, RULE_NONE},
    {KIND_COMMUNE, "2C004", RULE_COMMUNE, RULE_NONE},
    {KIND_COMMUNE, "2a004", RULE_COMMUNE, RULE_NONE},
    {KIND_COMMUNE, "1004", RULE_COMMUNE, RULE_NONE},
    {KIND_POSTAL_CODE, "06000", RULE_NONE, RULE_NONE},
    {KIND_POSTAL_CODE, "6000", RULE_POSTAL_CODE, RULE_NONE},
    {KIND_COUNTRY, "FRA", RULE_NONE, RULE_NONE},
    {KIND_COUNTRY, "FR", RULE_COUNTRY, RULE_NONE},
    {KIND_NIR, "261058905200111", RULE_NONE, RULE_NONE},
    {KIND_NIR, "261058905200112", RULE_NIR_KEY, RULE_NONE},
    {KIND_NIR, "2610589052001", RULE_NIR, RULE_NONE},
    {KIND_NIR, "961058905200111", RULE_NIR, RULE_NONE},
    {KIND_NIR, "000000000000000", RULE_NIR, RULE_NONE},
    {KIND_EMAIL, "personne@exemple.invalid", RULE_NONE, RULE_NONE},
    {KIND_EMAIL, "personne", RULE_EMAIL, RULE_NONE},
    {KIND_EMAIL, "a@b@c", RULE_EMAIL, RULE_NONE},
    {KIND_EMAIL, "a b@c.fr", RULE_EMAIL, RULE_NONE},
    {KIND_PHONE, "+33 1 23 45 67 89", RULE_NONE, RULE_NONE},
    {KIND_PHONE, "01.23.45.67.89", RULE_NONE, RULE_NONE},
    {KIND_PHONE, "none", RULE_PHONE, RULE_NONE},
    {KIND_COUNT, "0", RULE_NONE, RULE_NONE},
    {KIND_COUNT, "12", RULE_NONE, RULE_NONE},
    {KIND_COUNT, "012", RULE_NUMBER, RULE_NONE},
    {KIND_COUNT, "-1", RULE_NUMBER, RULE_NONE},
    {KIND_SEX_DIGIT, "2", RULE_NONE, RULE_NONE},
    {KIND_SEX_DIGIT, "F", RULE_CODE, RULE_NONE},
    {KIND_SEX_WORD, "Feminin", RULE_NONE, RULE_NONE},
    {KIND_TITLE_SHORT, "MME", RULE_NONE, RULE_NONE},
    {KIND_TITLE_SHORT, "Mme", RULE_CODE, RULE_NONE},
    {KIND_ANSWER, "true", RULE_NONE, RULE_NONE},
    {KIND_ANSWER, "1", RULE_CODE, RULE_NONE},
    {KIND_LINE, "D'AUCUNE-PART", RULE_NONE, RULE_NONE},
    {KIND_LINE, " X", RULE_NONE, RULE_BLANKS},
    {KIND_LINE, "a\nb", RULE_CONTROL, RULE_NONE},
    {KIND_TEXT, "a\nb", RULE_NONE, RULE_NONE},
    {KIND_TEXT, "a\x1b[2J", RULE_CONTROL, RULE_NONE},
    {KIND_TEXT, "a\xc2\x9b", RULE_CONTROL, RULE_NONE},
    {KIND_INSEE_NAME, "NULLEPART*HYPOTHESE/", RULE_NONE, RULE_NONE},
    {KIND_INSEE_NAME, "NULLEPART*/", RULE_NONE, RULE_NONE},
    {KIND_INSEE_NAME, "NULLEPART HYPOTHESE/", RULE_INSEE_NAME, RULE_NONE},
    {KIND_INSEE_NAME, "NULLEPART*HYPOTHESE", RULE_INSEE_NAME, RULE_NONE},
    {KIND_INSEE_NAME, "NULLE/PART*HYPOTHESE/", RULE_INSEE_NAME, RULE_NONE},
    {KIND_INSEE_NAME, "A*B*C/", RULE_INSEE_NAME, RULE_NONE},
};

enum { EXAMPLE_COUNT = sizeof(examples) / sizeof(examples[0]) };

START_TEST(each_example)
{
    const struct example *example = &examples[_i];
    const struct bounds bounds = {.width = example->kind == KIND_INSEE_NAME ? 80 : 0};
    struct value value = {0};
    struct verdict verdict =
        kind_read(example->kind, example->text, strlen(example->text), &bounds, &value);
    ck_assert_msg(verdict.error == example->error && verdict.warning == example->warning,
                  "%d \"%s\": %s, %s", (int)example->kind, example->text,
                  complaint_code(verdict.error), complaint_code(verdict.warning));
    if (verdict.error == RULE_NONE && !kind_is_text(example->kind) &&
        example->kind != KIND_INSEE_NAME) {
        char printed[KIND_PRINT_BYTES];
        ck_assert_str_eq(kind_print(example->kind, &value, printed), example->text);
    }
}
END_TEST

START_TEST(specimens_pass_when_they_are_asked_for)
{
    const struct bounds bounds = {.specimens = true};
    struct value value = {0};
    ck_assert_int_eq(kind_read(KIND_DATE_COMPACT, "19310231", 8, &bounds, &value).warning,
                     RULE_SPECIMEN);
    ck_assert_int_eq(kind_read(KIND_DATE_COMPACT, "19310232", 8, &bounds, &value).error,
                     RULE_DATE_DAY);
    ck_assert_int_eq(kind_read(KIND_DATE_COMPACT, "19310431", 8, &bounds, &value).error,
                     RULE_DATE_DAY);
    ck_assert_int_eq(kind_read(KIND_NIR, "000000000000000", 15, &bounds, &value).warning,
                     RULE_SPECIMEN);
    ck_assert_int_eq(kind_read(KIND_NIR, "261058905200112", 15, &bounds, &value).warning,
                     RULE_SPECIMEN);
    ck_assert_int_eq(kind_read(KIND_NIR, "261138905200112", 15, &bounds, &value).error, RULE_NIR);
}
END_TEST

/* The key as the law has it, counted here with whole numbers of Corsica. */
START_TEST(nir_of_corsica)
{
    struct {
        const char *body;
        const char *digits;
    } const bodies[] = {{"199052A004001", "1990519004001"}, {"299052B033123", "2990518033123"}};
    for (size_t i = 0; i < 2; i++) {
        uint64_t number = strtoull(bodies[i].digits, NULL, 10);
        const struct bounds bounds = {0};
        struct value value = {0};
        for (uint64_t key = 1; key <= 97; key++) {
            char text[16];
            snprintf(text, sizeof(text), "%s%02u", bodies[i].body, (unsigned)key);
            bool right = key == 97 - number % 97;
            ck_assert_int_eq(kind_read(KIND_NIR, text, 15, &bounds, &value).error,
                             right ? RULE_NONE : RULE_NIR_KEY);
        }
    }
}
END_TEST

START_TEST(a_nul_is_a_control_character_everywhere)
{
    const struct bounds bounds = {0};
    struct value value = {0};
    for (int kind = KIND_TEXT; kind <= KIND_TIMESTAMP; kind++) {
        ck_assert_int_eq(kind_read((enum kind)kind, "1\0002", 3, &bounds, &value).error,
                         RULE_CONTROL);
    }
}
END_TEST

START_TEST(lengths_are_characters)
{
    const struct bounds bounds = {.width = 3};
    struct value value = {0};
    ck_assert_int_eq(kind_read(KIND_LINE, "\xc3\xa9\xc3\xa9\xc3\xa9", 6, &bounds, &value).error,
                     RULE_NONE);
    ck_assert_int_eq(kind_read(KIND_LINE, "abcd", 4, &bounds, &value).error, RULE_TOO_LONG);
}
END_TEST

START_TEST(formulas)
{
    static const char *const yes[] = {"=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd", "\t=1"};
    static const char *const no[] = {"-12", "+33 1 23", "-", "D'AUCUNE-PART", "1=1"};
    for (size_t i = 0; i < 5; i++) {
        ck_assert_msg(kind_looks_like_formula(yes[i], strlen(yes[i])), "%s", yes[i]);
        ck_assert_msg(!kind_looks_like_formula(no[i], strlen(no[i])), "%s", no[i]);
    }
}
END_TEST

/* encoding.h, 1: every byte of every alphabet comes back, or is refused. */
START_TEST(every_byte_comes_back)
{
    size_t refused = 0;
    for (int encoding = ENCODING_ISO_8859_1; encoding < ENCODING_COUNT; encoding++) {
        for (int byte = 0; byte < 256; byte++) {
            const char in = (char)byte;
            struct text utf8;
            struct text back;
            size_t bad = 0;
            text_init(&utf8, 16);
            text_init(&back, 16);
            if (!encoding_decode((enum encoding)encoding, &in, 1, &utf8, &bad)) {
                refused++;
            } else {
                ck_assert(
                    encoding_encode((enum encoding)encoding, utf8.data, utf8.size, &back, &bad));
                ck_assert_uint_eq(back.size, 1);
                ck_assert_int_eq(back.data[0], in);
            }
            text_fini(&utf8);
            text_fini(&back);
        }
    }
    ck_assert_uint_eq(refused, 5); /* windows-1252: 81 8D 8F 90 9D */
}
END_TEST

START_TEST(utf8_that_is_none)
{
    static const char *const bad[] = {"\x80",         "\xc0\x80",         "\xc3", "\xe0\x80\x80",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct text out;
        size_t at = 9;
        text_init(&out, 16);
        ck_assert(!encoding_decode(ENCODING_UTF_8, bad[i], strlen(bad[i]), &out, &at));
        ck_assert_uint_eq(at, 0);
        text_fini(&out);
    }
}
END_TEST

START_TEST(what_a_file_is_in)
{
    bool guessed = true;
    ck_assert_int_eq(encoding_detect("abc\xc3", 4, true, &guessed), ENCODING_UTF_8);
    ck_assert(!guessed);
    ck_assert_int_eq(encoding_detect("abc\xc3", 4, false, &guessed), ENCODING_WINDOWS_1252);
    ck_assert_int_eq(encoding_detect("abc\xe9\n", 5, true, &guessed), ENCODING_WINDOWS_1252);
    ck_assert(guessed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kind");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, each_example, 0, EXAMPLE_COUNT);
    tcase_add_test(all, specimens_pass_when_they_are_asked_for);
    tcase_add_test(all, nir_of_corsica);
    tcase_add_test(all, a_nul_is_a_control_character_everywhere);
    tcase_add_test(all, lengths_are_characters);
    tcase_add_test(all, formulas);
    tcase_add_test(all, every_byte_comes_back);
    tcase_add_test(all, utf8_that_is_none);
    tcase_add_test(all, what_a_file_is_in);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
