/* SPDX-License-Identifier: EUPL-1.2
 *
 * See directory_subscribers.h.
 */
#include "core/directory_subscribers.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64 };

void directory_subscribers_fini(struct directory_subscribers *subscribers)
{
    free(subscribers->words);
    *subscribers = (struct directory_subscribers){0};
}

bool directory_subscribers_has(const struct directory_subscribers *subscribers, size_t service)
{
    size_t word = service / WORD_BITS;
    return word < subscribers->word_count &&
           ((subscribers->words[word] >> (service % WORD_BITS)) & 1U) != 0;
}

bool directory_subscribers_add(struct directory_subscribers *subscribers, size_t service)
{
    size_t word = service / WORD_BITS;
    if (word >= subscribers->word_count) {
        size_t doubled = subscribers->word_count * 2;
        size_t count = word + 1 > doubled ? word + 1 : doubled;
        uint64_t *words = realloc(subscribers->words, count * sizeof *words);
        if (!words) {
            return false;
        }
        memset(words + subscribers->word_count, 0,
               (count - subscribers->word_count) * sizeof *words);
        subscribers->words = words;
        subscribers->word_count = count;
    }
    subscribers->words[word] |= UINT64_C(1) << (service % WORD_BITS);
    subscribers->count++;
    return true;
}

bool directory_subscribers_next(const struct directory_subscribers *subscribers, size_t *cursor,
                                size_t *out_service)
{
    size_t end = subscribers->word_count * WORD_BITS;
    while (*cursor < end) {
        uint64_t rest = subscribers->words[*cursor / WORD_BITS] >> (*cursor % WORD_BITS);
        if (rest == 0) {
            *cursor = (*cursor / WORD_BITS + 1) * WORD_BITS;
        } else if ((rest & 1U) == 0) {
            (*cursor)++;
        } else {
            *out_service = (*cursor)++;
            return true;
        }
    }
    return false;
}
