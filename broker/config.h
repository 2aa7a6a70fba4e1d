/* SPDX-License-Identifier: EUPL-1.2
 *
 * relaisd.yaml. One table (config_options) drives the file, the environment, the ranges, what
 * --print-config prints and the table of docs/operations.md.
 * The environment goes before the file, the file before the default. Any thread.
 */
#ifndef RELAIS_BROKER_CONFIG_H
#define RELAIS_BROKER_CONFIG_H

#include <relais/status.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum config_kind {
    CONFIG_ENDPOINT,
    CONFIG_PATH, /* relative to the configuration file's folder; absolute once loaded */
    CONFIG_NUMBER,
    CONFIG_WORD, /* one of `words`; its index counts */
};

/* Paths and text are owned: freed by config_fini(). */
struct config {
    char *listen;
    char *key;
    char *members;
    char *flows;
    char *entries;
    char *store_path;
    uint64_t map_size_mb;
    uint64_t reserve_mb;
    uint64_t duplicate_window_h;
    uint64_t duplicate_max;
    uint64_t scrub_days;
    uint64_t upload_keep_h;
    uint64_t redo_mb;
    char *backup_path; /* NULL: none */
    uint64_t track_days;
    uint64_t payload_bytes;
    uint64_t stored_payload_bytes;
    uint64_t connections;
    uint64_t connections_per_key;
    uint64_t storing_mb;
    uint64_t sending_mb;
    uint64_t quota_messages;
    uint64_t quota_bytes;
    uint64_t quota_rate;
    uint64_t quota_burst;
    uint64_t quota_connections;
    uint64_t lease_s;
    uint64_t attempts;
    uint64_t retry_s;
    uint64_t log_format; /* enum program_log_format */
    uint64_t log_level;  /* enum program_log_level */
};

struct config_option {
    const char *key;         /* "store.reserve_mb" */
    const char *environment; /* "RELAIS_STORE_RESERVE_MB" */
    enum config_kind kind;
    const char *preset;       /* NULL: required */
    uint64_t min;             /* CONFIG_NUMBER */
    uint64_t max;             /* CONFIG_NUMBER */
    const char *const *words; /* CONFIG_WORD: ended by NULL */
    const char *about;        /* English, to be translated */
    size_t text_offset;       /* in what is read from the file */
    size_t value_offset;      /* in struct config */
};

const struct config_option *config_options(size_t *out_count);

/* Reads `path` and the environment. RELAIS_NOT_FOUND, RELAIS_SYSTEM, RELAIS_CONFIG_INVALID:
 * error->field is "path:line: key" or the environment variable. On success config_fini() frees. */
relais_status config_load(const char *path, struct config *out_config, relais_error *error);
void config_fini(struct config *config);

/* The values that count, as YAML that relaisd reads, each behind what it is for. */
void config_print(const struct config *config, FILE *out);

/* The table of docs/operations.md. */
void config_print_table(FILE *out);

#endif
