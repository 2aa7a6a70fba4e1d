/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages for people in their language. RELAIS_LOCALEDIR (compiled in: where catalogues are
 * installed) can be shown elsewhere by the environment variable of the same name.
 */
#include "program/locale.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#ifndef RELAIS_LOCALEDIR
#define RELAIS_LOCALEDIR "/usr/share/locale"
#endif

void locale_bind(void)
{
    const char *folder = secure_getenv("RELAIS_LOCALEDIR");
    (void)bindtextdomain(RELAIS_TEXT_DOMAIN, folder && *folder ? folder : RELAIS_LOCALEDIR);
}

void locale_start(void)
{
    (void)setlocale(LC_ALL, "");
    /* a bare environment (cron, a unit, a minimal system) has no accents, our texts have */
    if (strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0) {
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    }
    /* numbers in files, JSON and logs are written for machines */
    (void)setlocale(LC_NUMERIC, "C");
    locale_bind();
    (void)bind_textdomain_codeset(RELAIS_TEXT_DOMAIN, "UTF-8");
    (void)textdomain(RELAIS_TEXT_DOMAIN);
}
