/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais key new|show: key pairs. A secret key is never printed.
 */
#include "cli/command.h"
#include "cli/key_file.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/key.h>
#include <stdio.h>

static const struct column columns[] = {
    {"public_key", N_("Public key"), COLUMN_TEXT},
    {"file", N_("File"), COLUMN_TEXT},
};

static enum exit_code print_key(const struct invocation *invocation, const char *public_key,
                                const char *path)
{
    if (invocation->output.format == OUTPUT_TABLE) {
        return puts(public_key) < 0 ? CODE_FAILED : CODE_DONE;
    }
    json_t *object = json_pack("{s:s, s:s}", "public_key", public_key, "file", path);
    return talk_end(output_object(&invocation->output, columns, OPTION_COUNT(columns), object));
}

static enum exit_code run_new(struct invocation *invocation)
{
    const char *path = invocation->options.arguments[0];
    relais_error error;
    relais_key key;
    relais_status status = relais_key_new(&key, &error);
    if (status == RELAIS_OK) {
        status = relais_key_save(&key, path, &error);
    }
    enum exit_code code = CODE_DONE;
    if (status != RELAIS_OK) {
        code = talk_error(&error);
    } else {
        talk_note(&invocation->output,
                  _("%s holds the secret key: it stays on this machine. %s.pub may be given away."),
                  path, path);
        code = print_key(invocation, key.public_key, path);
    }
    relais_key_wipe(&key);
    return code;
}

static enum exit_code run_show(struct invocation *invocation)
{
    const char *path = invocation->options.arguments[0];
    relais_error error;
    relais_key key;
    if (key_file_read_public(path, &key, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    return print_key(invocation, key.public_key, path);
}

const struct command command_key_new = {
    .words = "key new",
    .summary = N_("make a key pair: FILE (secret) and FILE.pub"),
    .arguments = "FILE",
    .examples = "relais key new client.key\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_words = WORDS_FILE,
    .run = run_new,
};

const struct command command_key_show = {
    .words = "key show",
    .summary = N_("print the public key of a key file, secret or public"),
    .arguments = "FILE",
    .examples = "relais key show client.key\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_words = WORDS_FILE,
    .run = run_show,
};
