/* SPDX-License-Identifier: EUPL-1.2
 *
 * The keys of relais-exec in the configuration file (docs/adapters/exec.md).
 * Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_SETTINGS_H
#define RELAIS_EXEC_SETTINGS_H

#include <cyaml/cyaml.h>
#include <relais/adapter.h>

enum {
    SETTINGS_CONCURRENCY = 1,
    SETTINGS_CONCURRENCY_MAX = 256,
    SETTINGS_TIMEOUT_S = 300,
    SETTINGS_TIMEOUT_S_MAX = 86400,
    SETTINGS_REFUSE_CODE = 65,      /* EX_DATAERR of sysexits.h */
    SETTINGS_UNAVAILABLE_CODE = 75, /* EX_TEMPFAIL */
    SETTINGS_RESCAN_S = 2,
};

enum settings_input { SETTINGS_METADATA, SETTINGS_PAYLOAD, SETTINGS_NOTHING };

struct settings_command {
    char **command; /* arguments; or: */
    unsigned command_count;
    char *shell; /* one text for /bin/sh */
    char *folder;
    char **environment;
    unsigned environment_count;
    uint32_t memory_mb;
    bool pass_stderr;
};

struct settings_inbound {
    struct settings_command run;
    enum settings_input input;
    uint32_t concurrency;
    uint32_t timeout_s;
    uint32_t refuse_code;
    uint32_t unavailable_code;
};

/* What a line or a spooled file does not say itself. */
struct settings_defaults {
    char **to;
    unsigned to_count;
    char *flow;
    char *from;
    char *type;
};

struct settings_outbound {
    struct settings_command run;
    uint32_t every_s; /* 0: it runs all the time */
    bool confirm;
    struct settings_defaults defaults;
};

struct settings_spool {
    char *folder;
    uint32_t rescan_s;
    struct settings_defaults defaults;
};

struct settings {
    struct settings_inbound *inbound; /* each may be NULL */
    struct settings_outbound *outbound;
    struct settings_spool *spool;
};

extern const cyaml_schema_field_t settings_fields[];

/* What the schema cannot say, and defaults: relais_adapter_kind.check. */
relais_status settings_check(void *settings, const char *path, relais_error *error);

#endif
