/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a command says: its lines, and its complaints.
 */
#include "adapters/exec/complaint.h"
#include "adapters/exec/line.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void complain(const uint8_t *data, size_t size)
{
    struct complaint complaint = {.size = size < COMPLAINT_BYTES ? size : COMPLAINT_BYTES};
    memcpy(complaint.text, data, complaint.size);
    const char *text = complaint_text(&complaint);
    for (size_t i = 0; i < complaint.size; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *to[] = {(char *)"a/b"};
    const struct settings_defaults defaults = {.to = to, .to_count = 1};
    struct line line;
    relais_error error;
    if (line_read((const char *)data, size, &defaults, 1, &line, &error) == RELAIS_OK) {
        if (line.message.to_count > RELAIS_RECIPIENTS_MAX || !line.message.type ||
            (line.file && strchr(line.file, '/'))) {
            abort();
        }
        line_fini(&line);
    }
    if (size > 0) {
        complain(data, size);
    }
    return 0;
}
