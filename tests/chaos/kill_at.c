/* SPDX-License-Identifier: EUPL-1.2
 *
 * kill_at CALL FILE PROGRAM [ARGUMENT]...: runs a program and kills it at the entry of its CALL-th
 * system call, counted over all its threads; 0: never. How many there were is written into FILE at
 * the end.
 *
 * SIGTERM is passed on; the program dies with this one. Ends as the program did, with 128 and the
 * signal when it was killed, and with 77 where tracing is not allowed.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EXIT_SKIPPED = 77,
    EXIT_USAGE = 64,
    EXIT_SIGNAL = 128,
    SYSCALL_STOP = SIGTRAP | 0x80, /* PTRACE_O_TRACESYSGOOD */
    ARGUMENTS_LEAST = 4,
};

static volatile sig_atomic_t child;

static void pass_on(int number)
{
    (void)kill(child, number);
}

struct trace {
    pid_t program;
    unsigned long long stops; /* an entry and an exit a call, each in its thread */
    unsigned long long at;
    bool killed;
    int status;
};

static void become(char **argv)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(EXIT_SKIPPED);
    }
    (void)raise(SIGSTOP);
    (void)execvp(argv[0], argv);
    _exit(EXIT_USAGE);
}

static bool attach(const struct trace *trace)
{
    int status = 0;
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    return waitpid(trace->program, &status, 0) == trace->program && WIFSTOPPED(status) &&
           ptrace(PTRACE_SETOPTIONS, trace->program, NULL, (void *)options) == 0 &&
           ptrace(PTRACE_SYSCALL, trace->program, NULL, NULL) == 0;
}

/* The signal to give a stopped thread when it goes on. */
static int signal_of(struct trace *trace, int status)
{
    int number = WSTOPSIG(status);
    if (number == SYSCALL_STOP) {
        trace->stops++;
        if (trace->at > 0 && trace->stops >= 2 * trace->at && !trace->killed) {
            trace->killed = kill(trace->program, SIGKILL) == 0;
        }
        return 0;
    }
    return number == SIGTRAP || number == SIGSTOP ? 0 : number;
}

/* False when the program has ended. */
static bool follow(struct trace *trace)
{
    int status = 0;
    pid_t thread = waitpid(-1, &status, __WALL);
    if (thread < 0) {
        return errno == EINTR;
    }
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        if (thread == trace->program) {
            trace->status = status;
            return false;
        }
        return true;
    }
    const long number = signal_of(trace, status);
    (void)ptrace(PTRACE_SYSCALL, thread, NULL, (void *)number);
    return true;
}

static void write_count(const char *path, unsigned long long calls)
{
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        (void)fprintf(file, "%llu\n", calls);
        (void)fclose(file);
    }
}

int main(int argc, char **argv)
{
    struct trace trace = {0};
    char *end = NULL;
    if (argc < ARGUMENTS_LEAST) {
        (void)fputs("usage: kill_at CALL FILE PROGRAM [ARGUMENT]...\n", stderr);
        return EXIT_USAGE;
    }
    trace.at = strtoull(argv[1], &end, 10);
    trace.program = fork();
    if (trace.program == 0) {
        become(argv + 3);
    }
    child = trace.program;
    struct sigaction action = {.sa_handler = pass_on};
    (void)sigaction(SIGTERM, &action, NULL);
    if (trace.program < 0 || *end != '\0' || !attach(&trace)) {
        (void)fputs("kill_at: tracing is not allowed here\n", stderr);
        return EXIT_SKIPPED;
    }
    while (follow(&trace)) {
    }
    write_count(argv[2], trace.stops / 2);
    return WIFEXITED(trace.status) ? WEXITSTATUS(trace.status)
                                   : EXIT_SIGNAL + WTERMSIG(trace.status);
}
