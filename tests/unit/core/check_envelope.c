/* SPDX-License-Identifier: EUPL-1.2
 *
 * docs/protocol.md, "Envelope": every rule, with its code and its field; what is right passes.
 */
#include "heard.h"

#include <stdlib.h>
#include <string.h>

enum { LONG = 1100 };

static char text[LONG + 1]; /* 't' ... */
static char *many[66];      /* addresses */
static Relais__V1__Extension extensions[40];
static Relais__V1__Extension *extension_list[40];

/* The last `size` bytes of a long text. */
static char *of(size_t size)
{
    memset(text, 't', LONG);
    return text + LONG - size;
}

static void extend(struct message *m, size_t count)
{
    static char names[40][4];
    for (size_t i = 0; i < count; i++) {
        relais__v1__extension__init(&extensions[i]);
        snprintf(names[i], sizeof names[i], "x%u", (unsigned)i);
        extensions[i].name = names[i];
        extensions[i].value_case = RELAIS__V1__EXTENSION__VALUE_CE_BOOLEAN;
        extension_list[i] = &extensions[i];
    }
    m->envelope.extensions = extension_list;
    m->envelope.n_extensions = count;
}

static void address(struct message *m, char *to)
{
    m->to_one[0] = to;
}

/* clang-format off */
static void no_change(struct message *m) { (void)m; }
static void id_absent(struct message *m) { m->envelope.id = ""; }
static void id_space(struct message *m) { m->envelope.id = "a b"; }
static void id_at(struct message *m) { m->envelope.id = of(128); }
static void id_long(struct message *m) { m->envelope.id = of(129); }
static void source_absent(struct message *m) { m->envelope.source = ""; }
static void source_at(struct message *m) { m->envelope.source = of(512); }
static void source_long(struct message *m) { m->envelope.source = of(513); }
static void type_absent(struct message *m) { m->envelope.type = ""; }
static void type_at(struct message *m) { m->envelope.type = of(128); }
static void type_long(struct message *m) { m->envelope.type = of(129); }
static void subject_at(struct message *m) { m->envelope.subject = of(1024); }
static void subject_long(struct message *m) { m->envelope.subject = of(1025); }
static void content_long(struct message *m) { m->envelope.datacontenttype = of(1025); }
static void schema_long(struct message *m) { m->envelope.dataschema = of(1025); }
static void correlation_long(struct message *m) { m->envelope.correlation_id = of(1025); }
static void ordering_long(struct message *m) { m->envelope.ordering_key = of(1025); }
static void supersedes_long(struct message *m) { m->envelope.supersedes = of(1025); }
static void purpose_long(struct message *m) { m->envelope.purpose = of(1025); }
static void classification_long(struct message *m) { m->envelope.dataclassification = of(1025); }
static void regulation_long(struct message *m) { m->envelope.dataregulation = of(1025); }
static void category_long(struct message *m) { m->envelope.datacategory = of(1025); }
static void trace_long(struct message *m) { m->envelope.traceparent = of(1025); }
static void flow_absent(struct message *m) { m->envelope.flow = ""; }
static void flow_wrong(struct message *m) { m->envelope.flow = "ETAT CIVIL"; }
static void flow_unknown(struct message *m) { m->envelope.flow = "etatcivil"; }
static void to_absent(struct message *m) { m->envelope.n_to = 0; }
static void to_wrong(struct message *m) { address(m, "commune-76540"); }
static void to_empty(struct message *m) { address(m, ""); }
static void to_member(struct message *m) { address(m, "commune-00000/etat-civil"); }
static void to_prefix(struct message *m) { address(m, "commune-7654/etat-civil"); }
static void to_service(struct message *m) { address(m, "commune-76540/etat"); }
static void to_forbidden(struct message *m) { address(m, "departement-02/etat-civil"); }
static void from_own(struct message *m) { m->envelope.from = "dila/whatever"; }
static void from_other(struct message *m) { m->envelope.from = "commune-76540/accueil"; }
static void from_prefix(struct message *m) { m->envelope.from = "dila-2/greffe"; }
static void from_wrong(struct message *m) { m->envelope.from = "dila"; }
static void reply_other(struct message *m) { m->envelope.reply_to = "commune-76540/nowhere"; }
static void reply_wrong(struct message *m) { m->envelope.reply_to = "accueil"; }
static void size_wrong(struct message *m) { m->envelope.payload_size = 21; }
static void size_huge(struct message *m) { m->envelope.payload_size = (UINT64_C(1) << 32) + 20; }
static void digest_absent(struct message *m) { m->envelope.payload_digest.len = 0; }
static void digest_short(struct message *m) { m->envelope.payload_digest.len = 31; }
static void expires_past(struct message *m) { m->envelope.expires_at_ms = 1700000000000; }
static void expires_next(struct message *m) { m->envelope.expires_at_ms = 1700000000001; }
static void expires_negative(struct message *m) { m->envelope.expires_at_ms = -1; }
static void before_negative(struct message *m) { m->envelope.not_before_ms = -1; }
static void priority_new(struct message *m) { m->envelope.priority = (Relais__V1__Priority)9; }
static void ext_at(struct message *m) { extend(m, 32); }
static void ext_many(struct message *m) { extend(m, 33); }
static void ext_upper(struct message *m) { extend(m, 3); extensions[1].name = "fileName"; }
static void ext_empty(struct message *m) { extend(m, 1); extensions[0].name = ""; }
static void ext_name_at(struct message *m) { extend(m, 1); extensions[0].name = of(20); }
static void ext_name_long(struct message *m) { extend(m, 1); extensions[0].name = of(21); }
static void ext_twice(struct message *m) { extend(m, 3); extensions[2].name = extensions[0].name; }
/* clang-format on */

