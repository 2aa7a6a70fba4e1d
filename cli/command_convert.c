/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais convert: a file of a real format to a typed payload, back, or to another format; with
 * --try a sample in, and everything there is to say about it out.
 *
 * 1. A file named by --out is there whole, or not at all.
 */
#include "cli/command.h"
#include "cli/convert_report.h"
#include "cli/progress.h"
#include "cli/source_file.h"
#include "cli/talk.h"
#include "cli/whole_file.h"
#include "program/locale.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 64 * 1024 };

/* One conversion and its two ends. */
struct work {
    const struct invocation *invocation;
    const char *path;
    const char *out_path; /* NULL: stdout, or nowhere with --try */
    const char **titles;
    struct whole_file whole;
    FILE *out;
    bool trying;
    bool out_failed;
    int out_error;
    struct convert_options options;
    struct convert_report report;
    struct progress progress;
};

static relais_status write_out(void *context, const char *data, size_t size)
{
    struct work *work = context;
    if (!work->out || fwrite(data, 1, size, work->out) == size) {
        return RELAIS_OK;
    }
    work->out_error = errno;
    work->out_failed = true;
    return RELAIS_SYSTEM;
}

/* Reports are given the work, and pass it on. */
static void complain(void *context, const struct complaint *complaint)
{
    struct work *work = context;
    progress_clear(&work->progress);
    convert_report_complain(&work->report, complaint);
}

static void see(void *context, const json_t *item, uint64_t line, bool refused)
{
    struct work *work = context;
    convert_report_see(&work->report, item, line, refused);
}

static relais_status feed_file(struct work *work, FILE *in, struct convert *convert)
{
    char *piece = malloc(PIECE_BYTES);
    if (!piece) {
        return RELAIS_NO_MEMORY;
    }
    relais_status status = RELAIS_OK;
    size_t got = 0;
    while (status == RELAIS_OK && (got = fread(piece, 1, PIECE_BYTES, in)) > 0) {
        status = convert_feed(convert, piece, got);
        work->progress.done_bytes += got;
        progress_show(&work->progress);
    }
    free(piece);
    if (status == RELAIS_OK && ferror(in)) {
        relais_error error;
        talk_fill_errno(&error, errno, work->path);
        talk_error(&error);
        return RELAIS_SYSTEM;
    }
    return status == RELAIS_OK ? convert_end(convert) : status;
}

static enum exit_code fail_errno(int number, const char *path)
{
    relais_error error;
    talk_fill_errno(&error, number, path);
    return talk_error(&error);
}

