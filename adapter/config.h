/* SPDX-License-Identifier: EUPL-1.2
 *
 * The configuration file of an adapter: the keys that all have, and the adapter's own beside them
 * in one mapping.
 *
 *   1. Relative paths of the common keys are meant from the file's folder, and are resolved here.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_ADAPTER_CONFIG_H
#define RELAIS_ADAPTER_CONFIG_H

#include <cyaml/cyaml.h>
#include <relais/adapter.h>

enum {
    CONFIG_CREDIT = 32,
    CONFIG_MESSAGES = 1000000,
    CONFIG_MEGABYTES = 1024,
    CONFIG_MEGABYTES_MAX = 65536,
    CONFIG_IN_FLIGHT = 256,
    CONFIG_STOP_S = 10,
    CONFIG_STOP_S_MAX = 3600,
};

struct config_outbox {
    uint32_t messages;
    uint32_t megabytes;
    uint32_t in_flight;
};

struct config_common {
    char *profile;
    char *state;
    char **mailboxes;
    unsigned mailbox_count;
    uint32_t credit;
    struct config_outbox outbox;
    char *metrics; /* NULL: metrics.prom in the state, or none */
    char *status;  /* NULL: status.json in the state, or none */
    uint32_t stop_s;
};

struct config {
    struct config_common *common; /* at the head of the block that libcyaml made */
    void *settings;               /* behind it: the adapter's own; NULL: it has none */
    cyaml_schema_field_t *fields;
    cyaml_schema_value_t schema;
    char path[4096]; /* of the file */
};

/* Loads and checks. RELAIS_CONFIG_INVALID: error.field is "file:line: key". RELAIS_NOT_FOUND,
 * RELAIS_SYSTEM, RELAIS_NO_MEMORY, and what the kind's check says. */
relais_status config_load(const char *path, const relais_adapter_kind *kind,
                          struct config **out_config, relais_error *error);
void config_free(struct config *config);

/* `path` as it is meant from the folder of the file. False: it does not fit. */
bool config_resolve(const char *file, const char *path, char *buffer, size_t size);

#endif
