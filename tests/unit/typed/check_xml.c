/* SPDX-License-Identifier: EUPL-1.2
 *
 * XML: hostile documents are refused at once, what is wrong is told with its place, what is kept
 * comes back in its place, a signed document to the byte.
 */
#include "tests/unit/typed/conversion.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEAD   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define PERSON "<NomFamille>NULLEPART</NomFamille><DateNaissance>01/02/2010</DateNaissance>"
#define CENSUS(inside)                                                                             \
    HEAD "<RecensementCitoyen>\n<Personne>" inside "</Personne>\n</RecensementCitoyen>\n"

struct refused {
    const char *data;
    const char *code;
    uint64_t line;
};

static const struct refused refused[] = {
    {HEAD "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<r>&x;</r>", "xml.doctype", 2},
    {HEAD "<!DOCTYPE r SYSTEM \"http://127.0.0.1:1/x.dtd\"><r/>", "xml.doctype", 2},
    {HEAD "<!DOCTYPE r [<!ENTITY % p SYSTEM \"file:///etc/passwd\"> %p;]><r/>", "xml.doctype", 2},
    {HEAD "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;\">]>"
          "<l>&c;</l>",
     "xml.doctype", 2},
    {HEAD "<RecensementCitoyen>&unknown;</RecensementCitoyen>", "xml", 2},
    {HEAD "<RecensementCitoyen>\n<a></b></RecensementCitoyen>", "xml", 3},
    {HEAD "<RecensementCitoyen>", "xml", 2},
    {HEAD "<RecensementCitoyen/><again/>", "xml", 2},
    {HEAD "<a x='1' x='2'/>", "xml", 2},
    {"text", "xml", 1},
    {"", "empty", 0},
    {"<?xml version=\"1.1\"?><RecensementCitoyen/>", "xml", 1},
    {"<?xml version=\"1.0\" encoding=\"UTF-7\"?><RecensementCitoyen/>", "encoding.name", 1},
    {"<?xml version=\"1.0\" encoding=\"UTF-16\"?><RecensementCitoyen/>", "encoding.name", 1},
    {"\xFF\xFE<\0", "encoding.name", 1},
    {"\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", "encoding.name", 1},
    {HEAD "<RecensementCitoyen>\n\xE9</RecensementCitoyen>", "encoding", 3},
    {"<?xml version=\"1.0\" encoding=\"Windows-1252\"?>\n<a>\x81</a>", "encoding", 2},
    {HEAD "<Autre/>", "xml.root", 2},
    {CENSUS(PERSON "text"), "xml.mixed", 3},
    {CENSUS(PERSON "<PaysNaissance>F<b/>RA</PaysNaissance>"), "xml.mixed", 3},
    {CENSUS(PERSON "<NomFamille>AUTRE</NomFamille>"), "xml.twice", 3},
    {CENSUS("<NomFamille>NULLEPART</NomFamille>"), "required", 3},
    {CENSUS("<NomFamille>NULLEPART</NomFamille><DateNaissance>2010-02-01</DateNaissance>"), "date",
     3},
    {CENSUS(PERSON "<SituationFamille>\n<NombreEnfants>02</NombreEnfants></SituationFamille>"),
     "number", 4},
};

START_TEST(each_refused)
{
    const struct convert_options options = {.from = "recensement-xml", .to = "jsonl"};
    const struct refused *one = &refused[_i];
    struct conversion conversion;
    conversion_run(&conversion, &options, one->data, strlen(one->data), 0);
    const struct complaint *complaint = conversion_complaint(&conversion, one->code);
    ck_assert_msg(complaint != NULL, "%d: %s is not told", _i, one->code);
    ck_assert_uint_eq(complaint->line, one->line);
    ck_assert_int_eq(conversion.status, RELAIS_FIELD_INVALID);
    conversion_fini(&conversion);
}
END_TEST

static void refuse_large(const char *open, const char *close, size_t times)
{
    const struct convert_options options = {.from = "recensement-xml", .to = "jsonl"};
    struct text data;
    struct conversion conversion;
    text_init(&data, 64 * 1024 * 1024);
    text_string(&data, HEAD "<RecensementCitoyen>");
    for (size_t i = 0; i < times; i++) {
        text_string(&data, open);
    }
    for (size_t i = 0; i < times; i++) {
        text_string(&data, close);
    }
    text_string(&data, "</RecensementCitoyen>");
    conversion_run(&conversion, &options, data.data, data.size, 4096);
    ck_assert_int_eq(conversion.status, RELAIS_FIELD_INVALID);
    ck_assert_ptr_nonnull(conversion_complaint(&conversion, "xml.too-large"));
    conversion_fini(&conversion);
    text_fini(&data);
}

