/* SPDX-License-Identifier: EUPL-1.2
 *
 * Reads the files of members, then of flows, in the order of their names, so that the same folders
 * give the same problems in the same order.
 * Invariant: 1. a directory that was given out names only members that exist.
 */
#include "broker/directory_load.h"

#include "broker/signed_notes.h"
#include "core/limits.h"
#include "program/error.h"
#include "program/locale.h"
#include "program/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <relais/directory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load {
    const struct directory_listener *listener;
    struct directory *directory;
    const char *entries;            /* folder of signed notes; NULL: none */
    struct subscriber *subscribers; /* in the order of their files */
    struct subscriber **last_subscriber;
    bool failed;
};

/* A member that subscribes, until the flows are there. */
struct subscriber {
    struct subscriber *next;
    relais_member *member;
    char path[];
};

/* Adds one file to the directory. */
typedef void (*add_file)(struct load *load, const char *path);

static void tell(struct load *load, const relais_error *error)
{
    load->failed = true;
    load->listener->tell(load->listener->context, error);
}

/* Tells what the directory says against `key` of the file `path`. */
static void tell_refusal(struct load *load, const char *path, const char *key, const char *wrong,
                         enum directory_status refusal)
{
    relais_error error = {0};

    switch (refusal) {
    case DIRECTORY_OK:
        return;
    case DIRECTORY_DUPLICATE:
        (void)error_set(&error, RELAIS_CONFIG_INVALID, key,
                        _("a value that no other file has: this one is used twice"), "%s", wrong);
        break;
    case DIRECTORY_INVALID:
        (void)error_set(&error, RELAIS_CONFIG_INVALID, key, _("a member that has a file"), "%s",
                        wrong);
        break;
    case DIRECTORY_UNKNOWN_FLOW:
        (void)error_set(&error, RELAIS_CONFIG_INVALID, key, _("a flow that has a file"), "%s",
                        wrong);
        break;
    case DIRECTORY_NOT_ALLOWED:
        (void)error_set(&error, RELAIS_CONFIG_INVALID, key,
                        _("a flow that has this member among its receivers"), "%s", wrong);
        break;
    case DIRECTORY_FULL: {
        char right[64];

        (void)snprintf(right, sizeof right, _("at most %d members"), (int)LIMIT_DIRECTORY_MEMBERS);
        (void)error_set(&error, RELAIS_LIMIT_EXCEEDED, key, right, "%s", wrong);
        break;
    }
    default:
        (void)error_set(&error, RELAIS_NO_MEMORY, key, NULL, "%s", "");
    }
    yaml_name_line(path, &error);
    tell(load, &error);
}

/* RELAIS_KIND_... and KIND_..., RELAIS_ROLE_... and ROLE_MAY_... are the same numbers. */
_Static_assert((int)RELAIS_KIND_COMMUNE == (int)KIND_COMMUNE &&
                   (int)RELAIS_KIND_EPCI == (int)KIND_EPCI &&
                   (int)RELAIS_KIND_DEPARTEMENT == (int)KIND_DEPARTEMENT &&
                   (int)RELAIS_KIND_REGION == (int)KIND_REGION &&
                   (int)RELAIS_KIND_STATE == (int)KIND_STATE &&
                   (int)RELAIS_KIND_OPERATOR == (int)KIND_OPERATOR,
               "kinds of the file and of the core differ");
_Static_assert((int)RELAIS_ROLE_SEND == (int)ROLE_MAY_SEND &&
                   (int)RELAIS_ROLE_RECEIVE == (int)ROLE_MAY_RECEIVE &&
                   (int)RELAIS_ROLE_OPERATE == (int)ROLE_MAY_OPERATE,
               "roles of the file and of the core differ");

static void add_parts(struct load *load, const char *path, const relais_member *member)
{
    char key[64];

    for (size_t i = 0; i < member->service_count; i++) {
        (void)snprintf(key, sizeof key, "services[%zu]", i);
        tell_refusal(load, path, key, member->services[i],
                     directory_add_service(load->directory, member->slug, member->services[i]));
    }
    for (size_t i = 0; i < member->client_count; i++) {
        const relais_member_client *client = &member->clients[i];

        (void)snprintf(key, sizeof key, "clients[%zu].key", i);
        tell_refusal(load, path, key, client->key,
                     directory_add_client(load->directory, member->slug, client->name, client->key,
                                          client->roles));
    }
}

