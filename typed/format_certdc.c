/* SPDX-License-Identifier: EUPL-1.2
 *
 * HubEE flow CERTDC: the declaration of a death and the administrative part of its certificate.
 * Source: HubEE samples, *_DD.xml and *_VA.xml.
 */
#include "flows/certificate.pb-c.h"
#include "typed/date.h"
#include "typed/shape.h"

static const struct shape death_moment[] = {
    {"Date", "date", KIND_DATE_ISO, true, 0, NULL, NULL, 0},
    {"Heure", "time", KIND_TIME, false, 0, NULL, NULL, 0},
};

static const struct shape home[] = {
    {"NumeroRue", "number", KIND_LINE, false, 10, NULL, NULL, 0},
    {"Adresse", "street", KIND_LINE, false, 200, NULL, NULL, 0},
    {"Commune", "town", KIND_LINE, false, 100, NULL, NULL, 0},
    {"CodePostal", "postal_code", KIND_POSTAL_CODE, false, 0, NULL, NULL, 0},
    {"Departement", "department", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Pays", "country", KIND_LINE, false, 100, NULL, NULL, 0},
};

static const struct shape deceased[] = {
    {"Nom", "family_name", KIND_LINE, true, 100, NULL, NULL, 0},
    {"NomJeuneFille", "birth_name", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Prenoms", "given_names", KIND_LINE, false, 200, NULL, NULL, 0},
    {"DateNaissance", "birth_date", KIND_DATE_ISO, false, 0, NULL, NULL, 0},
    {"Sexe", "sex", KIND_SEX_WORD, false, 0, NULL, NULL, 0},
    SHAPE_GROUP("AdresseDomicile", "home", home),
};

static const struct shape signers[] = {
    {"NomDeclarant", "declarant", KIND_LINE, false, 200, NULL, NULL, 0},
    {"NomOfficier", "registrar", KIND_LINE, false, 200, NULL, NULL, 0},
    {"NomMedecin", "doctor", KIND_LINE, false, 200, NULL, NULL, 0},
};

static const struct shape declaration[] = {
    {"@version", "version", KIND_LINE, false, 20, NULL, NULL, 0},
    {"Annee", "year", KIND_DIGITS, false, 4, NULL, NULL, 0},
    {"Ville", "town", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Etablissement", "institution", KIND_LINE, false, 200, NULL, NULL, 0},
    {"CodeFinessEtablissement", "institution_finess", KIND_LINE, false, 9, NULL, NULL, 0},
    {"DateDeces", "death", KIND_GROUP, true, 0, NULL, death_moment, SHAPE_COUNT(death_moment)},
    {"DateRedaction", "written_at", KIND_TIMESTAMP, false, 0, NULL, NULL, 0},
    {"Defunt", "deceased", KIND_GROUP, true, 0, NULL, deceased, SHAPE_COUNT(deceased)},
    SHAPE_GROUP("InformationsValidateurs", "signers", signers),
};

static const struct shape death_place[] = {
    {"Adresse", "street", KIND_LINE, false, 200, NULL, NULL, 0},
    {"Commune", "town", KIND_LINE, false, 100, NULL, NULL, 0},
    {"CodePostal", "postal_code", KIND_POSTAL_CODE, false, 0, NULL, NULL, 0},
};

static const struct shape casketing[] = {
    {"@miseenbiere", "required", KIND_ANSWER, false, 0, NULL, NULL, 0},
    {"CercueilHermetique", "sealed_casket", KIND_ANSWER, false, 0, NULL, NULL, 0},
    {"CercueilSimple", "plain_casket", KIND_ANSWER, false, 0, NULL, NULL, 0},
};

static const struct shape funeral[] = {
    {"ObstacleMedicoLegal", "forensic_obstacle", KIND_ANSWER, false, 0, NULL, NULL, 0},
    SHAPE_GROUP("MiseEnBiereImmediate", "casketing", casketing),
    {"ObstacleSoinsConservation", "care_obstacle", KIND_ANSWER, false, 0, NULL, NULL, 0},
    {"ObstacleDonCorps", "body_donation_obstacle", KIND_ANSWER, false, 0, NULL, NULL, 0},
    {"RechercheCauseDeces", "cause_examination", KIND_ANSWER, false, 0, NULL, NULL, 0},
    {"PresenceProthesePile", "battery_implant", KIND_ANSWER, false, 0, NULL, NULL, 0},
    {"RetraitProthesePile", "battery_implant_removed", KIND_ANSWER, false, 0, NULL, NULL, 0},
};

static const struct shape validation[] = {
    {"NNC", "number", KIND_LINE, false, 30, NULL, NULL, 0},
    {"CodeFinessOrganisme", "body_finess", KIND_LINE, false, 9, NULL, NULL, 0},
    {"Medecin", "doctor", KIND_LINE, false, 200, NULL, NULL, 0},
    {"Lieu", "place", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Date", "validated_at", KIND_TIMESTAMP, false, 0, NULL, NULL, 0},
    {"CodeDepot", "deposit_code", KIND_LINE, false, 40, NULL, NULL, 0},
};

static const struct shape certificate[] = {
    {"@version", "version", KIND_LINE, false, 20, NULL, NULL, 0},
    {"DateDeces", "death", KIND_GROUP, true, 0, NULL, death_moment, SHAPE_COUNT(death_moment)},
    {"Defunt", "deceased", KIND_GROUP, true, 0, NULL, deceased, SHAPE_COUNT(deceased)},
    SHAPE_GROUP("LieuDeces", "death_place", death_place),
    SHAPE_GROUP("AdresseDomicile", "home", home),
    SHAPE_GROUP("InformationsFuneraires", "funeral", funeral),
    SHAPE_GROUP("Validation", "validation", validation),
    {"DoublonVolontaire", "deliberate_duplicate", KIND_ANSWER, false, 0, NULL, NULL, 0},
};

static void check_order(const Relais__Flows__V1__DeathMoment *death,
                        const Relais__Flows__V1__Deceased *person, struct checker *checker)
{
    if (!death || !death->date || !person || !person->birth_date) {
        return;
    }
    struct date end = {death->date->year, death->date->month, death->date->day};
    struct date birth = {person->birth_date->year, person->birth_date->month,
                         person->birth_date->day};
    if (date_is_before(&end, &birth)) {
        checker_tell(checker, RULE_DATE_ORDER,
                     (struct place){.line = checker->line, .field = "DateDeces/Date"}, NULL);
    }
}

static void check_declaration(const ProtobufCMessage *record, struct checker *checker)
{
    const Relais__Flows__V1__DeathDeclaration *said =
        (const Relais__Flows__V1__DeathDeclaration *)record;
    check_order(said->death, said->deceased, checker);
}

static void check_certificate(const ProtobufCMessage *record, struct checker *checker)
{
    const Relais__Flows__V1__DeathCertificate *said =
        (const Relais__Flows__V1__DeathCertificate *)record;
    check_order(said->death, said->deceased, checker);
}

static const struct document documents[] = {
    {"InsermDeclarationDeces", "death_declaration",
     &relais__flows__v1__death_declaration__descriptor, declaration, SHAPE_COUNT(declaration),
     check_declaration},
    {"InsermCertificatAdministrative", "death_certificate",
     &relais__flows__v1__death_certificate__descriptor, certificate, SHAPE_COUNT(certificate),
     check_certificate},
};

const struct format format_certdc_xml = {
    .name = "certdc-xml",
    .summary = N_("HubEE CERTDC: declaration of a death, or its certificate, XML"),
    .notation = NOTATION_XML,
    .documents = documents,
    .document_count = SHAPE_COUNT(documents),
    .encoding = ENCODING_ISO_8859_1,
};
