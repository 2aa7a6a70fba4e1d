/* SPDX-License-Identifier: EUPL-1.2
 *
 * See directory_acknowledge.h.
 */
#include "client/directory_acknowledge.h"

#include "client/directory_state.h"
#include "program/error.h"
#include "program/locale.h"

#include <stdlib.h>
#include <string.h>

enum {
    DURATION_BYTES = 12, /* "31622400s", and a mistake's worth */
    DURATION_DIGITS = 9,
    REMINDERS = 8, /* as LIMIT_REMINDERS of the broker */
    MS_PER_S = 1000,
    S_PER_MINUTE = 60,
    S_PER_HOUR = 3600,
    S_PER_DAY = 86400,
    DAYS_MOST = 366, /* legal deadlines are of days or months; beyond a year it is a mistake */
};

#define DURATION_GRAMMAR N_("a whole number and s, m, h or d: 1s to 366d, e.g. 15d")

static const cyaml_schema_value_t duration_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, DURATION_BYTES)};

const cyaml_schema_field_t directory_acknowledge_fields[] = {
    CYAML_FIELD_STRING_PTR("within", CYAML_FLAG_POINTER, relais_acknowledge, within, 1,
                           DURATION_BYTES),
    CYAML_FIELD_SEQUENCE_COUNT("remind", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               relais_acknowledge, remind, remind_count, &duration_schema, 0,
                               REMINDERS),
    CYAML_FIELD_END};

void directory_acknowledge_free(relais_acknowledge *acknowledge)
{
    if (acknowledge == NULL) {
        return;
    }
    for (size_t i = 0; acknowledge->remind != NULL && i < acknowledge->remind_count; i++) {
        free(acknowledge->remind[i]);
    }
    free(acknowledge->remind);
    free(acknowledge->within);
    free(acknowledge);
}

/* 0: no such unit. */
static int64_t unit_s(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return S_PER_MINUTE;
    case 'h':
        return S_PER_HOUR;
    case 'd':
        return S_PER_DAY;
    default:
        return 0;
    }
}

bool relais_duration_parse(const char *text, int64_t *out_ms)
{
    int64_t number = 0;
    size_t digits = 0;

    while (text != NULL && digits <= DURATION_DIGITS && text[digits] >= '0' &&
           text[digits] <= '9') {
        number = number * 10 + (text[digits] - '0');
        digits++;
    }
    if (digits == 0 || digits > DURATION_DIGITS || text[digits] == '\0' ||
        text[digits + 1] != '\0') {
        return false;
    }
    int64_t seconds = number * unit_s(text[digits]);
    if (seconds < 1 || seconds > (int64_t)DAYS_MOST * S_PER_DAY) {
        return false;
    }
    *out_ms = seconds * MS_PER_S;
    return true;
}

relais_status directory_acknowledge_check(const relais_acknowledge *acknowledge,
                                          relais_error *error)
{
    int64_t before_ms = 0;
    int64_t ms = 0;

    if (acknowledge == NULL) {
        return RELAIS_OK;
    }
    if (!relais_duration_parse(acknowledge->within, &before_ms)) {
        bool missing = acknowledge->within == NULL || acknowledge->within[0] == '\0';

        return error_set(error, missing ? RELAIS_FIELD_MISSING : RELAIS_FIELD_INVALID,
                         "acknowledge.within", _(DURATION_GRAMMAR), "%s",
                         missing ? _("missing") : acknowledge->within);
    }
    if (acknowledge->remind_count > REMINDERS) {
        return directory_blame(error, "acknowledge.remind", REMINDERS, "", _("at most 8 reminders"),
                               NULL);
    }
    for (size_t i = 0; i < acknowledge->remind_count; i++) {
        const char *one = acknowledge->remind[i];

        if (!relais_duration_parse(one, &ms)) {
            return directory_blame(error, "acknowledge.remind", i, "", _(DURATION_GRAMMAR), one);
        }
        if (ms >= before_ms) {
            return directory_blame(
                error, "acknowledge.remind", i, "",
                _("less than the time before it: how long before the deadline, the longest first"),
                one);
        }
        before_ms = ms;
    }
    return RELAIS_OK;
}
