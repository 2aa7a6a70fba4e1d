/* SPDX-License-Identifier: EUPL-1.2
 *
 * See json.h. The date of a day is reckoned as in Howard Hinnant's "chrono-Compatible Low-Level
 * Date Algorithms", civil_from_days.
 */
#include "core/json.h"

enum {
    MS_PER_S = 1000,
    S_PER_DAY = 86400,
    DIGITS = 20, /* of the largest number */
    DECIMAL = 10,
    DAYS_PER_ERA = 146097,      /* 400 years */
    DAYS_BEFORE_EPOCH = 719468, /* 0000-03-01 to 1970-01-01 */
};

void json_init(struct json *out_json, char *text, size_t room)
{
    *out_json = (struct json){.text = text, .room = room};
    text[0] = '\0';
}

static void put(struct json *json, char byte)
{
    if (json->size + 1 >= json->room) {
        json->full = true;
        return;
    }
    json->text[json->size++] = byte;
    json->text[json->size] = '\0';
}

/* With zeros in front up to `least` digits. */
static void put_digits(struct json *json, uint64_t number, unsigned least)
{
    char digits[DIGITS];
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + number % DECIMAL);
        number /= DECIMAL;
    } while (number > 0 || count < least);
    while (count > 0) {
        put(json, digits[--count]);
    }
}

static void put_text(struct json *json, const char *text)
{
    put(json, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            put(json, '\\');
        }
        put(json, *text);
    }
    put(json, '"');
}

static void put_name(struct json *json, const char *name)
{
    if (json->behind) {
        put(json, ',');
    }
    json->behind = true;
    if (name) {
        put_text(json, name);
        put(json, ':');
    }
}

void json_open(struct json *json, const char *name, char bracket)
{
    put_name(json, name);
    put(json, bracket);
    json->behind = false;
}

void json_close(struct json *json, char bracket)
{
    put(json, bracket);
    json->behind = true;
}

void json_text(struct json *json, const char *name, const char *text)
{
    put_name(json, name);
    put_text(json, text);
}

void json_number(struct json *json, const char *name, uint64_t number)
{
    put_name(json, name);
    put_digits(json, number, 1);
}

struct date {
    int64_t year;
    unsigned month, day;
};

static struct date date_of(int64_t days)
{
    int64_t since = days + DAYS_BEFORE_EPOCH;
    int64_t era = since / DAYS_PER_ERA;
    unsigned of_era = (unsigned)(since - era * DAYS_PER_ERA);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned from_march = (5 * of_year + 2) / 153;
    struct date date = {.day = of_year - (153 * from_march + 2) / 5 + 1,
                        .month = from_march < 10 ? from_march + 3 : from_march - 9};
    date.year = (int64_t)year + era * 400 + (date.month <= 2 ? 1 : 0);
    return date;
}

void json_time(struct json *json, const char *name, int64_t ms)
{
    uint64_t seconds = ms > 0 ? (uint64_t)ms / MS_PER_S : 0;
    uint64_t of_day = seconds % S_PER_DAY;
    struct date date = date_of((int64_t)(seconds / S_PER_DAY));
    const struct {
        uint64_t number;
        unsigned digits;
        char behind;
    } parts[] = {{(uint64_t)date.year, 4, '-'},
                 {date.month, 2, '-'},
                 {date.day, 2, 'T'},
                 {of_day / 3600, 2, ':'},
                 {of_day / 60 % 60, 2, ':'},
                 {of_day % 60, 2, '.'},
                 {ms > 0 ? (uint64_t)ms % MS_PER_S : 0, 3, 'Z'}};
    put_name(json, name);
    put(json, '"');
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        put_digits(json, parts[i].number, parts[i].digits);
        put(json, parts[i].behind);
    }
    put(json, '"');
}
