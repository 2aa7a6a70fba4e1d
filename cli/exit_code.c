/* SPDX-License-Identifier: EUPL-1.2
 *
 * One status, one exit code.
 */
#include "cli/exit_code.h"

/* Numbers below this one come from the broker (relais/status.h). */
enum { FIRST_LOCAL_STATUS = 100 };

enum exit_code exit_code_of(relais_status status)
{
    switch (status) {
    case RELAIS_OK:
        return CODE_DONE;
    case RELAIS_UNREACHABLE:
    case RELAIS_TIMED_OUT:
    case RELAIS_CLOSED:
        return CODE_UNREACHABLE;
    case RELAIS_NOT_FOUND:
        return CODE_NOT_FOUND;
    case RELAIS_USAGE:
        return CODE_USAGE;
    case RELAIS_KEY_REFUSED:
        return CODE_REFUSED;
    default:
        return (int)status < FIRST_LOCAL_STATUS ? CODE_REFUSED : CODE_FAILED;
    }
}
