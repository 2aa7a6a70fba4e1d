/* SPDX-License-Identifier: EUPL-1.2
 *
 * INSEE's file of deceased persons: fixed-width text and the CSV of the same columns.
 * Source: insee.fr, « Fichiers des personnes décédées », description of the record.
 */
#include "flows/death.pb-c.h"
#include "typed/date.h"
#include "typed/shape.h"

/* In the order of the positions; the widths make 176 characters. */
static const struct shape shapes[] = {
    {"nomprenom", "family_name", KIND_INSEE_NAME, true, 80, NULL, NULL, 0},
    {NULL, "given_names", KIND_COVERED, false, 0, NULL, NULL, 0},
    {NULL, "name_cut", KIND_COVERED, false, 0, NULL, NULL, 0},
    {"sexe", "sex", KIND_SEX_DIGIT, true, 1, NULL, NULL, 0},
    {"datenaiss", "birth_date", KIND_DATE_COMPACT, true, 8, NULL, NULL, 0},
    {"lieunaiss", "birth_place_code", KIND_COMMUNE, false, 5, NULL, NULL, 0},
    {"commnaiss", "birth_commune", KIND_LINE, false, 30, NULL, NULL, 0},
    {"paysnaiss", "birth_country", KIND_LINE, false, 30, NULL, NULL, 0},
    {"datedeces", "death_date", KIND_DATE_COMPACT, true, 8, NULL, NULL, 0},
    {"lieudeces", "death_place_code", KIND_COMMUNE, false, 5, NULL, NULL, 0},
    {"actedeces", "record_number", KIND_LINE, false, 9, NULL, NULL, 0},
};

static struct date date_of(const Relais__Flows__V1__Date *date)
{
    return (struct date){date->year, date->month, date->day};
}

static void check(const ProtobufCMessage *record, struct checker *checker)
{
    const Relais__Flows__V1__DeathRecord *death = (const Relais__Flows__V1__DeathRecord *)record;
    if (!death->birth_date || !death->death_date) {
        return;
    }
    struct date birth = date_of(death->birth_date);
    struct date end = date_of(death->death_date);
    if (date_is_before(&end, &birth)) {
        checker_tell(checker, RULE_DATE_ORDER,
                     (struct place){.line = checker->line, .field = "datedeces"}, NULL);
    }
}

static const struct document documents[] = {
    {NULL, "death_record", &relais__flows__v1__death_record__descriptor, shapes,
     SHAPE_COUNT(shapes), check},
};

const struct format format_insee_deces = {
    .name = "insee-deces",
    .summary = N_("INSEE, file of deceased persons: fixed-width text"),
    .notation = NOTATION_FIXED,
    .documents = documents,
    .document_count = 1,
    .encoding = ENCODING_UTF_8,
};

const struct format format_insee_deces_csv = {
    .name = "insee-deces-csv",
    .summary = N_("INSEE, file of deceased persons: CSV"),
    .notation = NOTATION_CSV,
    .documents = documents,
    .document_count = 1,
    .encoding = ENCODING_UTF_8,
    .separator = ';',
};
