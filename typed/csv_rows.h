/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bytes of a CSV cut into rows of cells, whatever the pieces they come in (RFC 4180, with any
 * separator and any line end). Bytes stay undecoded: see encoding.h, invariant 2.
 *
 * 1. A cell in quotes may hold separators, line ends and doubled quotes; a quote anywhere else
 * makes its row a bad one.
 * 2. A row that is too large, or bad, is read to its end and given with the reason, without its
 * bytes.
 */
#ifndef RELAIS_TYPED_CSV_ROWS_H
#define RELAIS_TYPED_CSV_ROWS_H

#include "flows/item.pb-c.h"
#include "typed/complaint.h"
#include "typed/text.h"

#include <relais/status.h>

struct csv_cell {
    size_t offset; /* in the row's bytes */
    size_t size;
    uint64_t line;
    uint64_t column; /* characters, from 1 */
    bool quoted;
};

enum csv_state { CSV_CELL_START, CSV_PLAIN, CSV_QUOTED, CSV_QUOTE, CSV_AFTER_CR };

struct csv_rows;

/* A row; LINE_END_UNSPECIFIED for the last one if it has none. */
typedef relais_status row_receiver(void *context, const struct csv_rows *rows,
                                   Relais__Flows__V1__LineEnd line_end);

struct csv_rows {
    char separator;
    bool utf8; /* what columns count: characters of UTF-8, or bytes */
    enum csv_state state;
    struct text bytes;
    struct csv_cell cells[CSV_CELLS_MAX];
    size_t cell_count;
    uint64_t line; /* where reading is */
    uint64_t column;
    uint64_t row_line; /* where the row began */
    enum rule wrong;   /* RULE_NONE, or why the row is bad, and where */
    uint64_t wrong_line;
    uint64_t wrong_column;
    row_receiver *receive;
    void *context;
};

void csv_rows_init(struct csv_rows *rows, char separator, bool utf8, row_receiver *receive,
                   void *context);
void csv_rows_fini(struct csv_rows *rows);

/* RELAIS_NO_MEMORY, and what the receiver returns. */
relais_status csv_rows_feed(struct csv_rows *rows, const char *data, size_t size);

/* Gives what is left. RELAIS_FIELD_INVALID: a quote is open; wrong_line and wrong_column say where.
 */
relais_status csv_rows_end(struct csv_rows *rows);

const char *csv_rows_cell(const struct csv_rows *rows, size_t index);

#endif
