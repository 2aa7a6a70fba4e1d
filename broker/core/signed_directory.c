/* SPDX-License-Identifier: EUPL-1.2
 *
 * See signed_directory.h. A member that nobody knows has no notes: who is on the bus is said by the
 * regulator, not here.
 */
#include "core/signed_directory.h"

#include "core/limits.h"
#include "core/reply.h"
#include "wire/name.h"

#include <string.h>

enum { ROW_OVERHEAD_BYTES = 96 }; /* of one packed SignedMember beside its notes */

_Static_assert((int)LIMIT_ENTRY_BYTES + (int)LIMIT_MAILBOXES_BYTES + (int)ROW_OVERHEAD_BYTES <
                   (int)REPLY_COMMAND_BYTES,
               "the notes of one member do not fit an answer");

static bool check(struct step *step, const struct session *session, const Relais__V1__Query *query)
{
    const size_t asked = query->directory->n_members;
    struct refusal refusal = {.code = RELAIS__V1__CODE__CODE_FIELD_INVALID,
                              .field = "query.directory.members",
                              .wrong = refusal_number(step->effects, asked),
                              .right = "1 to 64 members"};
    if (asked == 0 || asked > LIMIT_DIRECTORY_ASKED) {
        reply_answer_error(step, session->connection, query->number, &refusal);
        return false;
    }
    for (size_t i = 0; i < asked; i++) {
        const char *slug = query->directory->members[i];
        if (!name_is_slug(slug)) {
            refusal.wrong = refusal_wrong(step->effects, slug);
            refusal.right = N_("slugs of members");
            reply_answer_error(step, session->connection, query->number, &refusal);
            return false;
        }
    }
    return true;
}

static void lay_member(const struct core *core, char *slug, Relais__V1__SignedMember *out_row)
{
    const struct directory_member *member = directory_member(core->directory, slug, strlen(slug));
    relais__v1__signed_member__init(out_row);
    out_row->member = slug;
    if (member) {
        const struct directory_notes *notes = directory_member_notes(member);
        /* Only read: packed at once. */
        out_row->entry = (ProtobufCBinaryData){notes->entry.size, (uint8_t *)notes->entry.data};
        out_row->mailboxes =
            (ProtobufCBinaryData){notes->mailboxes.size, (uint8_t *)notes->mailboxes.data};
    }
}

void signed_directory_query(struct step *step, const struct session *session,
                            const Relais__V1__Query *query)
{
    if (!check(step, session, query)) {
        return;
    }
    const size_t asked = query->directory->n_members;
    Relais__V1__SignedMember *values = effects_alloc(step->effects, asked * sizeof *values);
    Relais__V1__SignedMember **rows =
        effects_alloc(step->effects, asked * sizeof(Relais__V1__SignedMember *));
    if (step->effects->failed || !values || !rows) {
        return;
    }
    Relais__V1__SignedDirectory directory = RELAIS__V1__SIGNED_DIRECTORY__INIT;
    directory.members = rows;
    size_t bytes = 0;
    for (size_t i = 0; i < asked; i++) {
        lay_member(step->core, query->directory->members[i], &values[i]);
        bytes += strlen(values[i].member) + values[i].entry.len + values[i].mailboxes.len +
                 ROW_OVERHEAD_BYTES;
        if (i > 0 && bytes > REPLY_COMMAND_BYTES) {
            break;
        }
        rows[directory.n_members++] = &values[i];
    }
    directory.more = directory.n_members < asked;
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = query->number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_DIRECTORY;
    answer.directory = &directory;
    reply_answer(step, session->connection, &answer);
}
