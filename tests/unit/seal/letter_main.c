/* SPDX-License-Identifier: EUPL-1.2
 *
 * Seals or opens one letter between standard input and output, for check_sealed.py:
 *
 *   letter seal|open KEYFILE ID SENDER RECIPIENT WRAPFILE [compress] [pad]
 */
#include "seal/opener.h"
#include "seal/sealer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_BYTES = 1 << 20 };

static void require(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "%s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void require_ok(enum seal_status status)
{
    require(status == SEAL_OK, seal_status_text(status));
}

static size_t read_file(const char *path, uint8_t *out, size_t room)
{
    FILE *file = fopen(path, "rbe");
    size_t size = 0;

    require(file != NULL, path);
    size = fread(out, 1, room, file);
    (void)fclose(file);
    return size;
}

static struct mailbox_key *read_key(const char *path)
{
    uint8_t text[MAILBOX_KEY_FILE_BYTES];
    struct mailbox_key *key = NULL;

    require_ok(
        mailbox_key_read((struct seal_bytes){text, read_file(path, text, sizeof text)}, &key));
    return key;
}

static void seal_letter(char **argv, struct seal_input *in, struct seal_output *out)
{
    struct seal_request request = {.message = {argv[3], argv[4]}};
    struct mailbox_key *key = read_key(argv[2]);
    const struct mailbox_public *half = mailbox_key_public(key);
    struct sealer *sealer = NULL;
    uint8_t wrap[SEAL_WRAP_BYTES];
    FILE *file = fopen(argv[6], "wbe");
    bool done = false;

    for (char **option = argv + 7; *option != NULL; option++) {
        request.compress = request.compress || strcmp(*option, "compress") == 0;
        request.pad = request.pad || strcmp(*option, "pad") == 0;
    }
    require_ok(seal_begin(&request, &sealer));
    require_ok(
        seal_wrap(sealer, &(struct seal_recipient){argv[5], half, half->not_before_ms}, wrap));
    require(file != NULL && fwrite(wrap, 1, sizeof wrap, file) == sizeof wrap, argv[6]);
    (void)fclose(file);
    (void)seal_output_put(out, (struct seal_bytes){seal_header(sealer), SEAL_HEADER_BYTES});
    require_ok(seal_update(sealer, in, out));
    require_ok(seal_end(sealer, out, &done));
    require(done, "too long for this program");
    seal_free(sealer);
    mailbox_key_free(key);
}

static void open_letter(char **argv, struct seal_input *in, struct seal_output *out)
{
    struct mailbox_key *key = read_key(argv[2]);
    uint8_t wrap[SEAL_WRAP_BYTES + 1];
    const struct open_request request = {
        .message = {argv[3], argv[4]},
        .recipient = argv[5],
        .header = in->data,
        .wrap = {wrap, read_file(argv[6], wrap, sizeof wrap)},
        .key = key,
        .most_bytes = ROOM_BYTES,
    };
    struct opener *opener = NULL;
    bool done = false;

    require(in->size >= SEAL_HEADER_BYTES, "no header");
    in->used = SEAL_HEADER_BYTES;
    require_ok(open_begin(&request, &opener));
    require_ok(open_update(opener, in, out));
    require_ok(open_end(opener, out, &done));
    require(done, "too long for this program");
    open_free(opener);
    mailbox_key_free(key);
}

int main(int argc, char **argv)
{
    static uint8_t input[ROOM_BYTES];
    static uint8_t output[ROOM_BYTES];
    struct seal_input in = {.data = input};
    struct seal_output out = {.data = output, .size = sizeof output};

    require(argc >= 7, "letter seal|open KEYFILE ID SENDER RECIPIENT WRAPFILE [compress] [pad]");
    in.size = fread(input, 1, sizeof input, stdin);
    if (strcmp(argv[1], "seal") == 0) {
        seal_letter(argv, &in, &out);
    } else {
        open_letter(argv, &in, &out);
    }
    require(fwrite(output, 1, out.used, stdout) == out.used, "standard output");
    return EXIT_SUCCESS;
}
