/* SPDX-License-Identifier: EUPL-1.2
 *
 * The configuration file as text, before values are judged: a value from the file and one from the
 * environment are then read by the same rules. NULL: not in the file.
 */
#ifndef RELAIS_BROKER_CONFIG_TEXT_H
#define RELAIS_BROKER_CONFIG_TEXT_H

#include "broker/config.h"

struct config_store_text {
    char *path;
    char *map_size_mb;
    char *reserve_mb;
    char *duplicate_window_h;
    char *duplicate_max;
    char *track_days;
    char *scrub_days;
    char *upload_keep_h;
    char *redo_mb;
};

struct config_backup_text {
    char *path;
};

struct config_limits_text {
    char *payload_bytes;
    char *stored_payload_bytes;
    char *connections;
    char *connections_per_key;
    char *storing_mb;
    char *sending_mb;
};

struct config_quota_text {
    char *messages;
    char *bytes;
    char *rate;
    char *burst;
    char *connections;
};

struct config_delivery_text {
    char *lease_s;
    char *attempts;
    char *retry_s;
};

struct config_log_text {
    char *format;
    char *level;
};

struct config_text {
    char *listen;
    char *key;
    char *members;
    char *flows;
    char *entries;
    struct config_store_text store;
    struct config_backup_text backup;
    struct config_limits_text limits;
    struct config_quota_text quota;
    struct config_delivery_text delivery;
    struct config_log_text log;
};

#endif
