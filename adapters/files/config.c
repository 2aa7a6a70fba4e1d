/* SPDX-License-Identifier: EUPL-1.2
 *
 * Loads and checks the configuration: see config.h. The texts belong to libcyaml's allocator, which
 * is malloc()'s; paths are replaced in place.
 */
#include "adapters/files/config.h"

#include "adapters/files/config_schema.h"
#include "program/error.h"
#include "program/locale.h"
#include "program/yaml.h"

#include <relais/directory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTLE_MS_MAX = 3600000, RESCAN_S_MAX = 3600, CREDIT_MAX = 1024 };

static relais_status refuse(relais_error *error, const char *path, const char *key,
                            const char *wrong, const char *right)
{
    relais_status status =
        error_set(error, RELAIS_CONFIG_INVALID, NULL, right, "%s", wrong ? wrong : "");
    error_set_field(error, "%s: %s", path, key);
    return status;
}

/* "a/b" beside "/etc/relais/files.yaml" is "/etc/relais/a/b". */
static bool resolve(const char *config_path, char **path)
{
    const char *slash = strrchr(config_path, '/');
    char *whole = NULL;
    if (!*path || **path == '/' || !slash) {
        return true;
    }
    if (asprintf(&whole, "%.*s%s", (int)(slash - config_path + 1), config_path, *path) < 0) {
        return false;
    }
    free(*path);
    *path = whole;
    return true;
}

static bool resolve_all(const char *path, struct config *config)
{
    bool fine = resolve(path, &config->profile);
    if (config->outbound) {
        fine = fine && resolve(path, &config->outbound->folder) &&
               resolve(path, &config->outbound->sent) && resolve(path, &config->outbound->failed);
    }
    if (config->inbound) {
        fine = fine && resolve(path, &config->inbound->folder) &&
               resolve(path, &config->inbound->state);
        for (unsigned i = 0; i < config->inbound->mailbox_count; i++) {
            fine = fine && resolve(path, &config->inbound->mailboxes[i].folder);
        }
    }
    return fine;
}

static bool set_defaults(struct config *config)
{
    struct config_outbound *outbound = config->outbound;
    if (outbound) {
        outbound->settle_ms = outbound->settle_ms ? outbound->settle_ms : CONFIG_SETTLE_MS;
        outbound->rescan_s = outbound->rescan_s ? outbound->rescan_s : CONFIG_RESCAN_S;
        if (!outbound->ready_suffix) {
            outbound->ready_suffix = strdup(".ready");
        }
        if (!outbound->sent && asprintf(&outbound->sent, "%s/sent", outbound->folder) < 0) {
            outbound->sent = NULL;
        }
        if (!outbound->failed && asprintf(&outbound->failed, "%s/failed", outbound->folder) < 0) {
            outbound->failed = NULL;
        }
        if (!outbound->ready_suffix || !outbound->sent || !outbound->failed) {
            return false;
        }
    }
    if (config->inbound && config->inbound->credit == 0) {
        config->inbound->credit = CONFIG_CREDIT;
    }
    return true;
}

static relais_status check_address(const char *path, const char *key, const char *address,
                                   relais_error *error)
{
    return relais_address_is_valid(address)
               ? RELAIS_OK
               : refuse(error, path, key, address,
                        _("an address \"member/service\", e.g. commune-76540/etat-civil"));
}

static relais_status check_rule(const char *path, const struct config_rule *rule, unsigned number,
                                relais_error *error)
{
    char key[64];
    for (unsigned i = 0; i < rule->to_count; i++) {
        (void)snprintf(key, sizeof key, "outbound.rules[%u].to[%u]", number, i);
        if (check_address(path, key, rule->to[i], error) != RELAIS_OK) {
            return RELAIS_CONFIG_INVALID;
        }
    }
    if (!relais_flow_code_is_valid(rule->flow)) {
        (void)snprintf(key, sizeof key, "outbound.rules[%u].flow", number);
        return refuse(error, path, key, rule->flow, _("a flow's code: letters, digits, \"-\""));
    }
    return RELAIS_OK;
}

static relais_status check_outbound(const char *path, const struct config_outbound *outbound,
                                    relais_error *error)
{
    if (outbound->settle_ms > SETTLE_MS_MAX) {
        return refuse(error, path, "outbound.settle_ms", NULL, _("at most 3600000 (one hour)"));
    }
    if (outbound->rescan_s > RESCAN_S_MAX) {
        return refuse(error, path, "outbound.rescan_s", NULL, _("at most 3600 (one hour)"));
    }
    if (strchr(outbound->ready_suffix, '/') || strcmp(outbound->ready_suffix, ".json") == 0) {
        return refuse(error, path, "outbound.ready_suffix", outbound->ready_suffix,
                      _("an ending such as .ready"));
    }
    if (outbound->from &&
        check_address(path, "outbound.from", outbound->from, error) != RELAIS_OK) {
        return RELAIS_CONFIG_INVALID;
    }
    for (unsigned i = 0; i < outbound->rule_count; i++) {
        if (check_rule(path, &outbound->rules[i], i, error) != RELAIS_OK) {
            return RELAIS_CONFIG_INVALID;
        }
    }
    return RELAIS_OK;
}

static relais_status check_inbound(const char *path, const struct config_inbound *inbound,
                                   relais_error *error)
{
    bool single = inbound->address && inbound->folder;
    char key[64];
    if (single == (inbound->mailbox_count > 0) || (!inbound->address) != (!inbound->folder)) {
        return refuse(error, path, "inbound", NULL,
                      _("either address and folder, or mailboxes: a list of address and folder"));
    }
    if (inbound->credit > CREDIT_MAX) {
        return refuse(error, path, "inbound.credit", NULL, _("from 1 to 1024"));
    }
    if (single) {
        return check_address(path, "inbound.address", inbound->address, error);
    }
    for (unsigned i = 0; i < inbound->mailbox_count; i++) {
        (void)snprintf(key, sizeof key, "inbound.mailboxes[%u].address", i);
        if (check_address(path, key, inbound->mailboxes[i].address, error) != RELAIS_OK) {
            return RELAIS_CONFIG_INVALID;
        }
        if (inbound->state &&
            strcmp(inbound->mailboxes[i].folder, inbound->mailboxes[0].folder) != 0) {
            return refuse(error, path, "inbound.state", inbound->state,
                          _("no state with several folders: each keeps its own"));
        }
    }
    return RELAIS_OK;
}

static relais_status check(const char *path, const struct config *config, relais_error *error)
{
    if (!config->outbound && !config->inbound) {
        return refuse(error, path, "outbound", NULL, _("outbound, inbound or both"));
    }
    relais_status status = RELAIS_OK;
    if (config->outbound) {
        status = check_outbound(path, config->outbound, error);
    }
    if (status == RELAIS_OK && config->inbound) {
        status = check_inbound(path, config->inbound, error);
    }
    return status;
}

relais_status config_load(const char *path, struct config **out_config, relais_error *error)
{
    void *data = NULL;
    relais_status status = yaml_load(path, &config_schema, &data, error);
    if (status != RELAIS_OK) {
        return status;
    }
    struct config *config = data;
    if (!resolve_all(path, config) || !set_defaults(config)) {
        status = error_set(error, RELAIS_NO_MEMORY, path, NULL, "%s", path);
    } else {
        status = check(path, config, error);
    }
    if (status != RELAIS_OK) {
        config_free(config);
        return status;
    }
    *out_config = config;
    return RELAIS_OK;
}

void config_free(struct config *config)
{
    yaml_free(&config_schema, config);
}
