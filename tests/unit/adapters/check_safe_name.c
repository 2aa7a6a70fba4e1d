/* SPDX-License-Identifier: EUPL-1.2
 *
 * Names that strangers write: every row of a table of hostile ones.
 */
#include "adapters/files/folder.h"
#include "adapters/files/safe_name.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *from;
    const char *to;
} rows[] = {
    {"dossier.xml", "dossier.xml"},
    {"État civil, acte n° 12.pdf", "État civil, acte n° 12.pdf"},
    {"../../etc/passwd", "_._.._etc_passwd"},
    {"..", "message-id.1"},
    {".", "message-id.1"},
    {"", "message-id.1"},
    {NULL, "message-id.1"},
    {"/etc/shadow", "_etc_shadow"},
    {".bashrc", "_bashrc"},
    {".relais-tmp", "_relais-tmp"},
    {"-rf", "_rf"},
    {"a/b\\c:d*e?f\"g<h>i|j.txt", "a_b_c_d_e_f_g_h_i_j.txt"},
    {"line\nfeed\r\t.txt", "line_feed__.txt"},
    {"bell\a\x1b[31m.txt", "bell__[31m.txt"},
    {"del\x7f.txt", "del_.txt"},
    {"c1\xc2\x85.txt", "c1_.txt"},
    {"gpj\xe2\x80\xae"
     "exe.txt",
     "gpj_exe.txt"},
    {"zero\xe2\x80\x8bwidth", "zero_width"},
    {"bom\xef\xbb\xbf", "bom_"},
    {"tag\xf3\xa0\x81\x81.txt", "tag_.txt"},
    {"ends.", "ends_"},
    {"ends. . ", "ends____"},
    {"con", "_on"},
    {"CON.xml", "_ON.xml"},
    {"nul .txt", "_ul .txt"},
    {"Com7.tar.gz", "_om7.tar.gz"},
    {"lpt0", "_pt0"},
    {"console.txt", "console.txt"},
    {"com10.txt", "com10.txt"},
    {"bad\xff.txt", "message-id.1"},
    {"overlong\xc0\xaf.txt", "message-id.1"},
    {"overlong\xe0\x80\xaf.txt", "message-id.1"},
    {"surrogate\xed\xa0\x80.txt", "message-id.1"},
    {"beyond\xf4\x90\x80\x80.txt", "message-id.1"},
    {"cut\xe2\x82", "message-id.1"},
    {"////", "message-id.1"},
    {"___", "message-id.1"},
};

START_TEST(row_becomes_safe)
{
    char name[SAFE_NAME_BYTES + 1];
    safe_name(rows[_i].from, "id.1", name);
    ck_assert_str_eq(name, rows[_i].to);
}
END_TEST

/* The three rules of safe_name.h, asked for independently of how they were applied. */
static void assert_is_safe(const char *name)
{
    size_t length = strlen(name);
    ck_assert_uint_ge(length, 1);
    ck_assert_uint_le(length, SAFE_NAME_BYTES);
    ck_assert(name[0] != '.' && name[0] != '-');
    ck_assert(name[length - 1] != '.' && name[length - 1] != ' ');
    ck_assert_uint_eq(strcspn(name, "/\\:*?\"<>|\x7f"), length);
    for (size_t i = 0; i < length;) {
        unsigned point = 0;
        size_t bytes = safe_name_character(name + i, &point);
        ck_assert_uint_ge(bytes, 1);
        ck_assert_uint_ge(point, 0x20);
        i += bytes;
    }
}

START_TEST(long_name_keeps_extension_and_whole_characters)
{
    char from[1024] = "";
    char name[SAFE_NAME_BYTES + 1];
    for (int i = 0; i < 200; i++) {
        memcpy(from + strlen(from), "\xc3\xa9", 3);
    }
    memcpy(from + strlen(from), ".xml", 5);
    safe_name(from, "id", name);
    assert_is_safe(name);
    ck_assert_str_eq(name + strlen(name) - 4, ".xml");
    ck_assert_uint_ge(strlen(name), SAFE_NAME_BYTES - 1);
}
END_TEST

START_TEST(any_bytes_become_safe)
{
    unsigned seed = 20261124;
    char from[300];
    char name[SAFE_NAME_BYTES + 1];
    for (int round = 0; round < 20000; round++) {
        size_t length = 0;
        for (size_t i = 0; i < 1 + seed % 290U; i++) {
            seed = seed * 1103515245U + 12345U;
            unsigned char byte = (unsigned char)(seed >> 16);
            from[length++] = (char)(round % 2 ? byte : "./ \xc3\xa9-aA:"[byte % 10]);
        }
        from[length] = '\0';
        safe_name(from, "any", name);
        assert_is_safe(name);
    }
}
END_TEST

START_TEST(hostile_id_makes_a_safe_name)
{
    char name[SAFE_NAME_BYTES + 1];
    char id[129];
    safe_name(NULL, "../..//%00\\", name);
    assert_is_safe(name);
    memset(id, '.', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    safe_name(NULL, id, name);
    assert_is_safe(name);
}
END_TEST

START_TEST(variants_are_different_and_fit)
{
    char name[256];
    char variant[FOLDER_NAME_BYTES + 1];
    folder_variant("a.xml", 0, "0123456789abcdef", variant);
    ck_assert_str_eq(variant, "a.xml");
    folder_variant("a.xml", 3, "0123456789abcdef", variant);
    ck_assert_str_eq(variant, "a-3.xml");
    folder_variant("README", 1, "0123456789abcdef", variant);
    ck_assert_str_eq(variant, "README-1");
    folder_variant("a.xml", FOLDER_TRIES, "0123456789abcdef", variant);
    ck_assert_str_eq(variant, "a-0123456789abcdef-0.xml");
    memset(name, 'x', 255);
    memcpy(name + 251, ".pdf", 5);
    folder_variant(name, 999, "0123456789abcdef", variant);
    ck_assert_uint_le(strlen(variant), FOLDER_PLACED_BYTES);
    ck_assert_str_eq(variant + strlen(variant) - 4, ".pdf");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("safe_name");
    TCase *table = tcase_create("a name from the wire cannot leave the folder");
    tcase_add_loop_test(table, row_becomes_safe, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(table, long_name_keeps_extension_and_whole_characters);
    tcase_add_test(table, any_bytes_become_safe);
    tcase_add_test(table, hostile_id_makes_a_safe_name);
    tcase_add_test(table, variants_are_different_and_fit);
    suite_add_tcase(suite, table);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
