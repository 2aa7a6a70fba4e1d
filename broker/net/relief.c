/* SPDX-License-Identifier: EUPL-1.2
 *
 * See relief.h.
 */
#include "net/relief.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static int reserve_take(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void relief_init(struct relief *relief)
{
    *relief = (struct relief){.reserve = reserve_take(), .listening = -1};
}

void relief_fini(struct relief *relief)
{
    if (relief->reserve >= 0) {
        (void)close(relief->reserve);
        relief->reserve = -1;
    }
}

void relief_listen(struct relief *relief, int listening)
{
    const int flags = fcntl(listening, F_GETFL);
    if (flags >= 0 && fcntl(listening, F_SETFL, flags | O_NONBLOCK) == 0) {
        relief->listening = listening;
    }
}

static void waiting_turn_away(struct relief *relief)
{
    relief_fini(relief);
    for (unsigned i = 0; i < RELIEF_PEERS_A_TURN; i++) {
        const int peer = accept4(relief->listening, NULL, NULL, SOCK_CLOEXEC);
        if (peer < 0) {
            break;
        }
        (void)close(peer);
    }
    relief->reserve = reserve_take();
}

bool relief_turn_away(struct relief *relief, int system_errno, int64_t now_ms)
{
    if (system_errno != EMFILE && system_errno != ENFILE) {
        return false;
    }
    if (relief->listening >= 0 && now_ms - relief->turn_ms >= RELIEF_TURN_MS) {
        relief->turn_ms = now_ms;
        waiting_turn_away(relief);
    }
    if (relief->reported && now_ms - relief->reported_ms < RELIEF_REPORT_MS) {
        return false;
    }
    relief->reported = true;
    relief->reported_ms = now_ms;
    return true;
}

bool relief_lost(struct relief *relief)
{
    if (relief->reserve < 0) {
        relief->reserve = reserve_take();
    }
    return relief->reserve < 0;
}
