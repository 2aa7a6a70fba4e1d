/* SPDX-License-Identifier: EUPL-1.2
 *
 * The one table of commands.
 */
#include "cli/command.h"

#include "program/locale.h"

#include <string.h>

static const struct option_spec shared_options[] = {
    {"output", 'o', WORDS_FORMAT, "FORMAT", N_("table, json or jsonl (one object a line)")},
    {"quiet", 'q', WORDS_NONE, NULL, N_("no notes and no progress; errors are still told")},
    {"color", 0, WORDS_COLOR, "WHEN", N_("auto, always or never; NO_COLOR is respected")},
    {"help", 'h', WORDS_NONE, NULL, N_("this help")},
    {"version", 0, WORDS_NONE, NULL, N_("the version of this program")},
};

static const struct command *const table[] = {
    &command_init,           &command_key_new,          &command_key_show,
    &command_key_mailboxes,  &command_member_add,       &command_member_list,
    &command_member_show,    &command_member_subscribe, &command_member_unsubscribe,
    &command_member_usage,   &command_client_add,       &command_client_list,
    &command_client_remove,  &command_flow_add,         &command_flow_list,
    &command_flow_show,      &command_directory_sign,   &command_directory_verify,
    &command_directory_show, &command_directory_fetch,  &command_send,
    &command_cancel,         &command_receive,          &command_request,
    &command_track,          &command_recall,           &command_queues,
    &command_dead_list,      &command_dead_show,        &command_dead_replay,
    &command_dead_drop,      &command_status,           &command_backup,
    &command_check,          &command_convert,          NULL,
};

const struct command *const *commands_all(void)
{
    return table;
}

/* How many of the given words spell the command's; 0 when they do not. */
static size_t words_matched(const char *spelling, char *const *words, size_t count)
{
    size_t used = 0;
    while (*spelling != '\0') {
        size_t length = strcspn(spelling, " ");
        if (used == count || strlen(words[used]) != length ||
            strncmp(words[used], spelling, length) != 0) {
            return 0;
        }
        used++;
        spelling += length;
        spelling += strspn(spelling, " ");
    }
    return used;
}

const struct command *commands_find(char *const *words, size_t count, size_t *out_used)
{
    for (size_t i = 0; table[i] != NULL; i++) {
        size_t used = words_matched(table[i]->words, words, count);
        if (used > 0) {
            *out_used = used;
            return table[i];
        }
    }
    return NULL;
}

const struct option_spec *commands_shared_options(size_t *out_count)
{
    *out_count = OPTION_COUNT(shared_options);
    return shared_options;
}

struct option_table command_option_table(const struct command *command)
{
    struct option_table options = {.shared = shared_options,
                                   .shared_count = OPTION_COUNT(shared_options)};
    if (command) {
        options.specs = command->options;
        options.spec_count = command->option_count;
    }
    return options;
}
