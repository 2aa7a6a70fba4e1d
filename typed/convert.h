/* SPDX-License-Identifier: EUPL-1.2
 *
 * One file from one format to another, or to a typed payload and back. This header is what programs
 * include; the rest of the room is its own.
 *
 * 1. Nothing is dropped: what a format does not know is kept in the item, what the target has no
 * place for is refused.
 * 2. Memory is bounded whatever the file (typed/limits.h); items leave as soon as they are
 * complete.
 * 3. No file, no network, no clock: bytes come in and go out by calls.
 * One thread at a time for one conversion.
 */
#ifndef RELAIS_TYPED_CONVERT_H
#define RELAIS_TYPED_CONVERT_H

#include "typed/complaint.h"
#include "typed/encoding.h"

#include <jansson.h>
#include <relais/status.h>
#include <stddef.h>

struct convert;
struct format;

/* What happens in a conversion. Each may be NULL. Nothing that is given outlives the call. */
struct convert_events {
    void *context;
    void (*complain)(void *context, const struct complaint *complaint);
    /* An item as it has been read, as JSON; `refused`: an error has been told of it. */
    void (*see)(void *context, const json_t *item, uint64_t line, bool refused);
    /* Bytes of the target; anything but RELAIS_OK ends the conversion with it. */
    relais_status (*write)(void *context, const char *data, size_t size);
};

struct convert_options {
    const char *from; /* names of formats: convert_format_name() */
    const char *to;
    enum encoding encoding; /* of the source; ENCODING_UNKNOWN: found out. XML says its own. */
    enum encoding target_encoding; /* ENCODING_UNKNOWN: as the source had, or the format's own */
    char separator;                /* of a CSV that is read; 0: found out */
    /* Of a CSV that is read: "THEIRS=OURS", a title of the file and the format's that it stands
     * for. Borrowed until convert_free(). */
    const char *const *renames;
    size_t rename_count;
    bool specimens;  /* what marks fictitious people passes with a warning */
    bool keep_going; /* leave refused records out instead of ending at the first */
};

struct convert_counts {
    uint64_t records; /* read */
    uint64_t written;
    uint64_t refused;
    uint64_t errors;
    uint64_t warnings;
};

/* The name and the summary (in the language of the locale) of format `index`; NULL behind the last.
 */
const char *convert_format_name(size_t index);
const char *convert_format_summary(size_t index);

/* True for a format of plain text, whose encoding is not said in it. */
bool convert_format_is_text(const char *name);

/* Gives a conversion for convert_free(). RELAIS_USAGE: no format of that name; RELAIS_NO_MEMORY. */
relais_status convert_new(const struct convert_options *options,
                          const struct convert_events *events, struct convert **out_convert);
void convert_free(struct convert *convert);

/*
 * The next bytes of the source. RELAIS_FIELD_INVALID: it cannot be read on, or a record was
 * refused; why has been told. RELAIS_NO_MEMORY, and what `write` returned. After anything but
 * RELAIS_OK only convert_counts_of() and convert_free() may be called.
 */
relais_status convert_feed(struct convert *convert, const char *data, size_t size);

/* The end of the source; the same results. */
relais_status convert_end(struct convert *convert);

struct convert_counts convert_counts_of(const struct convert *convert);

#endif
