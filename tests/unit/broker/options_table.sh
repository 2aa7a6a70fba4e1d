#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# options_table.sh RELAISD PAGE: does PAGE hold, line for line, what relaisd --options prints?
set -eu
relaisd=$1
page=$2
table=$(mktemp)
trap 'rm -f "$table"' EXIT
"$relaisd" --options >"$table"
missing=0
while IFS= read -r line; do
    if ! grep -qxF -- "$line" "$page"; then
        echo "not in $page: $line"
        missing=1
    fi
done <"$table"
rows=$(grep -c '^| `[a-z._]*` | `RELAIS_' "$page")
if [ "$rows" -ne "$(($(wc -l <"$table") - 2))" ]; then
    echo "$page has $rows options, relaisd has another number"
    missing=1
fi
exit "$missing"
