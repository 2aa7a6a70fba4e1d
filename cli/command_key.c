/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais key new|show: key pairs, to connect (CURVE) and to sign (Ed25519). A secret key is never
 * printed.
 */
#include "cli/command.h"
#include "cli/key_file.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/identity.h>
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

static void note_secret(const struct invocation *invocation, const char *path)
{
    talk_note(&invocation->output,
              _("%s holds the secret key: it stays on this machine. %s.pub may be given away."),
              path, path);
}

static enum exit_code new_signing(const struct invocation *invocation, const char *name)
{
    const char *path = invocation->options.arguments[0];
    char public_key[RELAIS_IDENTITY_TEXT_BYTES];
    relais_identity *identity = NULL;
    relais_error error;

    if (relais_identity_new(name, &identity, &error) != RELAIS_OK) {
        return talk_argument_error(&error);
    }
    relais_identity_public(identity, public_key);
    relais_status status = relais_identity_save(identity, path, &error);
    relais_identity_free(identity);
    if (status != RELAIS_OK) {
        return talk_error(&error);
    }
    note_secret(invocation, path);
    return print_key(invocation, public_key, path);
}

static enum exit_code run_new(struct invocation *invocation)
{
    const char *path = invocation->options.arguments[0];
    const char *name = options_text(&invocation->options, "signing");
    if (name) {
        return new_signing(invocation, name);
    }
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
        note_secret(invocation, path);
        code = print_key(invocation, key.public_key, path);
    }
    relais_key_wipe(&key);
    return code;
}

static enum exit_code run_show(struct invocation *invocation)
{
    const char *path = invocation->options.arguments[0];
    relais_error error;
    char public_key[RELAIS_IDENTITY_TEXT_BYTES];
    relais_key key;
    if (key_file_read_public(path, &key, &error) != RELAIS_OK) {
        relais_error other;
        if (relais_identity_load_public(path, public_key, &other) == RELAIS_OK) {
            return print_key(invocation, public_key, path);
        }
        return talk_error(&error);
    }
    return print_key(invocation, key.public_key, path);
}

static const struct option_spec new_options[] = {
    {"signing", 0, WORDS_MEMBER, "NAME",
     N_("a key to sign with, of this member (or the regulator's), instead of one to connect with")},
};

const struct command command_key_new = {
    .words = "key new",
    .summary = N_("make a key pair: FILE (secret) and FILE.pub"),
    .arguments = "FILE",
    .examples = "relais key new client.key\n"
                "relais key new member.key --signing commune-76540\n",
    .options = new_options,
    .option_count = OPTION_COUNT(new_options),
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
