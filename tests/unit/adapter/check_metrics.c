/* SPDX-License-Identifier: EUPL-1.2
 *
 * The numbers that others read, the health that is said of them, and the watched descriptors.
 */
#include "adapter/metrics.h"
#include "adapter/watches.h"
#include "tests/unit/adapters/folders.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const relais_adapter_counter counters[] = {{"runs", "Commands started."}};
static const relais_adapter_kind kind = {
    .name = "relais-test", .version = "1", .counters = counters, .counter_count = 1};

START_TEST(the_text_is_prometheus)
{
    struct metrics metrics = {.totals = {[METRIC_DONE] = 5}, .own = {7}};
    struct metrics_state state = {.connected = true, .outbox_oldest_ms = 90500};
    char *text = metrics_text(&kind, &metrics, &state);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "\nrelais_adapter_done_total{adapter=\"relais-test\"} 5\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nrelais_adapter_runs_total{adapter=\"relais-test\"} 7\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nrelais_adapter_connected{adapter=\"relais-test\"} 1\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "\nrelais_adapter_outbox_oldest_seconds{adapter=\"relais-test\"} 90\n"));
    ck_assert_ptr_nonnull(strstr(text, "# TYPE relais_adapter_done_total counter\n"));
    free(text);
}
END_TEST

static relais_status health_of(const struct metrics_state *state, int64_t now_ms)
{
    char folder[FOLDERS_PATH_BYTES];
    char path[FOLDERS_PATH_BYTES + 16];
    relais_error error;
    folders_make(folder);
    (void)snprintf(path, sizeof path, "%s/status.json", folder);
    char *text = metrics_status(&kind, state);
    ck_assert_int_eq(metrics_publish(path, text), 0);
    relais_status status = metrics_health(path, now_ms, &error);
    free(text);
    folders_remove(folder);
    return status;
}

START_TEST(health_is_what_the_file_says)
{
    relais_error error;
    struct metrics_state state = {.connected = true, .now_ms = 1000000};
    ck_assert_int_eq(health_of(&state, 1000000), RELAIS_OK);
    ck_assert_int_eq(health_of(&state, 1000000 + 61000), RELAIS_TIMED_OUT);
    state.connected = false;
    ck_assert_int_eq(health_of(&state, 1000000), RELAIS_UNREACHABLE);
    state.trouble = RELAIS_KEY_REVOKED;
    ck_assert_int_eq(health_of(&state, 1000000), RELAIS_KEY_REVOKED);
    ck_assert_int_eq(metrics_health("/nowhere/status.json", 1, &error), RELAIS_NOT_FOUND);
}
END_TEST

static int told[2];

static void on_event(void *context, int fd, short events)
{
    (void)fd;
    ck_assert_int_ne(events & POLLIN, 0);
    (*(int *)context)++;
}

static struct watches watches;
static int pipes[2][2];

/* Takes the other one away while both are ready. */
static void on_first(void *context, int fd, short events)
{
    on_event(context, fd, events);
    watches_remove(&watches, pipes[1][0]);
    watches_remove(&watches, pipes[0][0]);
}

START_TEST(nobody_is_told_after_the_removal_1)
{
    relais_error error;
    ck_assert_int_eq(watches_open(&watches, &error), RELAIS_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pipe(pipes[i]), 0);
        ck_assert_int_eq(write(pipes[i][1], "x", 1), 1);
        ck_assert_int_eq(watches_set(&watches, pipes[i][0], POLLIN, on_first, &told[i]), RELAIS_OK);
    }
    watches_tell(&watches);
    ck_assert_int_eq(told[0] + told[1], 1);
    watches_tell(&watches);
    ck_assert_int_eq(told[0] + told[1], 1);
    ck_assert_int_eq(watches_set(&watches, pipes[1][0], POLLIN, on_event, &told[1]), RELAIS_OK);
    watches_tell(&watches);
    ck_assert_int_eq(told[0] + told[1], 2);
    watches_close(&watches);
    for (int i = 0; i < 2; i++) {
        (void)close(pipes[i][0]);
        (void)close(pipes[i][1]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("adapter.metrics");
    TCase *tests = tcase_create("metrics");
    tcase_add_test(tests, the_text_is_prometheus);
    tcase_add_test(tests, health_is_what_the_file_says);
    tcase_add_test(tests, nobody_is_told_after_the_removal_1);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
