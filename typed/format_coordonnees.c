/* SPDX-License-Identifier: EUPL-1.2
 *
 * HubEE flow JECHANGEDECOORDONNEES: a change of contact details, from DILA to communes. The State
 * does not publish its XML (the sample that HubEE names so is one of ETATCIVIL): the elements are
 * the names of the public web form, the root is ours.
 */
#include "flows/change.pb-c.h"
#include "typed/shape.h"

static const struct shape address[] = {
    {"Etage", "complement", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Immeuble", "building", KIND_LINE, false, 100, NULL, NULL, 0},
    {"Voie", "street", KIND_LINE, false, 200, NULL, NULL, 0},
    {"LieuDit", "locality", KIND_LINE, false, 100, NULL, NULL, 0},
    {"LocaliteCP", "postal_code_town", KIND_LINE, false, 150, NULL, NULL, 0},
};

static const struct shape contact[] = {
    {"Telephone", "phone", KIND_PHONE, false, 0, NULL, NULL, 0},
    {"Mobile", "mobile", KIND_PHONE, false, 0, NULL, NULL, 0},
    {"Courriel", "email", KIND_EMAIL, false, 0, NULL, NULL, 0},
};

static const struct shape change[] = {
    {"dateEffet", "effective_date", KIND_DATE_ISO, true, 0, NULL, NULL, 0},
    {"civilite", "title", KIND_TITLE_SHORT, false, 0, NULL, NULL, 0},
    {"nomFamille", "family_name", KIND_LINE, true, 100, NULL, NULL, 0},
    {"nomUsage", "used_name", KIND_LINE, false, 100, NULL, NULL, 0},
    {"prenoms", "given_names", KIND_LINE, false, 200, NULL, NULL, 0},
    {"dateNaissance", "birth_date", KIND_DATE_DASH, false, 0, NULL, NULL, 0},
    SHAPE_GROUP("adresseFrAvant", "address_before", address),
    SHAPE_GROUP("contactPersoAvant", "contact_before", contact),
    SHAPE_GROUP("adresseFrApres", "address_after", address),
    SHAPE_GROUP("contactPersoApres", "contact_after", contact),
};

static const struct document documents[] = {
    {"ChangementCoordonnees", "change_of_details",
     &relais__flows__v1__change_of_details__descriptor, change, SHAPE_COUNT(change), NULL},
};

const struct format format_coordonnees_xml = {
    .name = "coordonnees-xml",
    .summary = N_("HubEE JECHANGEDECOORDONNEES: change of contact details, XML of our own"),
    .notation = NOTATION_XML,
    .documents = documents,
    .document_count = SHAPE_COUNT(documents),
    .encoding = ENCODING_UTF_8,
};
