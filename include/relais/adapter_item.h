/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file adapter_item.h
 * One message from a mailbox in the hands of an adapter (relais/adapter.h): what it is, and the
 * answer. Thread rule: that of adapter.h. Since 0.1.
 */
#ifndef RELAIS_ADAPTER_ITEM_H
#define RELAIS_ADAPTER_ITEM_H

#include <relais/message.h>
#include <relais/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RELAIS_ADAPTER_REASON_BYTES = 256 /**< what of a reason is kept */ };

/** From `deliver` until its answer. */
typedef struct relais_adapter_item relais_adapter_item;

/** The message; lives until the answer. */
RELAIS_API const relais_message *relais_adapter_message(const relais_adapter_item *item);

/** The mailbox it came from. */
RELAIS_API const char *relais_adapter_mailbox(const relais_adapter_item *item);

/** As relais_delivery_sender() and so on; an attempt above 1: an earlier one may have done a part.
 */
RELAIS_API const char *relais_adapter_sender(const relais_adapter_item *item);
RELAIS_API int64_t relais_adapter_accepted_ms(const relais_adapter_item *item);
RELAIS_API uint32_t relais_adapter_attempt(const relais_adapter_item *item);

RELAIS_API uint64_t relais_adapter_payload_bytes(const relais_adapter_item *item);

/** Writes the payload to `fd`, from its beginning: a large one is fetched in chunks, which keeps
 * the program busy until it is there. RELAIS_OK, or as relais_fetch_payload(): answer with
 * relais_adapter_later(). */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_adapter_write_payload(relais_adapter_item *item,
                                                                        int fd,
                                                                        relais_error *error);

/**
 * Done with it for good. It is recorded in the ledger, then acknowledged; should the bus deliver
 * it again, the adapter does not see it. A crash between what the adapter did and this record
 * brings the message again: software that must not do a thing twice keeps message->id with it.
 * A large payload that was not written is refused instead. The item must not be used after that,
 * nor after the other answers.
 */
RELAIS_API void relais_adapter_done(relais_adapter_item *item);

/** Not now: again after delay_ms (0: 5 seconds, doubled at each attempt, up to an hour). The bus
 * counts the attempts (10 unless the operator says otherwise), then the message is a dead letter.
 * `reason` goes to the operator: no personal data; may be NULL. */
RELAIS_API void relais_adapter_later(relais_adapter_item *item, uint32_t delay_ms,
                                     const char *reason);

/** Never: a dead letter with this reason. */
RELAIS_API void relais_adapter_refuse(relais_adapter_item *item, const char *reason);

/** The software is away, whatever the message: this one goes back uncounted, and nothing is taken
 * from any mailbox for 5 seconds, doubled each time up to 5 minutes, until `ready` says so. Items
 * that are worked on go on. `reason` goes to the log: a fixed word, no data. */
RELAIS_API void relais_adapter_unavailable(relais_adapter_item *item, const char *reason);

/** Only while stopping: nothing was begun with it, and it goes back uncounted. */
RELAIS_API void relais_adapter_give_back(relais_adapter_item *item);

#ifdef __cplusplus
}
#endif
#endif
