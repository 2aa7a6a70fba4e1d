/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a process of the broker asks of the system before it has threads: files, core dumps, the
 * seed of rand(), signals. Called by main() only.
 */
#ifndef RELAIS_BROKER_PROCESS_H
#define RELAIS_BROKER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* sysexits(3), as far as they fit; docs/operations.md lists them. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FINDINGS = 1,     /* --check found something; a second signal cut the end short */
    EXIT_USAGE = 64,       /* the command line */
    EXIT_UNAVAILABLE = 69, /* port in use, store locked, not writable or on a network disk */
    EXIT_STORE = 70,       /* the store failed or is damaged */
    EXIT_SYSTEM = 71,      /* memory, randomness, file descriptors */
    EXIT_CONFIG = 78,      /* configuration, key, members or flows */
};

/* Raises the soft limit of open files to the hard one; returns it. */
uint64_t process_raise_files(void);

/* How many connections `files` open files allow, at most `wanted`; 0: not even a minimal service.
 */
uint64_t process_connections(uint64_t files, uint64_t wanted);

/* The least number of open files with which the broker starts. */
uint64_t process_files_min(void);

/* No core dump and no ptrace by others of the same user while secrets are in memory; and back. */
void process_hide_memory(void);
void process_show_memory(void);

/* Seeds rand(), which libzmq 4.3.4 uses for what peers must not guess, before its first context.
 * Gives *out_seed for the core as well. False: the system has no randomness. */
bool process_seed(uint64_t *out_seed);

/* SIGPIPE is ignored. SIGBUS, which a truncated store file means, and a crash in a thread of the
 * store, which a damaged one means, say so and end the process with EXIT_STORE. */
void process_guard_signals(void);

/* Blocks SIGTERM, SIGINT and SIGHUP in this thread and those that it starts. Returns a descriptor
 * that is readable when one comes, or -1. */
int process_signal_fd(void);

/* The next signal, 0: none. */
int process_next_signal(int fd);

#endif
