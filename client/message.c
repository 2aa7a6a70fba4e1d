/* SPDX-License-Identifier: EUPL-1.2
 *
 * Looking into a message, and new ids for messages.
 */
#include <relais/message.h>

#include <sodium.h>
#include <string.h>

enum { RANDOM_ID_BYTES = 16 }; /* 128 bits: no two senders ever draw the same */

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

void relais_message_new_id(char out_id[33])
{
    unsigned char random[RANDOM_ID_BYTES];
    randombytes_buf(random, sizeof random);
    (void)sodium_bin2hex(out_id, 2 * RANDOM_ID_BYTES + 1, random, sizeof random);
}
