/* SPDX-License-Identifier: EUPL-1.2
 * Lines of one file onto the bus, messages as lines of another: adapter --config lines.yaml */
#include <cyaml/cyaml.h>
#include <relais/adapter.h>
#include <stdio.h>
#include <string.h>

struct settings {
    char *read, *write, *to, *flow;
};

static FILE *open_file(const relais_adapter *adapter, const char *path, const char *mode)
{
    char whole[4096];
    path = relais_adapter_path(adapter, path, whole, sizeof whole);
    return path ? fopen(path, mode) : NULL;
}

/* A message has come: it becomes a line, then it is done. */
static void deliver(void *context, relais_adapter_item *item)
{
    const struct settings *settings = relais_adapter_settings(context);
    relais_bytes text = relais_adapter_message(item)->payload;
    FILE *file = open_file(context, settings->write, "a");
    int kept = file && fwrite(text.data, 1, text.size, file) == text.size && fputs("\n", file) >= 0;
    if (file && fclose(file) == 0 && kept) {
        relais_adapter_done(item);
    } else {
        relais_adapter_unavailable(item, "file not writable");
    }
}

static relais_status take_line(relais_adapter *adapter, const char *line, long *position,
                               relais_error *error)
{
    const struct settings *settings = relais_adapter_settings(adapter);
    const char *const to[] = {settings->to};
    relais_message message = {.type = "fr.relais.line", .to = to, .to_count = 1};
    message.flow = settings->flow;
    message.payload = (relais_bytes){line, strcspn(line, "\n")};
    relais_status status = relais_adapter_hand_over(adapter, &message, error);
    if (status == RELAIS_OK) {
        *position += (long)strlen(line);
        relais_bytes note = {position, sizeof *position};
        status = relais_adapter_note(adapter, "position", note, error);
    }
    return status;
}

/* Every whole line behind the noted position becomes a message, and the position is noted anew in
 * the same instant: a crash at any moment loses no line and sends none twice. */
static relais_status look(void *context, int64_t *out_wait_ms, relais_error *error)
{
    const struct settings *settings = relais_adapter_settings(context);
    char line[4096];
    long position = 0;
    size_t size = 0;
    relais_status status =
        relais_adapter_noted(context, "position", &position, sizeof position, &size);
    FILE *file = open_file(context, settings->read, "r");
    if ((status == RELAIS_OK || status == RELAIS_NOT_FOUND) && file) {
        status = fseek(file, position, SEEK_SET) == 0 ? RELAIS_OK : RELAIS_SYSTEM;
        while (status == RELAIS_OK && fgets(line, sizeof line, file) && strchr(line, '\n')) {
            status = take_line(context, line, &position, error);
        }
    }
    if (file) {
        fclose(file);
    }
    *out_wait_ms = 1000;
    status = status == RELAIS_DAMAGED ? status : relais_adapter_flush(context, error);
    return status == RELAIS_STORE_FULL ? RELAIS_OK : status; /* full: at the next look */
}

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("read", CYAML_FLAG_POINTER, struct settings, read, 1, 1000),
    CYAML_FIELD_STRING_PTR("write", CYAML_FLAG_POINTER, struct settings, write, 1, 1000),
    CYAML_FIELD_STRING_PTR("to", CYAML_FLAG_POINTER, struct settings, to, 1, 127),
    CYAML_FIELD_STRING_PTR("flow", CYAML_FLAG_POINTER, struct settings, flow, 1, 64),
    CYAML_FIELD_END};

int main(int argc, char **argv)
{
    relais_adapter_kind kind = {.name = "relais-lines", .version = "0.1", .settings = fields};
    kind.settings_bytes = sizeof(struct settings);
    kind.deliver = deliver;
    kind.poll = look;
    return relais_adapter_main(argc, argv, &kind);
}
