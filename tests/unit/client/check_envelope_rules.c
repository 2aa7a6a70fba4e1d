/* SPDX-License-Identifier: EUPL-1.2
 *
 * Every rule of docs/protocol.md, "Envelope": broken one at a time in a message that is right, and
 * the error names the field.
 */
#include "client/envelope.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const good_to[] = {"commune-76540/etat-civil"};
static const char *const bad_to[] = {"commune-76540/etat-civil", "Rouen"};
static const char *const null_to[] = {NULL};
static const char *const twice_to[] = {"dila/a", "dila/b", "dila/a"};

static const relais_extension bad_name[] = {{.name = "File", .text = "a"}};
static const relais_extension long_name[] = {{.name = "abcdefghijklmnopqrstu", .text = "a"}};
static const relais_extension no_name[] = {{.text = "a"}};
static const relais_extension twice[] = {{.name = "a", .text = "a"}, {.name = "a", .text = "b"}};
static const relais_extension no_text[] = {{.name = "a"}};
static const relais_extension not_boolean[] = {
    {.name = "a", .kind = RELAIS_EXTENSION_BOOLEAN, .integer = 2}};
static const relais_extension late[] = {
    {.name = "a", .kind = RELAIS_EXTENSION_TIME, .time_ms = INT64_MAX}};
static const relais_extension no_bytes[] = {
    {.name = "a", .kind = RELAIS_EXTENSION_BYTES, .bytes = {NULL, 3}}};
static const relais_extension odd_kind[] = {{.name = "a", .kind = (relais_extension_kind)99}};
static const relais_extension bad_text[] = {{.name = "a", .text = "\xFF"}};

static char long_text[2000]; /* 'x' all over: made in main() */

struct rule {
    const char *field;
    relais_status status;
    void (*break_it)(relais_message *message);
};

#define RULE(name, statement)                                                                      \
    static void break_##name(relais_message *message)                                              \
    {                                                                                              \
        statement;                                                                                 \
    }

RULE(id_space, message->id = "a b")
RULE(id_accent, message->id = "é")
RULE(id_long, message->id = long_text + sizeof long_text - 1 - 129)
RULE(id_empty, message->id = "")
RULE(source, message->source = long_text + sizeof long_text - 1 - 513)
RULE(type_missing, message->type = NULL)
RULE(type_empty, message->type = "")
RULE(type_long, message->type = long_text + sizeof long_text - 1 - 129)
RULE(subject_long, message->subject = long_text)
RULE(subject_bytes, message->subject = "caf\xE9")
RULE(content, message->datacontenttype = long_text)
RULE(schema, message->dataschema = long_text)
RULE(to_none, message->to_count = 0)
RULE(to_null, message->to = NULL)
RULE(to_and_subscribers, message->to_subscribers = true)
RULE(to_many, message->to_count = 65)
RULE(to_bad, (message->to = bad_to, message->to_count = 2))
RULE(to_hole, message->to = null_to)
RULE(to_twice, (message->to = twice_to, message->to_count = 3))
RULE(flow_missing, message->flow = NULL)
RULE(flow_bad, message->flow = "ETAT CIVIL")
RULE(from, message->from = "dila")
RULE(reply_to, message->reply_to = "dila/")
RULE(correlation, message->correlation_id = long_text)
RULE(expires, message->expires_at_ms = -1)
RULE(not_before, message->not_before_ms = -1)
RULE(time, message->time_ms = INT64_MIN)
RULE(priority, message->priority = (relais_priority)7)
RULE(ordering, message->ordering_key = long_text)
RULE(supersedes, message->supersedes = long_text)
RULE(purpose, message->purpose = long_text)
RULE(classification, message->dataclassification = long_text)
RULE(regulation, message->dataregulation = long_text)
RULE(category, message->datacategory = long_text)
RULE(trace, message->traceparent = long_text)
RULE(extensions_many, message->extension_count = 33)
RULE(extensions_null, message->extension_count = 1)
RULE(name_bad, (message->extensions = bad_name, message->extension_count = 1))
RULE(name_long, (message->extensions = long_name, message->extension_count = 1))
RULE(name_none, (message->extensions = no_name, message->extension_count = 1))
RULE(name_twice, (message->extensions = twice, message->extension_count = 2))
RULE(text_none, (message->extensions = no_text, message->extension_count = 1))
RULE(boolean, (message->extensions = not_boolean, message->extension_count = 1))
RULE(late, (message->extensions = late, message->extension_count = 1))
RULE(bytes_none, (message->extensions = no_bytes, message->extension_count = 1))
RULE(kind, (message->extensions = odd_kind, message->extension_count = 1))
RULE(text_bad, (message->extensions = bad_text, message->extension_count = 1))
RULE(payload, message->payload = ((relais_bytes){NULL, 1}))
RULE(payload_large, message->payload = ((relais_bytes){"", (size_t)UINT32_MAX + 1}))

