/* SPDX-License-Identifier: EUPL-1.2
 *
 * program/notify.c: what the service manager hears on its socket.
 */
#include "program/notify.h"
#include "tests/unit/program/folder.h"

#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1;

static void start_manager(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    folder_init();
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(manager, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", folder_path("notify"));
    ck_assert_int_eq(bind(manager, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
}

static void stop_manager(void)
{
    close(manager);
    folder_fini();
}

static const char *hear(void)
{
    static char text[256];
    ssize_t size = recv(manager, text, sizeof text - 1, 0);

    text[size < 0 ? 0 : size] = '\0';
    return text;
}

START_TEST(each_call_is_one_message)
{
    notify_ready("running");
    ck_assert_str_eq(hear(), "READY=1\nSTATUS=running");
    notify_reloading();
    ck_assert_int_eq(strncmp(hear(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    notify_status("busy");
    ck_assert_str_eq(hear(), "STATUS=busy");
    notify_watchdog();
    ck_assert_str_eq(hear(), "WATCHDOG=1");
    notify_stopping();
    ck_assert_str_eq(hear(), "STOPPING=1");
}
END_TEST

START_TEST(the_watchdog_is_fed_twice_in_its_time)
{
    char pid[32];

    (void)snprintf(pid, sizeof pid, "%d", (int)getpid());
    ck_assert_int_eq(setenv("WATCHDOG_PID", pid, 1), 0);
    ck_assert_int_eq(setenv("WATCHDOG_USEC", "20000000", 1), 0);
    ck_assert_int_eq(notify_watchdog_ms(), 10000);
    ck_assert_int_eq(setenv("WATCHDOG_PID", "1", 1), 0);
    ck_assert_int_eq(notify_watchdog_ms(), 0);
}
END_TEST

START_TEST(without_a_manager_nothing_happens)
{
    ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
    ck_assert_int_eq(unsetenv("WATCHDOG_USEC"), 0);
    notify_ready("running");
    notify_watchdog();
    ck_assert_int_eq(notify_watchdog_ms(), 0);
    ck_assert_str_eq(hear(), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify");
    TCase *cases = tcase_create("manager");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, start_manager, stop_manager);
    tcase_add_test(cases, each_call_is_one_message);
    tcase_add_test(cases, the_watchdog_is_fed_twice_in_its_time);
    tcase_add_test(cases, without_a_manager_nothing_happens);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
