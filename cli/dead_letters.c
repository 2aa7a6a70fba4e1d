/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/dead_letters.h"

#include "cli/message_json.h"
#include "program/locale.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PAGE = 100,
    BUSY_TIMES_MAX = 50, /* some ten seconds */
    BUSY_MS_MAX = 5000,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
    HISTORY_BYTES = 16 * 512, /* an attempt with the longest reason */
};

bool dead_letters_init(struct dead_letters *letters, relais_client *client, const char *address)
{
    *letters = (struct dead_letters){.client = client, .address = address};
    letters->page.letters = calloc(PAGE, sizeof(*letters->page.letters));
    letters->page.capacity = PAGE;
    return letters->page.letters != NULL;
}

void dead_letters_fini(struct dead_letters *letters)
{
    free(letters->page.letters);
    letters->page.letters = NULL;
}

bool dead_letters_wait(const relais_error *error, unsigned *times)
{
    uint32_t ms = error->retry_after_ms;
    if (error->status != RELAIS_BUSY || ms == 0 || ++*times > BUSY_TIMES_MAX) {
        return false;
    }
    ms = ms < BUSY_MS_MAX ? ms : BUSY_MS_MAX;
    struct timespec pause = {.tv_sec = ms / MS_PER_S, .tv_nsec = (long)(ms % MS_PER_S) * NS_PER_MS};
    return nanosleep(&pause, NULL) == 0;
}

static relais_status turn_page(struct dead_letters *letters, relais_error *error)
{
    unsigned times = 0;
    relais_status status;
    do {
        status = relais_dead_list(letters->client, letters->address, letters->after, &letters->page,
                                  error);
    } while (status != RELAIS_OK && dead_letters_wait(error, &times));
    letters->next = 0;
    letters->ended = !letters->page.more;
    return status;
}

relais_status dead_letters_next(struct dead_letters *letters, const relais_dead_letter **out_letter,
                                relais_error *error)
{
    relais_status status = RELAIS_OK;
    *out_letter = NULL;
    if (letters->next >= letters->page.count && !letters->ended) {
        status = turn_page(letters, error);
    }
    if (status == RELAIS_OK && letters->next < letters->page.count) {
        *out_letter = &letters->page.letters[letters->next++];
        letters->after = (*out_letter)->sequence;
    }
    return status;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text[0] != '\0') {
        json_object_set_new(object, key, json_string(text));
    }
}

static void set_time(json_t *object, const char *key, int64_t ms)
{
    if (ms > 0) {
        json_object_set_new(object, key, time_json(ms));
    }
}

static const char *ending_name(relais_ending ending)
{
    static const char *const names[] = {"unknown", "lease", "nack", "refuse"};
    return names[ending];
}

static const char *ending_text(relais_ending ending)
{
    static const char *const texts[] = {N_("failed"), N_("no answer in time"), N_("put back"),
                                        N_("refused")};
    return _(texts[ending]);
}

static json_t *history_json(const relais_dead_letter *letter)
{
    json_t *history = json_array();
    for (size_t i = 0; i < letter->history_count; i++) {
        const relais_failed_attempt *attempt = &letter->history[i];
        json_t *object = json_pack("{s:i, s:s}", "number", (int)attempt->number, "ending",
                                   ending_name(attempt->ending));
        set_time(object, "at", attempt->at_ms);
        set_text(object, "client", attempt->client);
        set_text(object, "reason", attempt->reason);
        json_array_append_new(history, object);
    }
    return history;
}

/* One after the other in a cell. */
static json_t *history_text(const relais_dead_letter *letter)
{
    char text[HISTORY_BYTES] = "";
    size_t used = 0;
    for (size_t i = 0; i < letter->history_count && used < sizeof text; i++) {
        const relais_failed_attempt *attempt = &letter->history[i];
        json_t *at = time_json(attempt->at_ms);
        const char *comma = attempt->reason[0] != '\0' ? ": " : "";
        int size = snprintf(text + used, sizeof text - used, "%s%u. %s %s, %s%s%s",
                            i > 0 ? "; " : "", attempt->number, json_string_value(at),
                            attempt->client, ending_text(attempt->ending), comma, attempt->reason);
        json_decref(at);
        used += size > 0 ? (size_t)size : 0;
    }
    return json_string(text);
}

json_t *dead_letter_json(const char *address, const relais_dead_letter *letter, bool for_people)
{
    json_t *object =
        json_pack("{s:s, s:I, s:s, s:i, s:i, s:b, s:I}", "address", address, "sequence",
                  (json_int_t)letter->sequence, "code", relais_status_name(letter->code), "number",
                  (int)letter->code, "attempts", (int)letter->attempts, "damaged",
                  (int)letter->damaged, "size", (json_int_t)letter->bytes);
    if (!object) {
        return NULL;
    }
    set_text(object, "reason", letter->reason);
    set_time(object, "died", letter->died_ms);
    set_time(object, "accepted", letter->accepted_ms);
    set_time(object, "expires", letter->expires_ms);
    set_text(object, "id", letter->id);
    set_text(object, "source", letter->source);
    set_text(object, "from", letter->from);
    set_text(object, "flow", letter->flow);
    set_text(object, "type", letter->type);
    if (letter->history_count > 0) {
        json_object_set_new(object, "history",
                            for_people ? history_text(letter) : history_json(letter));
    }
    if (for_people) {
        set_text(object, "why", relais_status_text(letter->code));
        set_text(object, "whole",
                 letter->damaged ? _("damaged: it can only be dropped") : _("whole"));
    }
    return object;
}
