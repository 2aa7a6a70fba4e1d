/* SPDX-License-Identifier: EUPL-1.2
 *
 * Dead letters of a mailbox, one after the other whatever the number of pages, and what is printed
 * of each. Neither payload nor subject: they are not asked for.
 */
#ifndef RELAIS_CLI_DEAD_LETTERS_H
#define RELAIS_CLI_DEAD_LETTERS_H

#include "cli/output.h"

#include <relais/operate.h>

struct dead_letters {
    relais_client *client;
    const char *address;
    relais_dead_page page;
    size_t next;
    uint64_t after;
    bool ended;
};

/* Nothing is asked yet. False without memory. */
bool dead_letters_init(struct dead_letters *letters, relais_client *client, const char *address);
void dead_letters_fini(struct dead_letters *letters);

/* The next one, valid until the next call, or NULL behind the last. One that dies meanwhile, even
 * again, may or may not come. */
relais_status dead_letters_next(struct dead_letters *letters, const relais_dead_letter **out_letter,
                                relais_error *error);

/* Sleeps as long as a busy broker asks for; false when it does not, or too often. */
bool dead_letters_wait(const relais_error *error, unsigned *times);

/* All that is known; `why` in the language of the locale when it is for people. */
json_t *dead_letter_json(const char *address, const relais_dead_letter *letter, bool for_people);

#endif
