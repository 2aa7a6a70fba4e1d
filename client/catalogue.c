/* SPDX-License-Identifier: EUPL-1.2
 *
 * A program that calls setlocale() reads our errors in its language. gettext looks in /usr only;
 * where librelais was installed only librelais knows. Done when it is loaded, before any thread of
 * ours; main() may bind the domain elsewhere later.
 */
#include "program/locale.h"

__attribute__((constructor)) static void bind_catalogue(void)
{
    locale_bind();
}
