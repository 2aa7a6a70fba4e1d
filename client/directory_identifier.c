/* SPDX-License-Identifier: EUPL-1.2
 *
 * The identifiers that authorities have outside the bus (SIRET, INSEE code) and the names that they
 * have on it.
 */
#include "client/directory_state.h"

#include "wire/name.h"

#include <string.h>

enum { SIRET_DIGITS = 14, INSEE_CHARACTERS = 5 };

static bool all_digits(const char *text, size_t size)
{
    return strspn(text, "0123456789") >= size;
}

bool relais_siret_is_valid(const char *text)
{
    static const char la_poste[] = "356000000";
    unsigned luhn = 0;
    unsigned plain = 0;

    if (text == NULL || strlen(text) != SIRET_DIGITS || !all_digits(text, SIRET_DIGITS)) {
        return false;
    }
    for (size_t i = 0; i < SIRET_DIGITS; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        unsigned weighed = i % 2 == 0 ? digit * 2 : digit;

        luhn += weighed > 9 ? weighed - 9 : weighed;
        plain += digit;
    }
    if (luhn % 10 == 0) {
        return true; /* La Poste's head office too: 35600000000048 */
    }
    return strncmp(text, la_poste, strlen(la_poste)) == 0 && plain % 5 == 0;
}

bool directory_is_insee(const char *text)
{
    if (strlen(text) != INSEE_CHARACTERS || !all_digits(text + 2, INSEE_CHARACTERS - 2) ||
        strcmp(text + 2, "000") == 0) {
        return false;
    }
    if (text[0] == '2' && (text[1] == 'A' || text[1] == 'B')) {
        return true;
    }
    if (!all_digits(text, 2)) {
        return false;
    }
    if (strncmp(text, "97", 2) == 0) {
        return text[2] >= '1' && text[2] <= '8' && strcmp(text + 3, "00") != 0;
    }
    if (strncmp(text, "98", 2) == 0) {
        return strchr("46789", text[2]) != NULL && strcmp(text + 3, "00") != 0;
    }
    /* 20 was Corsica's until 1976; 96 and 99 are no departments. */
    return strncmp(text, "00", 2) != 0 && strncmp(text, "20", 2) != 0 &&
           strncmp(text, "95", 2) <= 0;
}

bool relais_slug_is_valid(const char *text)
{
    return text != NULL && name_is_slug(text);
}

bool relais_address_is_valid(const char *text)
{
    size_t member_bytes = 0;

    return text != NULL && name_is_address(text, &member_bytes);
}

bool relais_flow_code_is_valid(const char *text)
{
    return text != NULL && name_is_flow(text);
}