static uint64_t told(const uint64_t *number)
{
    return number != NULL ? *number : QUOTA_NOT_TOLD;
}

static void add_quota(struct load *load, const char *path, const relais_member *member)
{
    const relais_quota *own = member->quota;

    if (own != NULL) {
        const struct quota quota = {.messages = told(own->messages),
                                    .bytes = told(own->bytes),
                                    .rate = told(own->rate),
                                    .burst = told(own->burst),
                                    .connections = told(own->connections)};

        tell_refusal(load, path, "quota", member->slug,
                     directory_set_quota(load->directory, member->slug, &quota));
    }
}

static void no_memory(struct load *load)
{
    const relais_error error = {.status = RELAIS_NO_MEMORY};

    tell(load, &error);
}

/* Takes the member over. */
static void keep_subscriber(struct load *load, const char *path, relais_member *member)
{
    size_t size = strlen(path) + 1;
    struct subscriber *subscriber = malloc(sizeof *subscriber + size);

    if (subscriber == NULL) {
        relais_member_free(member);
        no_memory(load);
        return;
    }
    *subscriber = (struct subscriber){.member = member};
    memcpy(subscriber->path, path, size);
    *load->last_subscriber = subscriber;
    load->last_subscriber = &subscriber->next;
}

static void add_subscriptions(struct load *load, const struct subscriber *subscriber)
{
    char key[64];

    for (size_t i = 0; i < subscriber->member->subscription_count; i++) {
        const relais_subscription *one = &subscriber->member->subscriptions[i];

        (void)snprintf(key, sizeof key, "subscriptions[%zu].flow", i);
        tell_refusal(load, subscriber->path, key, one->flow,
                     directory_subscribe(load->directory, one->flow, subscriber->member->slug,
                                         one->service));
    }
}

/* Once the flows are there, whose errors would be told again for each subscriber. */
static void end_subscribers(struct load *load)
{
    const bool files_are_good = !load->failed;

    while (load->subscribers != NULL) {
        struct subscriber *subscriber = load->subscribers;

        if (files_are_good) {
            add_subscriptions(load, subscriber);
        }
        load->subscribers = subscriber->next;
        relais_member_free(subscriber->member);
        free(subscriber);
    }
}

static void add_notes(struct load *load, const char *slug)
{
    struct signed_notes notes;
    relais_error error = {0};

    if (load->entries == NULL) {
        return;
    }
    if (signed_notes_read(load->entries, slug, &notes, &error) != RELAIS_OK) {
        tell(load, &error);
        return;
    }
    if (directory_set_notes(load->directory, slug, &notes.notes) != DIRECTORY_OK) {
        no_memory(load); /* the member is there, and the sizes were checked */
    }
    signed_notes_free(&notes);
}

static void add_member(struct load *load, const char *path)
{
    relais_member *member = NULL;
    relais_error error = {0};

    if (relais_member_load(path, &member, &error) != RELAIS_OK) {
        tell(load, &error);
        return;
    }
    enum directory_status status =
        directory_add_member(load->directory, member->slug, (enum member_kind)member->kind);
    if (status == DIRECTORY_OK) {
        add_quota(load, path, member);
        add_parts(load, path, member);
        add_notes(load, member->slug);
    } else {
        tell_refusal(load, path, "slug", member->slug, status);
    }
    if (status == DIRECTORY_OK && member->subscription_count > 0) {
        keep_subscriber(load, path, member);
        return;
    }
    relais_member_free(member);
}

typedef enum directory_status (*allow)(struct directory *directory, const char *flow,
                                       const char *rule);

/* A rule that names one member: neither "*" nor "kind:...". */
static bool names_member(const char *rule)
{
    return strcmp(rule, "*") != 0 && strchr(rule, ':') == NULL;
}

