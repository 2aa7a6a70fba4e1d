/* SPDX-License-Identifier: EUPL-1.2
 *
 * When a file of the outbound folder is complete. The client has no broker, so that what is READY
 * stays so and can be looked at.
 */
#include "adapters/files/moment.h"
#include "adapters/files/outbound.h"
#include "adapters/files/outbound_state.h"
#include "tests/unit/adapters/folders.h"

#include <check.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SETTLE_MS = 60 };

static char folder[FOLDERS_PATH_BYTES];
static char sent[FOLDERS_PATH_BYTES];
static char failed[FOLDERS_PATH_BYTES];
static struct config_outbound config;
static struct outbound *outbound;
static relais_client *client;
static relais_error error;

static void set_up(void)
{
    relais_key key;
    ck_assert_int_ge(sodium_init(), 0);
    folders_make(folder);
    folders_make(sent);
    folders_make(failed);
    config = (struct config_outbound){.folder = folder,
                                      .sent = sent,
                                      .failed = failed,
                                      .ready_suffix = ".ready",
                                      .settle_ms = SETTLE_MS,
                                      .rescan_s = 3600};
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    const relais_client_options options = {
        .endpoint = "tcp://127.0.0.1:9", .broker_key = key.public_key, .key = &key};
    ck_assert_int_eq(relais_client_open(&options, &client, &error), RELAIS_OK);
}

static void tear_down(void)
{
    relais_client_close(client);
    outbound_close(outbound);
    outbound = NULL;
    folders_remove(folder);
    folders_remove(sent);
    folders_remove(failed);
}

static void start(enum config_completion completion)
{
    config.completion = completion;
    ck_assert_msg(outbound_open(&config, client, &outbound, &error) == RELAIS_OK, "%s",
                  error.wrong);
}

static void step(void)
{
    (void)outbound_step(outbound, moment_monotonic_ms());
}

static void rescan(void)
{
    outbound->scan_due_ms = 0;
    step();
}

static void pause_ms(long ms)
{
    const struct timespec time = {.tv_nsec = ms * 1000000};
    (void)nanosleep(&time, NULL);
}

static bool is_ready(const char *name)
{
    const struct candidate *found = candidates_find(&outbound->candidates, name);
    return found && found->state == CANDIDATE_READY;
}

START_TEST(seen_is_complete_with_rename)
{
    start(CONFIG_RENAME);
    folders_write(folder, "a.xml", "text");
    step();
    ck_assert(is_ready("a.xml"));
}
END_TEST

START_TEST(inotify_tells_without_a_scan)
{
    start(CONFIG_RENAME);
    step();
    folders_write(folder, ".a.tmp", "text");
    step();
    ck_assert_uint_eq(outbound->candidates.count, 0);
    ck_assert_int_eq(renameat(outbound->folder, ".a.tmp", outbound->folder, "a.xml"), 0);
    step();
    ck_assert(is_ready("a.xml"));
}
END_TEST

START_TEST(scan_finds_what_inotify_missed)
{
    start(CONFIG_RENAME);
    step();
    (void)close(outbound->watch);
    outbound->watch = -1;
    folders_write(folder, "a.xml", "text");
    step();
    ck_assert_uint_eq(outbound->candidates.count, 0);
    rescan();
    ck_assert(is_ready("a.xml"));
    ck_assert_int_eq(unlinkat(outbound->folder, "a.xml", 0), 0);
    rescan();
    ck_assert_uint_eq(outbound->candidates.count, 0);
}
END_TEST

START_TEST(not_files_are_left_alone)
{
    start(CONFIG_RENAME);
    folders_write(folder, ".hidden", "x");
    folders_write(folder, "a.tmp", "x");
    folders_write(folder, "a.part", "x");
    ck_assert_int_eq(mkdirat(outbound->folder, "folder", 0700), 0);
    ck_assert_int_eq(symlinkat("/etc/passwd", outbound->folder, "link"), 0);
    ck_assert_int_eq(mkfifoat(outbound->folder, "pipe", 0600), 0);
    rescan();
    ck_assert_uint_eq(outbound->candidates.count, 0);
}
END_TEST

START_TEST(marker_makes_complete_with_ready)
{
    start(CONFIG_READY);
    folders_write(folder, "a.xml", "text");
    folders_write(folder, "b.xml", "text");
    folders_write(folder, "b.xml.json", "{\"flow\": \"X\"}");
    rescan();
    ck_assert_uint_eq(outbound->candidates.count, 0);
    folders_write(folder, "b.xml.ready", "");
    step();
    ck_assert_uint_eq(outbound->candidates.count, 1);
    ck_assert(is_ready("b.xml"));
}
END_TEST

