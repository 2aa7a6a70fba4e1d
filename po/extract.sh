#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# extract.sh SOURCE POT: the texts of all rooms, from the sources as they are.
#
# After a change of texts:
#   po/extract.sh . po/relais.pot && msgmerge --update --backup=none po/fr.po po/relais.pot
# then translate what msgmerge left empty or marked fuzzy.
set -eu
source=$1
case $2 in
/*) pot=$2 ;;
*) pot=$PWD/$2 ;;
esac
cd "$source"
# X(name, number, retry, text) is the list of include/relais/status.h.
find include wire trust typed program client broker cli adapter adapters -name '*.[ch]' | LC_ALL=C sort |
    xgettext --files-from=- --from-code=UTF-8 --language=C --add-location=file --sort-by-file \
        --keyword= --keyword=_ --keyword=N_ --keyword=X:4 \
        --package-name=relais --copyright-holder='the Relais authors' --output="$pot"
# No date and no boilerplate: the same sources give the same file.
sed -i -e '/^"POT-Creation-Date:/d' -e '1,/^msgid ""$/ {/^#/d}' "$pot"
sed -i -e '1i# SPDX-License-Identifier: EUPL-1.2\n# The texts of Relais; made by po/extract.sh.' "$pot"
