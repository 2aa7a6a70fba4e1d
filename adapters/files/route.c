/* SPDX-License-Identifier: EUPL-1.2
 *
 * Where a file goes, and its id: see route.h. Media types: IANA.
 */
#include "adapters/files/route.h"

#include "adapters/files/safe_name.h"
#include "program/error.h"
#include "program/locale.h"

#include <fnmatch.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *ending;
    const char *type;
} media_types[] = {
    {".xml", "application/xml"},
    {".json", "application/json"},
    {".pdf", "application/pdf"},
    {".zip", "application/zip"},
    {".txt", "text/plain"},
    {".csv", "text/csv"},
    {".html", "text/html"},
    {".md", "text/markdown"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".png", "image/png"},
    {".tif", "image/tiff"},
    {".tiff", "image/tiff"},
    {".gz", "application/gzip"},
    {".p7m", "application/pkcs7-mime"},
    {".eml", "message/rfc822"},
    {".tar", "application/x-tar"},
    {".odt", "application/vnd.oasis.opendocument.text"},
    {".ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
};

const char *route_media_type(const char *name)
{
    const char *ending = name + safe_name_stem(name);
    for (size_t i = 0; i < sizeof media_types / sizeof media_types[0]; i++) {
        if (strcasecmp(ending, media_types[i].ending) == 0) {
            return media_types[i].type;
        }
    }
    return "application/octet-stream";
}

static const struct config_rule *find_rule(const struct config_outbound *config, const char *name)
{
    for (unsigned i = 0; i < config->rule_count; i++) {
        if (fnmatch(config->rules[i].pattern, name, 0) == 0) {
            return &config->rules[i];
        }
    }
    return NULL;
}

static void take_sidecar(const struct sidecar *sidecar, struct route *route)
{
    if (sidecar->to_count > 0) {
        route->to = sidecar->to;
        route->to_count = sidecar->to_count;
    }
    route->flow = sidecar->flow ? sidecar->flow : route->flow;
    route->from = sidecar->from ? sidecar->from : route->from;
    route->media_type = sidecar->media_type ? sidecar->media_type : route->media_type;
    route->type = sidecar->type ? sidecar->type : route->type;
    route->priority = sidecar->has_priority ? sidecar->priority : route->priority;
}

relais_status route_find(const struct config_outbound *config, const char *name,
                         const struct sidecar *sidecar, struct route *out_route,
                         relais_error *error)
{
    struct route route = {
        .from = config->from, .media_type = route_media_type(name), .type = "fr.relais.file"};
    const struct config_rule *rule = find_rule(config, name);
    if (rule) {
        route.to = (const char *const *)rule->to;
        route.to_count = rule->to_count;
        route.flow = rule->flow;
        route.media_type = rule->media_type ? rule->media_type : route.media_type;
        route.priority = rule->priority;
    }
    if (sidecar) {
        take_sidecar(sidecar, &route);
    }
    if (route.to_count == 0 || !route.flow) {
        return error_set(error, RELAIS_FIELD_MISSING, route.to_count == 0 ? "to" : "flow",
                         _("a side-car <name>.json with to and flow, or a rule of the adapter's "
                           "configuration that fits the name"),
                         _("neither a side-car nor a rule says it"));
    }
    *out_route = route;
    return RELAIS_OK;
}

static void hash_text(crypto_generichash_state *state, const char *text)
{
    (void)crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void hash_number(crypto_generichash_state *state, uint64_t number)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    (void)crypto_generichash_update(state, bytes, sizeof bytes);
}

void route_make_id(const struct route *route, const char *name, int64_t mtime_ns,
                   relais_bytes payload, char out_id[ROUTE_ID_CHARACTERS + 1])
{
    crypto_generichash_state state;
    unsigned char digest[ROUTE_ID_CHARACTERS / 2];
    (void)crypto_generichash_init(&state, NULL, 0, sizeof digest);
    hash_text(&state, name);
    hash_number(&state, (uint64_t)mtime_ns);
    hash_number(&state, payload.size);
    hash_text(&state, route->flow);
    hash_number(&state, route->to_count);
    for (size_t i = 0; i < route->to_count; i++) {
        hash_text(&state, route->to[i]);
    }
    (void)crypto_generichash_update(&state, payload.data, payload.size);
    (void)crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(out_id, ROUTE_ID_CHARACTERS + 1, digest, sizeof digest);
}
