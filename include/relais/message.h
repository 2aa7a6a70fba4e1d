/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file message.h
 * A message as a program sees it: the attributes of CloudEvents 1.0, the bus's own, and the
 * payload.
 *
 * Plain data that borrows: fill it in, hand it to relais_submit() or relais_send(), which copy.
 * NULL and 0 mean "absent". What a field may hold: docs/protocol.md, "Envelope".
 */
#ifndef RELAIS_MESSAGE_H
#define RELAIS_MESSAGE_H

#include <relais/bytes.h>
#include <relais/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    RELAIS_ID_BYTES = 128,
    RELAIS_ADDRESS_BYTES = 127,
    RELAIS_FLOW_BYTES = 64,
    RELAIS_DIGEST_BYTES = 32,
    RELAIS_EXTENSIONS_MAX = 32,
    RELAIS_RECIPIENTS_MAX = 64,
};

typedef enum relais_priority {
    RELAIS_PRIORITY_NORMAL = 0,
    RELAIS_PRIORITY_LOW,
    RELAIS_PRIORITY_HIGH,
} relais_priority;

typedef enum relais_extension_kind {
    RELAIS_EXTENSION_STRING = 0,
    RELAIS_EXTENSION_INTEGER,
    RELAIS_EXTENSION_BOOLEAN,
    RELAIS_EXTENSION_BYTES,
    RELAIS_EXTENSION_URI,
    RELAIS_EXTENSION_URI_REF,
    RELAIS_EXTENSION_TIME, /**< milliseconds in `time_ms` */
} relais_extension_kind;

/** A CloudEvents extension attribute. */
typedef struct relais_extension {
    const char *name; /**< [a-z0-9]{1,20} */
    relais_extension_kind kind;
    int32_t integer;    /**< INTEGER; BOOLEAN: 0 or 1 */
    const char *text;   /**< STRING, URI, URI_REF */
    relais_bytes bytes; /**< BYTES */
    int64_t time_ms;    /**< TIME: Unix milliseconds */
} relais_extension;

typedef struct relais_message {
    const char *id;     /**< NULL: a random one is made; a repeated id is the same message */
    const char *source; /**< NULL: "relais:" and the sender's address or member */
    const char *type;   /**< required, e.g. "fr.relais.file" */
    const char *subject;
    int64_t time_ms; /**< Unix milliseconds; 0: now */
    const char *datacontenttype;
    const char *dataschema;

    const char *const *to; /**< addresses "member/service", 1 to 64 */
    size_t to_count;
    /** Instead of `to`: every service that has subscribed to the flow when the broker accepts it,
     * but for `from`. RELAIS_NO_SUBSCRIBER when there is none. Since protocol 1.2. */
    bool to_subscribers;
    const char *flow; /**< required */
    const char *from; /**< the sender's own address; NULL: none */
    const char *correlation_id;
    const char *reply_to;
    int64_t expires_at_ms;
    int64_t not_before_ms;
    relais_priority priority;
    const char *ordering_key;
    /** Id of an earlier message of the same member and flow: everybody who was sent that one gets
     * this one, `to` may be empty or name more, and copies of it that nobody has yet go away.
     * RELAIS_UNKNOWN_MESSAGE when the broker does not know it (any more). Since protocol 1.2. */
    const char *supersedes;
    const char *purpose;
    const char *dataclassification;
    const char *dataregulation;
    const char *datacategory;
    const char *traceparent;

    const relais_extension *extensions;
    size_t extension_count;

    relais_bytes payload;
} relais_message;

/** The value of a STRING extension of this name, or NULL. */
RELAIS_API const char *relais_message_extension(const relais_message *message, const char *name);

/** The extension of this name, or NULL. */
RELAIS_API const relais_extension *relais_message_find_extension(const relais_message *message,
                                                                 const char *name);

/** Writes a new id into out_id[33]: 32 lower-case hexadecimal digits and NUL; 48 bits of time in
 * milliseconds, then 80 random bits, so that ids sort by age. */
RELAIS_API void relais_message_new_id(char out_id[33]);

#ifdef __cplusplus
}
#endif
#endif
