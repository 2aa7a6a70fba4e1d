/* SPDX-License-Identifier: EUPL-1.2
 *
 * HubEE flow ETATCIVIL: requests for civil-status records, from DILA to communes.
 * Source: HubEE samples, ActeEtatCivil-XML.xml; the older numeric codes pass as they are.
 */
#include "flows/civil_status.pb-c.h"
#include "typed/shape.h"

static const struct shape coded[] = {
    {"Code", "code", KIND_LINE, true, 60, NULL, NULL, 0},
    {"Libelle", "label", KIND_LINE, false, 200, NULL, NULL, 0},
};

static const struct shape record_place[] = {
    {"CodePostal", "postal_code", KIND_POSTAL_CODE, false, 0, NULL, NULL, 0},
    {"Ville", "town", KIND_LINE, false, 100, NULL, NULL, 0},
    {"CodeINSEE", "commune_code", KIND_COMMUNE, false, 0, NULL, NULL, 0},
};

static const struct shape reason[] = {
    {"Libelle", "label", KIND_LINE, false, 200, NULL, NULL, 0},
    {"Commentaire", "comment", KIND_TEXT, false, 4000, NULL, NULL, 0},
};

static const struct shape address[] = {
    {"Etage", "complement", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Immeuble", "building", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Voie", "street", KIND_LINE, false, 200, NULL, NULL, 0},
    {"LieuDit", "locality", KIND_LINE, false, 100, NULL, NULL, 0},
    {"CodePostal", "postal_code", KIND_POSTAL_CODE, false, 0, NULL, NULL, 0},
    {"Ville", "town", KIND_LINE, false, 100, NULL, NULL, 0},
};

static const struct shape applicant[] = {
    SHAPE_GROUP("QualiteDemandeur", "quality", coded),
    {"Civilite", "title", KIND_TITLE_CAPITALS, false, 0, NULL, NULL, 0},
    {"Nom", "family_name", KIND_LINE, true, 100, NULL, NULL, 0},
    {"Prenom", "given_names", KIND_LINE, false, 200, NULL, NULL, 0},
    SHAPE_GROUP("AdresseFrancaise", "address", address),
    {"Courriel", "email", KIND_EMAIL, false, 0, NULL, NULL, 0},
    {"Telephone", "phone", KIND_PHONE, false, 0, NULL, NULL, 0},
};

static const struct shape parent[] = {
    {"Nom", "family_name", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Prenoms", "given_names", KIND_LINE, false, 200, NULL, NULL, 0},
};

static const struct shape filiation[] = {
    SHAPE_GROUP("Pere", "father", parent),
    SHAPE_GROUP("Mere", "mother", parent),
};

static const struct shape holder[] = {
    {"Civilite", "title", KIND_TITLE_CAPITALS, false, 0, NULL, NULL, 0},
    {"NomNaissance", "birth_name", KIND_LINE, true, 100, NULL, NULL, 0},
    {"Prenoms", "given_names", KIND_LINE, false, 200, NULL, NULL, 0},
    {"DateDeNaissance", "birth_date", KIND_DATE_ISO, false, 0, NULL, NULL, 0},
    {"LieuDeNaissance", "birth_place", KIND_LINE, false, 100, NULL, NULL, 0},
    {"DepartementDeNaissance", "birth_department", KIND_LINE, false, 100, NULL, NULL, 0},
    {"PaysDeNaissance", "birth_country", KIND_LINE, false, 100, NULL, NULL, 0},
    SHAPE_GROUP("Filiation", "filiation", filiation),
};

static const struct shape request[] = {
    {"TypeActe", "record_kind", KIND_GROUP, true, 0, NULL, coded, SHAPE_COUNT(coded)},
    {"NatureActe", "copy_kind", KIND_GROUP, true, 0, NULL, coded, SHAPE_COUNT(coded)},
    {"DateActe", "record_date", KIND_DATE_ISO, false, 0, NULL, NULL, 0},
    SHAPE_GROUP("LieuActe", "record_place", record_place),
    {"NombreExemplaires", "copies", KIND_COUNT, false, 0, NULL, NULL, 0},
    SHAPE_GROUP("MotifDemande", "reason", reason),
    SHAPE_GROUP("Demandeur", "applicant", applicant),
    {"Titulaire", "holder", KIND_GROUP, true, 0, NULL, holder, SHAPE_COUNT(holder)},
    SHAPE_GROUP("Conjoint", "spouse", holder),
};

static const struct shape envelope[] = {
    {"@canal_utilise", "channel", KIND_LINE, false, 20, NULL, NULL, 0},
    {"DemandeActe", "request", KIND_GROUP, true, 0, NULL, request, SHAPE_COUNT(request)},
};

static const struct document documents[] = {
    {"EnveloppeMetierType", "civil_status_request",
     &relais__flows__v1__civil_status_request__descriptor, envelope, SHAPE_COUNT(envelope), NULL},
};

const struct format format_etatcivil_xml = {
    .name = "etatcivil-xml",
    .summary = N_("HubEE ETATCIVIL: request for a civil-status record, XML"),
    .notation = NOTATION_XML,
    .documents = documents,
    .document_count = SHAPE_COUNT(documents),
    .encoding = ENCODING_UTF_8,
};