/* The target: stdout, a file, or nothing. */
static enum exit_code open_out(struct work *work)
{
    relais_error error;
    if (work->trying) {
        return CODE_DONE;
    }
    if (!work->out_path) {
        work->out = stdout;
        return CODE_DONE;
    }
    if (whole_file_open(&work->whole, work->out_path, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    work->out = work->whole.stream;
    return CODE_DONE;
}

/* Puts the whole file in its place, or lets it go. */
static enum exit_code close_out(struct work *work, enum exit_code code)
{
    relais_error error;
    if (!work->whole.stream) {
        return code;
    }
    if (code != CODE_DONE && code != CODE_PARTLY) {
        whole_file_drop(&work->whole);
        return code;
    }
    return whole_file_keep(&work->whole, &error) == RELAIS_OK ? code : talk_error(&error);
}

/* What a conversion that ended so is for the caller. */
static enum exit_code code_of(const struct work *work, relais_status status,
                              const struct convert_counts *counts)
{
    switch (status) {
    case RELAIS_OK:
        if (counts->refused == 0) {
            return CODE_DONE;
        }
        return work->trying || counts->written == 0 ? CODE_REFUSED : CODE_PARTLY;
    case RELAIS_FIELD_INVALID:
        return CODE_REFUSED;
    case RELAIS_NO_MEMORY:
        return talk_no_memory();
    default:
        return work->out_failed
                   ? fail_errno(work->out_error, work->out_path ? work->out_path : "stdout")
                   : CODE_FAILED;
    }
}

static enum exit_code convert_opened(struct work *work, FILE *in)
{
    const struct convert_events events = {
        .context = work,
        .complain = complain,
        .see = work->trying ? see : NULL,
        .write = write_out,
    };
    struct convert *convert = NULL;
    if (convert_new(&work->options, &events, &convert) != RELAIS_OK) {
        return talk_no_memory();
    }
    enum exit_code code = open_out(work);
    if (code != CODE_DONE) {
        convert_free(convert);
        return code;
    }
    progress_init(&work->progress, &work->invocation->output, source_file_size(work->path));
    relais_status status = feed_file(work, in, convert);
    progress_clear(&work->progress);
    struct convert_counts counts = convert_counts_of(convert);
    convert_free(convert);
    code = close_out(work, code_of(work, status, &counts));
    return convert_report_end(&work->report, &counts) ? code : talk_no_memory();
}

static enum exit_code convert_file(struct work *work)
{
    const struct output *output = &work->invocation->output;
    bool stdout_free = work->trying || work->out_path;
    bool is_stdin = strcmp(work->path, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(work->path, "re");
    if (!in) {
        return fail_errno(errno, work->path);
    }
    enum exit_code code = CODE_FAILED;
    if (convert_report_init(&work->report, output, work->path, work->trying,
                            stdout_free ? stdout : stderr)) {
        code = convert_opened(work, in);
    } else {
        code = talk_no_memory();
    }
    convert_report_fini(&work->report);
    if (!is_stdin) {
        fclose(in);
    }
    return code;
}

static enum exit_code read_encoding(const struct invocation *invocation, const char *option,
                                    enum encoding *out_encoding)
{
    const char *name = options_text(&invocation->options, option);
    if (!name) {
        return CODE_DONE;
    }
    *out_encoding = encoding_named(name);
    return *out_encoding != ENCODING_UNKNOWN
               ? CODE_DONE
               : talk_usage(invocation->command, _("--%s: \"%s\" is not known; one of: %s"), option,
                            name, ENCODING_NAMES);
}

static enum exit_code read_separator(const struct invocation *invocation, char *out_separator)
{
    const char *text = options_text(&invocation->options, "separator");
    if (!text) {
        return CODE_DONE;
    }
    bool tab = strcmp(text, "tab") == 0;
    *out_separator = text[0];
    if (tab) {
        *out_separator = '\t';
    }
    if (!tab && (strlen(text) != 1 || !strchr(";,|\t", text[0]))) {
        return talk_usage(invocation->command,
                          _("--separator: \"%s\" will not do; one of: ; , | tab"), text);
    }
    return CODE_DONE;
}

/* What --title says: titles of the file and of the format. */
static enum exit_code read_titles(struct work *work)
{
    work->titles = options_values(&work->invocation->options, "title", &work->options.rename_count);
    work->options.renames = work->titles;
    for (size_t i = 0; i < work->options.rename_count; i++) {
        const char *equals = strrchr(work->options.renames[i], '=');
        if (!equals || equals == work->options.renames[i] || equals[1] == '\0') {
            return talk_usage(work->invocation->command, _("--title: \"%s\" is not THEIRS=OURS"),
                              work->options.renames[i]);
        }
    }
    return CODE_DONE;
}

/* Options that only plain text knows. */
static enum exit_code check_text_options(const struct work *work)
{
    static const char *const names[] = {"encoding", "separator", "title"};
    for (size_t i = 0; i < OPTION_COUNT(names); i++) {
        if (options_has(&work->invocation->options, names[i]) &&
            !convert_format_is_text(work->options.from)) {
            return talk_usage(work->invocation->command,
                              _("--%s is for text and CSV; %s says it itself"), names[i],
                              work->options.from);
        }
    }
    return CODE_DONE;
}

static enum exit_code read_format(const struct invocation *invocation, const char *option,
                                  const char **name)
{
    const char *given = options_text(&invocation->options, option);
    if (!given && *name) {
        return CODE_DONE;
    }
    if (!given) {
        return talk_usage(invocation->command, _("--%s is missing; relais convert --list"), option);
    }
    for (size_t i = 0; convert_format_name(i); i++) {
        if (strcmp(convert_format_name(i), given) == 0) {
            *name = given;
            return CODE_DONE;
        }
    }
    return talk_usage(invocation->command,
                      _("--%s: \"%s\" is not a format; relais convert --list shows them"), option,
                      given);
}

static enum exit_code list_formats(const struct invocation *invocation)
{
    static const struct column columns[] = {
        {"format", N_("Format"), COLUMN_TEXT},
        {"summary", N_("Summary"), COLUMN_TEXT},
    };
    json_t *rows = json_array();
    for (size_t i = 0; rows && convert_format_name(i); i++) {
        json_t *row = json_pack("{s:s, s:s}", "format", convert_format_name(i), "summary",
                                convert_format_summary(i));
        if (json_array_append_new(rows, row) != 0) {
            json_decref(rows);
            rows = NULL;
        }
    }
    return talk_end(output_list(&invocation->output, columns, OPTION_COUNT(columns), rows));
}

static enum exit_code read_options(struct work *work)
{
    const struct invocation *invocation = work->invocation;
    enum exit_code code = read_format(invocation, "from", &work->options.from);
    if (code == CODE_DONE) {
        code = read_format(invocation, "to", &work->options.to);
    }
    if (code == CODE_DONE) {
        code = read_encoding(invocation, "encoding", &work->options.encoding);
    }
    if (code == CODE_DONE) {
        code = read_encoding(invocation, "to-encoding", &work->options.target_encoding);
    }
    if (code == CODE_DONE) {
        code = read_separator(invocation, &work->options.separator);
    }
    if (code == CODE_DONE) {
        code = read_titles(work);
    }
    return code == CODE_DONE ? check_text_options(work) : code;
}

static enum exit_code run(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    if (options_has(options, "list")) {
        return list_formats(invocation);
    }
    if (options->argument_count == 0) {
        return talk_usage(invocation->command, _("%s needs: %s"), "convert", "FILE");
    }
    struct work work = {.invocation = invocation,
                        .path = options->arguments[0],
                        .out_path = options_text(options, "out"),
                        .trying = options_has(options, "try")};
    work.options.specimens = options_has(options, "specimens");
    work.options.keep_going = work.trying || options_has(options, "keep-going");
    work.options.to = work.trying ? "jsonl" : NULL;
    enum exit_code code = read_options(&work);
    if (code == CODE_DONE) {
        code = convert_file(&work);
    }
    free(work.titles);
    return code;
}

static const struct option_spec options[] = {
    {"from", 'f', WORDS_PAYLOAD_FORMAT, "FORMAT", N_("the format of FILE; --list shows them")},
    {"to", 't', WORDS_PAYLOAD_FORMAT, "FORMAT",
     N_("the format to write; with --try jsonl if left out")},
    {"out", 0, WORDS_FILE, "PATH", N_("write this file, whole or not at all (default: stdout)")},
    {"try", 0, WORDS_NONE, NULL, N_("write nothing: show what was read and every complaint")},
    {"keep-going", 'k', WORDS_NONE, NULL,
     N_("leave refused records out (default: end at the first)")},
    {"encoding", 0, WORDS_ENCODING, "NAME",
     N_("of a text or CSV: UTF-8, ISO-8859-1, ISO-8859-15, Windows-1252 (default: found out)")},
    {"to-encoding", 0, WORDS_ENCODING, "NAME",
     N_("of what is written (default: as FILE was, or as the format has it)")},
    {"separator", 0, WORDS_NONE, "SIGN", N_("of a CSV: ; , | or tab (default: found out)")},
    {"title", 0, WORDS_NONE, "THEIRS=OURS",
     N_("of a CSV: a title of the file, and the format's that it stands for; may be repeated")},
    {"specimens", 0, WORDS_NONE, NULL,
     N_("let pass fictitious people: 30 and 31 February, an NIR of zeros or with a wrong key")},
    {"list", 0, WORDS_NONE, NULL, N_("the formats")},
};

const struct command command_convert = {
    .words = "convert",
    .summary = N_("change a file into a typed payload or back, or check it before it is sent"),
    .arguments = "FILE",
    .examples = "relais convert --from insee-deces --try deces.txt\n"
                "relais convert --from insee-deces --to protobuf deces.txt --out deces.pb\n"
                "relais convert --from protobuf --to insee-deces-csv deces.pb > deces.csv\n"
                "relais convert --list\n",
    .notes = N_("A complaint names file, line, column and field, what is wrong and what would be "
                "right, never the value. Exit code 4: the file or a record of it was refused; 6: "
                "with --keep-going, some records were."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_max = 1,
    .argument_words = WORDS_FILE,
    .run = run,
};
