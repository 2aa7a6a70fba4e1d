/* SPDX-License-Identifier: EUPL-1.2
 *
 * Codes and their check digits.
 */
#include "typed/identifier.h"

#include <string.h>

enum {
    COMMUNE_SIZE = 5,
    NIR_SIZE = 15,
    MONTH_AT = 3,
    DEPARTMENT_AT = 5,
    NIR_KEY_AT = 13,
    CORSICA_2A = 19,
    CORSICA_2B = 18,
    KEY_MODULUS = 97,
    DECIMAL = 10,
};

bool identifier_is_digits(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return size > 0;
}

static bool is_corsican(const char *department)
{
    return department[0] == '2' && (department[1] == 'A' || department[1] == 'B');
}

struct verdict identifier_check_commune(const char *text, size_t size)
{
    bool form = size == COMMUNE_SIZE && identifier_is_digits(text + 2, COMMUNE_SIZE - 2) &&
                (is_corsican(text) || identifier_is_digits(text, 2));
    if (!form || memcmp(text, "00", 2) == 0) {
        return (struct verdict){.error = RULE_COMMUNE};
    }
    /* 971 to 978 and 984 to 989 are overseas; INSEE has given no other of these. */
    bool overseas = memcmp(text, "97", 2) == 0 || memcmp(text, "98", 2) == 0;
    const char *given = text[1] == '7' ? "12345678" : "456789";
    if (overseas && !strchr(given, text[2])) {
        return (struct verdict){.error = RULE_COMMUNE, .at = 2};
    }
    bool whole = memcmp(text + 2, "000", 3) != 0;
    return (struct verdict){.warning = whole ? RULE_NONE : RULE_COMMUNE_UNKNOWN};
}

static uint32_t two(const char *text)
{
    return (uint32_t)(text[0] - '0') * DECIMAL + (uint32_t)(text[1] - '0');
}

/* 01 to 12; 20 to 42 and 50 to 99 where the month of birth was not known. */
static bool is_nir_month(uint32_t month)
{
    return (month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50;
}

/* The number that the key is made of: 2A and 2B count as 19 and 18. */
static uint64_t nir_number(const char *text, bool corsican)
{
    uint64_t number = 0;
    for (size_t i = 0; i < NIR_KEY_AT; i++) {
        if (corsican && i == DEPARTMENT_AT) {
            number = number * 100 + (text[i + 1] == 'A' ? CORSICA_2A : CORSICA_2B);
            i++;
            continue;
        }
        number = number * DECIMAL + (uint64_t)(text[i] - '0');
    }
    return number;
}

struct verdict identifier_check_nir(const char *text, size_t size, bool specimens)
{
    const struct verdict wrong = {.error = RULE_NIR};
    const struct verdict specimen = {.warning = RULE_SPECIMEN};
    if (size != NIR_SIZE || !identifier_is_digits(text, DEPARTMENT_AT) ||
        !identifier_is_digits(text + DEPARTMENT_AT + 2, NIR_SIZE - DEPARTMENT_AT - 2)) {
        return wrong;
    }
    bool corsican = is_corsican(text + DEPARTMENT_AT);
    if (!corsican && !identifier_is_digits(text + DEPARTMENT_AT, 2)) {
        return wrong;
    }
    if (specimens && strspn(text, "0") >= NIR_SIZE) {
        return specimen;
    }
    if (!strchr("123478", text[0]) || !is_nir_month(two(text + MONTH_AT))) {
        return wrong;
    }
    uint64_t key = KEY_MODULUS - nir_number(text, corsican) % KEY_MODULUS;
    if (key == two(text + NIR_KEY_AT)) {
        return (struct verdict){.error = RULE_NONE};
    }
    return specimens ? specimen : (struct verdict){.error = RULE_NIR_KEY, .at = NIR_KEY_AT};
}
