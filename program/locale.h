/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages for people in their language. Called once by main(): locale, gettext domain "relais".
 * The environment's RELAIS_LOCALEDIR shows the catalogues of a build tree.
 */
#ifndef RELAIS_PROGRAM_LOCALE_H
#define RELAIS_PROGRAM_LOCALE_H

#include <libintl.h>

#define RELAIS_TEXT_DOMAIN "relais"
#define _(text)            dgettext(RELAIS_TEXT_DOMAIN, text)
#define N_(text)           text

void locale_start(void);

/* Only where the catalogues are: for librelais, whose program chooses the locale itself. */
void locale_bind(void);

#endif
