#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# words.sh <root>: what is published speaks of the project alone: no path of one person's machine, no
# word about how the text came about, nothing that a merge left behind.
# Each pattern is written so that it does not match itself.
set -eu
root=$1
cd "$root"
paths='(^|[^A-Za-z0-9_.])/(w[o]rk|r[o]ot|U[s]ers)/'
words='(^|[^A-Za-z])(cl[a]ude|anthr[o]pic|op[e]nai|chatgp[t]|cop[i]lot|ll[m]s?)([^A-Za-z]|$)'
merges='^(<<<<<<[<]|>>>>>>[>]) '
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -z
else
    find . \( -name build -o -name .git \) -prune -o -type f -print0
fi | xargs -0 -r grep -IniE "$paths|$words|$merges" /dev/null | awk '{ print } END { exit NR > 0 }'
