/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/bench.h"

#include "core/stored_message.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what, const char *detail)
{
    (void)fprintf(stderr, "bench: %s: %s\n", what, detail);
    abort();
}

void bench_init(struct bench *bench, enum engine_kind kind)
{
    memset(bench, 0, sizeof *bench);
    store_settings_init(&bench->settings);
    bench->settings.reserve_bytes = 0;
    bench->kind = kind;
    bench->now_ms = 1000000;
    /* In memory by default: thousands of commits, none of which a test loses power in. */
    const char *parent = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe) */
    if (parent == NULL && access("/dev/shm", W_OK) == 0) {
        parent = "/dev/shm";
    }
    (void)snprintf(bench->folder, sizeof bench->folder, "%s/relais-store-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    if (mkdtemp(bench->folder) == NULL) {
        die("mkdtemp", bench->folder);
    }
    (void)snprintf(bench->path, sizeof bench->path, "%.100s/store", bench->folder);
    bench->settings.path = bench->path;
}

void bench_fini(struct bench *bench)
{
    bench_close(bench);
    static const char *const names[] = {"/data.mdb", "/lock.mdb", "/lock", "/redo.log"};
    char name[BENCH_PATH_BYTES * 2];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", bench->path, names[i]);
        (void)unlink(name);
    }
    (void)rmdir(bench->path);
    (void)rmdir(bench->folder);
}

void bench_open(struct bench *bench)
{
    if (bench->kind == ENGINE_MEMORY) {
        bench->store = store_open_memory(&bench->settings);
        if (bench->store == NULL) {
            die("store_open_memory", "no store");
        }
        return;
    }
    struct store_problem problem = {0};
    if (!store_open_lmdb(&bench->settings, &bench->store, &problem)) {
        die("store_open_lmdb", problem.detail);
    }
}

void bench_close(struct bench *bench)
{
    store_close(bench->store);
    bench->store = NULL;
}

void bench_reopen(struct bench *bench)
{
    bench_close(bench);
    bench_open(bench);
}

uint8_t content_byte(const char *id, size_t at)
{
    uint32_t value = 2166136261U;
    for (const char *c = id; *c != '\0'; c++) {
        value = (value ^ (uint8_t)*c) * 16777619U;
    }
    value = (value ^ (uint32_t)at) * 16777619U;
    value = (value ^ value >> 15) * 16777619U;
    return (uint8_t)(value >> 11);
}

static bool slice_is(struct bytes bytes, const char *id, size_t from, size_t size)
{
    if (bytes.size != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (bytes.data[i] != content_byte(id, from + i)) {
            return false;
        }
    }
    return true;
}

bool content_is(const struct store_entry *entry, const char *id, size_t envelope_bytes,
                size_t payload_bytes)
{
    return slice_is(entry->message.envelope, id, 0, envelope_bytes) &&
           slice_is(entry->message.payload, id, envelope_bytes, payload_bytes);
}

static atomic_int live_buffers;

int bench_live_buffers(void)
{
    return atomic_load(&live_buffers);
}

static void release(struct buffer *buffer)
{
    atomic_fetch_sub(&live_buffers, 1);
    free(buffer);
}

static struct held_message make_message(const char *id, size_t from, size_t envelope_bytes,
                                        size_t payload_bytes)
{
    size_t size = envelope_bytes + payload_bytes;
    struct buffer *buffer = malloc(sizeof *buffer + size);
    if (buffer == NULL) {
        die("malloc", "no memory");
    }
    uint8_t *data = (uint8_t *)(buffer + 1);
    for (size_t i = 0; i < size; i++) {
        data[i] = content_byte(id, from + i);
    }
    atomic_fetch_add(&live_buffers, 1);
    atomic_init(&buffer->references, 2);
    buffer->bytes = (struct bytes){data, size};
    buffer->release = release;
    return (struct held_message){.envelope = {data, envelope_bytes},
                                 .payload = {data + envelope_bytes, payload_bytes},
                                 .envelope_buffer = buffer,
                                 .payload_buffer = buffer};
}

struct store_op op_mailbox(uint32_t id, const char *name)
{
    return (struct store_op){.kind = STORE_MAILBOX, .mailbox = {.id = id, .name = name}};
}

struct store_op op_append(const char *id, size_t envelope_bytes, size_t payload_bytes,
                          const struct store_recipient *recipients, uint32_t count)
{
    return (struct store_op){
        .kind = STORE_APPEND,
        .append = {.sender = "dila",
                   .id = id,
                   .message = make_message(id, 0, envelope_bytes, payload_bytes),
                   .recipients = recipients,
                   .recipient_count = count}};
}