/* One of the two lists of a flow. */
struct rules {
    const char *flow;
    const char *key; /* "senders" */
    char *const *texts;
    size_t count;
    allow allow;
};

static void add_rules(struct load *load, const char *path, const struct rules *rules)
{
    char key[64];

    for (size_t i = 0; i < rules->count; i++) {
        const char *text = rules->texts[i];
        enum directory_status status = DIRECTORY_INVALID;

        (void)snprintf(key, sizeof key, "%s[%zu]", rules->key, i);
        if (!names_member(text) || directory_member(load->directory, text, strlen(text)) != NULL) {
            status = rules->allow(load->directory, rules->flow, text);
        }
        tell_refusal(load, path, key, text, status);
    }
}

/* relais_flow_check() has seen the times. */
static void add_acknowledge(struct load *load, const char *path, const relais_flow *flow)
{
    const relais_acknowledge *asked = flow->acknowledge;
    struct flow_acknowledge rules = {0};
    bool fine = true;

    if (asked == NULL) {
        return;
    }
    fine = relais_duration_parse(asked->within, &rules.within_ms);
    for (size_t i = 0; fine && i < asked->remind_count && i < LIMIT_REMINDERS; i++) {
        fine = relais_duration_parse(asked->remind[i], &rules.remind_ms[rules.remind_count++]);
    }
    tell_refusal(load, path, "acknowledge", asked->within,
                 fine ? directory_set_acknowledge(load->directory, flow->code, &rules)
                      : DIRECTORY_INVALID);
}

static void add_flow(struct load *load, const char *path)
{
    relais_flow *flow = NULL;
    relais_error error = {0};

    if (relais_flow_load(path, &flow, &error) != RELAIS_OK) {
        tell(load, &error);
        return;
    }
    enum directory_status status =
        directory_add_flow(load->directory, flow->code, flow->payload_max);
    if (status == DIRECTORY_OK) {
        const struct rules lists[] = {
            {flow->code, "senders", flow->senders, flow->sender_count, directory_allow_sender},
            {flow->code, "receivers", flow->receivers, flow->receiver_count,
             directory_allow_receiver}};

        const struct flow_delivery delivery = {.attempts = (uint32_t)flow->attempts,
                                               .lease_ms = (uint32_t)flow->lease_s * 1000};

        add_rules(load, path, &lists[0]);
        add_rules(load, path, &lists[1]);
        (void)directory_set_delivery(load->directory, flow->code, &delivery); /* it is there */
        if (flow->sealing != NULL && strcmp(flow->sealing, "required") == 0) {
            (void)directory_require_sealing(load->directory, flow->code);
        }
        add_acknowledge(load, path, flow);
    } else {
        tell_refusal(load, path, "code", flow->code, status);
    }
    relais_flow_free(flow);
}

/* Files that people and programs have finished: editors and file_replace() use other names. */
static int is_yaml(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".yaml") == 0;
}

static int by_bytes(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

static void load_folder(struct load *load, const char *folder, add_file add)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_yaml, by_bytes);

    if (count < 0) {
        relais_error error = {0};

        (void)error_set(&error, RELAIS_SYSTEM, folder, _("a folder that may be read"), "%s",
                        strerror(errno));
        tell(load, &error);
        return;
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        int size = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);

        if (size > 0 && (size_t)size < sizeof path) {
            add(load, path);
        } else {
            relais_error error = {0};

            (void)error_set_errno(&error, folder, ENAMETOOLONG);
            tell(load, &error);
        }
        free(entries[i]);
    }
    free(entries);
}

struct directory *directory_load(const struct directory_folders *folders,
                                 const struct directory_listener *listener)
{
    struct load load = {
        .listener = listener, .directory = directory_new(), .entries = folders->entries};

    load.last_subscriber = &load.subscribers;
    if (load.directory == NULL) {
        no_memory(&load);
        return NULL;
    }
    load_folder(&load, folders->members, add_member);
    load_folder(&load, folders->flows, add_flow);
    end_subscribers(&load);
    if (load.failed) {
        directory_free(load.directory);
        return NULL;
    }
    directory_seal(load.directory);
    return load.directory;
}
