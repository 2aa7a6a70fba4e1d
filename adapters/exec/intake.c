/* SPDX-License-Identifier: EUPL-1.2
 *
 * See intake.h.
 */
#include "adapters/exec/intake.h"

#include "adapters/exec/attached.h"
#include "adapters/exec/jobs.h"
#include "program/error.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 65536,
    READS_AT_A_TIME = 16,
    FULL_BYTES = 4 * 1024 * 1024, /* so much unread is enough, unless it is one line */
    LINES_AT_A_TIME = 512,        /* that share a sync */
    WORD_BYTES = 512,
};

relais_status intake_open(struct intake *intake, relais_adapter *adapter,
                          const struct settings_defaults *defaults, const char *folder,
                          bool confirms)
{
    *intake = (struct intake){.adapter = adapter, .defaults = defaults, .confirms = confirms};
    intake->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return intake->folder >= 0 ? RELAIS_OK : RELAIS_NOT_FOUND;
}

void intake_close(struct intake *intake)
{
    if (intake->adapter && intake->folder >= 0) {
        (void)close(intake->folder);
    }
    free(intake->buffer);
    free(intake->words);
    *intake = (struct intake){.folder = -1};
}

/* ---- bytes ---- */

static bool make_room(char **buffer, size_t *capacity, size_t size)
{
    size_t wanted = *capacity == 0 ? READ_BYTES : *capacity;
    while (wanted < size) {
        wanted *= 2;
    }
    if (wanted == *capacity) {
        return true;
    }
    char *grown = realloc(*buffer, wanted);
    if (grown) {
        *buffer = grown;
        *capacity = wanted;
    }
    return grown != NULL;
}

static void say_bad(struct intake *intake, const relais_error *error)
{
    const relais_adapter_field fields[] = {{"line", NULL, (int64_t)intake->number},
                                           {"reason", relais_status_name(error->status), 0},
                                           {"field", error->field, 0}};
    relais_adapter_count(intake->adapter, COUNTER_BAD, 1);
    relais_adapter_log(RELAIS_ADAPTER_WARNING, "line.refused", fields, 3);
}

/* One word to the command, as JSON. `error` NULL: kept. */
static void add_word(struct intake *intake, const char *id, const relais_error *error)
{
    if (!intake->confirms) {
        return;
    }
    json_t *word =
        error ? json_pack("{s:s, s:I, s:s, s:s, s:s, s:s}", "state", "refused", "line",
                          (json_int_t)intake->number, "code", relais_status_name(error->status),
                          "field", error->field, "wrong", error->wrong, "right", error->right)
              : json_pack("{s:s, s:I, s:s}", "state", "kept", "line", (json_int_t)intake->number,
                          "id", id);
    char *text = word ? json_dumps(word, JSON_COMPACT) : NULL;
    size_t size = text ? strlen(text) : 0;
    if (text && make_room(&intake->words, &intake->words_capacity, intake->words_size + size + 1)) {
        memcpy(intake->words + intake->words_size, text, size);
        intake->words[intake->words_size + size] = '\n';
        intake->words_size += size + 1;
    }
    json_decref(word);
    free(text);
}

static void refuse_line(struct intake *intake, const relais_error *error)
{
    say_bad(intake, error);
    add_word(intake, NULL, error);
}

/* The beginning of the line is given up; so is the rest of it when it comes. */
static void give_up_long_line(struct intake *intake)
{
    relais_error error;
    intake->number++;
    (void)error_set(&error, RELAIS_TOO_LARGE, "line", _("at most 22 MiB; a larger payload as file"),
                    "%zu", intake->size);
    refuse_line(intake, &error);
    intake->size = 0;
    intake->skipping = true;
}

static void append(struct intake *intake, const char *data, size_t size)
{
    if (intake->skipping) {
        const char *end = memchr(data, '\n', size);
        if (!end) {
            return;
        }
        intake->skipping = false;
        size -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    if (size > 0 && make_room(&intake->buffer, &intake->capacity, intake->size + size)) {
        memcpy(intake->buffer + intake->size, data, size);
        intake->size += size;
    }
    if (intake->size > LINE_BYTES && !memchr(intake->buffer, '\n', intake->size)) {
        give_up_long_line(intake);
    }
}

enum intake_result intake_read(struct intake *intake, int fd)
{
    char data[READ_BYTES];
    for (int i = 0; i < READS_AT_A_TIME; i++) {
        ssize_t got = read(fd, data, sizeof data);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 && errno == EAGAIN ? INTAKE_NOTHING : INTAKE_END;
        }
        append(intake, data, (size_t)got);
    }
    return INTAKE_MORE;
}

bool intake_has_lines(const struct intake *intake)
{
    return intake->size > 0 && memchr(intake->buffer, '\n', intake->size) != NULL;
}

bool intake_has_room(const struct intake *intake)
{
    return intake->words_size < INTAKE_WORDS_BYTES &&
           (intake->size < FULL_BYTES || !intake_has_lines(intake));
}

void intake_end(struct intake *intake, bool whole)
{
    bool open_line = intake->size > 0 && intake->buffer[intake->size - 1] != '\n';
    intake->skipping = false;
    if (!open_line) {
        return;
    }
    if (whole) {
        append(intake, "\n", 1);
        return;
    }
    const char *last = memrchr(intake->buffer, '\n', intake->size);
    intake->size = last ? (size_t)(last + 1 - intake->buffer) : 0;
}