struct store_op op_take(uint32_t mailbox, uint32_t max_entries)
{
    return (struct store_op){
        .kind = STORE_TAKE,
        .take = {.mailbox = mailbox, .max_entries = max_entries, .max_bytes = UINT32_MAX}};
}

struct store_op op_ack(const struct entry_key *key)
{
    return (struct store_op){.kind = STORE_ACK, .ack = *key};
}

struct store_op op_defer(const struct entry_key *key, uint32_t attempts, int64_t due_ms)
{
    return (struct store_op){.kind = STORE_DEFER,
                             .defer = {.key = *key, .attempts = attempts, .due_ms = due_ms}};
}

struct store_op op_bury(const struct entry_key *key, const char *reason)
{
    return (struct store_op){.kind = STORE_BURY,
                             .bury = {.key = *key, .attempts = 3, .code = 7, .reason = reason}};
}

struct store_op op_release(const struct entry_key *key)
{
    return (struct store_op){.kind = STORE_RELEASE, .release = *key};
}

struct store_op op_dead_list(uint32_t mailbox, uint64_t after, uint32_t max_entries)
{
    return (struct store_op){.kind = STORE_DEAD_LIST,
                             .dead_list = {.mailbox = mailbox,
                                           .after = after,
                                           .max_entries = max_entries,
                                           .max_bytes = UINT32_MAX}};
}

struct store_op op_expire(uint32_t max_entries)
{
    return (struct store_op){.kind = STORE_EXPIRE, .expire = {.max_entries = max_entries}};
}

struct store_op op_usage(const char *sender)
{
    return (struct store_op){.kind = STORE_USAGE, .usage = {.sender = sender}};
}

struct store_op op_track(const char *sender, const char *id, uint32_t after, uint32_t max_rows)
{
    return (struct store_op){
        .kind = STORE_TRACK,
        .track = {.sender = sender, .id = id, .after = after, .max_rows = max_rows}};
}

struct store_op op_dead(enum store_op_kind kind, uint32_t mailbox, uint64_t sequence)
{
    return (struct store_op){.kind = kind, .dead = {.mailbox = mailbox, .sequence = sequence}};
}

struct store_op op_upload(const char *id, uint64_t bytes, uint32_t most)
{
    return (struct store_op){.kind = STORE_UPLOAD,
                             .upload = {.sender = "dila", .id = id, .bytes = bytes, .most = most}};
}

struct store_op op_chunk(const char *id, uint64_t offset, size_t size)
{
    return (struct store_op){.kind = STORE_CHUNK,
                             .chunk = {.sender = "dila",
                                       .id = id,
                                       .offset = offset,
                                       .message = make_message(id, (size_t)offset, 0, size)}};
}

struct store_op op_fetch(uint64_t content, uint64_t offset, uint32_t bytes)
{
    return (struct store_op){.kind = STORE_FETCH,
                             .fetch = {.content = content, .offset = offset, .bytes = bytes}};
}

void bench_submit(struct bench *bench, struct store_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ops[i].ticket = ++bench->ticket;
        ops[i].now_ms = bench->now_ms;
    }
    store_submit(bench->store, ops, count);
}

size_t bench_collect(struct bench *bench, struct store_result *out_results, size_t count)
{
    size_t got = 0;
    while (got < count && !store_failed(bench->store, NULL)) {
        struct pollfd wait = {.fd = store_event_fd(bench->store), .events = POLLIN};
        if (poll(&wait, 1, BENCH_WAIT_MS) != 1) {
            die("poll", "no result came");
        }
        got += store_collect(bench->store, out_results + got, count - got);
    }
    return got;
}

void bench_do(struct bench *bench, struct store_op *ops, size_t count,
              struct store_result *out_results)
{
    size_t results = 0;
    uint64_t ticket = bench->ticket;
    for (size_t i = 0; i < count; i++) {
        results += ops[i].kind != STORE_RELEASE ? 1 : 0;
    }
    bench_submit(bench, ops, count);
    if (bench_collect(bench, out_results, results) != results) {
        die("store", "failed instead of answering");
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        ticket++;
        if (ops[i].kind == STORE_RELEASE) {
            continue;
        }
        if (out_results[at].ticket != ticket || out_results[at].kind != ops[i].kind) {
            die("results", "out of order");
        }
        at++;
    }
}

struct store_result bench_one(struct bench *bench, struct store_op op)
{
    struct store_result result = {0};
    bench_do(bench, &op, 1, &result);
    return result;
}

void result_drop(struct store_result *result)
{
    store_result_drop(result);
}
