/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bytes, rate and remaining time.
 */
#include "cli/progress.h"

#include "cli/stopwatch.h"
#include "program/locale.h"

#include <stdio.h>
#include <unistd.h>

enum { SHOW_AFTER_MS = 1000, SHOW_EVERY_MS = 100, MS_PER_S = 1000, SIZE_TEXT = 32 };

static const char CLEAR_LINE[] = "\r\033[K";

void progress_init(struct progress *progress, const struct output *output, uint64_t total_bytes)
{
    *progress = (struct progress){.wanted = !output->quiet && isatty(STDERR_FILENO),
                                  .start_ms = stopwatch_ms(),
                                  .total_bytes = total_bytes};
}

void progress_add(struct progress *progress, uint64_t bytes)
{
    progress->done_bytes += bytes;
    progress->done_messages++;
}

void progress_show(struct progress *progress)
{
    int64_t now = stopwatch_ms();
    int64_t elapsed = now - progress->start_ms;
    if (!progress->wanted || elapsed < SHOW_AFTER_MS || now - progress->last_ms < SHOW_EVERY_MS) {
        return;
    }
    char done[SIZE_TEXT];
    char total[SIZE_TEXT];
    char rate_text[SIZE_TEXT];
    uint64_t rate = progress->done_bytes * MS_PER_S / (uint64_t)elapsed;
    output_bytes_text(progress->done_bytes, done, sizeof(done));
    output_bytes_text(rate, rate_text, sizeof(rate_text));
    fputs(CLEAR_LINE, stderr);
    if (progress->total_bytes > progress->done_bytes && rate > 0) {
        unsigned long long left_s = (progress->total_bytes - progress->done_bytes) / rate + 1;
        output_bytes_text(progress->total_bytes, total, sizeof(total));
        fprintf(stderr, _("%llu messages, %s of %s, %s/s, %llu s left"),
                (unsigned long long)progress->done_messages, done, total, rate_text, left_s);
    } else {
        fprintf(stderr, _("%llu messages, %s, %s/s"), (unsigned long long)progress->done_messages,
                done, rate_text);
    }
    fflush(stderr);
    progress->last_ms = now;
    progress->shown = true;
}

void progress_clear(struct progress *progress)
{
    if (progress->shown) {
        fputs(CLEAR_LINE, stderr);
        fflush(stderr);
        progress->shown = false;
    }
}
