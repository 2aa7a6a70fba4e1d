/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file directory.h
 * The files that say who is on the bus and what may be exchanged: one YAML file a member in
 * `members/`, one a flow in `flows/`. relaisd reads them, `relais member|client|flow` writes them,
 * people may edit them.
 *
 *     # members/commune-76540.yaml             # flows/ETATCIVIL.yaml
 *     slug: commune-76540                      code: ETATCIVIL
 *     name: Ville de Rouen                     title: Demande d'acte d'état civil
 *     kind: commune                            purpose: ...
 *     siret: '21760540300013'                  legal_basis: ...
 *     insee: '76540'                           senders: [dila]
 *     services: [etat-civil, accueil]          receivers: ['kind:commune']
 *     clients:                                 payload_max: 1048576    # bytes, optional
 *       - name: files                        acknowledge:            # optional
 *         key: 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID'
 *         roles: [send, receive]               {within: 15d, remind: [3d, 1d]}
 *     signing_keys: ['commune-76540+...']      # optional: for its signed entry (relais/trust.h)
 *     quota:                                   # optional, as is each of its keys
 *       messages: 100000
 *     subscriptions:                           # optional: what it gets without being named
 *       - flow: JOURNALOFFICIEL
 *         service: accueil
 *
 * All calls: any thread, no global state. Saving is atomic (temporary file, sync, rename).
 */
#ifndef RELAIS_DIRECTORY_H
#define RELAIS_DIRECTORY_H

#include <relais/key.h>
#include <relais/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum relais_member_kind {
    RELAIS_KIND_COMMUNE,
    RELAIS_KIND_EPCI,
    RELAIS_KIND_DEPARTEMENT,
    RELAIS_KIND_REGION,
    RELAIS_KIND_STATE,
    RELAIS_KIND_OPERATOR,
} relais_member_kind;

enum { RELAIS_ROLE_SEND = 1, RELAIS_ROLE_RECEIVE = 2, RELAIS_ROLE_OPERATE = 4 };

typedef struct relais_member_client {
    char *name;
    char *key;      /**< public key, Z85 */
    unsigned roles; /**< RELAIS_ROLE_... */
} relais_member_client;

/** What one member may take of what all share. NULL: what the broker's configuration says; 0: no
 * quota. Each is allocated with malloc(). Since 1.2. */
typedef struct relais_quota {
    uint64_t *messages;    /**< that it has sent and that lie in the store; at most 10^9 */
    uint64_t *bytes;       /**< of their envelopes and payloads; at most 2^50 */
    uint64_t *rate;        /**< messages a second; at most 10^6 */
    uint64_t *burst;       /**< messages at once; 0: those of a second; at most 10^9 */
    uint64_t *connections; /**< of all its clients; at most 100,000 */
} relais_quota;

/** A service that receives what is sent by a flow to all its subscribers. */
typedef struct relais_subscription {
    char *flow;    /**< its code */
    char *service; /**< of this member */
} relais_subscription;

/** Owns its text: allocated with malloc(), freed by relais_member_free(). */
typedef struct relais_member {
    char *slug;
    char *name;
    relais_member_kind kind;
    char *siret; /**< 14 digits with the Luhn key (La Poste's rule included), or NULL */
    char *insee; /**< of a commune: 5 characters, "2A004" included, or NULL */
    char **services;
    size_t service_count;
    relais_member_client *clients;
    size_t client_count;
    char **signing_keys; /**< public, relais/identity.h; at most 4. Since 1.2 */
    size_t signing_key_count;
    relais_quota *quota; /**< NULL: none of its own */
    relais_subscription *subscriptions;
    size_t subscription_count;
} relais_member;

/** By when the messages of a flow are to be acknowledged. Since 1.2. Allocated with malloc(). */
typedef struct relais_acknowledge {
    char *within;  /**< as relais_duration_parse() reads it: of being accepted, or given out */
    char **remind; /**< so long before that, the longest first; at most 8 */
    size_t remind_count;
} relais_acknowledge;

typedef struct relais_flow {
    char *code;
    char *title;
    char *purpose;
    char *legal_basis;
    char **senders; /**< "slug", "kind:commune", "*" */
    size_t sender_count;
    char **receivers;
    size_t receiver_count;
    uint64_t payload_max; /**< bytes; 0: the broker's limit */
    uint64_t attempts;    /**< deliveries of a message at most, 1..1000; 0: as the broker says */
    char *sealing;        /**< "required": sealed and signed messages only; "optional", NULL: others
                             too. Since 1.2 */
    uint64_t lease_s;     /**< seconds to answer a delivery, 1..86400; 0: as the broker says */
    relais_acknowledge *acknowledge; /**< NULL: whenever they like */
} relais_flow;

/**
 * Reads and checks one file; gives *out_member, freed with relais_member_free().
 * RELAIS_CONFIG_INVALID: error.field is "file:line" or "file: key". RELAIS_NOT_FOUND.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_member_load(const char *path,
                                                              relais_member **out_member,
                                                              relais_error *error);
RELAIS_API RELAIS_MUST_CHECK relais_status relais_member_save(const relais_member *member,
                                                              const char *path,
                                                              relais_error *error);
RELAIS_API void relais_member_free(relais_member *member);

RELAIS_API RELAIS_MUST_CHECK relais_status relais_flow_load(const char *path,
                                                            relais_flow **out_flow,
                                                            relais_error *error);
RELAIS_API RELAIS_MUST_CHECK relais_status relais_flow_save(const relais_flow *flow,
                                                            const char *path, relais_error *error);
RELAIS_API void relais_flow_free(relais_flow *flow);

/** Checks without a file: the same rules as on load. RELAIS_FIELD_INVALID, RELAIS_FIELD_MISSING. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_member_check(const relais_member *member,
                                                               relais_error *error);
RELAIS_API RELAIS_MUST_CHECK relais_status relais_flow_check(const relais_flow *flow,
                                                             relais_error *error);

/** Reads "15d": a whole number and s, m, h or d (seconds, minutes, hours, days of 24 hours), from
 * 1s to 366d, into milliseconds. False, and *out_ms is left alone: it is something else. Any
 * thread. Since 1.2. */
RELAIS_API bool relais_duration_parse(const char *text, int64_t *out_ms);

/** True when one of the flow's receivers is "*", the kind of the member, or the member itself. */
RELAIS_API bool relais_flow_allows_receiver(const relais_flow *flow, const relais_member *member);

/** "commune" for RELAIS_KIND_COMMUNE. Static. */
RELAIS_API const char *relais_member_kind_name(relais_member_kind kind);
/** The reverse; false when there is no such kind. */
RELAIS_API bool relais_member_kind_parse(const char *name, relais_member_kind *out_kind);

/** True for 14 digits whose Luhn sum is right; for La Poste (SIREN 356000000), whose head office
 * alone has a right one, the sum of the digits may be a multiple of 5 instead. Source: INSEE,
 * "Numéro SIRET". */
RELAIS_API bool relais_siret_is_valid(const char *text);

/** Are these names as the bus wants them? Grammar: docs/protocol.md, "Names". */
RELAIS_API bool relais_slug_is_valid(const char *text);
RELAIS_API bool relais_address_is_valid(const char *text);
RELAIS_API bool relais_flow_code_is_valid(const char *text);

#ifdef __cplusplus
}
#endif
#endif
