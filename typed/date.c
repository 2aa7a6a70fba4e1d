/* SPDX-License-Identifier: EUPL-1.2
 *
 * Dates. INSEE writes 00 for what is unknown; 30 and 31 February mark people who cannot exist.
 */
#include "typed/date.h"

#include <stdio.h>
#include <string.h>

enum { YEAR_FIRST = 1800, YEAR_LAST = 2199, FEBRUARY = 2 };

/* Where the parts stand: Y, M and D for their digits, anything else for itself. */
static const char *pattern_of(enum kind kind)
{
    switch (kind) {
    case KIND_DATE_ISO:
        return "YYYY-MM-DD";
    case KIND_DATE_SLASH:
        return "DD/MM/YYYY";
    case KIND_DATE_DASH:
        return "DD-MM-YYYY";
    default:
        return "YYYYMMDD";
    }
}

static const char *example_of(enum kind kind)
{
    switch (kind) {
    case KIND_DATE_ISO:
        return "1931-02-23";
    case KIND_DATE_SLASH:
        return "23/02/1931";
    case KIND_DATE_DASH:
        return "23-02-1931";
    default:
        return "19310223";
    }
}

static uint32_t *part_of(struct date *date, char letter)
{
    switch (letter) {
    case 'Y':
        return &date->year;
    case 'M':
        return &date->month;
    case 'D':
        return &date->day;
    default:
        return NULL;
    }
}

static bool scan(const char *pattern, const char *text, size_t size, struct date *out_date)
{
    if (size != strlen(pattern)) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        uint32_t *part = part_of(out_date, pattern[i]);
        if (!part) {
            if (text[i] != pattern[i]) {
                return false;
            }
            continue;
        }
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *part = *part * 10 + (uint32_t)(text[i] - '0');
    }
    return true;
}

static uint32_t days_of(const struct date *date)
{
    static const uint32_t days[] = {31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);
    bool maybe = date->year == 0; /* of a year that is not known, 29 February may be */
    return days[date->month] + (date->month == FEBRUARY && (leap || maybe) ? 1 : 0);
}

/* The first rule that the date breaks; *out_specimen for what marks a fictitious person. */
static enum rule check(const struct date *date, bool partial, bool specimens, bool *out_specimen)
{
    if (date->month > 12 || (date->month == 0 && (!partial || date->day != 0))) {
        return RULE_DATE_MONTH;
    }
    if (date->day == 0 && !partial) {
        return RULE_DATE_DAY;
    }
    if (date->day > days_of(date)) {
        *out_specimen = specimens && date->month == FEBRUARY && date->day <= 31;
        if (!*out_specimen) {
            return RULE_DATE_DAY;
        }
    }
    bool known = date->year >= YEAR_FIRST && date->year <= YEAR_LAST;
    return known || (partial && date->year == 0) ? RULE_NONE : RULE_DATE_YEAR;
}

struct verdict date_read(enum kind kind, const char *text, size_t size, bool specimens,
                         struct date *out_date)
{
    struct date date = {0};
    if (!scan(pattern_of(kind), text, size, &date)) {
        return (struct verdict){.error = RULE_DATE, .detail = example_of(kind)};
    }
    bool specimen = false;
    enum rule rule = check(&date, kind != KIND_DATE_ISO, specimens, &specimen);
    if (rule == RULE_NONE) {
        *out_date = date;
    }
    return (struct verdict){.error = rule, .warning = specimen ? RULE_SPECIMEN : RULE_NONE};
}

void date_print(enum kind kind, const struct date *date, char buffer[KIND_PRINT_BYTES])
{
    buffer[0] = '\0';
    if (date->year > 9999 || date->month > 99 || date->day > 99) {
        return;
    }
    switch (kind) {
    case KIND_DATE_ISO:
        snprintf(buffer, KIND_PRINT_BYTES, "%04u-%02u-%02u", date->year, date->month, date->day);
        break;
    case KIND_DATE_SLASH:
        snprintf(buffer, KIND_PRINT_BYTES, "%02u/%02u/%04u", date->day, date->month, date->year);
        break;
    case KIND_DATE_DASH:
        snprintf(buffer, KIND_PRINT_BYTES, "%02u-%02u-%04u", date->day, date->month, date->year);
        break;
    default:
        snprintf(buffer, KIND_PRINT_BYTES, "%04u%02u%02u", date->year, date->month, date->day);
        break;
    }
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool two_digits(const char *text, int most)
{
    return is_digit(text[0]) && is_digit(text[1]) && (text[0] - '0') * 10 + (text[1] - '0') <= most;
}

bool date_is_time(const char *text, size_t size)
{
    return size == 8 && two_digits(text, 23) && text[2] == ':' && two_digits(text + 3, 59) &&
           text[5] == ':' && two_digits(text + 6, 60);
}

/* "", "Z", "+01:00" */
static bool is_zone(const char *text, size_t size)
{
    if (size == 0 || (size == 1 && text[0] == 'Z')) {
        return true;
    }
    return size == 6 && (text[0] == '+' || text[0] == '-') && two_digits(text + 1, 14) &&
           text[3] == ':' && two_digits(text + 4, 59);
}

struct verdict date_check_timestamp(const char *text, size_t size, bool specimens)
{
    enum { DATE_SIZE = 10, TIME_AT = 11, END_AT = 19, FRACTION_MAX = 9 };
    const struct verdict wrong = {.error = RULE_TIME, .detail = "2019-03-27T16:22:59"};
    if (size < END_AT || text[DATE_SIZE] != 'T' || !date_is_time(text + TIME_AT, 8)) {
        return wrong;
    }
    size_t at = END_AT;
    if (at < size && text[at] == '.') {
        do {
            at++;
        } while (at < size && is_digit(text[at]) && at - END_AT <= FRACTION_MAX);
        if (at == END_AT + 1) {
            return wrong;
        }
    }
    if (!is_zone(text + at, size - at)) {
        return wrong;
    }
    struct date unused;
    return date_read(KIND_DATE_ISO, text, DATE_SIZE, specimens, &unused);
}

bool date_is_before(const struct date *later, const struct date *earlier)
{
    if (later->year == 0 || earlier->year == 0 || later->year != earlier->year) {
        return later->year != 0 && earlier->year != 0 && later->year < earlier->year;
    }
    if (later->month == 0 || earlier->month == 0 || later->month != earlier->month) {
        return later->month != 0 && earlier->month != 0 && later->month < earlier->month;
    }
    return later->day != 0 && earlier->day != 0 && later->day < earlier->day;
}