START_TEST(unchanged_is_complete_with_settle)
{
    start(CONFIG_SETTLE);
    folders_write(folder, "a.xml", "text");
    step();
    ck_assert(candidates_find(&outbound->candidates, "a.xml") && !is_ready("a.xml"));
    for (int i = 0; i < 4; i++) {
        pause_ms(SETTLE_MS / 2);
        folders_write(folder, "a.xml", i % 2 ? "more text" : "other");
        step();
        ck_assert(!is_ready("a.xml"));
    }
    pause_ms(SETTLE_MS * 5 / 2);
    step();
    pause_ms(SETTLE_MS * 5 / 2);
    step();
    ck_assert(is_ready("a.xml"));
}
END_TEST

START_TEST(sidecar_is_no_file)
{
    start(CONFIG_RENAME);
    folders_write(folder, "a.xml.json", "{\"to\": \"a/b\", \"flow\": \"X\"}"); /* before its file */
    folders_write(folder, "b.xml", "text");
    folders_write(folder, "b.xml.json", "whatever");
    folders_write(folder, "c.json", "[1, 2]");
    folders_write(folder, "d.json", "{\"to\": \"a/b\"}");
    folders_write(folder, "d.json.json", "{\"to\": \"a/b\"}");
    rescan();
    ck_assert_uint_eq(outbound->candidates.count, 3);
    ck_assert(is_ready("b.xml"));
    ck_assert(is_ready("c.json"));
    ck_assert(is_ready("d.json"));
}
END_TEST

START_TEST(sidecar_of_the_past_is_removed)
{
    start(CONFIG_RENAME);
    folders_write(folder, "a.xml.json", "{\"to\": \"a/b\"}");
    ck_assert_int_eq(linkat(outbound->folder, "a.xml.json", outbound->sent, "a.xml.json", 0), 0);
    rescan();
    ck_assert(!folders_has(folder, "a.xml.json"));
    ck_assert(folders_has(sent, "a.xml.json"));
    ck_assert_uint_eq(outbound->candidates.count, 0);
}
END_TEST

START_TEST(many_files_stay_quick)
{
    char name[32];
    start(CONFIG_RENAME);
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(name, sizeof name, "f%05d", i);
        int fd = openat(outbound->folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        (void)close(fd);
    }
    int64_t start_ms = moment_monotonic_ms();
    for (int i = 0; i < 5; i++) {
        rescan();
    }
    ck_assert_uint_eq(outbound->candidates.count, 20000);
    ck_assert_int_lt(moment_monotonic_ms() - start_ms, 5000);
}
END_TEST

START_TEST(wrong_folders_are_refused)
{
    char missing[FOLDERS_PATH_BYTES + 16];
    (void)snprintf(missing, sizeof missing, "%s/missing", folder);
    config.folder = missing;
    ck_assert_int_eq(outbound_open(&config, client, &outbound, &error), RELAIS_NOT_FOUND);
    ck_assert_str_eq(error.field, missing);
    ck_assert_str_ne(error.right, "");
    config.folder = folder;
    config.sent = folder;
    ck_assert_int_eq(outbound_open(&config, client, &outbound, &error), RELAIS_CONFIG_INVALID);
    config.sent = "/proc";
    ck_assert_int_ne(outbound_open(&config, client, &outbound, &error), RELAIS_OK);
    config.sent = sent;
    start(CONFIG_RENAME);
    struct outbound *second = NULL;
    ck_assert_int_eq(outbound_open(&config, client, &second, &error), RELAIS_ALREADY_EXISTS);
}
END_TEST

START_TEST(folder_that_is_made_anew_counts)
{
    start(CONFIG_RENAME);
    step();
    folders_remove(folder);
    rescan();
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    folders_write(folder, "a.xml", "text");
    rescan();
    ck_assert(is_ready("a.xml"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("outbound");
    TCase *cases = tcase_create("only complete files are taken");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, seen_is_complete_with_rename);
    tcase_add_test(cases, inotify_tells_without_a_scan);
    tcase_add_test(cases, scan_finds_what_inotify_missed);
    tcase_add_test(cases, not_files_are_left_alone);
    tcase_add_test(cases, marker_makes_complete_with_ready);
    tcase_add_test(cases, unchanged_is_complete_with_settle);
    tcase_add_test(cases, sidecar_is_no_file);
    tcase_add_test(cases, sidecar_of_the_past_is_removed);
    tcase_add_test(cases, many_files_stay_quick);
    tcase_add_test(cases, wrong_folders_are_refused);
    tcase_add_test(cases, folder_that_is_made_anew_counts);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
