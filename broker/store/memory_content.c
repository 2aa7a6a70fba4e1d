/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/memory_content.h"

#include <stdlib.h>
#include <string.h>

enum { IDLE_MS = 3600 * 1000 /* as the LMDB engine has it */ };

void memory_content_free(struct memory_content *content)
{
    if (content == NULL) {
        return;
    }
    struct memory_content **link = &content->list->first;
    while (*link != content) {
        link = &(*link)->next;
    }
    *link = content->next;
    for (size_t i = 0; i < content->chunk_count; i++) {
        buffer_unref(content->chunks[i].buffer);
    }
    free(content->chunks);
    free(content->sender);
    free(content->id);
    free(content);
}

void memory_contents_fini(struct memory_contents *contents)
{
    while (contents->first != NULL) {
        memory_content_free(contents->first);
    }
}

static uint64_t erase(struct memory_content *content)
{
    uint64_t held = content->durable_bytes;
    memory_content_free(content);
    return held;
}

uint64_t memory_contents_prune(struct memory_contents *contents, int64_t before_ms)
{
    uint64_t freed = 0;
    struct memory_content *next = NULL;
    for (struct memory_content *content = contents->first; content != NULL; content = next) {
        next = content->next;
        if (content->sender != NULL && content->touched_ms <= before_ms) {
            freed += erase(content);
        }
    }
    return freed;
}

static struct memory_content *find_upload(const struct memory_contents *contents,
                                          const char *sender, const char *id)
{
    struct memory_content *content = contents->first;
    while (content != NULL && (content->sender == NULL || strcmp(content->sender, sender) != 0 ||
                               strcmp(content->id, id) != 0)) {
        content = content->next;
    }
    return content;
}

uint64_t memory_contents_begun(const struct memory_contents *contents, const char *sender)
{
    uint64_t bytes = 0;
    for (const struct memory_content *content = contents->first; content != NULL;
         content = content->next) {
        bool own = content->sender != NULL && strcmp(content->sender, sender) == 0;
        bytes += own ? content->bytes : 0;
    }
    return bytes;
}

