/* SPDX-License-Identifier: EUPL-1.2
 *
 * A command as a process group. Numbers in names of tests are the invariants of process.h.
 */
#include "adapters/exec/process.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char said[4096];

/* Runs a shell text to its end; what it says is in `said`. Returns the status. */
static int run(const char *program, const char *text, uint64_t memory_bytes)
{
    int fds[2];
    struct process process;
    char *argv[] = {(char *)program, (char *)"-c", (char *)text, NULL};
    char *environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    const struct process_plan plan = {argv,   environment, "/",         nothing,
                                      fds[1], nothing,     memory_bytes};
    ck_assert_int_eq(process_start(&plan, &process), 0);
    struct pollfd end = {.fd = process.fd, .events = POLLIN};
    ck_assert_int_eq(poll(&end, 1, 20000), 1);
    int status = process_reap(&process);
    ck_assert_int_eq(process.pid, 0);
    (void)close(fds[1]);
    ssize_t got = read(fds[0], said, sizeof said - 1);
    said[got > 0 ? got : 0] = '\0';
    (void)close(fds[0]);
    (void)close(nothing);
    return status;
}

START_TEST(it_inherits_nothing_else_1)
{
    sigset_t set;
    ck_assert_int_eq(dup2(STDIN_FILENO, 50), 50); /* without CLOEXEC: the point */
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    ck_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    int status =
        run("/bin/sh",
            "test -e /proc/$$/fd/50 && echo leak; grep -E 'SigBlk|SigIgn' /proc/self/status | "
            "cut -f2 | tr '\\n' ' '; umask; env | grep -c SECRET",
            0);
    (void)close(50);
    ck_assert_int_eq(WEXITSTATUS(status), 1);
    ck_assert_ptr_null(strstr(said, "leak"));
    ck_assert_ptr_nonnull(strstr(said, "0000000000000000 0000000000000000 0077"));
}
END_TEST

START_TEST(its_group_goes_with_it_2)
{
    int status = run("/bin/sh", "sleep 3600 & echo $!", 0);
    long child = strtol(said, NULL, 10);
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_int_gt(child, 1);
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/cmdline", child);
    for (int i = 0; i < 100 && access(path, F_OK) == 0;
         i++) { /* the killed one is reaped by init */
        FILE *file = fopen(path, "r");
        int first = file ? fgetc(file) : EOF;
        if (file) {
            (void)fclose(file);
        }
        if (first == EOF) {
            return; /* dead, and nobody's child that waits */
        }
        (void)usleep(20000);
    }
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(what_cannot_be_started_says_so)
{
    ck_assert_int_eq(WEXITSTATUS(run("/nowhere/absent", "", 0)), PROCESS_NOT_FOUND);
    ck_assert_int_eq(WEXITSTATUS(run("/etc/passwd", "", 0)), PROCESS_NOT_STARTED);
}
END_TEST

START_TEST(signals_reach_all_of_it)
{
    struct process process;
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)"sleep 3600 & sleep 3600", NULL};
    char *environment[] = {NULL};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const struct process_plan plan = {argv, environment, "/", nothing, nothing, nothing, 0};
    ck_assert_int_eq(process_start(&plan, &process), 0);
    (void)usleep(200000); /* past the exec: until then it has the handlers of this test */
    process_signal(&process, SIGTERM);
    struct pollfd end = {.fd = process.fd, .events = POLLIN};
    ck_assert_int_eq(poll(&end, 1, 20000), 1);
    int status = process_reap(&process);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    process_signal(&process, SIGKILL); /* of none: nothing happens */
    (void)close(nothing);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec.process");
    TCase *tests = tcase_create("process");
    tcase_add_test(tests, it_inherits_nothing_else_1);
    tcase_add_test(tests, its_group_goes_with_it_2);
    tcase_add_test(tests, what_cannot_be_started_says_so);
    tcase_add_test(tests, signals_reach_all_of_it);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
