/* SPDX-License-Identifier: EUPL-1.2
 *
 * Lines.
 */
#include "typed/lines.h"

#include <string.h>

void lines_init(struct lines *lines, size_t max, line_receiver *receive, void *context)
{
    *lines = (struct lines){.receive = receive, .context = context};
    text_init(&lines->pending, max);
}

void lines_fini(struct lines *lines)
{
    text_fini(&lines->pending);
}

static relais_status give(struct lines *lines, Relais__Flows__V1__LineEnd line_end)
{
    lines->line++;
    relais_status status =
        lines->receive(lines->context, lines->pending.data, lines->pending.size, line_end);
    text_clear(&lines->pending);
    return status;
}

static relais_status keep(struct lines *lines, const char *data, size_t size)
{
    text_append(&lines->pending, data, size);
    switch (lines->pending.state) {
    case TEXT_TOO_LONG:
        lines->line++;
        return RELAIS_TOO_LARGE;
    case TEXT_NO_MEMORY:
        return RELAIS_NO_MEMORY;
    default:
        return RELAIS_OK;
    }
}

/* The first line end, or the end of the data. */
static size_t run_length(const char *data, size_t size)
{
    size_t length = 0;
    while (length < size && data[length] != '\n' && data[length] != '\r') {
        length++;
    }
    return length;
}

relais_status lines_feed(struct lines *lines, const char *data, size_t size)
{
    size_t at = 0;
    relais_status status = RELAIS_OK;
    while (at < size && status == RELAIS_OK) {
        if (lines->after_cr) {
            bool both = data[at] == '\n';
            lines->after_cr = false;
            at += both;
            status = give(lines, both ? RELAIS__FLOWS__V1__LINE_END__LINE_END_CRLF
                                      : RELAIS__FLOWS__V1__LINE_END__LINE_END_CR);
            continue;
        }
        size_t length = run_length(data + at, size - at);
        status = keep(lines, data + at, length);
        at += length;
        if (status != RELAIS_OK || at == size) {
            break;
        }
        lines->after_cr = data[at] == '\r';
        if (!lines->after_cr) {
            status = give(lines, RELAIS__FLOWS__V1__LINE_END__LINE_END_LF);
        }
        at++;
    }
    return status;
}

relais_status lines_end(struct lines *lines)
{
    if (lines->after_cr) {
        lines->after_cr = false;
        return give(lines, RELAIS__FLOWS__V1__LINE_END__LINE_END_CR);
    }
    if (lines->pending.size > 0) {
        return give(lines, RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED);
    }
    return RELAIS_OK;
}
