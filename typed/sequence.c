/* SPDX-License-Identifier: EUPL-1.2
 *
 * Sequences of items.
 */
#include "typed/sequence.h"

#include "typed/item.h"
#include "typed/leaf.h"

void sequence_init(struct sequence *sequence, const struct source_setup *setup)
{
    *sequence = (struct sequence){.setup = setup};
    text_init(&sequence->scratch, ITEM_BYTES);
}

void sequence_fini(struct sequence *sequence)
{
    text_fini(&sequence->scratch);
}

void sequence_next(struct sequence *sequence, uint64_t line)
{
    sequence->items++;
    sequence->setup->checker->line = line;
    sequence->setup->checker->record = 0;
}

static struct place here(const struct sequence *sequence, const char *field)
{
    return (struct place){.line = sequence->setup->checker->line, .field = field};
}

static relais_status stop(struct sequence *sequence, enum rule rule, const char *field)
{
    checker_tell(sequence->setup->checker, rule, here(sequence, field), NULL);
    return RELAIS_FIELD_INVALID;
}

static relais_status give(struct sequence *sequence, const Relais__Flows__V1__Item *item,
                          bool refused)
{
    return sequence->setup->receive(sequence->setup->context, item, refused);
}

static relais_status take_form(struct sequence *sequence, const Relais__Flows__V1__Item *item,
                               uint64_t errors)
{
    const struct format *format = format_named(item->form->format);
    if (sequence->items != 1 || !format || format->document_count == 0) {
        return stop(sequence, RULE_FORM_PLACE, "form");
    }
    return sequence->setup->checker->errors == errors ? give(sequence, item, false)
                                                      : RELAIS_FIELD_INVALID;
}

static relais_status take_end(struct sequence *sequence, const Relais__Flows__V1__Item *item)
{
    sequence->ended = true;
    if (item->end->records != sequence->records) {
        return stop(sequence, RULE_NOT_WHOLE, "end");
    }
    return give(sequence, item, false);
}

relais_status sequence_take(struct sequence *sequence, const Relais__Flows__V1__Item *item,
                            uint64_t errors)
{
    struct checker *checker = sequence->setup->checker;
    const char *name = "";
    if (sequence->ended) {
        return stop(sequence, RULE_NOT_WHOLE, "end");
    }
    if (item->item_case == RELAIS__FLOWS__V1__ITEM__ITEM_FORM) {
        return take_form(sequence, item, errors);
    }
    if (item->item_case == RELAIS__FLOWS__V1__ITEM__ITEM_END) {
        return take_end(sequence, item);
    }
    checker->record = ++sequence->records;
    const ProtobufCMessage *record = item_record(item, &name);
    const struct document *document = record ? document_of_record(name) : NULL;
    if (!document) {
        checker_tell(checker, RULE_PROTO, here(sequence, name), NULL);
        return give(sequence, NULL, true);
    }
    if (!leaf_check_record(document, record, checker, &sequence->scratch)) {
        return RELAIS_NO_MEMORY;
    }
    return give(sequence, item, checker->errors != errors);
}

relais_status sequence_refuse(struct sequence *sequence)
{
    sequence->records++;
    return give(sequence, NULL, true);
}

relais_status sequence_end(struct sequence *sequence)
{
    sequence->setup->checker->record = 0;
    if (sequence->items == 0) {
        return stop(sequence, RULE_EMPTY, NULL);
    }
    return sequence->ended ? RELAIS_OK : stop(sequence, RULE_NOT_WHOLE, "end");
}
