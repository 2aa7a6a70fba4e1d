/* SPDX-License-Identifier: EUPL-1.2
 *
 * The text of "<name>.error.json": see reason.h. The French sentences stand here, not only in the
 * catalogue, because a server without the French locale cannot use the catalogue.
 */
#include "adapters/files/reason.h"

#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
    relais_status status;
    const char *french;
} sentences[] = {
    {RELAIS_TOO_LARGE, "trop grand"},
    {RELAIS_FIELD_MISSING, "un champ obligatoire manque"},
    {RELAIS_FIELD_INVALID, "un champ a une valeur non permise"},
    {RELAIS_UNKNOWN_MEMBER, "ce membre n’existe pas sur ce bus"},
    {RELAIS_UNKNOWN_SERVICE, "ce membre n’a pas ce service"},
    {RELAIS_UNKNOWN_FLOW, "cette démarche n’existe pas sur ce bus"},
    {RELAIS_SENDER_NOT_ALLOWED, "la démarche n’autorise pas cet émetteur"},
    {RELAIS_RECEIVER_NOT_ALLOWED, "la démarche n’autorise pas ce destinataire"},
    {RELAIS_EXPIRED, "le message a expiré"},
    {RELAIS_LIMIT_EXCEEDED, "une limite du courtier est dépassée"},
    {RELAIS_MALFORMED, "les octets ne se lisent pas selon ce protocole"},
    {RELAIS_DIGEST_MISMATCH, "le contenu n'est pas celui que l'enveloppe décrit"},
};

const char *reason_in_french(relais_status status)
{
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        if (sentences[i].status == status) {
            return sentences[i].french;
        }
    }
    return "refusé";
}

static const char *in_english(relais_status status)
{
    locale_t english = newlocale(LC_MESSAGES_MASK, "C", (locale_t)0);
    if (english == (locale_t)0) {
        return relais_status_text(status);
    }
    locale_t before = uselocale(english);
    const char *text = relais_status_text(status);
    (void)uselocale(before);
    freelocale(english);
    return text;
}

static void write_time(int64_t now_ms, char *out, size_t size)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm when;
    (void)gmtime_r(&seconds, &when);
    (void)strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &when);
}

/* "flow" for "submit.parts[3].envelope.flow": who drops files knows no parts. */
static const char *plain_field(const char *field)
{
    static const char before[] = "envelope.";
    const char *found = strstr(field, before);
    return found ? found + sizeof before - 1 : field;
}

char *reason_text(const relais_error *error, int64_t now_ms)
{
    char time_text[32];
    write_time(now_ms, time_text, sizeof time_text);
    json_t *text = json_pack("{s:s, s:s}", "fr", reason_in_french(error->status), "en",
                             in_english(error->status));
    json_t *whole =
        json_pack("{s:s, s:i}", "status", relais_status_name(error->status), "code", error->status);
    const struct {
        const char *key;
        const char *value;
    } details[] = {{"field", plain_field(error->field)},
                   {"wrong", error->wrong},
                   {"right", error->right},
                   {"time", time_text}};
    for (size_t i = 0; whole && i < sizeof details / sizeof details[0]; i++) {
        /* a value that is not UTF-8 must not take the others with it */
        json_t *value = json_string(details[i].value);
        (void)json_object_set_new(whole, details[i].key, value ? value : json_string("?"));
    }
    char *dump = NULL;
    if (whole && text && json_object_set_new(whole, "text", text) == 0) {
        text = NULL;
        dump = json_dumps(whole, JSON_INDENT(2));
    }
    json_decref(text);
    json_decref(whole);
    return dump;
}