static void ext_value(struct message *m, Relais__V1__Extension__ValueCase kind, size_t size)
{
    extend(m, 1);
    extensions[0].value_case = kind;
    extensions[0].ce_string = of(size); /* the union's text members share their place */
}

static void ext_value_at(struct message *m)
{
    ext_value(m, RELAIS__V1__EXTENSION__VALUE_CE_STRING, 1024);
}

static void ext_value_long(struct message *m)
{
    ext_value(m, RELAIS__V1__EXTENSION__VALUE_CE_STRING, 1025);
}

static void ext_uri_long(struct message *m)
{
    ext_value(m, RELAIS__V1__EXTENSION__VALUE_CE_URI, 1025);
}

static void ext_ref_long(struct message *m)
{
    ext_value(m, RELAIS__V1__EXTENSION__VALUE_CE_URI_REF, 1025);
}

static void to_twice(struct message *m)
{
    many[0] = "commune-76540/etat-civil";
    many[1] = "commune-06088/etat-civil";
    many[2] = "commune-76540/etat-civil";
    m->envelope.to = many;
    m->envelope.n_to = 3;
}

static void to_second_bad(struct message *m)
{
    to_twice(m);
    many[2] = "commune-76540/guichet";
}

static void to_many(struct message *m)
{
    for (size_t i = 0; i < 65; i++) {
        many[i] = "commune-76540/etat-civil";
    }
    m->envelope.to = many;
    m->envelope.n_to = 65;
}

