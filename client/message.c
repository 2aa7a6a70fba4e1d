/* SPDX-License-Identifier: EUPL-1.2
 *
 * Looking into a message, and new ids for messages.
 */
#include <relais/message.h>

#include <sodium.h>
#include <string.h>
#include <time.h>

enum {
    ID_BYTES = 16,
    ID_TIME_BYTES = 6, /* milliseconds; the other 80 bits are random */
};

const relais_extension *relais_message_find_extension(const relais_message *message,
                                                      const char *name)
{
    for (size_t i = 0; i < message->extension_count; i++) {
        const relais_extension *extension = &message->extensions[i];
        if (extension->name != NULL && strcmp(extension->name, name) == 0) {
            return extension;
        }
    }
    return NULL;
}

const char *relais_message_extension(const relais_message *message, const char *name)
{
    const relais_extension *extension = relais_message_find_extension(message, name);
    if (extension == NULL || extension->kind != RELAIS_EXTENSION_STRING) {
        return NULL;
    }
    return extension->text;
}

/* The shape of UUIDv7 (RFC 9562) without its version bits: ids made one after the other lie side by
 * side in the broker's table of known ids, which makes its commits half as large. */
void relais_message_new_id(char out_id[33])
{
    unsigned char id[ID_BYTES];
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint64_t time_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (size_t i = 0; i < ID_TIME_BYTES; i++) {
        id[i] = (unsigned char)(time_ms >> (8 * (ID_TIME_BYTES - 1 - i)));
    }
    randombytes_buf(id + ID_TIME_BYTES, sizeof id - ID_TIME_BYTES);
    (void)sodium_bin2hex(out_id, 2 * ID_BYTES + 1, id, sizeof id);
}