static const struct rule rules[] = {
    {"id", RELAIS_FIELD_INVALID, break_id_space},
    {"id", RELAIS_FIELD_INVALID, break_id_accent},
    {"id", RELAIS_FIELD_INVALID, break_id_long},
    {"id", RELAIS_FIELD_INVALID, break_id_empty},
    {"source", RELAIS_FIELD_INVALID, break_source},
    {"type", RELAIS_FIELD_MISSING, break_type_missing},
    {"type", RELAIS_FIELD_MISSING, break_type_empty},
    {"type", RELAIS_FIELD_INVALID, break_type_long},
    {"subject", RELAIS_FIELD_INVALID, break_subject_long},
    {"subject", RELAIS_FIELD_INVALID, break_subject_bytes},
    {"datacontenttype", RELAIS_FIELD_INVALID, break_content},
    {"dataschema", RELAIS_FIELD_INVALID, break_schema},
    {"to", RELAIS_FIELD_MISSING, break_to_none},
    {"to", RELAIS_FIELD_MISSING, break_to_null},
    {"to", RELAIS_FIELD_INVALID, break_to_and_subscribers},
    {"to", RELAIS_FIELD_INVALID, break_to_many},
    {"to[1]", RELAIS_FIELD_INVALID, break_to_bad},
    {"to[0]", RELAIS_FIELD_INVALID, break_to_hole},
    {"to[2]", RELAIS_FIELD_INVALID, break_to_twice},
    {"flow", RELAIS_FIELD_MISSING, break_flow_missing},
    {"flow", RELAIS_FIELD_INVALID, break_flow_bad},
    {"from", RELAIS_FIELD_INVALID, break_from},
    {"reply_to", RELAIS_FIELD_INVALID, break_reply_to},
    {"correlation_id", RELAIS_FIELD_INVALID, break_correlation},
    {"expires_at_ms", RELAIS_FIELD_INVALID, break_expires},
    {"not_before_ms", RELAIS_FIELD_INVALID, break_not_before},
    {"time_ms", RELAIS_FIELD_INVALID, break_time},
    {"priority", RELAIS_FIELD_INVALID, break_priority},
    {"ordering_key", RELAIS_FIELD_INVALID, break_ordering},
    {"supersedes", RELAIS_FIELD_INVALID, break_supersedes},
    {"purpose", RELAIS_FIELD_INVALID, break_purpose},
    {"dataclassification", RELAIS_FIELD_INVALID, break_classification},
    {"dataregulation", RELAIS_FIELD_INVALID, break_regulation},
    {"datacategory", RELAIS_FIELD_INVALID, break_category},
    {"traceparent", RELAIS_FIELD_INVALID, break_trace},
    {"extensions", RELAIS_FIELD_INVALID, break_extensions_many},
    {"extensions", RELAIS_FIELD_MISSING, break_extensions_null},
    {"extensions[0].name", RELAIS_FIELD_INVALID, break_name_bad},
    {"extensions[0].name", RELAIS_FIELD_INVALID, break_name_long},
    {"extensions[0].name", RELAIS_FIELD_INVALID, break_name_none},
    {"extensions[1].name", RELAIS_FIELD_INVALID, break_name_twice},
    {"extensions[0]", RELAIS_FIELD_MISSING, break_text_none},
    {"extensions[0]", RELAIS_FIELD_INVALID, break_boolean},
    {"extensions[0]", RELAIS_FIELD_INVALID, break_late},
    {"extensions[0]", RELAIS_FIELD_MISSING, break_bytes_none},
    {"extensions[0]", RELAIS_FIELD_INVALID, break_kind},
    {"extensions[0]", RELAIS_FIELD_INVALID, break_text_bad},
    {"payload", RELAIS_FIELD_MISSING, break_payload},
    {"payload", RELAIS_TOO_LARGE, break_payload_large},
};

START_TEST(a_broken_rule_is_named)
{
    const struct rule *rule = &rules[_i];
    relais_error error = {.status = RELAIS_OK};
    relais_message message = {
        .type = "fr.relais.file", .to = good_to, .to_count = 1, .flow = "ETATCIVIL"};
    ck_assert_int_eq(envelope_check(&message, &error), RELAIS_OK);
    rule->break_it(&message);
    ck_assert_int_eq(envelope_check(&message, &error), rule->status);
    ck_assert_int_eq(error.status, rule->status);
    ck_assert_str_eq(error.field, rule->field);
    ck_assert_int_eq(envelope_check(&message, NULL), rule->status);
}
END_TEST

int main(void)
{
    memset(long_text, 'x', sizeof long_text - 1);
    Suite *suite = suite_create("unit.client.envelope_rules");
    TCase *rows = tcase_create("rules");
    tcase_add_loop_test(rows, a_broken_rule_is_named, 0, sizeof rules / sizeof rules[0]);
    suite_add_tcase(suite, rows);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
