/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a command of `relais` is, and what it is given. Each command_<verb>.c defines its own; the
 * table in commands.c lists them.
 *
 * A command prints data on stdout through cli/output.h and talks on stderr through cli/talk.h. It
 * returns an exit code and never calls exit().
 */
#ifndef RELAIS_CLI_COMMAND_H
#define RELAIS_CLI_COMMAND_H

#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/output.h"

#include <stddef.h>

struct command;

struct invocation {
    const struct command *command;
    struct options options;
    struct output output;
};

struct command {
    const char *words; /* "member add" */
    const char *summary;
    const char *arguments; /* what follows the words, for the help: "SLUG" */
    const char *examples;  /* one a line */
    const char *notes;     /* a paragraph for the help, or NULL */
    const struct option_spec *options;
    size_t option_count;
    size_t arguments_min;
    size_t arguments_max;
    enum word_kind argument_words;
    enum exit_code (*run)(struct invocation *invocation);
};

#define OPTION_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Any number of arguments. */
#define ARGUMENTS_ANY ((size_t)-1)

/* Options that several commands share. */
#define OPTION_HOME                                                                                \
    {                                                                                              \
        "home", 0, WORDS_FOLDER, "FOLDER",                                                         \
            N_("the broker's home (default: $RELAIS_HOME, or the current folder when it is one)")  \
    }
#define OPTION_PROFILE                                                                             \
    {                                                                                              \
        "profile", 'p', WORDS_FILE, "FILE",                                                        \
            N_("the client profile (default: $RELAIS_PROFILE, HOME/operator/client.yaml, "         \
               "~/.config/relais/client.yaml)")                                                    \
    }
#define OPTION_NO_RELOAD                                                                           \
    {                                                                                              \
        "no-reload", 0, WORDS_NONE, NULL, N_("do not tell a running broker about the change")      \
    }

/* All commands, ended by NULL. */
const struct command *const *commands_all(void);

/* The command that the first words of `words` name, and how many words that takes; or NULL. */
const struct command *commands_find(char *const *words, size_t count, size_t *out_used);

/* The options of every command: -o, -q, --color, --help, --version. */
const struct option_spec *commands_shared_options(size_t *out_count);

struct option_table command_option_table(const struct command *command);

extern const struct command command_init;
extern const struct command command_key_new;
extern const struct command command_key_show;
extern const struct command command_key_mailboxes;
extern const struct command command_member_add;
extern const struct command command_member_list;
extern const struct command command_member_show;
extern const struct command command_member_usage;
extern const struct command command_member_subscribe;
extern const struct command command_member_unsubscribe;
extern const struct command command_backup;
extern const struct command command_check;
extern const struct command command_convert;
extern const struct command command_client_add;
extern const struct command command_client_list;
extern const struct command command_client_remove;
extern const struct command command_flow_add;
extern const struct command command_flow_list;
extern const struct command command_flow_show;
extern const struct command command_directory_sign;
extern const struct command command_directory_verify;
extern const struct command command_directory_show;
extern const struct command command_directory_fetch;
extern const struct command command_send;
extern const struct command command_cancel;
extern const struct command command_receive;
extern const struct command command_request;
extern const struct command command_queues;
extern const struct command command_dead_list;
extern const struct command command_dead_show;
extern const struct command command_dead_replay;
extern const struct command command_dead_drop;
extern const struct command command_status;
extern const struct command command_track;
extern const struct command command_recall;

#endif
