/* SPDX-License-Identifier: EUPL-1.2
 *
 * Every option of the broker, once.
 */
#include "broker/config_text.h"

#include "core/limits.h"
#include "program/locale.h"

/* In the order of enum program_log_format and enum program_log_level. */
static const char *const formats[] = {"logfmt", "json", NULL};
static const char *const levels[] = {"error", "warning", "notice", "debug", NULL};

/* The highest that may be told: reckoning with them must not overflow (core/quota.c). */
#define QUOTA_MOST       1000000000
#define QUOTA_BYTES_MOST UINT64_C(1125899906842624) /* 1 PiB */
#define QUOTA_RATE_MOST  1000000

#define PLACE(text, value)                                                                         \
    .text_offset = offsetof(struct config_text, text),                                             \
    .value_offset = offsetof(struct config, value)

static const struct config_option options[] = {
    {"listen", "RELAIS_LISTEN", CONFIG_ENDPOINT, NULL, 0, 0, NULL,
     N_("Where clients connect: tcp://address:port; * is every address, or a free port"),
     PLACE(listen, listen)},
    {"key", "RELAIS_KEY", CONFIG_PATH, "keys/broker.key", 0, 0, NULL,
     N_("The broker's secret key, mode 0600"), PLACE(key, key)},
    {"members", "RELAIS_MEMBERS", CONFIG_PATH, "members", 0, 0, NULL,
     N_("Folder with one file a member"), PLACE(members, members)},
    {"flows", "RELAIS_FLOWS", CONFIG_PATH, "flows", 0, 0, NULL, N_("Folder with one file a flow"),
     PLACE(flows, flows)},
    {"entries", "RELAIS_ENTRIES", CONFIG_PATH, "entries", 0, 0, NULL,
     N_("Folder with the signed entries and mailbox keys of members; may be absent"),
     PLACE(entries, entries)},
    {"store.path", "RELAIS_STORE_PATH", CONFIG_PATH, "store", 0, 0, NULL,
     N_("Folder of the store, on a local disk; made when absent"), PLACE(store.path, store_path)},
    /* 16 TiB: the largest file of ext4. */
    {"store.map_size_mb", "RELAIS_STORE_MAP_SIZE_MB", CONFIG_NUMBER, "65536", 16, 16777216, NULL,
     N_("Largest size of the store's file, MiB; sparse"), PLACE(store.map_size_mb, map_size_mb)},
    {"store.reserve_mb", "RELAIS_STORE_RESERVE_MB", CONFIG_NUMBER, "64", 1, 1048576, NULL,
     N_("Free room on the disk below which messages are refused, MiB"),
     PLACE(store.reserve_mb, reserve_mb)},
    {"store.duplicate_window_h", "RELAIS_STORE_DUPLICATE_WINDOW_H", CONFIG_NUMBER, "24", 1, 720,
     NULL, N_("How long the id of an accepted message is remembered, hours"),
     PLACE(store.duplicate_window_h, duplicate_window_h)},
    {"store.track_days", "RELAIS_STORE_TRACK_DAYS", CONFIG_NUMBER, "30", 1, 3650, NULL,
     N_("How long it is known what became of a message, days"),
     PLACE(store.track_days, track_days)},
    {"store.duplicate_max", "RELAIS_STORE_DUPLICATE_MAX", CONFIG_NUMBER, "10000000", 1000,
     1000000000, NULL, N_("How many ids are remembered; beyond, the oldest of who has the most go"),
     PLACE(store.duplicate_max, duplicate_max)},
    {"store.scrub_days", "RELAIS_STORE_SCRUB_DAYS", CONFIG_NUMBER, "7", 0, 365, NULL,
     N_("In how many days the whole store is read once and checked; 0: never"),
     PLACE(store.scrub_days, scrub_days)},
    {"store.upload_keep_h", "RELAIS_STORE_UPLOAD_KEEP_H", CONFIG_NUMBER, "168", 1, 8760, NULL,
     N_("How long an unfinished upload that nobody goes on with is kept, hours"),
     PLACE(store.upload_keep_h, upload_keep_h)},
    {"store.redo_mb", "RELAIS_STORE_REDO_MB", CONFIG_NUMBER, "64", 0, 1024, NULL,
     N_("How long the redo log of the store may grow, MiB; 0: it has none"),
     PLACE(store.redo_mb, redo_mb)},
    {"backup.path", "RELAIS_BACKUP_PATH", CONFIG_PATH, "", 0, 0, NULL,
     N_("Folder of backups, best on another disk; made when absent; empty: none are made"),
     PLACE(backup.path, backup_path)},
    {"limits.payload_bytes", "RELAIS_LIMITS_PAYLOAD_BYTES", CONFIG_NUMBER, "1048576", 1024,
     LIMIT_PAYLOAD_BYTES_MAX, NULL,
     N_("Largest payload that travels whole, bytes; larger ones go in chunks"),
     PLACE(limits.payload_bytes, payload_bytes)},
    {"limits.stored_payload_bytes", "RELAIS_LIMITS_STORED_PAYLOAD_BYTES", CONFIG_NUMBER,
     "4294967295", 0, UINT32_MAX, NULL,
     N_("Largest payload that goes in chunks, bytes; 0: none does"),
     PLACE(limits.stored_payload_bytes, stored_payload_bytes)},
    {"limits.connections", "RELAIS_LIMITS_CONNECTIONS", CONFIG_NUMBER, "10000", 1, 100000, NULL,
     N_("Connections in all; lowered when the process may not open enough files"),
     PLACE(limits.connections, connections)},
    {"limits.connections_per_key", "RELAIS_LIMITS_CONNECTIONS_PER_KEY", CONFIG_NUMBER, "8", 1, 1000,
     NULL, N_("Connections of one client's key"),
     PLACE(limits.connections_per_key, connections_per_key)},
    {"limits.storing_mb", "RELAIS_LIMITS_STORING_MB", CONFIG_NUMBER, "48", 4, 4096, NULL,
     N_("Messages in memory on their way to disk, MiB; beyond, senders are told to wait"),
     PLACE(limits.storing_mb, storing_mb)},
    {"limits.sending_mb", "RELAIS_LIMITS_SENDING_MB", CONFIG_NUMBER, "64", 4, 4096, NULL,
     N_("Deliveries in memory that clients have not read, MiB; near it slow readers get less, "
        "beyond "
        "it the slowest is cut"),
     PLACE(limits.sending_mb, sending_mb)},
    /* Quotas of a member: what no honest small one ever meets. A commune sends some hundred
     * messages a day; a State service that writes to all of them submits once. */
    {"quota.messages", "RELAIS_QUOTA_MESSAGES", CONFIG_NUMBER, "10000000", 0, QUOTA_MOST, NULL,
     N_("Messages that one member has sent and that lie in the store; 0: no quota"),
     PLACE(quota.messages, quota_messages)},
    {"quota.bytes", "RELAIS_QUOTA_BYTES", CONFIG_NUMBER, "17179869184", 0, QUOTA_BYTES_MOST, NULL,
     N_("The same in bytes; 0: no quota"), PLACE(quota.bytes, quota_bytes)},
    {"quota.rate", "RELAIS_QUOTA_RATE", CONFIG_NUMBER, "10000", 0, QUOTA_RATE_MOST, NULL,
     N_("Messages a second of one member, once its burst is used up; 0: no quota"),
     PLACE(quota.rate, quota_rate)},
    {"quota.burst", "RELAIS_QUOTA_BURST", CONFIG_NUMBER, "100000", 0, QUOTA_MOST, NULL,
     N_("Messages that one member may send at once; 0: those of a second"),
     PLACE(quota.burst, quota_burst)},
    {"quota.connections", "RELAIS_QUOTA_CONNECTIONS", CONFIG_NUMBER, "128", 0, 100000, NULL,
     N_("Connections of all clients of one member; 0: no quota"),
     PLACE(quota.connections, quota_connections)},
    {"delivery.lease_s", "RELAIS_DELIVERY_LEASE_S", CONFIG_NUMBER, "120", 1, 3600, NULL,
     N_("Time a recipient has to answer a delivery, seconds"), PLACE(delivery.lease_s, lease_s)},
    {"delivery.attempts", "RELAIS_DELIVERY_ATTEMPTS", CONFIG_NUMBER, "10", 1, 1000, NULL,
     N_("Deliveries of a message before it becomes a dead letter"),
     PLACE(delivery.attempts, attempts)},
    {"delivery.retry_s", "RELAIS_DELIVERY_RETRY_S", CONFIG_NUMBER, "5", 1, 3600, NULL,
     N_("Pause before the next attempt, seconds; doubles each time, up to an hour"),
     PLACE(delivery.retry_s, retry_s)},
    {"log.format", "RELAIS_LOG_FORMAT", CONFIG_WORD, "logfmt", 0, 0, formats,
     N_("How a line of the log is written"), PLACE(log.format, log_format)},
    {"log.level", "RELAIS_LOG_LEVEL", CONFIG_WORD, "notice", 0, 0, levels,
     N_("The least important events that are logged"), PLACE(log.level, log_level)},
};

const struct config_option *config_options(size_t *out_count)
{
    *out_count = sizeof options / sizeof options[0];
    return options;
}
