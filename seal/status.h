/* SPDX-License-Identifier: EUPL-1.2
 *
 * What sealing and opening return. A text says what was found, never a byte of a key or a payload.
 * Whoever opens foreign bytes learns that they are refused and by which part of the format; all
 * that a wrong key, a wrong message, a wrong sender or recipient and an altered wrap have in common
 * is SEAL_WRAP_REFUSED, since they cannot be told apart.
 */
#ifndef RELAIS_SEAL_STATUS_H
#define RELAIS_SEAL_STATUS_H

#define SEAL_MUST_CHECK __attribute__((warn_unused_result))

/* X(NAME, English text) */
#define SEAL_STATUS_LIST(X)                                                                        \
    X(OK, "done")                                                                                  \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(NO_RANDOMNESS, "the system gives no random bytes")                                           \
    X(BAD_NAME, "a message id or an address is empty or too long")                                 \
    X(BAD_VALIDITY, "a mailbox key must begin before it ends and live at most 31 days")            \
    X(BAD_PUBLIC_KEY, "the public key of the mailbox cannot be used")                              \
    X(BAD_KEY_FILE, "these bytes are not a mailbox key")                                           \
    X(KEY_NOT_VALID_NOW, "the recipient's mailbox key is not valid now")                           \
    X(NOT_SEALED, "these bytes do not begin as a sealed payload")                                  \
    X(UNKNOWN_SUITE, "sealed with a suite that this version does not know")                        \
    X(UNKNOWN_FLAG, "sealed with an option that this version does not know")                       \
    X(BAD_WRAP, "the wrap of the content key has another size than its suite says")                \
    X(OTHER_KEY, "wrapped for another key than this one")                                          \
    X(WRAP_REFUSED, "not sealed for this recipient and message by this sender, or altered")        \
    X(OTHER_CONTENT_KEY, "the content key is not the one that the header commits to")              \
    X(CHUNK_REFUSED, "a piece of the payload was altered, moved, or comes from another message")   \
    X(CUT_SHORT, "the sealed payload ends too early")                                              \
    X(EMPTY_CHUNK, "the last piece of the sealed payload is empty")                                \
    X(BAD_PADDING, "the padding of the sealed payload is wrong")                                   \
    X(BAD_COMPRESSION, "the sealed payload cannot be decompressed")                                \
    X(TOO_LONG, "longer than a sealed payload can be")                                             \
    X(TOO_LARGE, "the opened payload would be larger than allowed")                                \
    X(NOT_SEEKABLE, "a compressed payload opens from its start only")                              \
    X(OVER, "this sealing or opening has ended or failed")

enum seal_status {
#define SEAL_STATUS_ENUM(name, text) SEAL_##name,
    SEAL_STATUS_LIST(SEAL_STATUS_ENUM)
#undef SEAL_STATUS_ENUM
};

/* Static English text. Any thread. */
const char *seal_status_text(enum seal_status status);

/* "SEAL_CUT_SHORT". Static. Any thread. */
const char *seal_status_name(enum seal_status status);

#endif