/* Room for one more of this sender. */
static enum store_status make_place(struct memory_contents *contents, const struct store_op *op,
                                    uint64_t bytes, uint64_t *out_freed)
{
    bytes += op->upload.bytes;
    uint32_t count = 0;
    struct memory_content *oldest = NULL;
    for (struct memory_content *content = contents->first; content != NULL;
         content = content->next) {
        if (content->sender != NULL && strcmp(content->sender, op->upload.sender) == 0) {
            count++;
            bytes += content->bytes;
            oldest = oldest == NULL || content->touched_ms < oldest->touched_ms ? content : oldest;
        }
    }
    if (op->upload.quota > 0 && bytes > op->upload.quota) {
        return STORE_OVER_QUOTA;
    }
    if (count < op->upload.most) {
        return STORE_DONE;
    }
    if (oldest == NULL || op->now_ms - oldest->touched_ms < IDLE_MS) {
        return STORE_TOO_MANY;
    }
    *out_freed += erase(oldest);
    return STORE_DONE;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static bool begin(struct memory_contents *contents, const struct store_op *op, uint64_t number)
{
    struct memory_content *content = calloc(1, sizeof *content);
    if (content == NULL) {
        return false;
    }
    content->number = number;
    content->bytes = op->upload.bytes;
    content->touched_ms = op->now_ms;
    content->sender = copy_text(op->upload.sender);
    content->id = copy_text(op->upload.id);
    content->list = contents;
    content->next = contents->first;
    contents->first = content;
    if (content->sender == NULL || content->id == NULL) {
        memory_content_free(content);
        return false;
    }
    return true;
}

bool memory_contents_open(struct memory_contents *contents, const struct store_op *op,
                          const struct memory_room *room, uint64_t *next_number,
                          uint64_t *out_freed, struct store_result *result)
{
    struct memory_content *content = find_upload(contents, op->upload.sender, op->upload.id);
    *out_freed = 0;
    if (content != NULL && content->bytes == op->upload.bytes) {
        content->touched_ms = op->now_ms;
        result->upload.durable_bytes = content->durable_bytes;
        return true;
    }
    if (content != NULL) {
        *out_freed = erase(content);
    }
    if (op->upload.bytes > room->bytes) {
        result->status = STORE_NO_ROOM;
        return true;
    }
    result->status = make_place(contents, op, room->used_bytes, out_freed);
    if (result->status != STORE_DONE) {
        return true;
    }
    return begin(contents, op, (*next_number)++);
}

static bool reserve(struct memory_content *content)
{
    if (content->chunk_count < content->chunk_capacity) {
        return true;
    }
    size_t capacity = content->chunk_capacity == 0 ? 4 : content->chunk_capacity * 2;
    struct memory_chunk *chunks = realloc(content->chunks, capacity * sizeof *chunks);
    if (chunks == NULL) {
        return false;
    }
    content->chunks = chunks;
    content->chunk_capacity = capacity;
    return true;
}

static bool fits(const struct memory_content *content, const struct store_op *op)
{
    uint64_t size = op->chunk.message.payload.size;
    uint64_t left = content->bytes - content->durable_bytes;
    return op->chunk.offset == content->durable_bytes && size > 0 && size <= left &&
           (size == left || size % STORED_SEGMENT_BYTES == 0);
}

uint64_t memory_contents_chunk(struct memory_contents *contents, struct store_op *op, uint64_t room,
                               struct store_result *result)
{
    struct memory_content *content = find_upload(contents, op->chunk.sender, op->chunk.id);
    struct held_message *message = &op->chunk.message;
    uint64_t size = message->payload.size;
    if (content == NULL) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    result->upload.durable_bytes = content->durable_bytes;
    if (!fits(content, op)) {
        return 0;
    }
    if (size > room || !reserve(content)) {
        result->status = STORE_NO_ROOM;
        return 0;
    }
    content->chunks[content->chunk_count++] = (struct memory_chunk){
        .offset = op->chunk.offset, .bytes = message->payload, .buffer = message->payload_buffer};
    message->payload_buffer = NULL;
    content->durable_bytes += size;
    content->touched_ms = op->now_ms;
    result->upload.durable_bytes = content->durable_bytes;
    return size;
}

struct memory_content *memory_contents_claim(struct memory_contents *contents, const char *sender,
                                             const char *id, uint64_t bytes)
{
    struct memory_content *content = find_upload(contents, sender, id);
    if (content == NULL || content->bytes != bytes || content->durable_bytes != bytes) {
        return NULL;
    }
    free(content->sender);
    free(content->id);
    content->sender = NULL;
    content->id = NULL;
    return content;
}

/* What of `chunk` lies in [offset, offset + size), to its place in out. */
static void copy_part(const struct memory_chunk *chunk, uint64_t offset, uint8_t *out, size_t size)
{
    uint64_t end = offset + size;
    uint64_t chunk_end = chunk->offset + chunk->bytes.size;
    uint64_t from = offset > chunk->offset ? offset : chunk->offset;
    uint64_t to = end < chunk_end ? end : chunk_end;
    if (from < to) {
        memcpy(out + (from - offset), chunk->bytes.data + (from - chunk->offset),
               (size_t)(to - from));
    }
}

bool memory_contents_fetch(const struct memory_contents *contents, const struct store_op *op,
                           struct store_result *result)
{
    const struct memory_content *content = contents->first;
    while (content != NULL && content->number != op->fetch.content) {
        content = content->next;
    }
    if (content == NULL || op->fetch.offset + op->fetch.bytes > content->durable_bytes) {
        result->status = STORE_DAMAGED;
        return true;
    }
    uint8_t *data = NULL;
    struct buffer *buffer = buffer_new(op->fetch.bytes, &data);
    if (buffer == NULL) {
        return false;
    }
    for (size_t i = 0; i < content->chunk_count; i++) {
        copy_part(&content->chunks[i], op->fetch.offset, data, op->fetch.bytes);
    }
    result->fetched.payload = (struct bytes){data, op->fetch.bytes};
    result->fetched.payload_buffer = buffer;
    return true;
}
