/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file operate.h
 * Asking the broker how it is. Role `operate` sees all; any client sees its own member's queues.
 * Thread rule: that of the client.
 */
#ifndef RELAIS_OPERATE_H
#define RELAIS_OPERATE_H

#include <relais/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Fields as relais.v1.Status in proto/relais/v1/command.proto. */
typedef struct relais_broker_status {
    char software[65];
    int64_t uptime_ms;
    uint32_t connections;
    uint32_t consumers;
    uint32_t members;
    uint32_t flows;
    uint64_t mailboxes;
    uint64_t waiting;
    uint64_t waiting_bytes;
    uint64_t leased;
    uint64_t dead;
    uint64_t accepted_total;
    uint64_t duplicates_total;
    uint64_t refused_total;
    uint64_t delivered_total;
    uint64_t acknowledged_total;
    uint64_t store_used_bytes;
    uint64_t store_size_bytes;
} relais_broker_status;

typedef struct relais_queue {
    char address[128];
    uint64_t waiting; /**< not acknowledged yet, leased ones included */
    uint64_t waiting_bytes;
    uint64_t dead;
    uint32_t leased;
    uint32_t consumers;
} relais_queue;

/** Needs role operate: RELAIS_ROLE_MISSING. Waits up to timeout_ms. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_query_status(relais_client *client,
                                                               int timeout_ms,
                                                               relais_broker_status *out_status,
                                                               relais_error *error);

/**
 * Mailboxes in order of address, starting behind `after` (NULL: from the first): up to `capacity`
 * (at most 500) into out_queues, their number in *out_count, and whether others follow in
 * *out_more.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_query_queues(relais_client *client,
                                                               const char *after,
                                                               relais_queue *out_queues,
                                                               size_t capacity, size_t *out_count,
                                                               bool *out_more, relais_error *error);

#ifdef __cplusplus
}
#endif
#endif