/* ---- lines ---- */

static relais_status attach_file(struct intake *intake, struct line *line, unsigned char **out_data,
                                 relais_error *error)
{
    size_t size = 0;
    relais_status status =
        attached_read(intake->folder, line->file, LINE_PAYLOAD_BYTES, out_data, &size, NULL);
    if (status != RELAIS_OK) {
        return error_set(error, status, "file", _("a plain file of the folder, at most 16 MiB"),
                         "%s", relais_status_text(status));
    }
    line->message.payload = (relais_bytes){*out_data, size};
    return RELAIS_OK;
}

static bool is_for_good(relais_status status)
{
    return status != RELAIS_OK && status != RELAIS_STORE_FULL && status != RELAIS_NO_MEMORY;
}

/* What came of one line, for the time after the flush. */
struct taken {
    char id[RELAIS_ID_BYTES + 1];
    relais_error error; /* RELAIS_OK: it is staged */
};

static relais_status hand_over(struct intake *intake, const char *text, size_t size,
                               struct taken *out)
{
    struct line line;
    unsigned char *file = NULL;
    char id[33];
    relais_status status =
        line_read(text, size, intake->defaults, (int64_t)time(NULL) * 1000, &line, &out->error);
    if (status != RELAIS_OK) {
        return status;
    }
    if (!line.message.id && intake->confirms) {
        relais_message_new_id(id);
        line.message.id = id;
    }
    (void)snprintf(out->id, sizeof out->id, "%s", line.message.id ? line.message.id : "");
    if (line.file) {
        status = attach_file(intake, &line, &file, &out->error);
    }
    if (status == RELAIS_OK) {
        status = relais_adapter_hand_over(intake->adapter, &line.message, &out->error);
    }
    free(file);
    line_fini(&line);
    return status;
}

/* The buffer ends with no NUL. */
static bool is_blank(const char *line, size_t size)
{
    size_t i = 0;
    while (i < size && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r')) {
        i++;
    }
    return i == size;
}

/* Stages lines from the beginning of the buffer. *out_used: their bytes. */
static relais_status stage(struct intake *intake, struct taken *taken, size_t *out_count,
                           size_t *out_used)
{
    size_t used = 0;
    size_t count = 0;
    relais_status status = RELAIS_OK;
    while (count < LINES_AT_A_TIME && used < intake->size) {
        const char *begin = intake->buffer + used;
        const char *end = memchr(begin, '\n', intake->size - used);
        if (!end) {
            break;
        }
        taken[count] = (struct taken){.error = {.status = RELAIS_OK}};
        bool is_empty = is_blank(begin, (size_t)(end - begin));
        status =
            is_empty ? RELAIS_OK : hand_over(intake, begin, (size_t)(end - begin), &taken[count]);
        if (status != RELAIS_OK && !is_for_good(status)) {
            break;
        }
        taken[count].error.status = is_empty ? RELAIS_INTERRUPTED : status;
        status = RELAIS_OK;
        count++;
        used += (size_t)(end + 1 - begin);
    }
    *out_count = count;
    *out_used = used;
    return status;
}

static void conclude(struct intake *intake, const struct taken *taken, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        intake->number++;
        if (taken[i].error.status == RELAIS_OK) {
            relais_adapter_count(intake->adapter, COUNTER_LINES, 1);
            add_word(intake, taken[i].id, NULL);
        } else if (taken[i].error.status != RELAIS_INTERRUPTED) { /* an empty line */
            refuse_line(intake, &taken[i].error);
        }
    }
}

relais_status intake_take(struct intake *intake, relais_error *error)
{
    relais_status status = RELAIS_OK;
    struct taken *taken = NULL;
    if (!intake_has_lines(intake)) {
        return RELAIS_OK;
    }
    taken = calloc(LINES_AT_A_TIME, sizeof *taken);
    while (taken && status == RELAIS_OK && intake_has_lines(intake) &&
           intake->words_size < INTAKE_WORDS_BYTES) {
        size_t count = 0;
        size_t used = 0;
        relais_status staged = stage(intake, taken, &count, &used);
        status = relais_adapter_flush(intake->adapter, error);
        if (status == RELAIS_OK) {
            conclude(intake, taken, count);
            memmove(intake->buffer, intake->buffer + used, intake->size - used);
            intake->size -= used;
            status = count > 0 ? RELAIS_OK : staged; /* full even with nothing staged */
        }
    }
    free(taken);
    return taken ? status : RELAIS_NO_MEMORY;
}

/* ---- words ---- */

bool intake_has_words(const struct intake *intake)
{
    return intake->words_size > 0;
}

void intake_forget_words(struct intake *intake)
{
    intake->words_size = 0;
}

bool intake_say(struct intake *intake, int fd)
{
    while (intake->words_size > 0) {
        ssize_t wrote = write(fd, intake->words, intake->words_size);
        if (wrote < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        memmove(intake->words, intake->words + wrote, intake->words_size - (size_t)wrote);
        intake->words_size -= (size_t)wrote;
    }
    return true;
}
