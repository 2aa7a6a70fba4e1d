/* SPDX-License-Identifier: EUPL-1.2
 *
 * A command as a process group of its own.
 *
 *   1. It inherits its three standard descriptors and nothing else: no other descriptor, no signal
 *      that is blocked or ignored, no variable that was not named.
 *   2. What it started in its group does not outlive it; it does not outlive the adapter.
 *   3. No shell is between: arguments are what they are.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_PROCESS_H
#define RELAIS_EXEC_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

enum {
    PROCESS_NOT_FOUND = 127, /* exit codes of a command that could not be started, as in a shell */
    PROCESS_NOT_STARTED = 126,
};

struct process_plan {
    char *const *argv;
    char *const *environment;
    const char *folder; /* to work in */
    int in;             /* descriptors; borrowed */
    int out;
    int err;
    uint64_t memory_bytes; /* of address space; 0: no limit */
};

struct process {
    pid_t pid; /* 0: none */
    int fd;    /* readable when it has ended */
};

/* 0 or an errno. */
int process_start(const struct process_plan *plan, struct process *out_process);

/* To all of the group. */
void process_signal(const struct process *process, int signal);

/* Of one that has ended: the rest of its group is killed. Returns the status of waitpid(2). */
int process_reap(struct process *process);

#endif
