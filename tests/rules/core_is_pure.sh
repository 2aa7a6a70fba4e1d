#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# core_is_pure.sh <archive>...: what these libraries call, beside each other, is on the list of
# core_is_pure.allow: no socket, disk, clock, thread or random number can be reached from them.
# RELAIS_PURE_ALSO names a second list, of what one library may call beside that.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
LC_ALL=C
export LC_ALL
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm -u "$@" | awk '$1 == "U" || $1 == "w" { print $2 }' | sort -u >"$work/wanted"
nm --defined-only "$@" | awk 'NF == 3 && $2 != "U" { print $3 }' | sort -u >"$work/own"
[ -s "$work/own" ] || { echo "no symbols in $*: nothing was checked"; exit 1; }
cat "$here/core_is_pure.allow" ${RELAIS_PURE_ALSO:+"$RELAIS_PURE_ALSO"} | grep -v '^#' >"$work/allow"
comm -23 "$work/wanted" "$work/own" | grep -vE -f "$work/allow" >"$work/bad" || true
[ ! -s "$work/bad" ] || { sed 's/^/impure: /' "$work/bad"; exit 1; }
