/* SPDX-License-Identifier: EUPL-1.2
 *
 * Which acks are on the broker's disk: see settling.h.
 */
#include "adapters/files/settling.h"

#include <string.h>

void settling_add(struct settling *settling, struct inbox *inbox,
                  const unsigned char key[LEDGER_KEY_BYTES], uint64_t reconnects)
{
    if (settling->reconnects != reconnects) {
        settling->count = 0;
        settling->reconnects = reconnects;
    }
    if (settling->count < SETTLING_MAX) {
        memcpy(settling->keys[settling->count], key, LEDGER_KEY_BYTES);
        settling->inboxes[settling->count++] = inbox;
    }
}

void settling_look(struct settling *settling, size_t unsettled, uint64_t reconnects, int64_t now_ms)
{
    if (settling->reconnects != reconnects) {
        settling->count = 0;
        settling->reconnects = reconnects;
    }
    if (unsettled > 0) {
        return;
    }
    for (size_t i = 0; i < settling->count; i++) {
        inbox_settled(settling->inboxes[i], settling->keys[i], now_ms);
    }
    settling->count = 0;
}
