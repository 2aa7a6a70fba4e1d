/* SPDX-License-Identifier: EUPL-1.2
 *
 * The scripted broker: one thread, one ROUTER, one ZAP handler.
 */
#include "tests/support/fake_broker.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { FAKE_FRAMES_MAX = 4096, FAKE_POLL_MS = 20, FAKE_LEASE_MS = 60000 };

struct fake_broker {
    struct fake_script script;
    void *context;
    void *router;
    void *zap;
    pthread_t thread;
    atomic_bool stop;
    bool drop;
    char endpoint[128];
    char public_key[41];
    char secret_key[41];
    unsigned connections;
    zmq_msg_t who; /* routing id of the client that was heard last */
    zmq_msg_t frames[FAKE_FRAMES_MAX];
    struct bytes bytes[FAKE_FRAMES_MAX];
    size_t frame_count;
};

static void bind_router(struct fake_broker *broker, const char *endpoint)
{
    int yes = 1;
    int no = 0;
    size_t size = sizeof broker->endpoint;
    broker->router = zmq_socket(broker->context, ZMQ_ROUTER);
    assert(broker->router != NULL);
    (void)zmq_setsockopt(broker->router, ZMQ_LINGER, &no, sizeof no);
    (void)zmq_setsockopt(broker->router, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    (void)zmq_setsockopt(broker->router, ZMQ_CURVE_SECRETKEY, broker->secret_key, 41);
    (void)zmq_setsockopt(broker->router, ZMQ_ZAP_DOMAIN, "relais", 6);
    for (int i = 0; zmq_bind(broker->router, endpoint) != 0; i++) {
        assert(i < 500); /* the old socket is let go by another thread */
        struct timespec pause = {0, 10000000L};
        (void)nanosleep(&pause, NULL);
    }
    (void)zmq_getsockopt(broker->router, ZMQ_LAST_ENDPOINT, broker->endpoint, &size);
}

static void answer_zap(struct fake_broker *broker)
{
    char request[16][64] = {{0}};
    size_t sizes[16] = {0};
    int count = 0;
    int more = 1;
    size_t more_size = sizeof more;
    while (more != 0 && count < 16) {
        int size = zmq_recv(broker->zap, request[count], sizeof request[count], 0);
        sizes[count++] = size > 0 ? (size_t)size : 0;
        (void)zmq_getsockopt(broker->zap, ZMQ_RCVMORE, &more, &more_size);
    }
    const char *code = broker->script.refuse_keys ? "400" : "200";
    (void)zmq_send(broker->zap, "1.0", 3, ZMQ_SNDMORE);
    (void)zmq_send(broker->zap, request[1], sizes[1], ZMQ_SNDMORE);
    (void)zmq_send(broker->zap, code, 3, ZMQ_SNDMORE);
    (void)zmq_send(broker->zap, "", 0, ZMQ_SNDMORE);
    (void)zmq_send(broker->zap, "user", 4, ZMQ_SNDMORE);
    (void)zmq_send(broker->zap, "", 0, 0);
}

void fake_say_bytes(struct fake_broker *broker, const void *data, size_t size)
{
    (void)zmq_send(broker->router, zmq_msg_data(&broker->who), zmq_msg_size(&broker->who),
                   ZMQ_SNDMORE);
    (void)zmq_send(broker->router, data, size, 0);
}

void fake_say(struct fake_broker *broker, const Relais__V1__ToClient *command,
              const struct bytes *frames, size_t frame_count)
{
    size_t size = relais__v1__to_client__get_packed_size(command);
    uint8_t *packed = malloc(size + 1);
    assert(packed != NULL);
    (void)relais__v1__to_client__pack(command, packed);
    (void)zmq_send(broker->router, zmq_msg_data(&broker->who), zmq_msg_size(&broker->who),
                   ZMQ_SNDMORE);
    (void)zmq_send(broker->router, packed, size, frame_count > 0 ? ZMQ_SNDMORE : 0);
    for (size_t i = 0; i < frame_count; i++) {
        (void)zmq_send(broker->router, frames[i].data, frames[i].size,
                       i + 1 < frame_count ? ZMQ_SNDMORE : 0);
    }
    free(packed);
}

void fake_say_error(struct fake_broker *broker, Relais__V1__Code code, uint32_t retry_after_ms)
{
    Relais__V1__Error error = RELAIS__V1__ERROR__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    error.code = code;
    error.retry_after_ms = retry_after_ms;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ERROR;
    command.error = &error;
    fake_say(broker, &command, NULL, 0);
}

void fake_say_refused(struct fake_broker *broker, uint64_t number, Relais__V1__Code code,
                      uint32_t retry_after_ms)
{
    Relais__V1__Error error = RELAIS__V1__ERROR__INIT;
    Relais__V1__Refusal refusal = RELAIS__V1__REFUSAL__INIT;
    Relais__V1__Refusal *list[] = {&refusal};
    Relais__V1__Refused refused = RELAIS__V1__REFUSED__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    error.code = code;
    error.retry_after_ms = retry_after_ms;
    error.field = (char *)"flow";
    error.wrong = (char *)"NOTHING";
    error.right = (char *)"ETATCIVIL";
    refusal.number = number;
    refusal.error = &error;
    refused.n_refusals = 1;
    refused.refusals = list;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_REFUSED;
    command.refused = &refused;
    fake_say(broker, &command, NULL, 0);
}

void fake_say_accepted(struct fake_broker *broker, uint64_t first, uint64_t last)
{
    Relais__V1__Range range = RELAIS__V1__RANGE__INIT;
    Relais__V1__Range *list[] = {&range};
    Relais__V1__Accepted accepted = RELAIS__V1__ACCEPTED__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    range.first = first;
    range.last = last;
    accepted.n_numbers = 1;
    accepted.numbers = list;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ACCEPTED;
    command.accepted = &accepted;
    fake_say(broker, &command, NULL, 0);
}

void fake_say_goodbye(struct fake_broker *broker, Relais__V1__Code code)
{
    Relais__V1__Error error = RELAIS__V1__ERROR__INIT;
    Relais__V1__Goodbye goodbye = RELAIS__V1__GOODBYE__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    error.code = code;
    goodbye.reason = &error;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_GOODBYE;
    command.goodbye = &goodbye;
    fake_say(broker, &command, NULL, 0);
}

void fake_drop(struct fake_broker *broker)
{
    broker->drop = true;
}

static uint32_t or_usual(uint32_t value, uint32_t usual)
{
    return value > 0 ? value : usual;
}

static void say_welcome(struct fake_broker *broker)
{
    const struct fake_script *script = &broker->script;
    Relais__V1__Limits limits = RELAIS__V1__LIMITS__INIT;
    Relais__V1__Welcome welcome = RELAIS__V1__WELCOME__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    limits.payload_bytes = or_usual(script->payload_bytes, 1024 * 1024);
    limits.envelope_bytes = 16 * 1024;
    limits.batch_messages = or_usual(script->batch_messages, 256);
    limits.batch_bytes = 1024 * 1024;
    limits.window_messages = or_usual(script->window_messages, 4096);
    limits.window_bytes = 8 * 1024 * 1024;
    limits.credit = or_usual(script->credit, 1024);
    limits.consumers = 64;
    welcome.major = 1;
    welcome.minor = script->minor;
    welcome.software = (char *)"fake/1";
    welcome.member = (char *)"dila";
    welcome.client = (char *)"files";
    welcome.limits = &limits;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_WELCOME;
    command.welcome = &welcome;
    fake_say(broker, &command, NULL, 0);
}

static void say_attached(struct fake_broker *broker, uint32_t consumer)
{
    Relais__V1__Attached attached = RELAIS__V1__ATTACHED__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    attached.consumer = consumer;
    attached.lease_ms = FAKE_LEASE_MS;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ATTACHED;
    command.attached = &attached;
    fake_say(broker, &command, NULL, 0);
}

static void say_detached(struct fake_broker *broker, uint32_t consumer)
{
    Relais__V1__Detached detached = RELAIS__V1__DETACHED__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    detached.consumer = consumer;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_DETACHED;
    command.detached = &detached;
    fake_say(broker, &command, NULL, 0);
}

static void say_settled(struct fake_broker *broker, uint32_t consumer, Relais__V1__Range **tags,
                        size_t count)
{
    Relais__V1__Settled settled = RELAIS__V1__SETTLED__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    settled.consumer = consumer;
    settled.n_tags = count;
    settled.tags = tags;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_SETTLED;
    command.settled = &settled;
    fake_say(broker, &command, NULL, 0);
}

static void usual_answer(struct fake_broker *broker, const Relais__V1__ToBroker *heard)
{
    switch (heard->command_case) {
    case RELAIS__V1__TO_BROKER__COMMAND_HELLO:
        say_welcome(broker);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_SUBMIT:
        fake_say_accepted(broker, heard->submit->first_number,
                          heard->submit->first_number + heard->submit->n_parts - 1);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_ATTACH:
        say_attached(broker, heard->attach->consumer);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_DETACH:
        say_detached(broker, heard->detach->consumer);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_ACK:
        say_settled(broker, heard->ack->consumer, heard->ack->tags, heard->ack->n_tags);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_NACK:
        say_settled(broker, heard->nack->consumer, heard->nack->tags, heard->nack->n_tags);
        break;
    default:
        break;
    }
}

static void receive_all_frames(struct fake_broker *broker)
{
    bool more = true;
    (void)zmq_msg_init(&broker->who);
    (void)zmq_msg_recv(&broker->who, broker->router, 0);
    broker->frame_count = 0;
    while (more) {
        zmq_msg_t *frame = &broker->frames[broker->frame_count];
        assert(broker->frame_count < FAKE_FRAMES_MAX);
        (void)zmq_msg_init(frame);
        (void)zmq_msg_recv(frame, broker->router, 0);
        broker->bytes[broker->frame_count] =
            (struct bytes){zmq_msg_data(frame), zmq_msg_size(frame)};
        broker->frame_count++;
        more = zmq_msg_more(frame) != 0;
    }
}

static void hear(struct fake_broker *broker)
{
    receive_all_frames(broker);
    Relais__V1__ToBroker *command =
        relais__v1__to_broker__unpack(NULL, broker->bytes[0].size, broker->bytes[0].data);
    assert(command != NULL);
    if (command->command_case == RELAIS__V1__TO_BROKER__COMMAND_HELLO) {
        broker->connections++;
    }
    struct fake_heard heard = {
        .command = command,
        .frames = broker->bytes + 1,
        .frame_count = broker->frame_count - 1,
        .connection = broker->connections,
    };
    if (broker->script.answer == NULL ||
        broker->script.answer(broker, broker->script.context, &heard)) {
        usual_answer(broker, command);
    }
    relais__v1__to_broker__free_unpacked(command, NULL);
    (void)zmq_msg_close(&broker->who);
    for (size_t i = 0; i < broker->frame_count; i++) {
        (void)zmq_msg_close(&broker->frames[i]);
    }
    if (broker->drop) {
        char endpoint[128];
        broker->drop = false;
        memcpy(endpoint, broker->endpoint, sizeof endpoint);
        (void)zmq_close(broker->router);
        bind_router(broker, endpoint);
    }
}

static void *work(void *given)
{
    struct fake_broker *broker = given;
    while (!atomic_load(&broker->stop)) {
        zmq_pollitem_t items[] = {{.socket = broker->router, .events = ZMQ_POLLIN},
                                  {.socket = broker->zap, .events = ZMQ_POLLIN}};
        (void)zmq_poll(items, 2, FAKE_POLL_MS);
        if ((items[1].revents & ZMQ_POLLIN) != 0) {
            answer_zap(broker);
        }
        if ((items[0].revents & ZMQ_POLLIN) != 0) {
            hear(broker);
        }
    }
    (void)zmq_close(broker->router);
    (void)zmq_close(broker->zap);
    return NULL;
}

struct fake_broker *fake_start(const struct fake_script *script)
{
    struct fake_broker *broker = calloc(1, sizeof *broker);
    assert(broker != NULL);
    broker->script = *script;
    assert(zmq_curve_keypair(broker->public_key, broker->secret_key) == 0);
    broker->context = zmq_ctx_new();
    broker->zap = zmq_socket(broker->context, ZMQ_REP);
    assert(zmq_bind(broker->zap, "inproc://zeromq.zap.01") == 0);
    bind_router(broker, "tcp://127.0.0.1:*");
    assert(pthread_create(&broker->thread, NULL, work, broker) == 0);
    return broker;
}

void fake_stop(struct fake_broker *broker)
{
    atomic_store(&broker->stop, true);
    (void)pthread_join(broker->thread, NULL);
    (void)zmq_ctx_term(broker->context);
    free(broker);
}

const char *fake_endpoint(const struct fake_broker *broker)
{
    return broker->endpoint;
}

const char *fake_key(const struct fake_broker *broker)
{
    return broker->public_key;
}