START_TEST(what_is_too_large)
{
    refuse_large("<a>", "</a>", 100 * 1000);                 /* depth */
    refuse_large("<a/>", "", 150 * 1000);                    /* elements */
    refuse_large("0123456789abcdef", "", 5000);              /* one text */
    refuse_large("<a>0123456789abcdef</a>", "", 200 * 1000); /* bytes */
    struct text attributes;
    text_init(&attributes, 1024 * 1024);
    text_string(&attributes, "<a");
    for (int i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof(name), " a%d='x'", i);
        text_string(&attributes, name);
    }
    text_string(&attributes, "/>");
    refuse_large(attributes.data, "", 1);
    text_fini(&attributes);
}
END_TEST

/* To items and back; gives the document and the items that it makes again, which must be the same.
 */
static void there_and_back(const char *format, const char *data, struct conversion *back)
{
    const struct convert_options there = {.from = format, .to = "jsonl"};
    const struct convert_options home = {.from = "jsonl", .to = format};
    struct conversion items;
    struct conversion again;
    conversion_run(&items, &there, data, strlen(data), 0);
    ck_assert_msg(items.status == RELAIS_OK, "%s",
                  items.complaint_count > 0 ? complaint_code(items.complaints[0].rule) : "");
    conversion_run(back, &home, items.out.data, items.out.size, 0);
    ck_assert_msg(back->status == RELAIS_OK, "%s",
                  back->complaint_count > 0 ? complaint_code(back->complaints[0].rule) : "");
    conversion_run(&again, &there, back->out.data, back->out.size, 0);
    ck_assert_str_eq(items.out.data, again.out.data);
    conversion_fini(&items);
    conversion_fini(&again);
}

START_TEST(what_is_kept_comes_back_in_its_place)
{
    static const char data[] =
        HEAD "<!-- before --><?go on?>\n"
             "<RecensementCitoyen xmlns:x=\"urn:x\" a=\"&lt;&#10;&quot;\">\n"
             "<!-- first -->\n<x:autre b='1'>mixed <i>text</i> &amp; more</x:autre>\n"
             "<Personne><Civilite/><Sexe>1</Sexe><!-- in --><NomFamille>L&apos;HERITIER &lt;&#233;"
             "</NomFamille><![CDATA[]]><Plus/><DateNaissance>01/02/2010</DateNaissance>"
             "<LieuNaissance><Code>A</Code><x/></LieuNaissance>"
             "<LieuNaissance><y/><Nom><![CDATA[B & C]]></Nom></LieuNaissance>"
             "<AdresseDomicile/></Personne>"
             "<FiliationPere><NomFamille lang='fr'>X</NomFamille></FiliationPere>\n"
             "</RecensementCitoyen>\n<!-- behind -->\n";
    static const char expected[] =
        HEAD "<!-- before -->\n<?go on?>\n"
             "<RecensementCitoyen xmlns:x=\"urn:x\" a=\"&lt;&#10;&quot;\">\n"
             "\t<!-- first -->\n\t<x:autre b=\"1\">mixed <i>text</i> &amp; more</x:autre>\n"
             "\t<Personne>\n\t\t<Civilite/>\n\t\t<Sexe>1</Sexe>\n\t\t<!-- in -->\n"
             "\t\t<NomFamille>L'HERITIER &lt;\xC3\xA9</NomFamille>\n\t\t<Plus/>\n"
             "\t\t<DateNaissance>01/02/2010</DateNaissance>\n"
             "\t\t<LieuNaissance>\n\t\t\t<Code>A</Code>\n\t\t\t<x/>\n\t\t</LieuNaissance>\n"
             "\t\t<LieuNaissance>\n\t\t\t<y/>\n\t\t\t<Nom>B &amp; C</Nom>\n\t\t</LieuNaissance>\n"
             "\t\t<AdresseDomicile/>\n\t</Personne>\n"
             "\t<FiliationPere>\n\t\t<NomFamille lang=\"fr\">X</NomFamille>\n\t</FiliationPere>\n"
             "</RecensementCitoyen>\n<!-- behind -->\n";
    struct conversion back;
    there_and_back("recensement-xml", data, &back);
    ck_assert_str_eq(back.out.data, expected);
    conversion_fini(&back);
}
END_TEST

START_TEST(encodings_come_back)
{
    static const char *const names[] = {"ISO-8859-1", "ISO-8859-15", "Windows-1252"};
    static const char *const euros[] = {"&#8364;", "\xA4", "\x80"};
    for (size_t i = 0; i < 3; i++) {
        char data[512];
        snprintf(data, sizeof(data),
                 "<?xml version=\"1.0\" encoding=\"%s\"?>\n<RecensementCitoyen>\n\t<Personne>\n"
                 "\t\t<NomFamille>\xC9T\xC9 %s</NomFamille>\n\t\t<plus>%s</plus>\n"
                 "\t\t<DateNaissance>01/02/2010</DateNaissance>\n"
                 "\t</Personne>\n</RecensementCitoyen>\n",
                 names[i], euros[i], euros[i]);
        struct conversion back;
        there_and_back("recensement-xml", data, &back);
        ck_assert_str_eq(back.out.data, data);
        conversion_fini(&back);
    }
}
END_TEST