static const struct row {
    void (*change)(struct message *message);
    Relais__V1__Code code; /* CODE_OK: accepted */
    const char *field;
} rows[] = {
    {no_change, CODE(OK), ""},
    {id_absent, CODE(FIELD_MISSING), "id"},
    {id_space, CODE(FIELD_INVALID), "id"},
    {id_at, CODE(OK), ""},
    {id_long, CODE(FIELD_INVALID), "id"},
    {source_absent, CODE(FIELD_MISSING), "source"},
    {source_at, CODE(OK), ""},
    {source_long, CODE(FIELD_INVALID), "source"},
    {type_absent, CODE(FIELD_MISSING), "type"},
    {type_at, CODE(OK), ""},
    {type_long, CODE(FIELD_INVALID), "type"},
    {subject_at, CODE(OK), ""},
    {subject_long, CODE(FIELD_INVALID), "subject"},
    {content_long, CODE(FIELD_INVALID), "datacontenttype"},
    {schema_long, CODE(FIELD_INVALID), "dataschema"},
    {correlation_long, CODE(FIELD_INVALID), "correlation_id"},
    {ordering_long, CODE(FIELD_INVALID), "ordering_key"},
    {supersedes_long, CODE(FIELD_INVALID), "supersedes"},
    {purpose_long, CODE(FIELD_INVALID), "purpose"},
    {classification_long, CODE(FIELD_INVALID), "dataclassification"},
    {regulation_long, CODE(FIELD_INVALID), "dataregulation"},
    {category_long, CODE(FIELD_INVALID), "datacategory"},
    {trace_long, CODE(FIELD_INVALID), "traceparent"},
    {flow_absent, CODE(FIELD_MISSING), "flow"},
    {flow_wrong, CODE(FIELD_INVALID), "flow"},
    {flow_unknown, CODE(UNKNOWN_FLOW), "flow"},
    {to_absent, CODE(NO_SUBSCRIBER), "to"},
    {to_wrong, CODE(FIELD_INVALID), "to[0]"},
    {to_empty, CODE(FIELD_INVALID), "to[0]"},
    {to_member, CODE(UNKNOWN_MEMBER), "to[0]"},
    {to_prefix, CODE(UNKNOWN_MEMBER), "to[0]"},
    {to_service, CODE(UNKNOWN_SERVICE), "to[0]"},
    {to_forbidden, CODE(RECEIVER_NOT_ALLOWED), "to[0]"},
    {to_twice, CODE(FIELD_INVALID), "to[2]"},
    {to_second_bad, CODE(UNKNOWN_SERVICE), "to[2]"},
    {to_many, CODE(FIELD_INVALID), "to[64]"},
    {from_own, CODE(OK), ""},
    {from_other, CODE(FIELD_INVALID), "from"},
    {from_prefix, CODE(FIELD_INVALID), "from"},
    {from_wrong, CODE(FIELD_INVALID), "from"},
    {reply_other, CODE(OK), ""},
    {reply_wrong, CODE(FIELD_INVALID), "reply_to"},
    {size_wrong, CODE(FIELD_INVALID), "payload_size"},
    {size_huge, CODE(FIELD_INVALID), "payload_size"},
    {digest_absent, CODE(FIELD_MISSING), "payload_digest"},
    {digest_short, CODE(FIELD_INVALID), "payload_digest"},
    {expires_past, CODE(EXPIRED), "expires_at_ms"},
    {expires_next, CODE(OK), ""},
    {expires_negative, CODE(FIELD_INVALID), "expires_at_ms"},
    {before_negative, CODE(FIELD_INVALID), "not_before_ms"},
    {priority_new, CODE(OK), ""},
    {ext_at, CODE(OK), ""},
    {ext_many, CODE(FIELD_INVALID), "extensions"},
    {ext_upper, CODE(FIELD_INVALID), "extensions[1].name"},
    {ext_empty, CODE(FIELD_INVALID), "extensions[0].name"},
    {ext_name_at, CODE(OK), ""},
    {ext_name_long, CODE(FIELD_INVALID), "extensions[0].name"},
    {ext_twice, CODE(FIELD_INVALID), "extensions[2].name"},
    {ext_value_at, CODE(OK), ""},
    {ext_value_long, CODE(FIELD_INVALID), "extensions[0].value"},
    {ext_uri_long, CODE(FIELD_INVALID), "extensions[0].value"},
    {ext_ref_long, CODE(FIELD_INVALID), "extensions[0].value"},
};

START_TEST(each_rule_has_its_code_and_field)
{
    const struct row *row = &rows[_i];
    struct world world;
    struct message message;
    char field[80];
    world_init(&world, NULL);
    greet(&world, 1, DILA);
    message_init(&message, "id-1");
    row->change(&message);
    world_submit(&world, 1, DILA, 1, &message, 1);
    world_turn(&world);
    if (row->code == CODE(OK)) {
        heard_accepted(&world, 1, 1, 1);
    } else {
        const Relais__V1__Refused *refused = heard(&world, 1, TOLD(REFUSED))->refused;
        snprintf(field, sizeof field, "submit.parts[0].envelope.%s", row->field);
        heard_error(refused->refusals[0]->error, row->code, field);
        ck_assert_uint_eq(refused->refusals[0]->error->retry_after_ms, 0);
        ck_assert_uint_le(strlen(refused->refusals[0]->error->wrong), 200);
        ck_assert_uint_eq(world.shelf.appends, 0);
    }
    world_fini(&world);
}
END_TEST

START_TEST(a_flow_names_its_senders)
{
    struct world world;
    struct message message;
    world_init(&world, NULL);
    greet(&world, 1, AISNE);
    message_init(&message, "id-1");
    world_submit(&world, 1, AISNE, 1, &message, 1);
    world_turn(&world);
    const Relais__V1__Refused *refused = heard(&world, 1, TOLD(REFUSED))->refused;
    heard_error(refused->refusals[0]->error, CODE(SENDER_NOT_ALLOWED),
                "submit.parts[0].envelope.flow");
    message.envelope.flow = "PETIT";
    world_submit(&world, 1, AISNE, 2, &message, 1);
    world_turn(&world);
    heard_accepted(&world, 1, 2, 2);
    world_fini(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core envelope");
    TCase *tcase = tcase_create("rules");
    tcase_add_loop_test(tcase, each_rule_has_its_code_and_field, 0,
                        (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(tcase, a_flow_names_its_senders);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
