/* SPDX-License-Identifier: EUPL-1.2
 *
 * The configuration file of relais-files (docs/adapters/files.md). Relative paths in it are meant
 * from the file's own folder and are absolute or relative to the working folder after the load.
 * Thread: that of the program.
 */
#ifndef RELAIS_FILES_CONFIG_H
#define RELAIS_FILES_CONFIG_H

#include <relais/message.h>
#include <relais/status.h>
#include <stddef.h>
#include <stdint.h>

enum config_completion {
    CONFIG_SETTLE, /* taken when size and mtime have not changed for settle_ms */
    CONFIG_RENAME, /* taken as soon as it is seen: the writer renames it into the folder */
    CONFIG_READY,  /* taken when a marker file stands beside it */
};

struct config_rule {
    char *pattern; /* fnmatch(3) on the file's name */
    char **to;
    unsigned to_count;
    char *flow;
    char *media_type; /* NULL: by the name's ending */
    relais_priority priority;
};

struct config_outbound {
    char *folder;
    enum config_completion completion;
    char *ready_suffix;
    uint32_t settle_ms;
    uint32_t rescan_s;
    char *sent;   /* NULL: "sent" within folder */
    char *failed; /* NULL: "failed" within folder */
    char *from;   /* may be NULL */
    struct config_rule *rules;
    unsigned rule_count;
};

struct config_mailbox {
    char *address;
    char *folder;
};

struct config_inbound {
    char *address; /* with folder: one mailbox; NULL: look at mailboxes */
    char *folder;
    char *state; /* NULL: ".relais-state" within each folder */
    uint32_t credit;
    struct config_mailbox *mailboxes;
    unsigned mailbox_count;
};

struct config {
    char *profile;
    struct config_outbound *outbound; /* may be NULL */
    struct config_inbound *inbound;   /* may be NULL */
};

enum {
    CONFIG_SETTLE_MS = 2000,
    CONFIG_RESCAN_S = 10,
    CONFIG_CREDIT = 32,
    CONFIG_MAILBOXES = 64, /* consumers of one connection */
    CONFIG_RULES = 256,
};

/* Loads and checks. *out_config is freed with config_free(). RELAIS_CONFIG_INVALID: error.field is
 * "file:line: key" or "file: key". RELAIS_NOT_FOUND, RELAIS_SYSTEM, RELAIS_NO_MEMORY. */
relais_status config_load(const char *path, struct config **out_config, relais_error *error);
void config_free(struct config *config);

#endif
