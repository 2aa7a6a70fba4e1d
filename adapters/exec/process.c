/* SPDX-License-Identifier: EUPL-1.2
 *
 * See process.h. Between fork and exec only calls that are safe there.
 */
#include "adapters/exec/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_OTHER_FD = 3, UMASK = 077 };

static bool limit(uint64_t memory_bytes)
{
    struct rlimit none = {0, 0};
    struct rlimit memory = {memory_bytes, memory_bytes};
    return setrlimit(RLIMIT_CORE, &none) == 0 &&
           (memory_bytes == 0 || setrlimit(RLIMIT_AS, &memory) == 0);
}

static bool settle(const struct process_plan *plan, pid_t parent)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)setpgid(0, 0);
    (void)umask(UMASK);
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
           signal(SIGPIPE, SIG_DFL) != SIG_ERR && sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
           dup2(plan->in, STDIN_FILENO) >= 0 && dup2(plan->out, STDOUT_FILENO) >= 0 &&
           dup2(plan->err, STDERR_FILENO) >= 0 && close_range(FIRST_OTHER_FD, ~0U, 0) == 0 &&
           chdir(plan->folder) == 0 && limit(plan->memory_bytes);
}

static void become(const struct process_plan *plan, pid_t parent)
{
    if (!settle(plan, parent)) {
        _exit(PROCESS_NOT_STARTED);
    }
    (void)execvpe(plan->argv[0], plan->argv, plan->environment);
    _exit(errno == ENOENT ? PROCESS_NOT_FOUND : PROCESS_NOT_STARTED);
}

int process_start(const struct process_plan *plan, struct process *out_process)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(plan, parent);
    }
    if (pid < 0) {
        return errno;
    }
    (void)setpgid(pid, pid); /* whichever of us is first */
    *out_process = (struct process){.pid = pid, .fd = pidfd_open(pid, 0)};
    if (out_process->fd < 0) {
        int number = errno;
        process_signal(out_process, SIGKILL);
        (void)process_reap(out_process);
        return number;
    }
    return 0;
}

void process_signal(const struct process *process, int signal)
{
    if (process->pid > 0) {
        (void)kill(-process->pid, signal);
    }
}

int process_reap(struct process *process)
{
    int status = 0;
    siginfo_t info;
    if (process->pid <= 0) {
        return 0;
    }
    /* It is dead but not gone: its number still names its group, and nobody else's. */
    while (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    process_signal(process, SIGKILL);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (process->fd >= 0) {
        (void)close(process->fd);
    }
    *process = (struct process){.fd = -1};
    return status;
}
