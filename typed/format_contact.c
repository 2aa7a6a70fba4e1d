/* SPDX-License-Identifier: EUPL-1.2
 *
 * HubEE flow CAF-contact: contact details of beneficiaries, a CSV from the CNAF to departments.
 * Source: HubEE samples, coordonnees-allocataire.txt.
 */
#include "flows/notice.pb-c.h"
#include "typed/shape.h"

static const struct shape shapes[] = {
    {"MATRICULE", "file_number", KIND_LINE, true, 15, NULL, NULL, 0},
    {"ROLE PERSONNE", "person_role", KIND_LINE, false, 30, NULL, NULL, 0},
    {"TYPE PERSONNE", "title", KIND_TITLE_WORD, false, 0, NULL, NULL, 0},
    {"NIR", "nir", KIND_NIR, true, 0, NULL, NULL, 0},
    {"NUMERO DEMANDE RSA", "request_number", KIND_LINE, false, 20, NULL, NULL, 0},
    {"DATE DEMANDE RSA", "request_date", KIND_DATE_SLASH, false, 0, NULL, NULL, 0},
    {"DATE DEBUT DROITS - DEVOIRS", "rights_date", KIND_DATE_SLASH, false, 0, NULL, NULL, 0},
    {"NOM RESPONSABLE DOSSIER", "family_name", KIND_LINE, true, 80, NULL, NULL, 0},
    {"PRENOM RESPONSABLE DOSSIER", "given_name", KIND_LINE, false, 80, NULL, NULL, 0},
    {"NUMERO TELEPHONE DOSSIER", "phone", KIND_PHONE, false, 0, NULL, NULL, 0},
    {"NUMERO TELEPHONE 2 DOSSIER", "second_phone", KIND_PHONE, false, 0, NULL, NULL, 0},
    {"ADRESSE ELECTRONIQUE DOSSIER", "email", KIND_EMAIL, false, 0, NULL, NULL, 0},
};

static const struct document documents[] = {
    {NULL, "contact_notice", &relais__flows__v1__contact_notice__descriptor, shapes,
     SHAPE_COUNT(shapes), NULL},
};

const struct format format_caf_contact_csv = {
    .name = "caf-contact-csv",
    .summary = N_("HubEE CAF-contact: contact details of beneficiaries, CSV"),
    .notation = NOTATION_CSV,
    .documents = documents,
    .document_count = 1,
    .encoding = ENCODING_ISO_8859_1,
    .separator = ';',
};
