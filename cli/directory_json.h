/* SPDX-License-Identifier: EUPL-1.2
 *
 * Members, clients and flows as JSON. NULL: out of memory; what was given in part is released.
 */
#ifndef RELAIS_CLI_DIRECTORY_JSON_H
#define RELAIS_CLI_DIRECTORY_JSON_H

#include <jansson.h>
#include <relais/directory.h>

/* All of a member; `client_names` beside `clients` for people. */
json_t *member_json(const relais_member *member);

/* A line of the list: the number of clients instead of them. */
json_t *member_row_json(const relais_member *member);

json_t *client_json(const relais_member *member, const relais_member_client *client);

json_t *flow_json(const relais_flow *flow);

/* The names of roles; the table that "--role" is parsed by. */
const char *role_name(unsigned role);
bool role_parse(const char *name, unsigned *out_role);

#endif
