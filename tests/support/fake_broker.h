/* SPDX-License-Identifier: EUPL-1.2
 *
 * A broker that does what a test tells it: ROUTER over CURVE with its own ZAP handler, in a thread
 * of its own, on a free port of the loopback. It keeps what clients said, and answers by a script.
 * The test's thread calls everything here; `answer` runs in the broker's thread.
 */
#ifndef RELAIS_TESTS_FAKE_BROKER_H
#define RELAIS_TESTS_FAKE_BROKER_H

#include "relais/v1/command.pb-c.h"
#include "wire/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_broker;

/* One message of a client, with its frames behind the command. */
struct fake_heard {
    const Relais__V1__ToBroker *command;
    const struct bytes *frames;
    size_t frame_count;
    unsigned connection; /* counts Hellos from 1 */
};

/* Says what is to be done about one message; true: the usual answer is given as well. */
typedef bool (*fake_answer_fn)(struct fake_broker *broker, void *context,
                               const struct fake_heard *heard);

struct fake_script {
    fake_answer_fn answer; /* NULL: only the usual answers */
    void *context;
    bool refuse_keys;       /* ZAP says 400 */
    uint32_t payload_bytes; /* limits in the Welcome; 0: 1 MiB */
    uint32_t window_messages;
    uint32_t batch_messages;
    uint32_t credit;
    uint32_t minor; /* of the protocol */
};

/* The usual answers: Hello -> Welcome, Submit -> Accepted, Attach -> Attached (60 s),
 * Ack and Nack -> Settled, Detach -> Detached; the rest is only counted. */
struct fake_broker *fake_start(const struct fake_script *script);
void fake_stop(struct fake_broker *broker);

const char *fake_endpoint(const struct fake_broker *broker);
const char *fake_key(const struct fake_broker *broker);

/* For `answer`: says something to the client that was heard last. */
void fake_say(struct fake_broker *broker, const Relais__V1__ToClient *command,
              const struct bytes *frames, size_t frame_count);
void fake_say_bytes(struct fake_broker *broker, const void *data, size_t size);
void fake_say_error(struct fake_broker *broker, Relais__V1__Code code, uint32_t retry_after_ms);
void fake_say_refused(struct fake_broker *broker, uint64_t number, Relais__V1__Code code,
                      uint32_t retry_after_ms);
void fake_say_accepted(struct fake_broker *broker, uint64_t first, uint64_t last);
void fake_say_goodbye(struct fake_broker *broker, Relais__V1__Code code);

/* For `answer`: closes the socket and binds it again, as a broker that restarts. */
void fake_drop(struct fake_broker *broker);

#endif