#define SIGNED                                                                                     \
    "<?xml version='1.0' encoding='ISO-8859-1'?><InsermCertificatAdministrative  version='1'>\r\n" \
    "<DateDeces><Date>2019-03-27</Date></DateDeces><Defunt><Nom>\xC9T\xC9</Nom></Defunt>"          \
    "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:SignedInfo/></ds:Signature>"  \
    "</InsermCertificatAdministrative>"

/* xml_writer.c, 2 */
START_TEST(a_signed_document_comes_back_to_the_byte_or_not_at_all)
{
    const struct convert_options there = {.from = "certdc-xml", .to = "jsonl"};
    const struct convert_options home = {.from = "jsonl", .to = "certdc-xml"};
    struct conversion items;
    struct conversion back;
    conversion_run(&items, &there, SIGNED, strlen(SIGNED), 0);
    ck_assert_int_eq(items.status, RELAIS_OK);
    ck_assert_ptr_nonnull(conversion_complaint(&items, "xml.signed"));
    conversion_run(&back, &home, items.out.data, items.out.size, 0);
    ck_assert_int_eq(back.status, RELAIS_OK);
    ck_assert_str_eq(back.out.data, SIGNED);
    conversion_fini(&back);

    char *day = strstr(items.out.data, "\"day\":27");
    ck_assert_ptr_nonnull(day);
    day[7] = '8';
    conversion_run(&back, &home, items.out.data, items.out.size, 0);
    ck_assert_int_eq(back.status, RELAIS_FIELD_INVALID);
    ck_assert_ptr_nonnull(conversion_complaint(&back, "xml.signed-changed"));
    ck_assert_uint_eq(back.out.size, 0);
    conversion_fini(&back);
    conversion_fini(&items);
}
END_TEST

/* xml_writer.c, 1: what others put into `kept` cannot become more than it is. */
START_TEST(what_is_kept_cannot_say_something_else)
{
    static const char *const kept[] = {
        "</Personne><Personne>", "<a>", "text",  "<!--", "<Sexe>2</Sexe>", "<a/><b/>", "&x;",
        "<!DOCTYPE a>",          "",    " <a/>",
    };
    const struct convert_options home = {.from = "jsonl", .to = "recensement-xml"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        char items[1024];
        struct conversion back;
        snprintf(
            items, sizeof(items),
            "{\"form\":{\"format\":\"recensement-xml\"}}\n"
            "{\"census_entry\":{\"person\":{\"family_name\":\"X\",\"birth_date\":{\"year\":2010,"
            "\"month\":1,\"day\":2}}},\"kept\":[{\"name\":\"Personne\",\"position\":0,"
            "\"value\":\"%s\"}]}\n{\"end\":{\"records\":1}}\n",
            kept[i]);
        conversion_run(&back, &home, items, strlen(items), 0);
        ck_assert_msg(back.status == RELAIS_FIELD_INVALID && back.out.size == 0, "%s passes",
                      kept[i]);
        conversion_fini(&back);
    }
}
END_TEST

START_TEST(nothing_without_a_place_is_left_out)
{
    static const char items[] =
        "{\"form\":{\"format\":\"recensement-xml\"}}\n"
        "{\"census_entry\":{\"person\":{\"family_name\":\"X\",\"birth_date\":{\"year\":2010,"
        "\"month\":"
        "1,\"day\":2},\"home\":{\"building\":\"B\"}}}}\n{\"end\":{\"records\":1}}\n";
    const struct convert_options home = {.from = "jsonl", .to = "recensement-xml"};
    struct conversion back;
    conversion_run(&back, &home, items, sizeof(items) - 1, 0);
    ck_assert_int_eq(back.status, RELAIS_FIELD_INVALID);
    ck_assert_str_eq(conversion_complaint(&back, "target.no-place")->field, "building");
    conversion_fini(&back);
}
END_TEST

START_TEST(another_order_is_told)
{
    static const char data[] =
        CENSUS("<DateNaissance>01/02/2010</DateNaissance><NomFamille>X</NomFamille>");
    const struct convert_options there = {.from = "recensement-xml", .to = "jsonl"};
    struct conversion items;
    conversion_run(&items, &there, data, sizeof(data) - 1, 0);
    ck_assert_int_eq(items.status, RELAIS_OK);
    ck_assert_str_eq(conversion_complaint(&items, "xml.order")->field, "Personne/NomFamille");
    conversion_fini(&items);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("xml");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 30);
    tcase_add_loop_test(all, each_refused, 0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(all, what_is_too_large);
    tcase_add_test(all, what_is_kept_comes_back_in_its_place);
    tcase_add_test(all, encodings_come_back);
    tcase_add_test(all, a_signed_document_comes_back_to_the_byte_or_not_at_all);
    tcase_add_test(all, what_is_kept_cannot_say_something_else);
    tcase_add_test(all, nothing_without_a_place_is_left_out);
    tcase_add_test(all, another_order_is_told);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
