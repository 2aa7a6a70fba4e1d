/* SPDX-License-Identifier: EUPL-1.2
 *
 * Conversions in memory.
 */
#include "tests/unit/typed/conversion.h"

#include <string.h>

enum { OUT_BYTES = 64 * 1024 * 1024 };

static void hear(void *context, const struct complaint *complaint)
{
    struct conversion *conversion = context;
    if (conversion->complaint_count < COMPLAINTS_HEARD_MAX) {
        conversion->complaints[conversion->complaint_count++] = *complaint;
    }
}

static relais_status take(void *context, const char *data, size_t size)
{
    struct conversion *conversion = context;
    text_append(&conversion->out, data, size);
    return text_fine(&conversion->out) ? RELAIS_OK : RELAIS_NO_MEMORY;
}

void conversion_run(struct conversion *conversion, const struct convert_options *options,
                    const char *data, size_t size, size_t piece)
{
    const struct convert_events events = {.context = conversion, .complain = hear, .write = take};
    struct convert *convert = NULL;
    *conversion = (struct conversion){0};
    text_init(&conversion->out, OUT_BYTES);
    conversion->status = convert_new(options, &events, &convert);
    if (conversion->status != RELAIS_OK) {
        return;
    }
    size_t step = piece > 0 ? piece : size;
    for (size_t at = 0; at < size && conversion->status == RELAIS_OK; at += step) {
        size_t left = size - at;
        conversion->status = convert_feed(convert, data + at, left < step ? left : step);
    }
    if (conversion->status == RELAIS_OK) {
        conversion->status = convert_end(convert);
    }
    conversion->counts = convert_counts_of(convert);
    convert_free(convert);
}

void conversion_fini(struct conversion *conversion)
{
    text_fini(&conversion->out);
}

const struct complaint *conversion_complaint(const struct conversion *conversion, const char *code)
{
    for (size_t i = 0; i < conversion->complaint_count; i++) {
        if (strcmp(complaint_code(conversion->complaints[i].rule), code) == 0) {
            return &conversion->complaints[i];
        }
    }
    return NULL;
}

bool conversion_survives(const struct convert_options *options, const char *through,
                         const char *data, size_t size, size_t piece, bool *out_refused)
{
    struct convert_options there = *options;
    struct convert_options back = {
        .from = through, .to = options->from, .specimens = options->specimens};
    struct conversion first;
    struct conversion second = {0};
    there.to = through;
    conversion_run(&first, &there, data, size, piece);
    *out_refused = first.status != RELAIS_OK;
    bool fine = *out_refused && first.counts.errors > 0;
    if (!*out_refused) {
        conversion_run(&second, &back, first.out.data, first.out.size, piece);
        fine = second.status == RELAIS_OK && first.counts.errors == 0 && second.out.size == size &&
               memcmp(second.out.data, data, size) == 0;
        conversion_fini(&second);
    }
    conversion_fini(&first);
    return fine;
}
