/* SPDX-License-Identifier: EUPL-1.2
 *
 * The question what is signed of some members. What comes back is the broker's word: nothing here
 * believes it.
 */
#include <relais/trust.h>

#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "client/error.h"
#include "program/locale.h"
#include "wire/name.h"

/* What is asked and what came of it, on the stack of the call. */
struct signed_rows {
    const char *const *asked;
    relais_signed_member *rows; /* as many as were asked for */
    size_t asked_count;
    size_t count;
    bool more;
};

/* Copies the bytes; false without memory. No bytes are NULL. */
static bool copy(const ProtobufCBinaryData *said, void **out_data, size_t *out_size)
{
    if (said->len == 0) {
        return true;
    }
    *out_data = malloc(said->len);
    if (*out_data != NULL) {
        memcpy(*out_data, said->data, said->len);
        *out_size = said->len;
    }
    return *out_data != NULL;
}

bool signed_rows_keep(const Relais__V1__SignedDirectory *said, struct signed_rows *rows)
{
    if (said->n_members == 0 || said->n_members > rows->asked_count ||
        said->more != (said->n_members < rows->asked_count)) {
        return false;
    }
    for (size_t i = 0; i < said->n_members; i++) {
        const Relais__V1__SignedMember *from = said->members[i];
        relais_signed_member *to = &rows->rows[i];

        if (strcmp(from->member, rows->asked[i]) != 0) {
            return false;
        }
        error_copy_text(to->member, sizeof to->member, from->member);
        rows->count = i + 1;
        if (!copy(&from->entry, &to->entry, &to->entry_bytes) ||
            !copy(&from->mailboxes, &to->mailboxes, &to->mailboxes_bytes)) {
            return false;
        }
    }
    rows->more = said->more;
    return true;
}

void relais_signed_members_free(relais_signed_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(members[i].entry);
        free(members[i].mailboxes);
        memset(&members[i], 0, sizeof members[i]);
    }
}

/* Asks for rows->asked once; rows->count says how many came. */
static relais_status ask(relais_client *client, struct signed_rows *rows, int timeout_ms,
                         relais_error *error)
{
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__DirectoryQuery what = RELAIS__V1__DIRECTORY_QUERY__INIT;
    struct question question = {.query = &query, .out_directory = rows};
    char names[RELAIS_DIRECTORY_PAGE][NAME_SLUG_BYTES + 1];
    char *pointers[RELAIS_DIRECTORY_PAGE];

    for (size_t i = 0; i < rows->asked_count; i++) {
        error_copy_text(names[i], sizeof names[i], rows->asked[i]);
        pointers[i] = names[i];
    }
    what.members = pointers;
    what.n_members = rows->asked_count;
    query.what_case = RELAIS__V1__QUERY__WHAT_DIRECTORY;
    query.directory = &what;
    return question_ask(client, &question, timeout_ms, error);
}

relais_status relais_query_directory(relais_client *client, const char *const *members,
                                     size_t count, int timeout_ms,
                                     relais_signed_member *out_members, relais_error *error)
{
    relais_status status = RELAIS_OK;
    size_t done = 0;

    if (client == NULL || client->calling || count == 0 || count > RELAIS_DIRECTORY_PAGE) {
        return error_fill(error, RELAIS_USAGE, "count", NULL, _("1 to 64 members"));
    }
    for (size_t i = 0; i < count; i++) {
        if (members[i] == NULL || !name_is_slug(members[i])) {
            return error_fill(error, RELAIS_FIELD_INVALID, "member", members[i],
                              _("a member such as commune-76540"));
        }
    }
    memset(out_members, 0, count * sizeof *out_members);
    while (status == RELAIS_OK && done < count) {
        struct signed_rows rows = {
            .asked = members + done, .rows = out_members + done, .asked_count = count - done};

        status = ask(client, &rows, timeout_ms, error);
        done += rows.count;
    }
    if (status != RELAIS_OK) {
        relais_signed_members_free(out_members, count);
    }
    return status;
}
