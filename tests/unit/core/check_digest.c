/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the broker needs to say something itself: the digest is libsodium's, and JSON is JSON.
 */
#include "core/digest.h"
#include "core/json.h"

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LONGEST = 700, TEXT_BYTES = 200 };

START_TEST(the_digest_is_blake2b_of_any_length)
{
    uint8_t data[LONGEST];
    uint8_t ours[DIGEST_BYTES];
    uint8_t theirs[DIGEST_BYTES];
    ck_assert_int_ge(sodium_init(), 0);
    for (size_t i = 0; i < LONGEST; i++) {
        data[i] = (uint8_t)(i * 31 + i / 256);
    }
    for (size_t size = 0; size <= LONGEST; size++) {
        digest_of((struct bytes){data, size}, ours);
        ck_assert_int_eq(crypto_generichash(theirs, sizeof theirs, data, size, NULL, 0), 0);
        ck_assert_mem_eq(ours, theirs, DIGEST_BYTES);
    }
    digest_of((struct bytes){NULL, 0}, ours);
    crypto_generichash(theirs, sizeof theirs, NULL, 0, NULL, 0);
    ck_assert_mem_eq(ours, theirs, DIGEST_BYTES);
}
END_TEST

START_TEST(json_has_its_commas_and_escapes)
{
    char text[TEXT_BYTES];
    struct json json;
    json_init(&json, text, sizeof text);
    json_open(&json, NULL, '{');
    json_text(&json, "id", "a\"b\\c");
    json_number(&json, "n", UINT64_MAX);
    json_open(&json, "list", '[');
    json_text(&json, NULL, "x");
    json_text(&json, NULL, "y");
    json_close(&json, ']');
    json_open(&json, "none", '{');
    json_close(&json, '}');
    json_number(&json, "last", 0);
    json_close(&json, '}');
    ck_assert_str_eq(text, "{\"id\":\"a\\\"b\\\\c\",\"n\":18446744073709551615,"
                           "\"list\":[\"x\",\"y\"],\"none\":{},\"last\":0}");
    ck_assert_uint_eq(json.size, strlen(text));
    ck_assert(!json.full);
}
END_TEST

START_TEST(json_never_writes_beyond_its_room)
{
    char text[TEXT_BYTES];
    for (size_t room = 1; room < 20; room++) {
        struct json json;
        memset(text, '#', sizeof text);
        json_init(&json, text, room);
        json_text(&json, "name", "a longer text");
        ck_assert(json.full);
        ck_assert_uint_lt(strlen(text), room);
        ck_assert_int_eq(text[room], '#');
    }
}
END_TEST

START_TEST(times_are_those_of_the_calendar)
{
    const int64_t days[] = {0, 58, 59, 60, 365, 11016, 11017, 19782, 19783, 20000, 47541, 2932896};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        char text[TEXT_BYTES];
        char expected[TEXT_BYTES];
        struct tm parts;
        struct json json;
        time_t seconds = (time_t)days[i] * 86400 + 86399 - (time_t)i * 3601;
        seconds = seconds < 0 ? 0 : seconds;
        ck_assert_ptr_nonnull(gmtime_r(&seconds, &parts));
        ck_assert_uint_gt(
            strftime(expected, sizeof expected, "\"t\":\"%Y-%m-%dT%H:%M:%S.007Z\"", &parts), 0);
        json_init(&json, text, sizeof text);
        json_time(&json, "t", (int64_t)seconds * 1000 + 7);
        ck_assert_str_eq(text, expected);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core digest");
    TCase *tcase = tcase_create("digest");
    tcase_add_test(tcase, the_digest_is_blake2b_of_any_length);
    tcase_add_test(tcase, json_has_its_commas_and_escapes);
    tcase_add_test(tcase, json_never_writes_beyond_its_room);
    tcase_add_test(tcase, times_are_those_of_the_calendar);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
