/* SPDX-License-Identifier: EUPL-1.2
 *
 * See place.h.
 */
#include "tests/unit/adapter/place.h"

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static size_t map_of(const struct place_of_test *place)
{
    MDB_envinfo info;
    ck_assert_int_eq(mdb_env_info(place->state->env, &info), 0);
    return info.me_mapsize;
}

static void open_it(struct place_of_test *place, size_t map_bytes)
{
    relais_error error;
    place->outbox = (struct outbox){.messages_max = 1000, .bytes_max = PLACE_MAP_BYTES};
    ck_assert_int_eq(state_open(place->path, map_bytes, &place->state, &error), RELAIS_OK);
    ck_assert_int_eq(outbox_open(&place->outbox, place->state, &error), RELAIS_OK);
}

void place_make(struct place_of_test *place, size_t map_bytes)
{
    ck_assert_int_ge(sodium_init(), 0);
    folders_make(place->folder);
    (void)snprintf(place->path, sizeof place->path, "%s/state", place->folder);
    open_it(place, map_bytes);
}

void place_remove(struct place_of_test *place)
{
    state_close(place->state);
    folders_remove(place->folder);
}

void place_reopen(struct place_of_test *place)
{
    size_t map_bytes = map_of(place);
    state_close(place->state);
    open_it(place, map_bytes);
}

relais_message place_message(const char *id, const void *payload, size_t size)
{
    static const char *const to[] = {"dila/dossiers"};
    return (relais_message){.id = id,
                            .type = "fr.relais.test",
                            .to = to,
                            .to_count = 1,
                            .flow = "RCO",
                            .payload = {payload, size}};
}

void place_add(struct place_of_test *place, const relais_message *message)
{
    relais_error error;
    size_t size = 0;
    unsigned char *run = record_write_message(message, &size);
    ck_assert_ptr_nonnull(run);
    ck_assert_int_eq(state_begin(place->state, &error), RELAIS_OK);
    ck_assert_int_eq(outbox_add(&place->outbox, (relais_bytes){run, size}, 1000, &error),
                     RELAIS_OK);
    ck_assert_int_eq(state_commit(place->state, &error), RELAIS_OK);
    outbox_settle(&place->outbox, true);
    free(run);
}
