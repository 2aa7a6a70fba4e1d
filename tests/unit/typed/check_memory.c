/* SPDX-License-Identifier: EUPL-1.2
 *
 * Each allocation of the room fails once (linked with --wrap): a conversion says that there is no
 * memory, or gives the same result; it never ends well with less. Leaks are the sanitizer's to
 * find.
 */
#include "tests/unit/typed/conversion.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);

static size_t asked;
static size_t failing; /* 0: none */

static bool fails(void)
{
    return ++asked == failing;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

#define CSV                                                                                        \
    "nomprenom;sexe;datenaiss;lieunaiss;commnaiss;paysnaiss;datedeces;lieudeces;actedeces;plus\n"  \
    "X*Y/;1;19310223;06088;\"NICE\";;20260301;76540;1;kept\n"                                      \
    "X*Y/;2;19310223;06088;NICE;;20260301;76540;1;\"also\"\r\n"
#define FIXED                                                                                      \
    "X*Y/                                                        "                                 \
    "                    11931022306088NICE                      "                                 \
    "                                  20260301765401        "                                     \
    "\r\n"
#define XML                                                                                        \
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><!-- a --><RecensementCitoyen a=\"b\">"        \
    "<Personne><Civilite/><NomFamille>\xC9</NomFamille><DateNaissance>01/02/2010</DateNaissance>"  \
    "<LieuNaissance><Code>A</Code></LieuNaissance><LieuNaissance><x/></LieuNaissance>"             \
    "</Personne></RecensementCitoyen>"
#define SIGNED                                                                                     \
    "<InsermCertificatAdministrative><DateDeces><Date>2019-03-27</Date></DateDeces>"               \
    "<Defunt><Nom>X</Nom></Defunt><Signature/></InsermCertificatAdministrative>"

static const struct {
    const char *from;
    const char *through;
    const char *data;
} files[] = {
    {"insee-deces-csv", "jsonl", CSV},         {"insee-deces-csv", "protobuf", CSV},
    {"recensement-xml", "jsonl", XML},         {"recensement-xml", "protobuf", XML},
    {"certdc-xml", "protobuf", SIGNED},        {"insee-deces", "jsonl", FIXED},
    {"insee-deces", "insee-deces-csv", FIXED},
};

enum { FILE_COUNT = sizeof(files) / sizeof(files[0]) };

/* Fails each allocation of this conversion in turn. */
static void fail_each(const struct convert_options *options, const char *data, size_t size)
{
    struct conversion whole;
    failing = 0;
    conversion_run(&whole, options, data, size, 0);
    ck_assert_int_eq(whole.status, RELAIS_OK);
    size_t refused = 0;
    for (size_t n = 1;; n++) {
        struct conversion conversion;
        asked = 0;
        failing = n;
        conversion_run(&conversion, options, data, size, 0);
        bool reached = asked >= n;
        failing = 0;
        if (conversion.status == RELAIS_OK) {
            ck_assert_str_eq(conversion.out.data, whole.out.data);
        } else {
            ck_assert_msg(conversion.status == RELAIS_NO_MEMORY ||
                              conversion.status == RELAIS_FIELD_INVALID,
                          "allocation %zu: %d", n, (int)conversion.status);
            refused++;
        }
        conversion_fini(&conversion);
        if (!reached) {
            break;
        }
    }
    ck_assert_uint_gt(refused, 10);
    conversion_fini(&whole);
}

START_TEST(each_allocation_fails_once)
{
    const struct convert_options there = {.from = files[_i].from, .to = files[_i].through};
    const struct convert_options back = {.from = files[_i].through, .to = files[_i].from};
    struct conversion items;
    failing = 0;
    conversion_run(&items, &there, files[_i].data, strlen(files[_i].data), 0);
    ck_assert_int_eq(items.status, RELAIS_OK);
    fail_each(&there, files[_i].data, strlen(files[_i].data));
    fail_each(&back, items.out.data, items.out.size);
    conversion_fini(&items);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, each_allocation_fails_once, 0, FILE_COUNT);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
