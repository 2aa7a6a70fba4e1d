#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# check.sh SOURCE: every text of the sources is translated, none is fuzzy, formats agree.
set -eu
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$source"/po/extract.sh "$source" "$work/relais.pot"
failed=0
for file in "$source"/po/*.po; do
    language=$(basename "$file" .po)
    msgfmt --check --output-file=/dev/null "$file" || failed=1
    msgmerge --quiet --no-fuzzy-matching --output-file="$work/$language.po" "$file" "$work/relais.pot"
    msgattrib --untranslated "$work/$language.po" >"$work/left"
    msgattrib --only-fuzzy --no-obsolete "$file" >>"$work/left"
    if grep -q '^msgid' "$work/left"; then
        echo "po/$language.po: not translated, or fuzzy:"
        sed -n '/^#:/,$p' "$work/left"
        failed=1
    fi
done
exit $failed
