#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# sizes.sh <root>: what fits on a screen can be reviewed. Functions: 70 lines, cyclomatic 15 (a switch
# counts once: a table of cases reads well). Files: .c 600 lines, .h 250. sizes.exceptions has reasons.
set -eu
root=$1
here=$(cd "$(dirname "$0")" && pwd)
command -v pmccabe >/dev/null || { echo "pmccabe is not installed"; exit 77; }
exceptions=${RELAIS_SIZES_EXCEPTIONS:-$here/sizes.exceptions}
cd "$root"
bad=0

"$here/sources.sh" . c | xargs -r pmccabe | awk -v exceptions="$exceptions" '
    BEGIN {
        while ((getline row < exceptions) > 0) {
            if (row !~ /^#/ && split(row, part, " ") >= 3) { excused[part[1], part[2]] = 1 }
        }
    }
    {
        # modified and traditional complexity, statements, first line, lines, file(line):, name
        path = $6
        sub(/\([0-9]+\):$/, "", path)
        if ((path, $7) in excused) { next }
        if ($5 > 70) { printf "%s:%d: %s has %d lines, 70 allowed\n", path, $4, $7, $5; bad = 1 }
        if ($1 > 15) { printf "%s:%d: %s has complexity %d, 15 allowed\n", path, $4, $7, $1; bad = 1 }
    }
    END { exit bad }
' || bad=1

count() { # <extension> <lines>
    "$here/sources.sh" . "$1" | while read -r path; do
        lines=$(wc -l <"$path")
        [ "$lines" -le "$2" ] || echo "$path: $lines lines, $2 allowed"
    done
}
long=$(count c 600; count h 250)
[ -z "$long" ] || { echo "$long"; bad=1; }

# A file is the noun it holds.
nouns=$("$here/sources.sh" . c h | grep -E '(^|/)(util|utils|common|helper|helpers|misc|tools)\.[ch]$' || true)
[ -z "$nouns" ] || { echo "$nouns" | sed 's/$/: not a noun/'; bad=1; }
exit $bad
