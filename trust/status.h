/* SPDX-License-Identifier: EUPL-1.2
 *
 * What reading and verifying a note of the directory returns. A text says what was found, never a
 * byte of a secret.
 */
#ifndef RELAIS_TRUST_STATUS_H
#define RELAIS_TRUST_STATUS_H

#define TRUST_MUST_CHECK __attribute__((warn_unused_result))

/* X(NAME, English text) */
#define TRUST_STATUS_LIST(X)                                                                       \
    X(OK, "done")                                                                                  \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(NO_RANDOMNESS, "the system gives no random bytes")                                           \
    X(BAD_NAME, "the name of a key is empty, too long or has other characters than it may")        \
    X(BAD_KEY, "not a signing key")                                                                \
    X(BAD_NOTE, "not a signed note")                                                               \
    X(UNSIGNED, "no signature of a key that is trusted")                                           \
    X(FORGED, "a signature is not of these bytes")                                                 \
    X(OTHER_KIND, "a note of another kind")                                                        \
    X(BAD_LINE, "a line is missing, out of order, or not as it must be written")                   \
    X(TOO_LONG, "longer, or with more lines of a kind, than a note may be")                        \
    X(NOT_YET, "not valid yet")                                                                    \
    X(EXPIRED, "not valid any more")                                                               \
    X(OLDER, "older than one that was seen before")                                                \
    X(FORKED, "another one with the same sequence number was seen before")

enum trust_status {
#define TRUST_STATUS_ENUM(name, text) TRUST_##name,
    TRUST_STATUS_LIST(TRUST_STATUS_ENUM)
#undef TRUST_STATUS_ENUM
};

/* Static English text. Any thread. */
const char *trust_status_text(enum trust_status status);

/* "TRUST_FORGED". Static. Any thread. */
const char *trust_status_name(enum trust_status status);

#endif
