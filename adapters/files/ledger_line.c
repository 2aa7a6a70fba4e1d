/* SPDX-License-Identifier: EUPL-1.2
 *
 * One line of the ledger: see ledger_line.h. A line is read by writing it again and comparing:
 * there is one spelling of each entry.
 */
#include "adapters/files/ledger_line.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUMMED_BYTES = 2 + 33 + 14 + 9, KEY_CHARACTERS = 2 * LEDGER_KEY_BYTES };

/* Milliseconds of 13 digits: from 2001 to 2286. */
static const int64_t time_low = 1000000000000;
static const int64_t time_high = 9999999999999;

void ledger_temp_name(const struct ledger_entry *entry, char out_name[LEDGER_TEMP_BYTES + 1])
{
    sodium_bin2hex(out_name, LEDGER_TEMP_BYTES + 1, entry->key, LEDGER_KEY_BYTES);
    (void)snprintf(out_name + KEY_CHARACTERS, 10, "-%08x", entry->number);
}

void ledger_line_write(const struct ledger_entry *entry, char *out_line)
{
    char line[LEDGER_LINE_BYTES + 1];
    char key[KEY_CHARACTERS + 1];
    unsigned char sum[crypto_generichash_BYTES_MIN];
    int64_t time_ms = entry->time_ms < time_low    ? time_low
                      : entry->time_ms > time_high ? time_high
                                                   : entry->time_ms;
    sodium_bin2hex(key, sizeof key, entry->key, sizeof entry->key);
    (void)snprintf(line, sizeof line, "%c %s %013lld %08x ", (char)entry->mark, key,
                   (long long)time_ms, entry->number);
    (void)crypto_generichash(sum, sizeof sum, (const unsigned char *)line, SUMMED_BYTES, NULL, 0);
    (void)snprintf(line + SUMMED_BYTES, sizeof line - SUMMED_BYTES, "%02x%02x%02x%02x\n", sum[0],
                   sum[1], sum[2], sum[3]);
    memcpy(out_line, line, LEDGER_LINE_BYTES);
}

bool ledger_line_read(const char *line, struct ledger_entry *out_entry)
{
    char copy[LEDGER_LINE_BYTES + 1];
    char again[LEDGER_LINE_BYTES];
    struct ledger_entry entry = {.mark = (unsigned char)line[0]};
    memcpy(copy, line, LEDGER_LINE_BYTES);
    copy[LEDGER_LINE_BYTES] = '\0';
    if (copy[0] == '\0' || !strchr("IVDS", copy[0]) ||
        sodium_hex2bin(entry.key, sizeof entry.key, copy + 2, KEY_CHARACTERS, NULL, NULL, NULL) !=
            0) {
        return false;
    }
    entry.time_ms = strtoll(copy + 35, NULL, 10);
    entry.number = (uint32_t)strtoul(copy + 49, NULL, 16);
    ledger_line_write(&entry, again);
    if (memcmp(line, again, LEDGER_LINE_BYTES) != 0) {
        return false;
    }
    *out_entry = entry;
    return true;
}
