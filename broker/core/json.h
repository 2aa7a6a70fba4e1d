/* SPDX-License-Identifier: EUPL-1.2
 *
 * A JSON text in bytes of the caller's: what the broker says in messages of its own. Texts come
 * from names and ids, which are printable ASCII. Pure; any thread.
 *
 * Invariant: 1. nothing is written beyond the room; what does not fit sets `full`.
 */
#ifndef RELAIS_CORE_JSON_H
#define RELAIS_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    char *text; /* NUL-terminated */
    size_t size, room;
    bool full;
    bool behind; /* a comma is due before the next */
};

void json_init(struct json *out_json, char *text, size_t room);

/* A list, an object, or the value of `name` when that is not NULL. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);
void json_text(struct json *json, const char *name, const char *text);
void json_number(struct json *json, const char *name, uint64_t number);

/* Unix milliseconds as RFC 3339 writes them, UTC: "2026-11-24T18:00:00.000Z". */
void json_time(struct json *json, const char *name, int64_t ms);

#endif
