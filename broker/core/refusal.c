/* SPDX-License-Identifier: EUPL-1.2
 *
 * Refusals and their texts. See refusal.h.
 */
#include "core/refusal.h"

#include <string.h>

enum {
    NUMBER_DIGITS = 20, /* of a uint64_t */
    ERROR_OVERHEAD_BYTES = 48,
    CONTROL_END = 0x20,
    DELETE = 0x7f,
    C1_LEAD = 0xc2, /* U+0080..U+009F are C2 80..C2 9F */
    C1_LAST = 0x9f,
    CONTINUATION_MASK = 0xc0,
    CONTINUATION = 0x80,
};

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & CONTINUATION_MASK) == CONTINUATION;
}

static void clean(char *text)
{
    for (char *at = text; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < CONTROL_END || byte == DELETE) {
            *at = '?';
        } else if (byte == C1_LEAD && (unsigned char)at[1] <= C1_LAST && is_continuation(at[1])) {
            at[0] = '?';
            at[1] = '?';
        }
    }
}

const char *refusal_clean(struct effects *effects, const char *text, size_t most)
{
    size_t size = strnlen(text, most + 1);
    if (size > most) {
        size = most;
        while (size > 0 && is_continuation(text[size])) {
            size--;
        }
    }
    char *copy = effects_alloc(effects, size + 1);
    if (!copy) {
        return "";
    }
    memcpy(copy, text, size);
    clean(copy);
    return copy;
}

const char *refusal_wrong(struct effects *effects, const char *text)
{
    return refusal_clean(effects, text, REFUSAL_WRONG_BYTES);
}

const char *refusal_number(struct effects *effects, uint64_t number)
{
    char digits[NUMBER_DIGITS + 1] = {0};
    char *at = digits + NUMBER_DIGITS;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return effects_text(effects, at);
}

/* Copies text with its NUL and gives the place of that. */
static char *append(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size + 1);
    return at + size;
}

const char *refusal_join(struct effects *effects, const char *a, const char *b, const char *c)
{
    char *joined = effects_alloc(effects, strlen(a) + strlen(b) + strlen(c) + 1);
    if (!joined) {
        return "";
    }
    append(append(append(joined, a), b), c);
    return joined;
}

void refusal_to_error(const struct refusal *refusal, Relais__V1__Error *out_error)
{
    relais__v1__error__init(out_error);
    out_error->code = refusal->code;
    out_error->field = (char *)(refusal->field ? refusal->field : "");
    out_error->wrong = (char *)(refusal->wrong ? refusal->wrong : "");
    out_error->right = (char *)(refusal->right ? refusal->right : "");
    out_error->retry_after_ms = refusal->retry_after_ms;
}

size_t refusal_packed_bytes(const struct refusal *refusal)
{
    return ERROR_OVERHEAD_BYTES + (refusal->field ? strlen(refusal->field) : 0) +
           (refusal->wrong ? strlen(refusal->wrong) : 0) +
           (refusal->right ? strlen(refusal->right) : 0);
}

const char *refusal_code_name(Relais__V1__Code code)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&relais__v1__code__descriptor, (int)code);
    return value ? value->name : "CODE_UNKNOWN";
}
