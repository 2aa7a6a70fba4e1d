/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/witness.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_S = 20 };

/* It dies quietly. */
static bool prepare(void)
{
    static const int deaths[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL};
    struct rlimit none = {0};
    (void)setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        (void)signal(deaths[i], SIG_DFL); /* NOLINT(cert-err33-c) */
    }
    return freopen("/dev/null", "w", stderr) != NULL;
}

static _Noreturn void serve(const struct witness *witness, int asked, int answer)
{
    char ask = 0;
    bool clean = prepare();
    while (clean && read(asked, &ask, 1) == 1) {
        (void)alarm(DEADLINE_S);
        uint8_t seen = witness->look(witness->context, &clean);
        if (write(answer, &seen, 1) != 1) {
            break;
        }
    }
    _exit(0);
}

static void begin(struct witness *witness)
{
    int asks[2];
    int answers[2];
    ck_assert(pipe(asks) == 0 && pipe(answers) == 0);
    witness->child = fork();
    ck_assert_int_ge(witness->child, 0);
    if (witness->child == 0) {
        close(asks[1]);
        close(answers[0]);
        serve(witness, asks[0], answers[1]);
    }
    close(asks[0]);
    close(answers[1]);
    witness->ask = asks[1];
    witness->answer = answers[0];
}

/* False: it has ended since it was asked last, or died of this. */
static bool try(struct witness *witness, uint8_t *out_seen)
{
    return write(witness->ask, "?", 1) == 1 && read(witness->answer, out_seen, 1) == 1;
}

int witness_ask(struct witness *witness)
{
    uint8_t seen = 0;
    (void)signal(SIGPIPE, SIG_IGN); /* NOLINT(cert-err33-c) */
    bool fresh = witness->child == 0;
    if (fresh) {
        begin(witness);
    }
    bool told = try(witness, &seen);
    if (!told) {
        witness_end(witness);
    }
    if (!told && !fresh) {
        begin(witness);
        told = try(witness, &seen);
        if (!told) {
            witness_end(witness);
        }
    }
    return told ? seen : -1;
}

void witness_end(struct witness *witness)
{
    if (witness->child > 0) {
        close(witness->ask);
        close(witness->answer);
        ck_assert_int_eq(waitpid(witness->child, NULL, 0), witness->child);
    }
    witness->child = 0;
}
