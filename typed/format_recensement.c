/* SPDX-License-Identifier: EUPL-1.2
 *
 * HubEE flow RECENSEMENTCITOYEN: the census of young citizens, from DILA to communes.
 * Source: HubEE samples, 10870-XML.xml.
 */
#include "flows/census.pb-c.h"
#include "typed/shape.h"

static const struct shape formality[] = {
    {"Identifiant", "identifier", KIND_LINE, false, 100, NULL, NULL, 0},
    {"FormaliteType", "kind", KIND_LINE, false, 40, NULL, NULL, 0},
    {"DateSoumission", "submitted_at", KIND_TIMESTAMP, false, 0, NULL, NULL, 0},
    {"FormaliteMotifCode", "reason_codes", KIND_LINE, false, 40, NULL, NULL, 0},
    {"FormaliteModeCode", "mode_code", KIND_LINE, false, 40, NULL, NULL, 0},
};

static const struct shape birth_place[] = {
    {"Code", "code", KIND_LINE, false, 40, NULL, NULL, 0},
    {"Nom", "name", KIND_LINE, false, 100, NULL, NULL, 0},
};

static const struct shape home[] = {
    {"PointDeRemise", "recipient", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Complement", "complement", KIND_LINE, false, 100, NULL, NULL, 0},
    {"NumeroVoie", "number", KIND_LINE, false, 10, NULL, NULL, 0},
    {"Extension", "number_suffix", KIND_LINE, false, 10, NULL, NULL, 0},
    {"TypeVoie", "street_kind", KIND_LINE, false, 40, NULL, NULL, 0},
    {"NomVoie", "street", KIND_LINE, false, 200, NULL, NULL, 0},
    {"LieuDit", "locality", KIND_LINE, false, 100, NULL, NULL, 0},
    {"CodePostal", "postal_code", KIND_POSTAL_CODE, false, 0, NULL, NULL, 0},
    {"Localite", "town", KIND_LINE, false, 100, NULL, NULL, 0},
    {"CodeINSEE", "commune_code", KIND_COMMUNE, false, 0, NULL, NULL, 0},
};

static const struct shape family[] = {
    {"SituationMatrimoniale", "marital_status", KIND_LINE, false, 40, NULL, NULL, 0},
    {"NombreEnfants", "children", KIND_COUNT, false, 0, NULL, NULL, 0},
    {"Pupille", "ward", KIND_LINE, false, 40, NULL, NULL, 0},
    {"NombreFrereSoeur", "siblings", KIND_COUNT, false, 0, NULL, NULL, 0},
};

static const struct shape contact[] = {
    {"URI", "uri", KIND_LINE, false, 254, NULL, NULL, 0},
    {"CanalCode", "channel", KIND_LINE, false, 20, NULL, NULL, 0},
};

static const struct shape person[] = {
    {"Civilite", "title", KIND_TITLE_SHORT, false, 0, NULL, NULL, 0},
    {"Sexe", "sex", KIND_SEX_DIGIT, false, 0, NULL, NULL, 0},
    {"NomFamille", "family_name", KIND_LINE, true, 100, NULL, NULL, 0},
    {"NomUsage", "used_name", KIND_LINE, false, 100, NULL, NULL, 0},
    {"PrenomUsuel", "usual_given_name", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Prenom", "given_names", KIND_LINE, false, 200, NULL, NULL, 0},
    {"DateNaissance", "birth_date", KIND_DATE_SLASH, true, 0, NULL, NULL, 0},
    {"PaysNaissance", "birth_country", KIND_COUNTRY, false, 0, NULL, NULL, 0},
    {"Nationalite", "nationality", KIND_COUNTRY, false, 0, NULL, NULL, 0},
    {"CodeINSEENaissance", "birth_commune_code", KIND_COMMUNE, false, 0, NULL, NULL, 0},
    SHAPE_GROUP("LieuNaissance", "birth_places", birth_place),
    SHAPE_GROUP("AdresseDomicile", "home", home),
    SHAPE_GROUP("AdresseResidence", "residence", home),
    SHAPE_GROUP("SituationFamille", "family", family),
    SHAPE_GROUP("MethodeContact", "contacts", contact),
};

static const struct shape parent[] = {
    {"NomFamille", "family_name", KIND_LINE, false, 100, NULL, NULL, 0},
    {"PrenomUsuel", "usual_given_name", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Prenom", "given_names", KIND_LINE, false, 200, NULL, NULL, 0},
    {"DateNaissance", "birth_date", KIND_DATE_SLASH, false, 0, NULL, NULL, 0},
    {"PaysNaissance", "birth_country", KIND_COUNTRY, false, 0, NULL, NULL, 0},
    {"Nationalite", "nationality", KIND_COUNTRY, false, 0, NULL, NULL, 0},
    {"CodeINSEENaissance", "birth_commune_code", KIND_COMMUNE, false, 0, NULL, NULL, 0},
    SHAPE_GROUP("LieuNaissance", "birth_places", birth_place),
};

static const struct shape entry[] = {
    {"Convention", "agreement", KIND_LINE, false, 100, NULL, NULL, 0},
    SHAPE_GROUP("Formalite", "formality", formality),
    {"Personne", "person", KIND_GROUP, true, 0, NULL, person, SHAPE_COUNT(person)},
    SHAPE_GROUP("FiliationPere", "father", parent),
    SHAPE_GROUP("FiliationMere", "mother", parent),
};

static const struct document documents[] = {
    {"RecensementCitoyen", "census_entry", &relais__flows__v1__census_entry__descriptor, entry,
     SHAPE_COUNT(entry), NULL},
};

const struct format format_recensement_xml = {
    .name = "recensement-xml",
    .summary = N_("HubEE RECENSEMENTCITOYEN: census of a young citizen, XML"),
    .notation = NOTATION_XML,
    .documents = documents,
    .document_count = SHAPE_COUNT(documents),
    .encoding = ENCODING_UTF_8,
};
