/* SPDX-License-Identifier: EUPL-1.2
 *
 * Notes and complaints, one line each.
 */
#include "cli/talk.h"

#include "program/locale.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Longest line; relais_error has less. */
enum { LINE_BYTES = 1024 };

void talk_note(const struct output *output, const char *format, ...)
{
    if (output->quiet) {
        return;
    }
    char line[LINE_BYTES];
    char clean[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", output_clean(line, clean, sizeof(clean)));
}

enum exit_code talk_error(const relais_error *error)
{
    char line[LINE_BYTES];
    fprintf(stderr, "relais: %s\n", relais_error_text(error, line, sizeof(line)));
    return exit_code_of(error->status);
}

enum exit_code talk_argument_error(const relais_error *error)
{
    enum exit_code code = talk_error(error);
    if (error->status == RELAIS_FIELD_INVALID || error->status == RELAIS_FIELD_MISSING) {
        return CODE_USAGE;
    }
    return code;
}

enum exit_code talk_usage(const struct command *command, const char *format, ...)
{
    char line[LINE_BYTES];
    char clean[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fprintf(stderr, "relais: %s\n", output_clean(line, clean, sizeof(clean)));
    fprintf(stderr, _("Help: relais %s%s--help\n"), command ? command->words : "",
            command ? " " : "");
    return CODE_USAGE;
}

enum exit_code talk_no_memory(void)
{
    relais_error error = {.status = RELAIS_NO_MEMORY};
    return talk_error(&error);
}

enum exit_code talk_end(bool printed)
{
    return printed ? CODE_DONE : talk_no_memory();
}

relais_status talk_fill(relais_error *error, relais_status status, const char *field,
                        const char *wrong, const char *right)
{
    *error = (relais_error){.status = status};
    snprintf(error->field, sizeof(error->field), "%s", field ? field : "");
    snprintf(error->wrong, sizeof(error->wrong), "%s", wrong ? wrong : "");
    snprintf(error->right, sizeof(error->right), "%s", right ? right : "");
    return status;
}

static const char *remedy_of(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return _("a path that exists");
    case EACCES:
    case EPERM:
        return _("a path that this user may use: see its owner and mode");
    case EROFS:
        return _("a disk that is not read-only");
    case ENOSPC:
    case EDQUOT:
        return _("free room on the disk");
    case EISDIR:
        return _("a file, not a folder");
    case EMFILE:
    case ENFILE:
        return _("more file descriptors (ulimit -n)");
    default:
        return NULL;
    }
}

relais_status talk_fill_errno(relais_error *error, int number, const char *path)
{
    relais_status status = RELAIS_SYSTEM;
    if (number == ENOENT || number == ENOTDIR) {
        status = RELAIS_NOT_FOUND;
    } else if (number == EEXIST) {
        status = RELAIS_ALREADY_EXISTS;
    } else if (number == ENOMEM) {
        status = RELAIS_NO_MEMORY;
    }
    /* The other two say it already. */
    const char *said = status == RELAIS_SYSTEM ? strerror(number) : NULL;
    return talk_fill(error, status, path, said, remedy_of(number));
}
