/* SPDX-License-Identifier: EUPL-1.2
 *
 * Members, services, clients and flows in three hash tables; text and records live in one region
 * and go with it. See directory.h. One thread while it is built; then it is only read.
 */
#include "core/directory.h"

#include "core/directory_rules.h"
#include "core/directory_subscribers.h"
#include "core/limits.h"
#include "core/region.h"
#include "core/table.h"
#include "wire/name.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_CHARACTERS = 40, SERVICES_FIRST = 256 };

/* https://rfc.zeromq.org/spec/32: the alphabet of Z85. */
static const char Z85[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

struct service {
    struct service *next;
    const struct directory_member *member;
    size_t number; /* bit in the subscribers of flows */
    const char *name;
};

struct client_record;

struct directory_member {
    size_t number; /* bit in the rules of flows */
    enum member_kind kind;
    const char *slug;
    size_t slug_bytes;
    struct service *services;
    size_t service_count;
    struct client_record *clients;
    struct quota quota;
    struct directory_notes notes;
};

struct client_record {
    struct directory_client client; /* first: what is handed out */
    const char *key;
    struct client_record *next; /* of the member */
};

struct directory_flow {
    const char *code;
    uint64_t payload_bytes_max;
    struct flow_delivery delivery;
    bool requires_sealing;
    struct flow_acknowledge acknowledge;
    struct directory_rules senders;
    struct directory_rules receivers;
    struct directory_subscribers subscribers;
};

struct directory {
    struct table members;
    struct table clients;
    struct table flows;
    struct service **services; /* by number */
    size_t service_count;
    size_t service_capacity;
    struct region region;
    bool sealed;
};

struct slice {
    const char *text;
    size_t size;
};

static bool same_member(const void *item, const void *key)
{
    const struct directory_member *member = item;
    const struct slice *slug = key;
    return member->slug_bytes == slug->size && memcmp(member->slug, slug->text, slug->size) == 0;
}

static bool same_client(const void *item, const void *key)
{
    return strcmp(((const struct client_record *)item)->key, key) == 0;
}

static bool same_flow(const void *item, const void *key)
{
    return strcmp(((const struct directory_flow *)item)->code, key) == 0;
}

static uint64_t hash_of(const char *text)
{
    return table_hash_text(text, strlen(text));
}

struct directory *directory_new(void)
{
    return calloc(1, sizeof(struct directory));
}

void directory_free(struct directory *directory)
{
    if (!directory) {
        return;
    }
    size_t cursor = 0;
    struct directory_flow *flow = NULL;
    while ((flow = table_next(&directory->flows, &cursor))) {
        directory_rules_fini(&flow->senders);
        directory_rules_fini(&flow->receivers);
        directory_subscribers_fini(&flow->subscribers);
    }
    free(directory->services);
    table_fini(&directory->members);
    table_fini(&directory->clients);
    table_fini(&directory->flows);
    region_fini(&directory->region);
    free(directory);
}

static struct directory_member *find_member(const struct directory *directory, const char *slug,
                                            size_t slug_bytes)
{
    struct slice key = {slug, slug_bytes};
    return table_find(&directory->members, table_hash_text(slug, slug_bytes), same_member, &key);
}

static struct directory_flow *find_flow(const struct directory *directory, const char *code)
{
    return table_find(&directory->flows, hash_of(code), same_flow, code);
}

enum directory_status directory_add_member(struct directory *directory, const char *slug,
                                           enum member_kind kind)
{
    assert(!directory->sealed);
    if (!name_is_slug(slug) || strcmp(slug, DIRECTORY_BROKER) == 0 ||
        (unsigned)kind >= KIND_COUNT) {
        return DIRECTORY_INVALID;
    }
    if (find_member(directory, slug, strlen(slug))) {
        return DIRECTORY_DUPLICATE;
    }
    if (directory->members.count >= LIMIT_DIRECTORY_MEMBERS) {
        return DIRECTORY_FULL;
    }
    struct directory_member *member = region_alloc(&directory->region, sizeof *member);
    if (!member || !(member->slug = region_text(&directory->region, slug, strlen(slug)))) {
        return DIRECTORY_NO_MEMORY;
    }
    member->slug_bytes = strlen(slug);
    member->kind = kind;
    member->number = directory->members.count;
    member->quota = (struct quota){.messages = QUOTA_NOT_TOLD,
                                   .bytes = QUOTA_NOT_TOLD,
                                   .rate = QUOTA_NOT_TOLD,
                                   .burst = QUOTA_NOT_TOLD,
                                   .connections = QUOTA_NOT_TOLD};
    return table_add(&directory->members, hash_of(slug), member) ? DIRECTORY_OK
                                                                 : DIRECTORY_NO_MEMORY;
}

static struct service *find_service(const struct directory_member *member, const char *service)
{
    struct service *one = member->services;
    while (one && strcmp(one->name, service) != 0) {
        one = one->next;
    }
    return one;
}

/* Gives the service its number. False without memory. */
static bool number_service(struct directory *directory, struct service *service)
{
    if (directory->service_count == directory->service_capacity) {
        size_t capacity =
            directory->service_capacity ? directory->service_capacity * 2 : (size_t)SERVICES_FIRST;
        struct service **services =
            realloc(directory->services, capacity * sizeof(struct service *));
        if (!services) {
            return false;
        }
        directory->services = services;
        directory->service_capacity = capacity;
    }
    service->number = directory->service_count;
    directory->services[directory->service_count++] = service;
    return true;
}

enum directory_status directory_add_service(struct directory *directory, const char *member,
                                            const char *service)
{
    assert(!directory->sealed);
    struct directory_member *owner = find_member(directory, member, strlen(member));
    if (!owner || !name_is_slug(service)) {
        return DIRECTORY_INVALID;
    }
    if (directory_has_service(owner, service)) {
        return DIRECTORY_DUPLICATE;
    }
    if (owner->service_count >= LIMIT_MEMBER_SERVICES ||
        directory->service_count >= LIMIT_DIRECTORY_SERVICES) {
        return DIRECTORY_FULL;
    }
    struct service *record = region_alloc(&directory->region, sizeof *record);
    if (!record || !(record->name = region_text(&directory->region, service, strlen(service))) ||
        !number_service(directory, record)) {
        return DIRECTORY_NO_MEMORY;
    }
    record->member = owner;
    record->next = owner->services;
    owner->services = record;
    owner->service_count++;
    return DIRECTORY_OK;
}

enum directory_status directory_set_quota(struct directory *directory, const char *member,
                                          const struct quota *quota)
{
    assert(!directory->sealed);
    struct directory_member *owner = find_member(directory, member, strlen(member));
    if (!owner) {
        return DIRECTORY_INVALID;
    }
    owner->quota = *quota;
    return DIRECTORY_OK;
}

static bool copy_note(struct directory *directory, struct bytes note, struct bytes *out_copy)
{
    if (note.size == 0) {
        return true;
    }
    out_copy->data =
        (const uint8_t *)region_text(&directory->region, (const char *)note.data, note.size);
    out_copy->size = note.size;
    return out_copy->data != NULL;
}

enum directory_status directory_set_notes(struct directory *directory, const char *member,
                                          const struct directory_notes *notes)
{
    assert(!directory->sealed);
    struct directory_member *owner = find_member(directory, member, strlen(member));
    if (!owner) {
        return DIRECTORY_INVALID;
    }
    if (notes->entry.size > LIMIT_ENTRY_BYTES || notes->mailboxes.size > LIMIT_MAILBOXES_BYTES) {
        return DIRECTORY_FULL;
    }
    bool copied = copy_note(directory, notes->entry, &owner->notes.entry) &&
                  copy_note(directory, notes->mailboxes, &owner->notes.mailboxes);
    return copied ? DIRECTORY_OK : DIRECTORY_NO_MEMORY;
}

static bool is_key(const char *key)
{
    return strlen(key) == KEY_CHARACTERS && strspn(key, Z85) == KEY_CHARACTERS;
}

enum directory_status directory_add_client(struct directory *directory, const char *member,
                                           const char *name, const char *key, unsigned roles)
{
    assert(!directory->sealed);
    const unsigned known = ROLE_MAY_SEND | ROLE_MAY_RECEIVE | ROLE_MAY_OPERATE;
    struct directory_member *owner = find_member(directory, member, strlen(member));
    if (!owner || !name_is_slug(name) || !is_key(key) || (roles & ~known) != 0) {
        return DIRECTORY_INVALID;
    }
    if (directory_client(directory, key)) {
        return DIRECTORY_DUPLICATE;
    }
    if (directory->clients.count >= LIMIT_DIRECTORY_CLIENTS) {
        return DIRECTORY_FULL;
    }
    struct client_record *record = region_alloc(&directory->region, sizeof *record);
    if (!record || !(record->key = region_text(&directory->region, key, strlen(key))) ||
        !(record->client.name = region_text(&directory->region, name, strlen(name)))) {
        return DIRECTORY_NO_MEMORY;
    }
    record->client.member = owner;
    record->client.roles = roles;
    if (!table_add(&directory->clients, hash_of(key), record)) {
        return DIRECTORY_NO_MEMORY;
    }
    record->next = owner->clients;
    owner->clients = record;
    return DIRECTORY_OK;
}

enum directory_status directory_add_flow(struct directory *directory, const char *code,
                                         uint64_t payload_bytes_max)
{
    assert(!directory->sealed);
    if (!name_is_flow(code)) {
        return DIRECTORY_INVALID;
    }
    if (find_flow(directory, code)) {
        return DIRECTORY_DUPLICATE;
    }
    if (directory->flows.count >= LIMIT_DIRECTORY_FLOWS) {
        return DIRECTORY_FULL;
    }
    struct directory_flow *flow = region_alloc(&directory->region, sizeof *flow);
    if (!flow || !(flow->code = region_text(&directory->region, code, strlen(code)))) {
        return DIRECTORY_NO_MEMORY;
    }
    flow->payload_bytes_max = payload_bytes_max;
    return table_add(&directory->flows, hash_of(code), flow) ? DIRECTORY_OK : DIRECTORY_NO_MEMORY;
}

static enum directory_status allow(const struct directory *directory, struct directory_rules *rules,
                                   const char *rule)
{
    if (directory_rules_add_class(rules, rule)) {
        return DIRECTORY_OK;
    }
    const struct directory_member *member = find_member(directory, rule, strlen(rule));
    if (!member) {
        return DIRECTORY_INVALID;
    }
    return directory_rules_add_member(rules, member->number) ? DIRECTORY_OK : DIRECTORY_NO_MEMORY;
}

enum directory_status directory_require_sealing(struct directory *directory, const char *flow)
{
    assert(!directory->sealed);
    struct directory_flow *owner = find_flow(directory, flow);
    if (!owner) {
        return DIRECTORY_INVALID;
    }
    owner->requires_sealing = true;
    return DIRECTORY_OK;
}

enum directory_status directory_set_delivery(struct directory *directory, const char *flow,
                                             const struct flow_delivery *delivery)
{
    struct directory_flow *found = find_flow(directory, flow);
    if (!found) {
        return DIRECTORY_INVALID;
    }
    found->delivery = *delivery;
    return DIRECTORY_OK;
}

enum directory_status directory_set_acknowledge(struct directory *directory, const char *flow,
                                                const struct flow_acknowledge *acknowledge)
{
    struct directory_flow *found = find_flow(directory, flow);
    int64_t before_ms = acknowledge->within_ms;
    if (!found || acknowledge->remind_count > LIMIT_REMINDERS || acknowledge->within_ms < 0) {
        return DIRECTORY_INVALID;
    }
    for (uint8_t i = 0; i < acknowledge->remind_count; i++) {
        if (acknowledge->remind_ms[i] <= 0 || acknowledge->remind_ms[i] >= before_ms) {
            return DIRECTORY_INVALID;
        }
        before_ms = acknowledge->remind_ms[i];
    }
    found->acknowledge = *acknowledge;
    return DIRECTORY_OK;
}

enum directory_status directory_allow_sender(struct directory *directory, const char *flow,
                                             const char *rule)
{
    assert(!directory->sealed);
    struct directory_flow *found = find_flow(directory, flow);
    return found ? allow(directory, &found->senders, rule) : DIRECTORY_INVALID;
}

enum directory_status directory_allow_receiver(struct directory *directory, const char *flow,
                                               const char *rule)
{
    assert(!directory->sealed);
    struct directory_flow *found = find_flow(directory, flow);
    return found ? allow(directory, &found->receivers, rule) : DIRECTORY_INVALID;
}

enum directory_status directory_subscribe(struct directory *directory, const char *flow,
                                          const char *member, const char *service)
{
    assert(!directory->sealed);
    struct directory_flow *found = find_flow(directory, flow);
    if (!found) {
        return DIRECTORY_UNKNOWN_FLOW;
    }
    const struct directory_member *owner = find_member(directory, member, strlen(member));
    const struct service *subscriber = owner ? find_service(owner, service) : NULL;
    if (!subscriber) {
        return DIRECTORY_INVALID;
    }
    if (!directory_may_receive(found, owner)) {
        return DIRECTORY_NOT_ALLOWED;
    }
    if (directory_subscribers_has(&found->subscribers, subscriber->number)) {
        return DIRECTORY_DUPLICATE;
    }
    return directory_subscribers_add(&found->subscribers, subscriber->number) ? DIRECTORY_OK
                                                                              : DIRECTORY_NO_MEMORY;
}

void directory_seal(struct directory *directory)
{
    directory->sealed = true;
}

const struct directory_client *directory_client(const struct directory *directory, const char *key)
{
    struct client_record *record = table_find(&directory->clients, hash_of(key), same_client, key);
    return record ? &record->client : NULL;
}

const struct directory_member *directory_member(const struct directory *directory, const char *slug,
                                                size_t slug_bytes)
{
    return find_member(directory, slug, slug_bytes);
}

const struct directory_client *directory_member_client(const struct directory_member *member,
                                                       const char *name)
{
    const struct client_record *record = member->clients;
    while (record && strcmp(record->client.name, name) != 0) {
        record = record->next;
    }
    return record ? &record->client : NULL;
}

const struct directory_flow *directory_flow(const struct directory *directory, const char *code)
{
    return find_flow(directory, code);
}

static bool any_flow(const void *item, const void *key)
{
    (void)item;
    (void)key;
    return true;
}

const struct directory_flow *directory_flow_hashed(const struct directory *directory, uint64_t hash)
{
    return table_find(&directory->flows, hash, any_flow, NULL);
}

uint64_t directory_flow_hash(const char *code)
{
    return hash_of(code);
}

const char *directory_flow_code(const struct directory_flow *flow)
{
    return flow->code;
}

const char *directory_member_slug(const struct directory_member *member)
{
    return member->slug;
}

const struct directory_notes *directory_member_notes(const struct directory_member *member)
{
    return &member->notes;
}

const struct quota *directory_member_quota(const struct directory_member *member)
{
    return &member->quota;
}

bool directory_has_service(const struct directory_member *member, const char *service)
{
    return find_service(member, service) != NULL;
}

bool directory_has_place(const struct directory_member *member, const char *name)
{
    return name[0] == '~' ? directory_member_client(member, name + 1) != NULL
                          : directory_has_service(member, name);
}

bool directory_may_send(const struct directory_flow *flow, const struct directory_member *member)
{
    return directory_rules_allow(&flow->senders, member->number, member->kind);
}

bool directory_may_receive(const struct directory_flow *flow, const struct directory_member *member)
{
    return directory_rules_allow(&flow->receivers, member->number, member->kind);
}

uint64_t directory_flow_payload_bytes(const struct directory_flow *flow)
{
    return flow->payload_bytes_max;
}

bool directory_flow_requires_sealing(const struct directory_flow *flow)
{
    return flow->requires_sealing;
}

struct flow_delivery directory_flow_delivery(const struct directory_flow *flow)
{
    return flow->delivery;
}

const struct flow_acknowledge *directory_flow_acknowledge(const struct directory_flow *flow)
{
    return &flow->acknowledge;
}

size_t directory_subscribers(const struct directory_flow *flow)
{
    return flow->subscribers.count;
}

bool directory_subscribes(const struct directory_flow *flow, const struct directory_member *member,
                          const char *service)
{
    const struct service *found = find_service(member, service);
    return found && directory_subscribers_has(&flow->subscribers, found->number);
}

bool directory_next_subscriber(const struct directory *directory, const struct directory_flow *flow,
                               size_t *cursor, struct directory_address *out_address)
{
    size_t number = 0;
    if (!directory_subscribers_next(&flow->subscribers, cursor, &number)) {
        return false;
    }
    const struct service *service = directory->services[number];
    *out_address =
        (struct directory_address){.member = service->member->slug, .service = service->name};
    return true;
}

size_t directory_members(const struct directory *directory)
{
    return directory->members.count;
}

size_t directory_flows(const struct directory *directory)
{
    return directory->flows.count;
}
