/* SPDX-License-Identifier: EUPL-1.2
 *
 * See home_list.h.
 */
#include "cli/home_list.h"

#include "cli/talk.h"

enum exit_code home_list(struct invocation *invocation, enum home_folder folder, home_rows_fn add,
                         const struct column *columns, size_t column_count)
{
    relais_error error;
    struct home home;
    char **names = NULL;
    size_t count = 0;
    if (home_find(&invocation->options, &home, &error) != RELAIS_OK ||
        home_names(folder == HOME_FLOWS ? home.flows : home.members, &names, &count, &error) !=
            RELAIS_OK) {
        return talk_error(&error);
    }
    enum exit_code code = CODE_DONE;
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) {
        if (add(invocation, &home, names[i], rows, &error) != RELAIS_OK) {
            talk_error(&error);
            code = CODE_FAILED;
        }
    }
    home_names_free(names, count);
    return output_list(&invocation->output, columns, column_count, rows) ? code : talk_no_memory();
}
