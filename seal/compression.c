/* SPDX-License-Identifier: EUPL-1.2
 *
 * zstd in steps, see compression.h.
 */
#include "seal/compression.h"

#include <stdlib.h>
#include <zstd.h>

enum {
    LEVEL = 3,       /* zstd's own default: what costs less than sealing does */
    WINDOW_LOG = 20, /* 1 MiB: letters and tables gain nothing from more */
    WINDOW_LOG_MOST = 23,
    MAGIC_BYTES = 4,
};

static const uint8_t MAGIC[MAGIC_BYTES] = {0x28, 0xb5, 0x2f, 0xfd};

struct compressor {
    ZSTD_CCtx *context;
};

struct compressor *compressor_new(void)
{
    struct compressor *compressor = calloc(1, sizeof *compressor);

    if (compressor == NULL) {
        return NULL;
    }
    compressor->context = ZSTD_createCCtx();
    if (compressor->context == NULL ||
        ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_windowLog, WINDOW_LOG))) {
        compressor_free(compressor);
        return NULL;
    }
    return compressor;
}

void compressor_free(struct compressor *compressor)
{
    if (compressor != NULL) {
        (void)ZSTD_freeCCtx(compressor->context);
        free(compressor);
    }
}

static enum seal_status compress(struct compressor *compressor, struct seal_input *in,
                                 struct seal_output *out, ZSTD_EndDirective directive,
                                 bool *out_done)
{
    ZSTD_inBuffer from = {in->data, in->size, in->used};
    ZSTD_outBuffer to = {out->data, out->size, out->used};
    const size_t rest = ZSTD_compressStream2(compressor->context, &to, &from, directive);

    in->used = from.pos;
    out->used = to.pos;
    if (ZSTD_isError(rest)) {
        return SEAL_NO_MEMORY; /* the only way that compressing can fail */
    }
    *out_done = rest == 0;
    return SEAL_OK;
}

enum seal_status compressor_step(struct compressor *compressor, struct seal_input *in,
                                 struct seal_output *out)
{
    bool done = false;

    return compress(compressor, in, out, ZSTD_e_continue, &done);
}

enum seal_status compressor_end(struct compressor *compressor, struct seal_output *out,
                                bool *out_done)
{
    struct seal_input nothing = {0};

    return compress(compressor, &nothing, out, ZSTD_e_end, out_done);
}

struct expander {
    ZSTD_DCtx *context;
    size_t begun; /* bytes of the magic number that have been seen */
    bool done;
};

struct expander *expander_new(void)
{
    struct expander *expander = calloc(1, sizeof *expander);

    if (expander == NULL) {
        return NULL;
    }
    expander->context = ZSTD_createDCtx();
    if (expander->context == NULL ||
        ZSTD_isError(
            ZSTD_DCtx_setParameter(expander->context, ZSTD_d_windowLogMax, WINDOW_LOG_MOST))) {
        expander_free(expander);
        return NULL;
    }
    return expander;
}

void expander_free(struct expander *expander)
{
    if (expander != NULL) {
        (void)ZSTD_freeDCtx(expander->context);
        free(expander);
    }
}

/* Rule 3, before the library sees the bytes. */
static bool begins_well(struct expander *expander, const struct seal_input *in)
{
    for (size_t i = in->used; i < in->size && expander->begun < MAGIC_BYTES; i++) {
        if (in->data[i] != MAGIC[expander->begun]) {
            return false;
        }
        expander->begun++;
    }
    return true;
}

enum seal_status expander_step(struct expander *expander, struct seal_input *in,
                               struct seal_output *out)
{
    ZSTD_inBuffer from = {in->data, in->size, in->used};
    ZSTD_outBuffer to = {out->data, out->size, out->used};
    size_t rest = 0;

    if (expander->done) { /* what follows the frame is refused; the library would begin another */
        return in->used < in->size ? SEAL_BAD_COMPRESSION : SEAL_OK;
    }
    if (!begins_well(expander, in)) {
        return SEAL_BAD_COMPRESSION;
    }
    rest = ZSTD_decompressStream(expander->context, &to, &from);
    in->used = from.pos;
    out->used = to.pos;
    if (ZSTD_isError(rest)) {
        return SEAL_BAD_COMPRESSION;
    }
    expander->done = rest == 0;
    return SEAL_OK;
}

bool expander_is_done(const struct expander *expander)
{
    return expander->done;
}
